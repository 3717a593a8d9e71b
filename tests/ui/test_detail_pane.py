"""The detail pane: which tab is shown, what stands in it, what is copied and saved."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from app import events
from tests.ui.event_samples import CHAINED, PLAIN, event, failure
from ui import theme
from ui.detail_pages import MAX_HEX, MAX_LINE, MAX_TEXT, PIECE, pieces
from ui.detail_pane import DetailPane


@pytest.fixture
def pane(qapp: QApplication, qtbot: QtBot) -> DetailPane:
    theme.apply(qapp, theme.DARK)
    widget = DetailPane()
    qtbot.addWidget(widget)
    widget.resize(1000, 400)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def titles(pane: DetailPane) -> list[str]:
    return [pane.tabs.tabText(index) for index in range(pane.tabs.count())]


def clipboard() -> str:
    board = QGuiApplication.clipboard()
    assert board is not None
    return board.text()


def test_without_an_event_there_is_a_hint(pane: DetailPane) -> None:
    assert not pane.tabs.isVisible()
    pane.show_event(event())
    assert pane.tabs.isVisible()
    pane.show_event(None)
    assert not pane.tabs.isVisible()
    assert [label.text() for label in pane.findChildren(QLabel) if label.isVisible()] == [
        "Select an event to see all of it"
    ]
    assert pane.event_shown() is None


def test_only_a_failure_has_a_traceback_and_begins_with_it(pane: DetailPane) -> None:
    pane.show_event(event())
    assert titles(pane) == ["Overview", "Text", "Hex"]
    pane.show_event(failure(PLAIN))
    assert titles(pane) == ["Traceback", "Overview", "Text", "Hex"]
    assert pane.tabs.currentWidget() is pane.traceback
    assert pane.traceback.view.toPlainText().startswith("ValueError  temp is not a number  · connection #7 · caused by")


def test_the_last_used_tab_is_kept(pane: DetailPane) -> None:
    pane.show_event(event())
    pane.tabs.setCurrentWidget(pane.hex)
    pane.show_event(failure(PLAIN))
    assert pane.tabs.currentWidget() is pane.traceback
    pane.show_event(event(payload=b"other"))
    assert pane.tabs.currentWidget() is pane.hex
    assert pane.hex.view.data() == b"other"


def test_failures_remember_a_tab_of_their_own(pane: DetailPane) -> None:
    pane.show_event(failure(PLAIN))
    pane.tabs.setCurrentWidget(pane.text)
    pane.show_event(failure(CHAINED))
    assert pane.tabs.currentWidget() is pane.text
    pane.show_event(event())
    assert pane.tabs.currentWidget() is pane.overview


def test_each_tab_is_filled_when_it_is_looked_at(pane: DetailPane) -> None:
    pane.show_event(event(payload=b"first"))
    for page in (pane.text, pane.hex, pane.overview):
        pane.tabs.setCurrentWidget(page)
    pane.show_event(event(payload=b"second"))
    assert pane.hex.view.data() == b"first"
    pane.tabs.setCurrentWidget(pane.hex)
    assert pane.hex.view.data() == b"second"
    pane.tabs.setCurrentWidget(pane.text)
    assert pane.text.view.toPlainText() == "second"


def test_a_capture_from_elsewhere_with_an_odd_failure_is_shown(pane: DetailPane) -> None:
    pane.show_event(event(events.FAILURE, detail={"type": "x"}, summary="ValueError: x"))
    assert pane.traceback.view.toPlainText().startswith("ValueError: x  its traceback cannot be read")


def test_text_keeps_line_breaks_and_shows_all_else(pane: DetailPane) -> None:
    pane.show_event(event(payload=b"GET /\r\n\tcaf\xc3\xa9 \xff\x00\x1b[2J \\ <b>\n"))
    pane.tabs.setCurrentWidget(pane.text)
    assert pane.text.view.toPlainText() == "GET /\\r\n\\tcafé \\xff\\0\\e[2J \\\\ <b>\n"
    assert not pane.text.notice.isVisible()


def test_a_long_text_is_cut_between_characters_and_says_so(pane: DetailPane) -> None:
    payload = b"x" + "é".encode() * MAX_TEXT
    pane.show_event(event(payload=payload))
    pane.tabs.setCurrentWidget(pane.text)
    pane.copy()
    assert clipboard().replace("\n", "") == "x" + "é" * (MAX_TEXT // 2 - 1)
    labels = [label.text() for label in pane.text.notice.findChildren(QLabel)]
    assert labels == ["This is the beginning, 262,143 bytes (262 kB), of a payload of 524,289 bytes (524 kB)."]
    assert pane.text.notice.isVisible()


def test_a_long_text_comes_in_pieces(pane: DetailPane, qtbot: QtBot) -> None:
    payload = b"a line\n" * 20_000
    pane.show_event(event(payload=payload))
    pane.tabs.setCurrentWidget(pane.text)
    assert pane.text.view.blockCount() < 2000
    qtbot.waitUntil(lambda: pane.text.view.blockCount() == 20_001)
    assert pane.text.view.verticalScrollBar().value() == 0
    assert pane.text.view.toPlainText() == payload.decode()


def test_another_event_ends_the_filling_of_the_one_before(pane: DetailPane, qtbot: QtBot) -> None:
    pane.show_event(event(payload=b"a line\n" * 20_000))
    pane.tabs.setCurrentWidget(pane.text)
    pane.show_event(event(payload=b"short"))
    qtbot.wait(50)
    assert pane.text.view.toPlainText() == "short"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"a\n\nb\n",
        b"\n" * 5000,
        b"a" * (PIECE // 8 - 1) + b"\n",
        (b"a" * (PIECE // 8 - 1) + b"\n") * 8,
        (b"a" * (PIECE // 8 - 1) + b"\n") * 8 + b"b",
        (b"b" * 1000 + b"\n") * 50,
        b"\xff\xe2\x82" * 9000,
    ],
)
def test_pieces_put_together_are_the_whole(data: bytes) -> None:
    whole = "\n".join(pieces(data))
    joined = whole.replace("\n", "") if b"\n" not in data else whole
    assert joined == data.decode("utf-8", "backslashreplace")
    assert max(map(len, whole.split("\n"))) <= MAX_LINE


def test_characters_are_not_torn_between_pieces() -> None:
    assert "".join(pieces("€".encode() * 20_000)).replace("\n", "") == "€" * 20_000


def test_lines_wrap_or_not(pane: DetailPane, qtbot: QtBot) -> None:
    pane.show_event(event(payload=b"word " * 300))
    assert not pane.wrap_button.isVisible()
    pane.tabs.setCurrentWidget(pane.text)
    assert pane.wrap_button.isVisible()
    assert pane.text.view.horizontalScrollBar().maximum() == 0
    qtbot.mouseClick(pane.wrap_button, Qt.LeftButton)
    assert pane.text.view.horizontalScrollBar().maximum() > 0


def test_hex_of_a_huge_payload_is_cut_and_says_so(pane: DetailPane) -> None:
    pane.show_event(event(payload=bytes(MAX_HEX + 1)))
    pane.tabs.setCurrentWidget(pane.hex)
    assert len(pane.hex.view.data()) == MAX_HEX
    assert pane.hex.notice.isVisible()


def test_copy_takes_what_the_tab_shows(pane: DetailPane, qtbot: QtBot) -> None:
    pane.show_event(failure(PLAIN, b"\x00a\n"))
    for page, wanted in (
        (pane.traceback, pane.traceback.view.text()),
        (pane.overview, pane.overview.sheet.text()),
        (pane.text, "\\0a\n"),
        (pane.hex, "00 61 0a"),
    ):
        pane.tabs.setCurrentWidget(page)
        qtbot.mouseClick(pane.copy_button, Qt.LeftButton)
        assert clipboard() == (wanted or pane.overview.sheet.text())
    assert "connection\t#7\n" in pane.overview.sheet.text()


def test_copy_takes_the_selection_where_there_is_one(pane: DetailPane) -> None:
    pane.show_event(event(payload=b"READ temp"))
    pane.tabs.setCurrentWidget(pane.text)
    cursor = pane.text.view.textCursor()
    cursor.movePosition(cursor.EndOfWord, cursor.KeepAnchor)
    pane.text.view.setTextCursor(cursor)
    pane.copy()
    assert clipboard() == "READ"
    pane.tabs.setCurrentWidget(pane.hex)
    pane.hex.view.select(0, 2)
    pane.copy()
    assert clipboard() == "52 45"


def test_the_overview_is_plain_text(pane: DetailPane) -> None:
    pane.show_event(event(detail={"fields": [["X", "<b>bold</b>"]]}))
    assert "X\t<b>bold</b>" in pane.overview.sheet.toPlainText()


def test_saving_needs_a_payload(pane: DetailPane) -> None:
    pane.show_event(event(events.CONNECTION_OPENED, None))
    assert not pane.save_button.isEnabled()
    pane.show_event(event())
    assert pane.save_button.isEnabled()


def test_save_writes_the_whole_payload_of_the_event_it_was_asked_for(
    pane: DetailPane, qtbot: QtBot, tmp_path: Path
) -> None:
    payload = b"x" * (MAX_TEXT + 1)
    pane.show_event(event(payload=payload))
    qtbot.mouseClick(pane.save_button, Qt.LeftButton)
    (dialog,) = pane.findChildren(QFileDialog)
    assert Path(dialog.selectedFiles()[0]).name == "sensor-hub-10417.bin"
    pane.show_event(event(payload=b"another"))
    dialog.fileSelected.emit(str(tmp_path / "out.bin"))
    dialog.close()
    assert (tmp_path / "out.bin").read_bytes() == payload


def test_what_cannot_be_saved_is_said_in_words(pane: DetailPane, tmp_path: Path) -> None:
    pane.show_event(event())
    pane.write_payload(b"x", tmp_path / "missing" / "out.bin")
    assert any(
        label.isVisible() and label.text().endswith("out.bin: No such file or directory.")
        for label in pane.findChildren(QLabel)
    )
    pane.show_event(event())
    assert not any("No such file" in label.text() for label in pane.findChildren(QLabel))


def test_another_theme_keeps_everything_in_place(pane: DetailPane, qapp: QApplication) -> None:
    pane.show_event(failure(CHAINED))
    before = pane.traceback.view.toPlainText()
    theme.apply(qapp, theme.LIGHT)
    assert pane.traceback.view.toPlainText() == before
