"""The context menus of the main window, and the menu of recent workspaces."""

from __future__ import annotations

from functools import partial

from PyQt5.QtCore import QCoreApplication, QPoint
from PyQt5.QtWidgets import QAction, QMainWindow, QMenu

from app.events import Note
from ui.actions.action import Place
from ui.actions.build import Actions, show
from ui.looks.icons import icon
from ui.panes.browser import Browser
from ui.panes.notes import Notes, colour_menu
from ui.parts.labels import unmarked
from ui.services.side import ServicesSide
from ui.settings import Settings
from ui.window.workspace_files import WorkspaceFiles


class ContextMenus:
    """Shows the actions of the place that was clicked."""

    def __init__(self, actions: Actions, side: ServicesSide, browser: Browser, notes: Notes) -> None:
        self._actions, self._browser, self._notes = actions, browser, notes
        self._side = side
        self.of_group = partial(actions.popup, Place.GROUP)
        side.service_menu_wanted.connect(self.of_service)
        side.group_menu_wanted.connect(self.of_heading)
        side.connection_menu_wanted.connect(self.of_connection)
        browser.panes.failures.group_menu_wanted.connect(self.of_group)
        browser.panes.menu_wanted.connect(self.of_events)

    def _strikes(self, menu: QMenu) -> QMenu:
        """The menu of what can be done to a connection."""
        strikes = QMenu(QCoreApplication.translate("ContextMenus", "&Fail this connection"), menu)
        strikes.setIcon(icon("bolt"))
        self._actions.fill(strikes, Place.STRIKES)
        return strikes

    def of_connection(self, at: QPoint) -> None:
        menu = QMenu(self._side)
        self._actions.fill(menu, Place.CONNECTION)
        menu.addSeparator()
        menu.addMenu(self._strikes(menu))
        show(menu, at)

    def of_service(self, at: QPoint) -> None:
        menu = QMenu(self._side)
        self._actions.fill(menu, Place.SERVICE)
        name = self._side.services.selected
        if self._side.arranging.movable(name):
            menu.insertMenu(self._actions["remove_service"], self._side.arranging.menu_of_service(menu, name))
        show(menu, at)

    def of_heading(self, group: str, at: QPoint) -> None:
        if self._side.arranging.is_group(group):
            menu = QMenu(self._side)
            self._side.arranging.menu_of_group(menu, group)
            show(menu, at)

    def of_events(self, menu: QMenu, at: QPoint) -> None:
        ids = self._browser.panes.selected()
        self._actions.fill(menu, Place.EVENTS, leave_out=() if ids else ("note",))
        if ids:
            event = self._browser.current_event
            text = event.note.text if event is not None and event.note is not None and len(ids) == 1 else ""
            colours = colour_menu(menu, lambda name: self._notes.note(ids, Note(text, name)))
            entries = menu.actions()
            menu.insertMenu(entries[entries.index(self._actions["note"]) + 1], colours)
        if self._actions["fault_reset"].isEnabled():
            menu.insertMenu(self._actions["copy_rows"], self._strikes(menu))
            menu.insertSeparator(self._actions["copy_rows"])
        show(menu, at)


class RecentMenu(QMenu):
    """The workspaces opened or saved last."""

    def __init__(self, window: QMainWindow, actions: Actions, files: WorkspaceFiles, settings: Settings) -> None:
        file_menu = window.menuBar().actions()[0].menu()
        assert file_menu is not None
        super().__init__(file_menu)
        self.setTitle(self.tr("Open &recent"))
        self._files, self._settings = files, settings
        self.setObjectName("recent")
        file_menu.insertMenu(actions["save_workspace"], self)
        files.changed.connect(self._fill)
        self._fill()

    def _fill(self) -> None:
        self.clear()
        for path in self._settings.recent:
            action = QAction(unmarked(str(path)), self)
            action.triggered.connect(lambda _=False, path=path: self._files.open_path(path))
            self.addAction(action)
        self.setEnabled(bool(self._settings.recent))
