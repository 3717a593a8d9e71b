"""The menus that come with a right click, and the one of recent workspaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtWidgets import QAction, QMenu

from app.events import Note
from ui.panes.exchange_actions import is_exchange
from ui.panes.notes import colour_menu
from ui.parts import actions
from ui.settings import Settings

if TYPE_CHECKING:
    from ui.window.main_window import MainWindow

TO_SERVICE = ("send_to_service", "connect_lines")
OF_EXCHANGE = ("copy_curl", "copy_python", "copy_exchange", "mock_exchange")


class Menus:
    """Made of the window's actions."""

    def __init__(self, window: MainWindow, settings: Settings) -> None:
        self._window, self._settings = window, settings

    def of_service(self, at: QPoint) -> None:
        kept = ("edit_service", "duplicate_service", "", "remove_service")
        self._popup(QMenu(self._window), at, "toggle_service", "", *TO_SERVICE, "", *kept)

    def of_connection(self, at: QPoint) -> None:
        self._popup(QMenu(self._window), at, "follow_stream", "", "send", "disconnect")

    def of_events(self, menu: QMenu, at: QPoint) -> None:
        if is_exchange(self._window.current_event):
            for name in OF_EXCHANGE:
                menu.addAction(self._window.actions_[name])
            menu.addSeparator()
        if ids := self._window.panes.selected():
            menu.addAction(self._window.actions_["note"])
            notes, current = self._window.notes, self._window.current_event
            text = current.note.text if current is not None and current.note is not None and len(ids) == 1 else ""
            menu.addMenu(colour_menu(menu, lambda name: notes.note(ids, Note(text, name))))
            menu.addSeparator()
        names = ("follow_stream", "", "copy_rows", "copy_payload", "", "select_all", "", "follow", "clear", "show_all")
        self._popup(menu, at, *names)

    def of_group(self, at: QPoint) -> None:
        names = ("resolve_group", "reopen_group", "", "send_again", "save_report", "copy_report")
        self._popup(QMenu(self._window), at, *names)

    def _popup(self, menu: QMenu, at: QPoint, *names: str) -> None:
        for name in names:
            if name:
                menu.addAction(self._window.actions_[name])
            else:
                menu.addSeparator()
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.popup(at)

    def fill_recent(self) -> None:
        file_menu = self._window.menuBar().actions()[0].menu()
        assert file_menu is not None
        old = file_menu.findChild(QMenu, "recent")
        if old is None:
            old = QMenu("Open &recent", file_menu)
            old.setObjectName("recent")
            file_menu.insertMenu(self._window.actions_["save_workspace"], old)
        old.clear()
        for path in self._settings.recent:
            action = QAction(actions.unmarked(str(path)), old)
            action.triggered.connect(lambda _=False, path=path: self._window.files.open_path(path))
            old.addAction(action)
        old.setEnabled(bool(self._settings.recent))
