"""The docks below the panes: ``BottomDock`` makes room for them."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDockWidget, QMainWindow


def add_below(window: QMainWindow, dock: QDockWidget, height: int) -> None:
    """Give a dock its place, hidden, ``height`` pixels high when it is shown first."""
    dock.hide()
    window.addDockWidget(Qt.BottomDockWidgetArea, dock)
    window.resizeDocks([dock], [height], Qt.Vertical)
