"""The toolbar: the most used actions, the filter, and whether events are being stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QAction, QLabel, QMenu, QToolBar, QToolButton

from app.post import Post
from app.services.protocols import PROTOCOLS
from ui.bridge import Bridge
from ui.looks import theme
from ui.looks.icons import icon
from ui.panes.filter_box import FilterBox
from ui.parts.labels import plain


class Toolbar(QToolBar):
    """Some of the window's actions, the filter, and a lamp that says whether events are being stored."""

    def __init__(
        self,
        post: Post,
        bridge: Bridge,
        actions: Mapping[str, QAction],
        create: Callable[[str], object],
        filter: FilterBox,
    ) -> None:
        """``create(protocol)`` asks for a new service of that protocol."""
        super().__init__("Main")
        self._post = post
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.PreventContextMenu)
        self.setIconSize(QSize(14, 14))
        self.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
        # Qt leaves no room between icon and text.
        for name, text in (("start_all", " Start all"), ("stop_all", " Stop all"), ("new_service", " New service")):
            actions[name].setIconText(text)
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
        self._lamp, self._capturing = QLabel(), QLabel()
        self._lamp.setContentsMargins(10, 0, 0, 0)
        self._capturing.setContentsMargins(2, 0, 6, 0)
        self.addWidget(self._lamp)
        self.addWidget(self._capturing)
        bridge.trouble_changed.connect(self._show_capture)
        theme.notifier.changed.connect(self._show_capture)
        self._show_capture()

    def _new_menu(self, create: Callable[[str], object]) -> QMenu:
        menu = QMenu(self)
        for protocol in PROTOCOLS.values():
            action = menu.addAction(f"{protocol.title} service…")
            action.triggered.connect(lambda _=False, name=protocol.name: create(name))
        return menu

    def _show_capture(self) -> None:
        trouble = self._post.recorder.trouble
        mark = icon("warning", "warning") if trouble else icon("record", "bad")
        self._lamp.setPixmap(mark.pixmap(14, 14))
        self._capturing.setText("Not capturing" if trouble else "Capturing")
        self._capturing.setToolTip(plain(trouble.text if trouble else f"Into {self._post.capture}"))
