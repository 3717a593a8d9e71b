"""The middle of the window: services and connections, and beside them the panes or the start page."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QLabel, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ui.detail.pane import DetailPane
from ui.looks import theme
from ui.panes.tabs import PaneTabs
from ui.parts.line import Line
from ui.services.connections_panel import ConnectionsPanel
from ui.services.panel import ServicesPanel
from ui.settings import Settings
from ui.window.start_page import StartPage


class Middle(QSplitter):
    """Arranges what others made.

    Attributes:
        left, right: services above connections, panes above the detail.
        title: of the connections.
    """

    def __init__(
        self,
        services: ServicesPanel,
        connections: ConnectionsPanel,
        panes: PaneTabs,
        detail: DetailPane,
        start_page: StartPage,
    ) -> None:
        super().__init__(Qt.Horizontal)
        self.start_page = start_page
        self.title = Line()
        self.left, self.right = QSplitter(Qt.Vertical), QSplitter(Qt.Vertical)
        self.left.addWidget(_titled(QLabel("SERVICES"), services))
        self.left.addWidget(_titled(self.title, connections))
        self.right.addWidget(panes)
        self.right.addWidget(detail)
        for side in (self.left, self.right):
            side.setStretchFactor(0, 3)
            side.setStretchFactor(1, 2)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.right)
        self._stack.addWidget(start_page)
        self.addWidget(self.left)
        self.addWidget(self._stack)
        self.setStretchFactor(1, 1)
        left = 292 + 16 * (theme.notifier.fonts.size - theme.POINTS)
        self.setSizes([left, 1366 - left])
        for splitter in (self.left, self.right, self):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)

    @property
    def shows_panes(self) -> bool:
        return self._stack.currentWidget() is self.right

    def show_panes(self, shown: bool = True) -> None:
        """Show the panes, or else the start page in their place."""
        self._stack.setCurrentWidget(self.right if shown else self.start_page)

    def remember(self, settings: Settings) -> None:
        for name, splitter in self._splitters():
            settings.save_state(name, splitter.saveState())

    def restore(self, settings: Settings) -> None:
        for name, splitter in self._splitters():
            state = settings.state(name)
            if state is not None:
                splitter.restoreState(state)

    def _splitters(self) -> tuple[tuple[str, QSplitter], ...]:
        return ("left", self.left), ("right", self.right), ("middle", self)


def _titled(label: QLabel, body: QWidget) -> QWidget:
    """``body`` under a small heading."""
    label.setProperty("role", "heading")
    label.setContentsMargins(16, 10, 8, 4)
    label.setTextFormat(Qt.PlainText)
    whole = QWidget()
    whole.setProperty("surface", "panel")
    whole.setAttribute(Qt.WA_StyledBackground)
    column = QVBoxLayout(whole)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(label)
    column.addWidget(body, 1)
    return whole
