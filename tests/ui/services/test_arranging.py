"""Order and groups by hand: dragging, keys, menus, and that nothing restarts."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QEvent, QPoint, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QInputDialog, QMenu, QWidget
from pytestqt.qtbot import QtBot

from app.status import Listening, Stopped
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from ui.services.list_drag import Drop, reordered
from ui.window.main_window import MainWindow

GROUPS = {"a": "", "b": "Bench", "c": "", "d": "Bench", "e": "Shop"}


@pytest.mark.parametrize(
    ("name", "drop", "order"),
    [
        ("c", Drop("", "a", behind=False), "cabde"),
        ("a", Drop("", "c", behind=True), "bcade"),
        ("a", Drop("Bench", "", behind=True), "bcdae"),
        ("a", Drop("Bench", "", behind=False), "abcde"),
        ("e", Drop("Bench", "b", behind=True), "abecd"),
        ("e", Drop("", "", behind=False), "eabcd"),
        ("a", Drop("New", "", behind=True), "bcdea"),
        ("b", Drop("Bench", "b", behind=True), "abcde"),
    ],
)
def test_a_service_goes_where_it_is_dropped(name: str, drop: Drop, order: str) -> None:
    assert "".join(reordered(GROUPS, name, drop)) == order


@pytest.fixture
def window(open_window: Open) -> MainWindow:
    return open_window(
        config("one", 9001), config("two", 9002, group="Bench"), config("three", 9003, group="Bench"),
        config("four", 9004), config("five", 9005, group="Shop"),
    )  # fmt: skip


def order(window: MainWindow) -> list[str]:
    settle()
    return list(window._post.services)


def groups(window: MainWindow) -> list[str]:
    settle()
    return [config.group for config in window._post.configs()]


def move(view: QWidget, point: QPoint) -> None:
    """Move the mouse with its button down; ``QTest.mouseMove`` has none down."""
    event = QMouseEvent(QEvent.MouseMove, point, Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(view, event)


def drag(window: MainWindow, name: str, to: QPoint, *steps: QPoint, release: bool = True) -> None:
    """Press on a row, move, and let go."""
    view = window.services.list.viewport()
    start = window.services.row_rect(name).center()
    QTest.mousePress(view, Qt.LeftButton, Qt.NoModifier, start)
    for point in (start + QPoint(0, 30), *steps, to):
        move(view, point)
    if release:
        QTest.mouseRelease(view, Qt.LeftButton, Qt.NoModifier, to)
        settle()


def test_dragging_a_row_changes_the_order_in_one_step_that_is_undone(window: MainWindow) -> None:
    rect = window.services.row_rect("one")
    drag(window, "four", rect.topLeft() + QPoint(60, 4))
    assert order(window) == ["four", "one", "two", "three", "five"]
    assert window.services.selected == "four"
    assert window.files.modified
    do(window, "undo")
    assert order(window) == ["one", "two", "three", "four", "five"]


def test_dragging_to_another_group_puts_it_there_and_restarts_nothing(window: MainWindow) -> None:
    do(window, "start_all")
    service = window._post.services["one"]
    rect = window.services.row_rect("three")
    drag(window, "one", rect.bottomLeft() + QPoint(60, -4))
    assert order(window) == ["two", "three", "one", "four", "five"]
    assert groups(window) == ["Bench", "Bench", "Bench", "", "Shop"]
    assert window._post.services["one"] is service
    assert isinstance(service.status, Listening)
    do(window, "undo")
    assert groups(window)[0] == ""
    assert window._post.services["one"] is service


def test_a_heading_takes_a_row_to_the_beginning_or_behind_the_group_above(window: MainWindow) -> None:
    rows = window.services.list
    heading = rows.rect_of(window.services._model.heading("Bench"))
    drag(window, "one", heading.bottomLeft() + QPoint(60, -2))
    assert groups(window)[:3] == ["Bench", "Bench", "Bench"]
    assert window.services.names()[1] == "one"
    heading = rows.rect_of(window.services._model.heading("Bench"))
    drag(window, "one", heading.topLeft() + QPoint(60, 2))
    assert window.services.names()[:2] == ["four", "one"]


def test_a_row_dropped_on_a_folded_heading_goes_into_the_group(window: MainWindow) -> None:
    window.services.fold("Shop")
    heading = window.services.list.rect_of(window.services._model.heading("Shop"))
    drag(window, "one", heading.bottomLeft() + QPoint(60, -2))
    assert window._post.services["one"].config.group == "Shop"


def test_escape_gives_a_drag_up(window: MainWindow) -> None:
    view = window.services.list
    to = window.services.row_rect("one").topLeft() + QPoint(60, 4)
    drag(window, "four", to, release=False)
    assert view.drag.line is not None
    QTest.keyClick(view, Qt.Key_Escape)
    assert view.drag.line is None
    QTest.mouseRelease(view.viewport(), Qt.LeftButton, Qt.NoModifier, to)
    assert order(window) == ["one", "two", "three", "four", "five"]


def test_a_small_movement_is_no_drag(window: MainWindow) -> None:
    view, at = window.services.list.viewport(), window.services.row_rect("four").center()
    QTest.mousePress(view, Qt.LeftButton, Qt.NoModifier, at)
    move(view, at + QPoint(2, -2))
    QTest.mouseRelease(view, Qt.LeftButton, Qt.NoModifier, at + QPoint(2, -2))
    assert order(window)[3] == "four"
    assert window.services.selected == "four"


def test_alt_and_an_arrow_move_a_row_in_its_group(window: MainWindow) -> None:
    window.services.select("one")
    window.services.list.setFocus()
    QTest.keyClick(window.services.list, Qt.Key_Down, Qt.AltModifier)
    assert order(window) == ["two", "three", "four", "one", "five"]
    assert window.services.selected == "one"
    for _ in range(3):
        QTest.keyClick(window.services.list, Qt.Key_Up, Qt.AltModifier)
    assert window.services.names() == ["one", "four", "two", "three", "five"]


# -- menus


def entries(menu: QMenu) -> dict[str, object]:
    return {action.text().replace("&", ""): action for action in menu.actions() if action.text()}


def test_the_menu_of_a_service_puts_it_into_a_group(window: MainWindow) -> None:
    arranging = window.side.arranging
    menu = QMenu(window)
    inner = entries(arranging.menu_of_service(menu, "one"))
    assert list(inner) == ["Bench", "Shop", "No group", "New group…"]
    inner["Shop"].trigger()  # type: ignore[attr-defined]
    settle()
    assert window._post.services["one"].config.group == "Shop"
    entries(arranging.menu_of_service(menu, "one"))["No group"].trigger()  # type: ignore[attr-defined]
    settle()
    assert window._post.services["one"].config.group == ""


def test_a_new_group_is_asked_for_by_its_name(window: MainWindow, qtbot: QtBot) -> None:
    menu = QMenu(window)
    entries(window.side.arranging.menu_of_service(menu, "one"))["New group…"].trigger()  # type: ignore[attr-defined]
    dialog = window.findChild(QInputDialog)
    assert dialog is not None
    dialog.setTextValue("\u200fAt\x07tic\u202c ")  # as pasted from a text with marks of direction
    QTest.keyClick(dialog.focusWidget(), Qt.Key_Return)
    settle()
    assert window._post.services["one"].config.group == "Attic"


def test_the_menu_of_a_heading_starts_and_stops_its_group(window: MainWindow) -> None:
    services = window._post.services
    menu = QMenu(window)
    window.side.arranging.menu_of_group(menu, "Bench")
    entries(menu)["Start group"].trigger()  # type: ignore[attr-defined]
    settle()
    assert [name for name, one in services.items() if isinstance(one.status, Listening)] == ["two", "three"]
    other = QMenu(window)
    window.side.arranging.menu_of_group(other, "Bench")
    entries(other)["Stop group"].trigger()  # type: ignore[attr-defined]
    settle()
    assert all(isinstance(one.status, Stopped) for one in services.values())


def test_a_group_is_renamed_and_dissolved_in_one_step_each(window: MainWindow) -> None:
    window.side.arranging.rename("Bench", "Lab")
    assert groups(window) == ["", "Lab", "Lab", "", "Shop"]
    window.side.arranging.rename("Lab", "")
    assert groups(window) == ["", "", "", "", "Shop"]
    do(window, "undo")
    do(window, "undo")
    assert groups(window) == ["", "Bench", "Bench", "", "Shop"]


def test_find_a_service_and_the_compact_view_have_their_actions(window: MainWindow) -> None:
    do(window, "find_service")
    assert window.services.search.hasFocus()
    do(window, "compact_services")
    assert window.services.compact
    assert window.actions_["compact_services"].isChecked()


def test_escape_leaves_the_lists_for_the_panes(window: MainWindow) -> None:
    for part in (window.services.list, window.connections):
        part.setFocus()
        QTest.keyClick(part, Qt.Key_Escape)
        focus = QApplication.focusWidget()
        assert focus is not None
        assert window.panes.isAncestorOf(focus)
