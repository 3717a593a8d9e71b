"""The docks below the panes never make a window wider than it is."""

from __future__ import annotations

from PyQt5.QtWidgets import QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from ui.parts.bottom_dock import BottomDock
from ui.parts.docks import add_below


def test_docks_lie_side_by_side_while_there_is_room_and_then_in_the_place_of_others(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QWidget())
    docks = []
    for name in ("a", "b", "c"):
        dock = BottomDock(window)
        dock.setObjectName(name)
        inside = QWidget()
        inside.setMinimumWidth(dock.fontMetrics().horizontalAdvance("0") * 90)
        dock.setWidget(inside)
        add_below(window, dock, 100)
        docks.append(dock)
    a, b, c = docks
    width = a.fontMetrics().horizontalAdvance("0") * 200
    window.resize(width, 600)
    window.show()
    qtbot.waitExposed(window)

    for dock, shown in ((a, [a]), (b, [a, b]), (c, [b, c]), (a, [a, c])):
        dock.show()
        assert [one for one in docks if one.isVisible()] == shown
    assert window.width() == width
