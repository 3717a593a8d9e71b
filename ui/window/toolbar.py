"""The toolbar: the most used actions, the filter, and the capture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt5.QtCore import QSize, Qt, pyqtSlot
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QMenu, QToolBar, QToolButton

from app.services.protocols import PROTOCOLS
from ui.looks import theme
from ui.looks.icons import icon
from ui.panes.filter_box import FilterBox
from ui.window.capture_button import CaptureButton

SLACK = 16
"""Pixels that Qt's own margins take."""


class Toolbar(QToolBar):
    """Some of the window's actions, the filter, and the button of the capture.

    In a narrow window buttons show their icons only; what does not fit even so goes into a menu.
    """

    def __init__(
        self,
        actions: Mapping[str, QAction],
        create: Callable[[str], object],
        filter: FilterBox,
        capture: CaptureButton,
    ) -> None:
        """``create(protocol)`` asks for a new service of that protocol."""
        super().__init__()
        self.setWindowTitle(self.tr("Main"))
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.PreventContextMenu)
        self.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        # Qt leaves no room between icon and text.
        for name, text in (
            ("start_all", self.tr("Start all")),
            ("stop_all", self.tr("Stop all")),
            ("new_service", self.tr("New service")),
        ):
            actions[name].setIconText(f" {text}")
        for name in ("start_all", "stop_all"):
            self.addAction(actions[name])
        start = self.widgetForAction(actions["start_all"])
        assert start is not None
        start.setProperty("primary", True)
        actions["start_all"].setIcon(icon("play", "accent_text"))
        new = QToolButton()
        new.setDefaultAction(actions["new_service"])
        new.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        new.setPopupMode(QToolButton.MenuButtonPopup)
        new.setMenu(self._new_menu(create))
        self.addWidget(new)
        self.addWidget(filter)
        self.addWidget(capture)
        stop = self.widgetForAction(actions["stop_all"])
        self._folding = [button for button in (new, stop, start, capture) if isinstance(button, QToolButton)]
        self._filter = filter
        self._on_fonts()
        theme.notifier.fonts_changed.connect(self._on_fonts)

    @pyqtSlot()
    def _on_fonts(self) -> None:
        self.setIconSize(QSize(theme.scaled(14), theme.scaled(14)))
        self._fold()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fold()
        super().resizeEvent(event)

    def _fold(self) -> None:
        """Take the texts of as many buttons away as there is no room for: the capture's stays in view, last of all."""
        for button in self._folding:
            button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        for button in self._folding:
            if self._needed() <= self.width():
                break
            button.setToolButtonStyle(Qt.ToolButtonIconOnly)

    def _needed(self) -> int:
        """Pixels for all buttons as they are, and the least of the filter."""
        layout, margins = self.layout(), self.layout().contentsMargins()
        around = margins.left() + margins.right() + layout.spacing() * len(self._folding) + SLACK
        return around + self._filter.minimumWidth() + sum(button.sizeHint().width() for button in self._folding)

    def _new_menu(self, create: Callable[[str], object]) -> QMenu:
        menu = QMenu(self)
        for protocol in PROTOCOLS.values():
            action = menu.addAction(self.tr("{title} service…").format(title=protocol.title))
            action.triggered.connect(lambda _=False, name=protocol.name: create(name))
        return menu
