"""The docks below the panes: beside each other while there is room for them, else one in the place of others."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDockWidget, QMainWindow

CHARACTERS = 80
"""A dock beside another has room for so many digits at least."""


def add_below(window: QMainWindow, dock: QDockWidget, height: int) -> None:
    """Give a dock its place, hidden, ``height`` pixels high when it is shown first."""
    dock.hide()
    window.addDockWidget(Qt.BottomDockWidgetArea, dock)
    window.resizeDocks([dock], [height], Qt.Vertical)


def show_below(window: QMainWindow, dock: QDockWidget) -> None:
    """Show a dock. Where the docks would make the window wider than it is, others are hidden, the leftmost first."""
    area = window.dockWidgetArea(dock)
    if not (dock.isVisible() or dock.isFloating()) and area in (Qt.BottomDockWidgetArea, Qt.TopDockWidgetArea):
        others = [one for one in window.findChildren(QDockWidget) if one is not dock and one.isVisible()]
        beside = [one for one in others if not one.isFloating() and window.dockWidgetArea(one) == area]
        beside.sort(key=lambda one: one.x())
        while beside and sum(map(_width, [*beside, dock])) > window.width():
            beside.pop(0).hide()
        dock.show()
        if beside:
            shares = [max(_width(one), window.width() // (len(beside) + 1)) for one in [*beside, dock]]
            window.resizeDocks([*beside, dock], shares, Qt.Horizontal)
    dock.show()


def _width(dock: QDockWidget) -> int:
    readable = dock.fontMetrics().horizontalAdvance("0") * CHARACTERS
    return max(dock.minimumSizeHint().width(), readable)
