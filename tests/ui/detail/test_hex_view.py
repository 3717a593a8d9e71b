"""The hex view: what is selected, copied and painted."""

from __future__ import annotations

from time import process_time
from typing import Any

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QFontMetricsF, QGuiApplication, QMouseEvent
from PyQt5.QtWidgets import QAction, QApplication, QWidget
from pytestqt.qtbot import QtBot

from ui.detail.hex_layout import HexLayout
from ui.detail.hex_view import MAX_COPY, HexView
from ui.looks import theme

DATA = bytes(range(256)) * 4


@pytest.fixture
def view(dark: None, qtbot: QtBot) -> HexView:
    widget = HexView()
    qtbot.addWidget(widget)
    widget.resize(760, 300)
    widget.set_data(DATA)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def clipboard() -> str:
    board = QGuiApplication.clipboard()
    assert board is not None
    return board.text()


def in_hex(view: HexView, position: int) -> QPoint:
    layout = HexLayout(QFontMetricsF(view.font()), len(view.data()))
    row, index = divmod(position, 16)
    return layout.hex_rect(row, index, index + 1).center().toPoint()


def in_ascii(view: HexView, position: int) -> QPoint:
    layout = HexLayout(QFontMetricsF(view.font()), len(view.data()))
    row, index = divmod(position, 16)
    return layout.ascii_rect(row, index, index + 1).center().toPoint()


@pytest.mark.parametrize("length", [0, 1, 16, 17, 0x10000, 0x10001, 100_000_000])
def test_the_layout_has_a_row_for_every_sixteen_bytes(view: HexView, length: int) -> None:
    layout = HexLayout(QFontMetricsF(view.font()), length)
    assert layout.rows == (length + 15) // 16
    assert layout.digits == max(4, len(f"{length - 1:x}") + len(f"{length - 1:x}") % 2 if length else 4)


@pytest.mark.parametrize("position", [0, 7, 8, 15, 16, 100, 159])
def test_a_click_in_either_column_selects_that_byte(view: HexView, qtbot: QtBot, position: int) -> None:
    for place in (in_hex, in_ascii):
        view.select(0, 0)
        qtbot.mouseClick(view.viewport(), Qt.LeftButton, pos=place(view, position))
        assert view.selection() == range(position, position + 1)


def test_dragging_selects_from_byte_to_byte_in_both_directions(view: HexView, qtbot: QtBot) -> None:
    for start, end in ((5, 37), (37, 5)):
        qtbot.mousePress(view.viewport(), Qt.LeftButton, pos=in_hex(view, start))
        drag(view, in_ascii(view, end))
        qtbot.mouseRelease(view.viewport(), Qt.LeftButton, pos=in_ascii(view, end))
        assert view.selection() == range(5, 38)
        assert view.selected_bytes() == DATA[5:38]


def test_dragging_below_the_view_scrolls_it(view: HexView, qtbot: QtBot) -> None:
    qtbot.mousePress(view.viewport(), Qt.LeftButton, pos=in_hex(view, 0))
    drag(view, QPoint(100, view.viewport().height() + 60))
    assert view.verticalScrollBar().value() > 0


def test_shift_click_extends_and_a_click_beside_clears(view: HexView, qtbot: QtBot) -> None:
    qtbot.mouseClick(view.viewport(), Qt.LeftButton, pos=in_hex(view, 3))
    qtbot.mouseClick(view.viewport(), Qt.LeftButton, Qt.ShiftModifier, in_hex(view, 20))
    assert view.selection() == range(3, 21)
    qtbot.mouseClick(view.viewport(), Qt.LeftButton, pos=QPoint(view.viewport().width() - 2, 5))
    assert not view.selection()


@pytest.mark.parametrize(("key", "modifier", "expected"), [
    (Qt.Key_Right, Qt.NoModifier, range(41, 42)),
    (Qt.Key_Left, Qt.NoModifier, range(39, 40)),
    (Qt.Key_Down, Qt.NoModifier, range(56, 57)),
    (Qt.Key_Up, Qt.NoModifier, range(24, 25)),
    (Qt.Key_Home, Qt.NoModifier, range(32, 33)),
    (Qt.Key_End, Qt.NoModifier, range(47, 48)),
    (Qt.Key_Home, Qt.ControlModifier, range(1)),
    (Qt.Key_End, Qt.ControlModifier, range(1023, 1024)),
    (Qt.Key_Right, Qt.ShiftModifier, range(40, 42)),
    (Qt.Key_Up, Qt.ShiftModifier, range(24, 41)),
    (Qt.Key_Home, Qt.ControlModifier | Qt.ShiftModifier, range(41)),
    (Qt.Key_A, Qt.ControlModifier, range(1024)),
    (Qt.Key_Escape, Qt.NoModifier, range(0)),
])  # fmt: skip
def test_keys_move_and_extend_the_selection(
    view: HexView, qtbot: QtBot, key: Qt.Key, modifier: Qt.KeyboardModifier, expected: range
) -> None:
    view.select(40, 41)
    qtbot.keyClick(view, key, modifier)
    assert view.selection() == expected


def test_paging_down_to_the_end_brings_the_last_row_into_view(view: HexView, qtbot: QtBot) -> None:
    for _ in range(10):
        qtbot.keyClick(view, Qt.Key_PageDown)
    assert view.selection().stop == len(DATA)
    assert view.verticalScrollBar().value() == view.verticalScrollBar().maximum() > 0


def test_copies_hex_text_and_escaped_text(view: HexView, qtbot: QtBot) -> None:
    view.set_data(b'GET /\r\n\x00\xff"\\ \xc3\xa9')
    view.select_all()
    qtbot.keyClick(view, Qt.Key_C, Qt.ControlModifier)
    assert clipboard() == "47 45 54 20 2f 0d 0a 00 ff 22 5c 20 c3 a9"
    view.copy_text()
    assert clipboard().replace("\r\n", "\n") == 'GET /\n\ufffd\ufffd"\\ é'
    view.copy_escaped()
    assert clipboard() == r'GET /\r\n\x00\xff"\\ \xc3\xa9'


def test_copies_source_text(view: HexView) -> None:
    view.set_data(b"\x00A\xff")
    view.select_all()
    for name, wanted in (
        ("Copy as &C array", "const unsigned char data[3] = {\n    0x00, 0x41, 0xff,\n};\n"),
        ("Copy as &Python bytes", "b'\\x00A\\xff'"),
        ("Copy as &Base64", "AEH/"),
    ):
        next(action for action in view.context_menu().actions() if action.text() == name).trigger()
        assert clipboard() == wanted


def test_more_than_a_mebibyte_is_not_copied_as_source_text(view: HexView) -> None:
    view.set_data(bytes(MAX_COPY + 1))
    view.select_all()
    actions = [action for action in view.context_menu().actions() if "(up to 1 MiB)" in action.text()]
    assert [action.isEnabled() for action in actions] == [False] * 3


def test_copying_nothing_leaves_the_clipboard_alone(view: HexView) -> None:
    view.select(0, 1)
    view.copy_hex()
    view.select(0, 0)
    view.copy_hex()
    assert clipboard() == "00"


def test_the_selection_is_told_when_it_changes_and_only_then(view: HexView) -> None:
    told: list[range] = []
    view.selectionChanged.connect(told.append)
    view.select(2, 4)
    view.select(2, 4)
    view.set_data(b"other")
    assert told == [range(2, 4), range(0)]


def test_selecting_far_away_brings_it_into_view(view: HexView) -> None:
    view.select(1000, 1010)
    first = view.verticalScrollBar().value()
    assert first <= 62 < first + view.verticalScrollBar().pageStep()


def test_other_bytes_begin_at_the_top(view: HexView) -> None:
    view.select(1000, 1010)
    view.set_data(DATA + b"more")
    assert view.verticalScrollBar().value() == 0
    assert view.selected_bytes() == b""


def test_a_screen_reader_hears_size_and_selection(view: HexView) -> None:
    assert view.accessibleName() == "Bytes"
    view.select(16, 20)
    assert view.accessibleDescription() == "1024 bytes, 4 selected from offset 0x10"


def test_the_menu_offers_copies_only_of_a_selection(view: HexView) -> None:
    enabled = [action.isEnabled() for action in view.context_menu().actions() if action.text()]
    assert enabled == [False] * 6 + [True]
    view.select_all()
    assert all(action.isEnabled() for action in view.context_menu().actions())


def test_its_copy_key_comes_before_the_windows(qapp: QApplication, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    widget = HexView(window)
    action = QAction("Copy", window)
    action.setShortcut("Ctrl+C")
    fired: list[bool] = []
    action.triggered.connect(fired.append)
    window.addAction(action)
    widget.set_data(b"ab")
    widget.select_all()
    with qtbot.waitExposed(window):
        window.show()
    widget.setFocus()
    qtbot.keyClick(widget, Qt.Key_C, Qt.ControlModifier)
    assert (clipboard(), fired) == ("61 62", [])


def test_selected_bytes_are_painted_on_the_selection_colour(view: HexView) -> None:
    view.select(0, 16)
    image = view.viewport().grab().toImage()
    for place in (in_hex(view, 3), in_ascii(view, 3)):
        top = QPoint(place.x(), 1)
        assert image.pixelColor(top).name() == theme.DARK.selection


def test_nothing_to_show_is_said(view: HexView) -> None:
    view.set_data(b"")
    assert view.accessibleDescription() == "0 bytes"
    image = view.viewport().grab().toImage()
    colors = {image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}
    assert len(colors) > 1


def test_a_hundred_megabytes_are_no_slower_than_a_kilobyte(view: HexView) -> None:
    """Showing, scrolling to the end and painting look at the visible rows only."""
    data = Watched(100_000_000)
    start = process_time()
    view.set_data(data)
    view.select(len(data) - 1, len(data))
    view.viewport().grab()
    assert process_time() - start < 5  # a look at each row takes longer
    assert 0 < data.looked_at < 10_000
    assert view.data() is data


class Watched(bytes):
    """Bytes that count how many of them were read."""

    looked_at = 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        self.looked_at += len(found) if isinstance(found, bytes) else 1
        return found


def drag(view: HexView, position: QPoint) -> None:
    """Move the mouse with its left button down, which qtbot cannot."""
    event = QMouseEvent(QEvent.MouseMove, QPointF(position), Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(view.viewport(), event)


def test_where_it_is_narrow_a_row_has_eight_bytes_and_the_first_one_in_view_stays(view: HexView, qtbot: QtBot) -> None:
    view.set_data(bytes(range(256)) * 4)
    view.verticalScrollBar().setValue(10)
    view.resize(view.width_of(16) - 40, 300)
    assert view._layout.row == 8
    assert view.verticalScrollBar().value() == 20
    assert view.horizontalScrollBar().maximum() == 0
    view.select(5, 6)
    qtbot.keyClick(view, Qt.Key_Down)
    assert view.selection() == range(13, 14)
    qtbot.keyClick(view, Qt.Key_End)
    assert view.selection() == range(15, 16)
    view.resize(view.width_of(16), 300)
    assert view._layout.row == 16


def test_where_there_are_no_bytes_nothing_is_scrolled(view: HexView) -> None:
    view.set_data(b"")
    view.resize(150, 300)
    assert view.horizontalScrollBar().maximum() == 0
