"""The selected bytes as numbers."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from tests.ui.desk import settle
from tests.ui.detail.page_samples import shown
from tests.ui.event_samples import event
from ui.detail.hex_inspector import HexInspector
from ui.detail.pages.hex import HexPage

pytestmark = pytest.mark.usefixtures("dark")

DATA = bytes.fromhex("6558b3f0 0102030405060708")


def reading(inspector: HexInspector) -> dict[str, list[str]]:
    """The values by name: of the little end, then of the big one."""
    found: dict[str, list[str]] = {}
    for line in inspector.toPlainText().split("\n"):
        name, *values = line.split("\t")
        found.setdefault(name, []).extend(values)
    return found


@pytest.fixture
def page(qtbot: QtBot) -> HexPage:
    return shown(qtbot, HexPage(), event(payload=DATA))


def test_without_a_selection_the_first_bytes_are_read(page: HexPage) -> None:
    found = reading(page.inspector)
    assert found[""] == ["little-endian", "big-endian"]
    assert found["uint 16"] == ["22629", "25944"]
    assert found["time 32"] == ["2097-12-19 09:56:53", "2023-11-18 12:54:08"]
    assert "from the first byte on: select others to read them" in found


def test_one_selected_byte_is_where_it_begins(page: HexPage) -> None:
    page.view.select(4, 5)
    found = reading(page.inspector)
    assert found["uint 64"] == ["578437695752307201", "72623859790382856"]
    assert "from byte 4 (0x4) on" in found


def test_of_several_only_they_are_read(page: HexPage) -> None:
    page.view.select(4, 7)
    found = reading(page.inspector)
    assert (found["int 16"], found["int 32"]) == (["513", "258"], ["–", "–"])
    assert "3 bytes selected from 4 (0x4)" in found


@pytest.mark.parametrize("width", [300, 420, 1000])
@pytest.mark.parametrize("digits", ["ffffffffffffff80", "8000000000000000", "0080c6a47e8d0300", "1797f7b9c1a2f4d5"])
def test_no_figure_is_cut(qtbot: QtBot, width: int, digits: str) -> None:
    inspector = HexInspector()
    qtbot.addWidget(inspector)
    inspector.resize(width, 500)
    inspector.show()
    inspector.show_bytes(bytes.fromhex(digits), 0, 0)
    settle()
    cursor = inspector.textCursor()
    for at in range(inspector.document().blockCount() - 1):  # the last line says what is selected
        cursor.setPosition(inspector.document().findBlockByNumber(at).position())
        cursor.movePosition(cursor.EndOfBlock)
        assert inspector.cursorRect(cursor).right() < inspector.viewport().width(), cursor.block().text()
    both = [str(int.from_bytes(bytes.fromhex(digits), order)) for order in ("little", "big")]
    assert reading(inspector)["uint 64"] == both
    assert inspector._beside is (width == 1000) or width == 420


def test_no_bytes_are_no_numbers(qtbot: QtBot) -> None:
    assert shown(qtbot, HexPage(), event(payload=None)).inspector.toPlainText() == ""


def test_the_bytes_have_all_the_width_that_they_need(page: HexPage, qtbot: QtBot) -> None:
    page.resize(1074, 260)
    qtbot.waitUntil(lambda: page.view.horizontalScrollBar().maximum() == 0)
    assert page.inspector.width() > 300
    page.resize(500, 260)
    assert page.view._layout.row == 8
    assert page.view.horizontalScrollBar().maximum() == 0
