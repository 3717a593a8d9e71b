"""The middle of the window: services and connections, and beside them the panes or the start page."""

from __future__ import annotations

from PyQt5.QtCore import QByteArray, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QSplitter, QStackedWidget, QWidget

from app.post import Post
from ui.actions.build import Actions
from ui.bridge import Bridge
from ui.looks import theme
from ui.panes.browser import Browser
from ui.services.side import ServicesSide
from ui.settings import Settings
from ui.window.start_page import StartPage

LEFT = 340
"""Pixels of the services' width at first, with letters of the usual size."""

PANES, SHARE = 660, 0.75
"""Pixels that the panes get before the services get more than they need, with letters of the usual size; and the
most of the width that this may be, because names of services need room, too, when letters are large."""

WIDTH = 1366
"""Pixels of the window before the user changes its size."""


class Middle(QSplitter):
    """Places the parts, and shows the start page while there is nothing for the panes to show.

    Attributes:
        side, browser, start_page: its parts.
        right: holds the last two.
    """

    side: ServicesSide
    browser: Browser
    start_page: StartPage

    def __init__(self, post: Post, parent: QWidget) -> None:
        super().__init__(Qt.Horizontal, parent)
        self._post, self._seen = post, 0
        self.right = QStackedWidget(self)

    def place(self, bridge: Bridge, side: ServicesSide, browser: Browser, start_page: StartPage) -> None:
        """Place the parts, which are children already: ``side`` of this, the others of ``right``."""
        self.side, self.browser, self.start_page = side, browser, start_page
        self.right.addWidget(browser)
        self.right.addWidget(start_page)
        self.addWidget(side)
        self.addWidget(self.right)
        self.setStretchFactor(1, 1)
        self._left = LEFT + 24 * (theme.notifier.fonts.size - theme.POINTS)  # as wide as the services are to be
        self.setSizes([self._left, WIDTH - self._left])
        self._restored = False
        self.splitterMoved.connect(self._keep_left)
        for half, shares in ((side, (3, 1)), (browser, (1, 1))):  # an exchange needs height for both its parts
            for part, share in enumerate(shares):
                half.setStretchFactor(part, share)
        side.setSizes([3000, 1000])
        for _, splitter in self._splitters():
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
        start_page.left.connect(self.show_panes)
        side.left.connect(self._leave_side)
        bridge.services_changed.connect(self._choose)
        bridge.ticked.connect(self._on_tick)
        self._choose()

    def show_panes_on(self, actions: Actions) -> None:
        """Show the panes after each action whose declaration says so."""
        for name, action in actions.declared.items():
            if action.shows_panes:
                actions[name].triggered.connect(self.show_panes)

    def show_panes(self) -> None:
        """Show the panes if the start page is in their place."""
        if self.right.currentWidget() is not self.browser:
            self.right.setCurrentWidget(self.browser)
            self.browser.panes.currentWidget().setFocus()

    def _leave_side(self) -> None:
        """Give the keyboard to what stands beside the services."""
        if self.right.currentWidget() is self.browser:
            self.browser.panes.current().setFocus()
        else:
            self.start_page.begin()

    def show_pane(self, index: int) -> None:
        """Show one pane, and give it the focus."""
        self.browser.panes.setCurrentIndex(index)
        self.show_panes()
        self.browser.panes.currentWidget().setFocus()

    def show_service(self, name: str) -> None:
        """Show the pane of a service, which selects it."""
        pane = self.browser.panes.of(name)
        if pane is not None:
            self.show_pane(self.browser.panes.indexOf(pane))

    def show_start_page(self) -> None:
        """Show the start page until the panes are asked for or an event arrives."""
        self.right.setCurrentWidget(self.start_page)
        self.start_page.begin()

    def _choose(self) -> None:
        something = bool(self._post.services or self._post.programs.all or self._post.recorder.seen)
        self.right.setCurrentWidget(self.browser if something else self.start_page)

    def _on_tick(self) -> None:
        if self._post.recorder.seen != self._seen:
            self._seen = self._post.recorder.seen
            self.show_panes()

    def _keep_left(self, *_: object) -> None:
        """The user has chosen how wide the services are."""
        self._left = self.sizes()[0]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """In a narrow window, take room from the services for the panes, and give it back in a wide one."""
        super().resizeEvent(event)
        if self._restored:
            self._restored = False
            self._keep_left()  # sizes that are restored before are not known before
        panes = min(PANES * theme.notifier.fonts.size // theme.POINTS, round(SHARE * self.width()))
        left = max(min(self._left, self.width() - panes), min(self._left, self.side.minimumSizeHint().width()))
        if left != self.sizes()[0]:
            self.setSizes([left, self.width() - left])

    def remember(self, settings: Settings) -> None:
        """Save the sizes of the parts and of the columns."""
        self.setSizes([self._left, self.width() - self._left])  # a wider window gives it to the services again
        for name, splitter in self._splitters():
            settings.save_state(name, splitter.saveState())
        settings.save_state("event_columns", self.browser.panes.columns())

    def restore(self, settings: Settings) -> None:
        """Restore the sizes that were saved."""
        for name, splitter in self._splitters():
            state = settings.state(name)
            if state is not None:
                splitter.restoreState(state)
                self._restored = True
        columns = settings.state("event_columns")
        if columns is not None:
            self.browser.panes.restore_columns(QByteArray(columns))

    def _splitters(self) -> tuple[tuple[str, QSplitter], ...]:
        return ("left", self.side), ("right", self.browser), ("middle", self)
