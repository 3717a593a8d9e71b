"""The docks below the panes never make a window wider than it is."""

from __future__ import annotations

from PyQt5.QtWidgets import QDockWidget, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from ui.parts.docks import add_below, in_front, show_below


def test_docks_lie_side_by_side_while_there_is_room_and_then_behind_each_other(qtbot: QtBot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setCentralWidget(QWidget())
    docks = []
    for name in ("a", "b", "c"):
        dock = QDockWidget(name, window)
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

    show_below(window, a)
    show_below(window, b)
    qtbot.waitUntil(lambda: in_front(a) and in_front(b), timeout=5000)
    show_below(window, c)
    qtbot.waitUntil(lambda: in_front(c) and not in_front(a) and not in_front(b))
    assert window.width() == width
    show_below(window, a)
    qtbot.waitUntil(lambda: in_front(a) and not in_front(c))
    b.close()
    c.close()
    show_below(window, b)
    qtbot.waitUntil(lambda: in_front(a) and in_front(b), timeout=5000)
