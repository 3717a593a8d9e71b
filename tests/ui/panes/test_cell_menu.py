"""A cell's menu: "only this" and "not this" of what stands in it, with the mouse and with the menu key."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QPoint
from PyQt5.QtGui import QContextMenuEvent
from PyQt5.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from tests.ui.desk import Capture, InstantReader
from ui.panes.event_columns import COLUMNS
from ui.panes.event_pane import EventPane


def menu_at(pane: EventPane, title: str, qtbot: QtBot) -> QMenu:
    column = next(i for i, c in enumerate(COLUMNS) if c.title == title)
    x = pane.view.header.sectionViewportPosition(column) + 3
    at = pane.view.viewport().mapToGlobal(QPoint(x, pane.view.row_rect(0).center().y()))
    with qtbot.waitSignal(pane.menu_wanted) as wanted:
        pane._on_menu(at)
    menu = wanted.args[0]
    assert isinstance(menu, QMenu)
    return menu


@pytest.mark.parametrize(
    ("title", "only", "exclude"),
    [
        ("Service", "service == ", "service != "),
        ("Kind", "kind == data.received", "kind != data.received"),
        ("Size", "size == 7", "size != 7"),
        ("", "direction == received", "direction != received"),
    ],
)
def test_a_cell_offers_only_this_and_not_this(
    title: str, only: str, exclude: str, reader: InstantReader, capture: Capture, qtbot: QtBot
) -> None:
    pane = EventPane(reader)  # type: ignore[arg-type]
    qtbot.addWidget(pane)
    pane.resize(1200, 300)
    with qtbot.waitExposed(pane):
        pane.show()
    pane.events.activate(True)
    pane.on_stored(capture.add([b"event 1"]))
    qtbot.waitUntil(lambda: pane.events.row(0) is not None)
    actions = [action for action in menu_at(pane, title, qtbot).actions() if not action.isSeparator()]
    for action, start in zip(actions, (only, exclude), strict=True):
        with qtbot.waitSignal(pane.narrowed) as narrowed:
            action.trigger()
        assert narrowed.args[0].startswith(start)


def test_the_menu_key_opens_it_at_the_current_row_with_each_cell(
    reader: InstantReader, capture: Capture, qtbot: QtBot
) -> None:
    pane = EventPane(reader)  # type: ignore[arg-type]
    qtbot.addWidget(pane)
    pane.resize(1200, 300)
    with qtbot.waitExposed(pane):
        pane.show()
    pane.events.activate(True)
    pane.on_stored(capture.add([b"one", b"two", b"three"]))
    pane.view.set_current(1)
    qtbot.waitUntil(lambda: pane.events.row(1) is not None)
    middle = pane.view.viewport().rect().center()
    key = QContextMenuEvent(QContextMenuEvent.Keyboard, middle, pane.view.viewport().mapToGlobal(middle))
    with qtbot.waitSignal(pane.menu_wanted) as wanted:
        QApplication.sendEvent(pane.view.viewport(), key)
    menu, at = wanted.args
    assert pane.view.viewport().mapFromGlobal(at).y() == pane.view.row_rect(1).bottom()
    only, exclude = (action.menu() for action in menu.actions() if action.menu() is not None)
    assert [action.text().split()[0] for action in only.actions()] == ["service", "what", "kind", "size"]
    with qtbot.waitSignal(pane.narrowed) as narrowed:
        only.actions()[2].trigger()
    assert narrowed.args == ["kind == data.received"]
    with qtbot.waitSignal(pane.narrowed) as narrowed:
        exclude.actions()[3].trigger()
    assert narrowed.args == ["size != 3"]
