"""The dock of charts."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDockWidget, QHBoxLayout, QLabel, QWidget

from ui.charts.page import ChartsPage
from ui.parts.bottom_dock import BottomDock
from ui.parts.small_button import small_button


class ChartsDock(BottomDock):
    """Holds the page of charts, at an edge of the window or in a window of its own.

    Attributes:
        page: the page.
    """

    def __init__(self, page: ChartsPage, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.page = page
        self.setWindowTitle(self.tr("Charts"))
        self.setObjectName("charts dock")
        self.setFeatures(
            QDockWidget.DockWidgetClosable | QDockWidget.DockWidgetMovable | QDockWidget.DockWidgetFloatable
        )  # fmt: skip
        self.setWidget(page)
        self.setTitleBarWidget(self._title())

    def _title(self) -> QWidget:
        bar = QWidget()
        bar.setProperty("surface", "panel")
        bar.setAttribute(Qt.WA_StyledBackground)
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(8)
        title = QLabel(self.tr("CHARTS"))
        title.setProperty("role", "heading")
        apart = small_button("duplicate", self.tr("Show in a separate window, or back here (double click)"))
        apart.clicked.connect(lambda: self.setFloating(not self.isFloating()))
        close = small_button("close", self.tr("Close ({keys})").format(keys="Esc"))
        close.clicked.connect(self.close)
        row.addWidget(title, 1)
        row.addWidget(apart)
        row.addWidget(close)
        return bar
