"""The docks below the panes: beside each other while there is room for them, else one behind the other, with tabs."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDockWidget, QMainWindow, QTabWidget

CHARACTERS = 80
"""A dock beside another has room for so many digits at least."""


def add_below(window: QMainWindow, dock: QDockWidget, height: int) -> None:
    """Give a dock its place, hidden, ``height`` pixels high when it is shown first."""
    dock.hide()
    window.setTabPosition(Qt.BottomDockWidgetArea, QTabWidget.North)
    window.addDockWidget(Qt.BottomDockWidgetArea, dock)
    window.resizeDocks([dock], [height], Qt.Vertical)


def show_below(window: QMainWindow, dock: QDockWidget) -> None:
    """Show a dock of the window. Where the docks would be wider than the window, it lies in front of others.

    Side by side they would else make the window wider than the screen is.
    """
    if not (dock.isVisible() or dock.isFloating()):
        area = window.dockWidgetArea(dock)
        there = [one for one in window.findChildren(QDockWidget) if window.dockWidgetArea(one) == area]
        docked = [one for one in there if one is not dock and not one.isFloating()]
        shown = [one for one in docked if one.isVisible()]
        abreast = [one for one in shown if in_front(one)]
        if area in (Qt.BottomDockWidgetArea, Qt.TopDockWidgetArea) and shown:
            if sum(map(_width, [*abreast, dock])) > window.width():
                for one in [*shown[1:], dock]:
                    window.tabifyDockWidget(shown[0], one)
            elif abreast == shown:
                _part(window, dock, docked, shown)
    dock.show()
    dock.raise_()


def _part(window: QMainWindow, dock: QDockWidget, docked: list[QDockWidget], shown: list[QDockWidget]) -> None:
    """Have a dock beside those that are shown, each as wide as the other."""
    if any(dock in window.tabifiedDockWidgets(one) for one in shown):
        area = window.dockWidgetArea(dock)
        for one in [*docked, dock]:  # Qt parts tabs only by adding the docks anew
            window.removeDockWidget(one)
            window.addDockWidget(area, one)
        for one in shown:
            one.show()
    dock.show()
    beside = [*shown, dock]
    window.resizeDocks(beside, [max(_width(one), window.width() // len(beside)) for one in beside], Qt.Horizontal)


def in_front(dock: QDockWidget) -> bool:
    """Whether a dock is to be seen: shown, and not behind the tab of another."""
    return dock.isVisible() and not dock.visibleRegion().isEmpty()


def _width(dock: QDockWidget) -> int:
    readable = dock.fontMetrics().horizontalAdvance("0") * CHARACTERS
    return max(dock.minimumSizeHint().width(), readable)
