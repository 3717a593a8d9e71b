"""The bar at the top: what is done most, the filter, and whether the capture goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PyQt5.QtCore import QSize, Qt
from PyQt5.QtWidgets import QAction, QLabel, QMenu, QToolBar, QToolButton

from app.capture.recorder import Trouble
from app.services.protocols import PROTOCOLS
from ui.looks.icons import icon
from ui.panes.filter_box import FilterBox, Known
from ui.parts.actions import plain


class Toolbar(QToolBar):
    """Holds some of the window's actions, ``filter``, and a lamp for the capture."""

    def __init__(self, actions: Mapping[str, QAction], create: Callable[[str], object], known: Known = dict) -> None:
        """``create`` asks for a new service of the protocol that it is given; ``known`` is for the filter."""
        super().__init__("Main")
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
        self.filter = FilterBox(known)
        self.addWidget(self.filter)
        self._lamp, self._capturing = QLabel(), QLabel()
        self._lamp.setContentsMargins(10, 0, 0, 0)
        self._capturing.setContentsMargins(2, 0, 6, 0)
        self.addWidget(self._lamp)
        self.addWidget(self._capturing)

    def _new_menu(self, create: Callable[[str], object]) -> QMenu:
        menu = QMenu(self)
        for protocol in PROTOCOLS.values():
            action = menu.addAction(f"{protocol.title} service…")
            action.triggered.connect(lambda _=False, name=protocol.name: create(name))
        return menu

    def show_capture(self, trouble: Trouble | None, capture: Path | None) -> None:
        """Say by shape, colour and words whether events are being stored."""
        mark = icon("warning", "warning") if trouble else icon("record", "bad")
        self._lamp.setPixmap(mark.pixmap(14, 14))
        self._capturing.setText("Not capturing" if trouble else "Capturing")
        self._capturing.setToolTip(plain(trouble.text if trouble else f"Into {capture}"))
