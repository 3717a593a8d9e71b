"""The detail pane: the tabs, their content, copying and saving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QGuiApplication
from PyQt5.QtWidgets import QApplication, QFileDialog, QLabel
from pytestqt.qtbot import QtBot
from twisted.internet.defer import maybeDeferred

from app import events
from app.capture.reading.exchange_at import Exchanged
from app.capture.reading.reader import Reader
from app.events import Event
from app.http.contents import Content
from tests.ui.event_samples import CHAINED, PLAIN, event, failure
from ui.detail.page import Page
from ui.detail.pages.hex import MAX_HEX
from ui.detail.pane import DetailPane
from ui.detail.plain_text import MAX_TEXT
from ui.looks import theme

JSON = [["Content-Type", "application/json"]]


class Exchanges:
    """A reader that has only exchanges, and answers when the test says so.

    Attributes:
        asked: ids that were asked for, and what takes the answer.
    """

    path = Path("none.lpost")

    def __init__(self) -> None:
        self.asked: list[tuple[int, Callable[[Exchanged | None], object]]] = []

    def exchange(self, id: int, done: Callable[[Exchanged | None], object]) -> None:
        self.asked.append((id, done))

    def read(self, read: Callable[..., Any], nothing: Any, done: Callable[[Any], object]) -> None:
        done(nothing)


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges()


@pytest.fixture
def pane(dark: None, qtbot: QtBot, exchanges: Exchanges) -> DetailPane:
    widget = DetailPane(cast(Reader, exchanges), maybeDeferred)
    qtbot.addWidget(widget)
    widget.resize(1000, 400)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def page(pane: DetailPane, key: str) -> Any:
    """Bring a page to the front."""
    pane.tabs.setCurrentWidget(pane.pages[key])
    return pane.pages[key]


def current(pane: DetailPane) -> str:
    found = pane.tabs.currentWidget()
    assert isinstance(found, Page)
    return found.key


def titles(pane: DetailPane) -> list[str]:
    return [pane.tabs.tabText(index) for index in range(pane.tabs.count())]


def http(kind: int, id: int = 10417, **more: Any) -> Event:
    detail = {"method": "POST", "target": "/", "version": "HTTP/1.1", "fields": JSON, "body": 7, **more}
    return replace(event(kind, None, summary="POST /", detail=detail), id=id)


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
        "Select an event to see its details"
    ]
    assert pane.event_shown() is None


def test_only_a_failure_has_a_traceback_and_begins_with_it(pane: DetailPane) -> None:
    pane.show_event(event())
    assert titles(pane) == ["Overview", "Exchange", "Text", "Hex"]
    pane.show_event(failure(PLAIN))
    assert titles(pane) == ["Traceback", "Overview", "Text", "Hex"]
    assert current(pane) == "traceback"
    text = page(pane, "traceback").view.toPlainText()
    assert text.startswith("ValueError")


def test_the_last_used_tab_is_kept(pane: DetailPane) -> None:
    pane.show_event(event())
    page(pane, "hex")
    pane.show_event(failure(PLAIN))
    assert current(pane) == "traceback"
    pane.show_event(event(payload=b"other"))
    assert current(pane) == "hex"
    assert page(pane, "hex").view.data() == b"other"


def test_failures_remember_a_tab_of_their_own(pane: DetailPane) -> None:
    pane.show_event(failure(PLAIN))
    page(pane, "text")
    pane.show_event(failure(CHAINED))
    assert current(pane) == "text"
    pane.show_event(event())
    assert current(pane) == "exchange"


def test_a_tab_that_an_event_lacks_gives_way_to_the_one_used_before_it(pane: DetailPane) -> None:
    pane.show_event(event(payload=b"[1]"))
    page(pane, "text")
    page(pane, "json")
    pane.show_event(event(payload=b"words"))
    assert (current(pane), titles(pane)) == ("text", ["Overview", "Exchange", "Text", "Hex"])
    pane.show_event(event(payload=b"<a/>"))
    assert (current(pane), titles(pane)) == ("text", ["Overview", "Exchange", "XML", "Text", "Hex"])
    pane.show_event(event(payload=b"[2]"))
    assert (current(pane), titles(pane)) == ("json", ["Overview", "Exchange", "JSON", "Text", "Hex"])


def test_each_tab_is_filled_when_it_is_looked_at(pane: DetailPane) -> None:
    pane.show_event(event(payload=b"first"))
    for key in ("text", "hex", "overview"):
        page(pane, key)
    pane.show_event(event(payload=b"second"))
    assert pane.pages["hex"].view.data() == b"first"  # type: ignore[attr-defined]
    assert page(pane, "hex").view.data() == b"second"
    assert page(pane, "text").view.toPlainText() == "second"


def test_its_size_does_not_depend_on_what_is_shown(pane: DetailPane) -> None:
    before = pane.sizeHint(), pane.minimumSizeHint()
    for one in (event(payload=b"[1]"), failure(PLAIN), http(events.HTTP_REQUEST)):
        pane.show_event(one)
        for key in tuple(pane.pages):
            page(pane, key)
        assert (pane.sizeHint(), pane.minimumSizeHint()) == before


def test_the_tools_of_a_page_are_there_while_it_is(pane: DetailPane) -> None:
    pane.show_event(event())
    tools = pane.pages["text"].tools
    assert not any(tool.isVisible() for tool in tools)
    page(pane, "text")
    assert all(tool.isVisible() for tool in tools)


def test_a_capture_from_elsewhere_with_an_odd_failure_is_shown(pane: DetailPane) -> None:
    pane.show_event(event(events.FAILURE, detail={"type": "x"}, summary="ValueError: x"))
    text = page(pane, "traceback").view.toPlainText()
    assert text.startswith("ValueError: x  its traceback cannot be read")


def test_hex_of_a_huge_payload_is_cut_and_says_so(pane: DetailPane) -> None:
    pane.show_event(event(payload=bytes(MAX_HEX + 1)))
    assert len(page(pane, "hex").view.data()) == MAX_HEX
    assert page(pane, "hex").notice.isVisible()


def test_the_body_of_a_request_is_on_every_page_once_it_was_read(pane: DetailPane, exchanges: Exchanges) -> None:
    asks = http(events.HTTP_REQUEST)
    pane.show_event(asks)
    assert (current(pane), titles(pane)) == ("exchange", ["Overview", "Exchange", "JSON", "Text", "Hex"])
    assert page(pane, "text").view.placeholderText() == "Reading…"
    [(id, done)] = exchanges.asked
    done(Exchanged(asks, None, Content(b'{"a":1}', 7, "application/json")))
    assert (id, page(pane, "text").view.toPlainText()) == (asks.id, '{"a":1}')
    assert page(pane, "json").view.toPlainText() == '{\n  "a": 1\n}'
    assert page(pane, "hex").view.data() == b'{"a":1}'


def test_a_body_that_is_not_there_is_said_in_words(pane: DetailPane, exchanges: Exchanges) -> None:
    pane.show_event(http(events.HTTP_REQUEST))
    exchanges.asked[0][1](None)
    assert page(pane, "text").view.placeholderText().startswith("The body is not in the capture")
    pane.show_event(http(events.HTTP_REQUEST, body=0))
    assert page(pane, "text").view.placeholderText() == "No body"
    assert not pane.save_button.isEnabled()


def test_the_body_of_a_request_over_http_2_can_be_saved(pane: DetailPane, exchanges: Exchanges) -> None:
    pane.show_event(http(events.HTTP_REQUEST, stream=3))
    exchanges.asked[0][1](Exchanged(http(events.HTTP_REQUEST, stream=3), None, Content(b"words", 5)))
    assert page(pane, "text").view.toPlainText() == "words"
    assert pane.save_button.isEnabled()


def test_exchanges_are_read_one_at_a_time_and_only_the_last_counts(pane: DetailPane, exchanges: Exchanges) -> None:
    first, second, third = (http(events.HTTP_REQUEST, id=number) for number in (1, 2, 3))
    for one in (first, second, third):
        pane.show_event(one)
    assert [id for id, _ in exchanges.asked] == [1]
    exchanges.asked[0][1](Exchanged(first, None, Content(b"[1]", 3)))
    assert [id for id, _ in exchanges.asked] == [1, 3]
    assert page(pane, "text").view.placeholderText() == "Reading…"
    exchanges.asked[1][1](Exchanged(third, None, Content(b"[3]", 3)))
    assert page(pane, "text").view.toPlainText() == "[3]"
    assert len(exchanges.asked) == 2


def test_copy_takes_what_the_tab_shows(pane: DetailPane, qtbot: QtBot) -> None:
    pane.show_event(failure(PLAIN, b"\x00a\n"))
    for key, wanted in (
        ("traceback", page(pane, "traceback").view.text()),
        ("overview", page(pane, "overview").sheet.text()),
        ("text", "\\0a\n"),
        ("hex", "00 61 0a"),
    ):
        page(pane, key)
        qtbot.mouseClick(pane.copy_button, Qt.LeftButton)
        assert clipboard() == wanted
    assert "connection\t#7\n" in page(pane, "overview").sheet.text()


def test_copy_takes_the_selection_where_there_is_one(pane: DetailPane) -> None:
    pane.show_event(event(payload=b"READ temp"))
    view = page(pane, "text").view
    cursor = view.textCursor()
    cursor.movePosition(cursor.EndOfWord, cursor.KeepAnchor)
    view.setTextCursor(cursor)
    pane.copy()
    assert clipboard() == "READ"
    page(pane, "hex").view.select(0, 2)
    pane.copy()
    assert clipboard() == "52 45"


def test_the_overview_is_plain_text(pane: DetailPane) -> None:
    pane.show_event(event(detail={"fields": [["X", "<b>bold</b>"]]}))
    assert "X\t<b>bold</b>" in page(pane, "overview").sheet.toPlainText()


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


def test_what_cannot_be_saved_is_said_in_words(pane: DetailPane, qtbot: QtBot, tmp_path: Path) -> None:
    pane.show_event(event())
    qtbot.mouseClick(pane.save_button, Qt.LeftButton)
    (dialog,) = pane.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "missing" / "out.bin"))
    dialog.close()
    assert any(
        label.isVisible() and label.text().endswith("out.bin: No such file or directory.")
        for label in pane.findChildren(QLabel)
    )
    pane.show_event(event())
    assert not any("No such file" in label.text() for label in pane.findChildren(QLabel))


def test_another_theme_keeps_everything_in_place(pane: DetailPane, qapp: QApplication) -> None:
    pane.show_event(failure(CHAINED))
    before = page(pane, "traceback").view.toPlainText()
    theme.apply(qapp, theme.LIGHT)
    assert page(pane, "traceback").view.toPlainText() == before
