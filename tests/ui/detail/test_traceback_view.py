"""The traceback: what is folded, what is written, what is copied."""

from __future__ import annotations

import traceback
from dataclasses import replace

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtGui import QGuiApplication, QTextCursor
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import app
from app.failures import record as failures
from app.failures.origins import library, short
from app.failures.record import FailureRecord, Frame
from tests.ui.event_samples import CHAINED, JSON, OWN, PACKAGES, PLAIN, PLUGIN, TWISTED
from ui.detail.traceback_layout import Group, as_text, groups
from ui.detail.traceback_view import TracebackView
from ui.looks import theme


@pytest.fixture
def view(dark: None, qtbot: QtBot) -> TracebackView:
    widget = TracebackView()
    qtbot.addWidget(widget)
    widget.resize(900, 500)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def lines(view: TracebackView) -> list[str]:
    return view.toPlainText().split("\n")


@pytest.mark.parametrize(
    ("file", "whose"),
    [
        (f"{PACKAGES}twisted/internet/tcp.py", "twisted"),
        ("C:\\Python311\\Lib\\site-packages\\autobahn\\websocket.py", "autobahn"),
        (f"{PACKAGES}six.py", "six"),
        ("/usr/lib/python3.11/json/decoder.py", "json"),
        ("/usr/lib/python3/dist-packages/yaml/loader.py", "yaml"),
        ("C:\\Program Files\\Python311\\Lib\\socket.py", "socket"),
        ("<frozen importlib._bootstrap>", "importlib._bootstrap"),
        (app.__file__.replace("__init__", "services/tap"), "app"),
        ("app/services/tap/tap.py", "app"),
        ("ui/window/main_window.py", "ui"),
        (app.__file__.replace("__init__", "responders/fragile"), None),
        (f"{PACKAGES}app/responders/fragile.py", None),
        ("app/responders/fragile.py", None),
        (PLUGIN, None),
        ("/srv/shop/app/services/orders.py", None),
        ("<string>", None),
    ],
)
def test_library_code_is_told_from_what_the_user_wrote(file: str, whose: str | None) -> None:
    assert library(file) == whose


def test_a_path_is_cut_to_what_tells_files_apart() -> None:
    assert short(PLUGIN) == "plugins/sensor.py"
    assert short(f"{PACKAGES}twisted/internet/tcp.py") == "twisted/internet/tcp.py"
    assert short("<string>") == "<string>"


def test_library_frames_next_to_each_other_make_one_group() -> None:
    assert groups((*TWISTED, OWN, OWN, JSON)) == [
        Group(TWISTED, ("twisted", "app")),
        Group((OWN, OWN)),
        Group((JSON,), ("json",)),
    ]


def test_without_any_own_frame_the_innermost_stays_in_sight() -> None:
    assert groups((*TWISTED, JSON)) == [Group(TWISTED, ("twisted", "app")), Group((JSON,))]
    assert groups(()) == []


def test_the_heading_says_what_and_where(view: TracebackView) -> None:
    view.show_failure(PLAIN, 7)
    assert lines(view)[0] == "ValueError  temp is not a number  · connection #7"
    view.show_failure(PLAIN)
    assert lines(view)[0] == "ValueError  temp is not a number"


def test_own_frames_are_open_with_source_and_values(view: TracebackView) -> None:
    view.show_failure(PLAIN, 7)
    assert lines(view)[1:] == [
        "▸ 2 frames in twisted, app",
        "plugins/sensor.py:38 in dataReceived",
        "       37  for name, text in fields:",
        "  →    38      parse(name, text)",
        "name = 'temp'",
        "text = 'NaN'",
    ]


def test_many_values_are_folded_after_the_first(view: TracebackView) -> None:
    frame = replace(OWN, locals=tuple((f"v{n}", str(n)) for n in range(20)))
    view.show_failure(FailureRecord("ValueError", "", (frame,)))
    assert "  v7 = 7".strip() in [line.strip() for line in lines(view)]
    assert lines(view)[-1] == "▸ 12 more values"
    view.toggle(view.folds() - 1)
    assert lines(view)[-1].strip() == "v19 = 19"


# -- the bytes that caused it


def test_the_bytes_are_shown_as_text_and_unfold_to_hex(view: TracebackView) -> None:
    view.show_failure(PLAIN, 7, b"READ temp=NaN\r\n\0")
    assert lines(view)[1] == r"▸ caused by 16 bytes   READ temp=NaN\r\n\0"
    view.toggle(0)
    assert lines(view)[2].split() == ["0000", *b"READ temp=NaN\r\n\0".hex(" ").split(), "READ", "temp=NaN..."]


def test_of_many_bytes_only_the_beginning_is_shown(view: TracebackView) -> None:
    view.show_failure(PLAIN, None, b"\xff" * 100_000)
    view.toggle(0)
    assert len(lines(view)) < 60
    assert max(map(len, lines(view))) < 150
    assert "… all of them are under Hex" in view.toPlainText()


def test_they_are_sent_again_by_a_click_and_by_a_key(view: TracebackView, qtbot: QtBot) -> None:
    view.show_failure(PLAIN, None, b"x")
    at = lines(view).index("↻ Send the bytes again")
    place = view.cursorRect(QTextCursor(view.document().findBlockByNumber(at))).center() + QPoint(30, 0)
    with qtbot.waitSignal(view.again):
        qtbot.mouseClick(view.viewport(), Qt.LeftButton, pos=place)
    view.setTextCursor(QTextCursor(view.document().findBlockByNumber(at)))
    with qtbot.waitSignal(view.again):
        qtbot.keyClick(view, Qt.Key_Return)


def test_how_that_went_stands_beside_it_until_another_failure_is_shown(view: TracebackView) -> None:
    view.show_failure(PLAIN, None, b"x")
    view.tell("Sent 1 B again: <b>nothing</b> came back.")
    assert "↻ Send the bytes again   Sent 1 B again: <b>nothing</b> came back." in lines(view)
    view.show_failure(PLAIN, None, b"x")
    assert "Sent 1 B" not in view.toPlainText()


def test_without_bytes_there_is_nothing_to_send(view: TracebackView) -> None:
    view.show_failure(PLAIN, 7, None)
    assert "again" not in view.toPlainText()
    [action] = [found for found in view.context_menu().actions() if found.text() == "Send the &bytes again"]
    assert not action.isEnabled()


def test_c19_an_empty_message_is_sent_again_too(view: TracebackView) -> None:
    view.show_failure(PLAIN, 7, b"")
    assert "caused by an empty message" in view.toPlainText()
    assert "↻ Send the bytes again" in lines(view)
    [action] = [found for found in view.context_menu().actions() if found.text() == "Send the &bytes again"]
    assert action.isEnabled()


def test_where_nobody_can_send_them_nothing_is_offered(view: TracebackView) -> None:
    view.sendable = False
    view.show_failure(PLAIN, 7, b"x")
    assert "caused by 1 byte" in view.toPlainText()
    assert "again" not in view.toPlainText()


# -- groups of exceptions


GROUP = FailureRecord("ExceptionGroup", "bad lines (2 sub-exceptions)", (OWN,), members=(PLAIN, CHAINED))


def test_each_member_of_a_group_is_shown_with_its_own_frames(view: TracebackView) -> None:
    view.show_failure(GROUP)
    found = lines(view)
    assert "Exception 1 of 2 in it:" in found
    assert "Exception 2 of 2 in it:" in found
    assert found.count("ValueError  temp is not a number") == 1
    assert "KeyError  'temp'" in found
    view.unfold_all()
    assert view.toPlainText().count("▾") == view.folds() == 3


def test_the_text_has_the_members_beside_bars() -> None:
    found = as_text(GROUP).splitlines()
    assert found[0] == "  + Exception Group Traceback (most recent call last):"
    assert "  | ExceptionGroup: bad lines (2 sub-exceptions)" in found
    assert "  +-+---------------- 1 ----------------" in found
    assert "    | ValueError: temp is not a number" in found
    assert "    +---------------- 2 ----------------" in found
    assert found[-1] == "    +------------------------------------"


def test_a_click_unfolds_the_frames_of_libraries_and_another_folds_them(view: TracebackView, qtbot: QtBot) -> None:
    view.show_failure(PLAIN)
    place = view.cursorRect(QTextCursor(view.document().findBlockByNumber(1))).center() + QPoint(30, 0)
    qtbot.mouseClick(view.viewport(), Qt.LeftButton, pos=place)
    assert lines(view)[1:4] == [
        "▾ 2 frames in twisted, app",
        "twisted/internet/tcp.py:250 in doRead",
        "  →   250  return self._dataReceived(data)",
    ]
    assert "of a library" not in view.toPlainText()
    qtbot.mouseClick(view.viewport(), Qt.LeftButton, pos=place)
    assert lines(view)[1] == "▸ 2 frames in twisted, app"
    assert len(lines(view)) == 7


def test_a_click_beside_a_fold_does_nothing(view: TracebackView, qtbot: QtBot) -> None:
    view.show_failure(FailureRecord("ValueError", "", (OWN, JSON)))
    before = view.toPlainText()
    qtbot.mouseClick(view.viewport(), Qt.LeftButton, pos=QPoint(40, 450))
    assert view.toPlainText() == before


@pytest.mark.parametrize("key", [Qt.Key_Return, Qt.Key_Enter, Qt.Key_Space])
def test_keys_unfold_on_the_line_of_the_caret(view: TracebackView, qtbot: QtBot, key: int) -> None:
    view.show_failure(PLAIN)
    qtbot.keyClick(view, key)
    assert lines(view)[1].startswith("▸")
    qtbot.keyClick(view, Qt.Key_Down)
    qtbot.keyClick(view, key)
    assert lines(view)[1].startswith("▾")
    assert view.textCursor().blockNumber() == 1
    qtbot.keyClick(view, key)
    assert lines(view)[1].startswith("▸")


def test_causes_stand_above_with_the_words_of_python(view: TracebackView) -> None:
    view.show_failure(CHAINED, 7)
    found = [line for line in lines(view) if not line.startswith((" ", "▸", "plugins/", "name", "text"))]
    assert found == [
        "RuntimeError  no reading  · connection #7",
        "It began with:",
        "KeyError  'temp'",
        "The above exception was the direct cause of the following exception:",
        "plugins.BadReading",
        "During handling of the above exception, another exception occurred:",
        "RuntimeError  no reading",
        "second line",
        "a note",
    ]


def test_all_folds_open_and_close_together(view: TracebackView) -> None:
    view.show_failure(CHAINED)
    assert view.folds() == 2
    view.unfold_all()
    assert view.toPlainText().count("▾") == 2
    view.fold_all()
    assert view.toPlainText().count("▸") == 2


def test_a_failure_without_frames_says_so(view: TracebackView) -> None:
    view.show_failure(FailureRecord("ConnectionLost", "gone"))
    assert lines(view) == ["ConnectionLost  gone", "This exception has no traceback."]


def test_nothing_is_shown_for_no_failure(view: TracebackView) -> None:
    view.show_failure(PLAIN)
    view.show_failure(None)
    assert view.toPlainText() == ""
    assert view.text() == ""


def test_what_a_peer_sent_is_never_markup_and_never_turns_a_line_around(view: TracebackView) -> None:
    nasty = "<img src=x> \u202e\x1b[2J"
    frame = Frame(PLUGIN, 1, "f", ((1, nasty),), (("a", nasty),))
    view.show_failure(FailureRecord("ValueError", nasty, (frame,)))
    text = view.toPlainText()
    assert text.count("<img src=x>") == 3
    assert "\u202e" not in text
    assert text.count("\\e[2J") == 3


def test_odd_source_lines_do_not_break_the_view(view: TracebackView) -> None:
    frames = (replace(OWN, source=()), replace(OWN, source=((38, "a\nb"), (39, "\tc"))), replace(OWN, locals=()))
    view.show_failure(FailureRecord("ValueError", "", frames))
    assert "  →    38  a b" in lines(view)


def test_the_text_is_what_python_prints() -> None:
    def inner() -> None:
        raise KeyError("temp")

    try:
        try:
            inner()
        except KeyError as e:
            raise ValueError("no reading") from e
    except ValueError as e:
        e.add_note("a note")
        error = e
    printed = "".join(traceback.format_exception(error)).splitlines()
    # Python also underlines parts of lines, and we do not.
    assert as_text(failures.record(error)).splitlines() == [
        line for line in printed if set(line) - set("^~ ") or not line
    ]


def test_local_values_are_copied_on_demand(view: TracebackView, qapp: QApplication) -> None:
    view.show_failure(PLAIN)
    assert "    name = 'temp'\n    text = 'NaN'\nValueError" not in view.text()
    assert "    name = 'temp'\n    text = 'NaN'\nValueError" in view.text(with_locals=True)
    board = QGuiApplication.clipboard()
    assert board is not None
    for action, wanted in (("Copy &traceback", view.text()), ("Copy traceback with local &values", view.text(True))):
        next(found for found in view.context_menu().actions() if found.text() == action).trigger()
        assert board.text() == wanted


def test_a_copied_selection_is_plain_text(view: TracebackView) -> None:
    view.show_failure(PLAIN)
    view.selectAll()
    data = view.createMimeDataFromSelection()
    assert data.formats() == ["text/plain"]
    assert data.text() == view.toPlainText()


def test_another_theme_writes_it_in_other_colours(view: TracebackView, qapp: QApplication) -> None:
    view.show_failure(PLAIN)
    view.unfold_all()
    before = view.toPlainText()
    theme.apply(qapp, theme.LIGHT)
    cursor = view.textCursor()
    cursor.movePosition(cursor.Right)
    assert cursor.charFormat().foreground().color().name() == theme.LIGHT.bad
    assert view.toPlainText() == before
