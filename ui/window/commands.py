"""What each action does, by its name in the table of actions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QApplication

from app.post import Post
from ui.looks import theme
from ui.panes.notes import NOTED
from ui.settings import Settings
from ui.window import about

if TYPE_CHECKING:
    from ui.captures.export_dialog import ExportDialog
    from ui.streams.view import StreamView
    from ui.window.main_window import MainWindow


class Commands:
    """A method for each action of the window.

    Attributes:
        streams, export_dialog: the windows beside it that are open.
    """

    def __init__(self, window: MainWindow, post: Post, settings: Settings) -> None:
        self._window, self._post, self._settings = window, post, settings
        self.streams: list[StreamView] = []
        self.export_dialog: ExportDialog | None = None

    def new_workspace(self) -> None:
        self._window.files.new()

    def open_workspace(self) -> None:
        self._window.files.open()

    def save_workspace(self) -> None:
        self._window.files.save()

    def save_workspace_as(self) -> None:
        self._window.files.save_as()

    def open_showcase(self) -> None:
        self._window.files.open_showcase()

    def open_demo(self) -> None:
        self._window.files.open_demo()

    def quit(self) -> None:
        self._window.close()

    def copy_rows(self) -> None:
        self._window.panes.current().copy_rows()

    def copy_payload(self) -> None:
        if self._window.current_event is not None and self._window.current_event.payload is not None:
            QApplication.clipboard().setText(self._window.current_event.payload.decode("utf-8", "backslashreplace"))

    def select_all(self) -> None:
        self._window.panes.current().view.select_all()

    def filter(self) -> None:
        self._window.filter.setFocus(Qt.ShortcutFocusReason)
        self._window.filter.selectAll()

    def start_all(self) -> None:
        self._window.service_actions.start_all()

    def stop_all(self) -> None:
        self._window.service_actions.stop_all()

    def toggle_service(self) -> None:
        self._window.service_actions.toggle(self._window.services.selected)

    def new_service(self) -> None:
        self._window.service_actions.create()

    def edit_service(self) -> None:
        self._window.service_actions.edit(self._window.services.selected)

    def duplicate_service(self) -> None:
        self._window.service_actions.duplicate(self._window.services.selected)

    def remove_service(self) -> None:
        self._window.service_actions.remove(self._window.services.selected)

    def send_message(self) -> None:
        dock = self._window.send_dock
        dock.setVisible(dock.isHidden())
        if dock.isVisible():
            if not dock.form.url.text() and (url := self._url()):
                dock.form.url.setText(url)
            dock.form.url.setFocus(Qt.ShortcutFocusReason)

    def send_to_service(self) -> None:
        if url := self._url():
            self._window.send_dock.send_to(url)

    def _url(self) -> str | None:
        """Of the selected service."""
        from ui.sending.dock import reaching

        service = self._post.services.get(self._window.services.selected)
        return reaching(service) if service is not None else None

    def connect_lines(self) -> None:
        from ui.services.connect_dialog import ConnectDialog

        service = self._post.services.get(self._window.services.selected)
        if service is not None:
            ConnectDialog(service, self._post.sender.in_thread, self._window).open()

    def send(self) -> None:
        service = self._post.services.get(self._window.services.selected)
        connection = self._window.connections.current()
        if service is not None and connection is not None:
            self._window.service_actions.send(service, connection)

    def disconnect(self) -> None:
        connection = self._window.connections.current()
        if connection is not None:
            self._window.service_actions.disconnect_peer(connection)

    def follow(self) -> None:
        self._window.panes.current().view.set_following(self._window.actions_["follow"].isChecked())

    def clear(self) -> None:
        self._window.panes.current().events.clear()

    def show_all(self) -> None:
        self._window.panes.current().events.show_all()

    def next_pane(self) -> None:
        self._window.panes.setCurrentIndex((self._window.panes.currentIndex() + 1) % self._window.panes.count())

    def previous_pane(self) -> None:
        self._window.panes.setCurrentIndex((self._window.panes.currentIndex() - 1) % self._window.panes.count())

    def copy_curl(self) -> None:
        self._copy_exchange("curl")

    def copy_python(self) -> None:
        self._copy_exchange("python")

    def copy_exchange(self) -> None:
        self._copy_exchange("text")

    def _copy_exchange(self, form: str) -> None:
        if self._window.current_event is not None:
            self._window.exchanges.copy(self._window.current_event, form)

    def mock_exchange(self) -> None:
        if self._window.current_event is not None:
            self._window.exchanges.mock(self._window.current_event)

    def follow_stream(self) -> None:
        at_hand = self._window.connection_at_hand()
        if at_hand is None:
            return
        from ui.streams.view import StreamView

        stream = next((stream for stream in self.streams if stream.asked == at_hand), None)
        if stream is None:
            stream = StreamView(at_hand, self._window.reader, self._post.sender.in_thread, self._window)
            stream.closed.connect(partial(self.streams.remove, stream))
            self.streams.append(stream)
        stream.show()
        stream.raise_()
        stream.activateWindow()

    def export(self) -> None:
        from ui.captures.export_dialog import ExportDialog

        if self.export_dialog is None:
            at_hand = self._window.connection_at_hand()
            conn = at_hand[0] if at_hand is not None and not at_hand[1] else None
            dialog = ExportDialog(
                self._window.reader.path,
                self._window.panes.typed(),
                self._window.panes.shown(),
                conn,
                self._post.sender.in_thread,
                self._window,
            )
            dialog.destroyed.connect(lambda: setattr(self, "export_dialog", None))
            self.export_dialog = dialog
        self.export_dialog.show()
        self.export_dialog.raise_()

    def open_capture(self) -> None:
        self._window.captures.open()

    def save_capture_as(self) -> None:
        self._window.captures.save_as(typed=self._window.panes.typed())

    def capture(self) -> None:
        self._window.captures.settings()

    def note(self) -> None:
        ids = self._window.panes.selected()
        if ids:
            current = self._window.current_event
            self._window.notes.ask(ids, current.note if current is not None else None)

    def notes(self) -> None:
        self._window.panes.setCurrentWidget(self._window.panes.all)
        self._window.filter.setText(NOTED)
        self._window.filter.apply()

    def http(self) -> None:
        self._window.panes.setCurrentWidget(self._window.panes.http)

    def conversations(self) -> None:
        self._window.panes.setCurrentWidget(self._window.panes.conversations)

    def failures(self) -> None:
        self._window.panes.setCurrentWidget(self._window.panes.failures)

    def resolve_group(self) -> None:
        self._window.panes.failures.resolve()

    def reopen_group(self) -> None:
        self._window.panes.failures.resolve(reopened=True)

    def send_again(self) -> None:
        if self._window.current_event is not None and self._window.failure_actions.can_send(self._window.current_event):
            self._window.failure_actions.send_again(self._window.current_event)

    def save_report(self) -> None:
        if self._window.current_event is not None:
            self._window.failure_actions.save_report(self._window.current_event)

    def copy_report(self) -> None:
        if self._window.current_event is not None:
            self._window.failure_actions.copy_report(self._window.current_event)

    def theme(self) -> None:
        chosen = theme.LIGHT if theme.current() is theme.DARK else theme.DARK
        self._settings.theme = chosen.name
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._settings.apply(application)

    def settings(self) -> None:
        from ui.settings_dialog import SettingsDialog

        SettingsDialog(self._settings, self._window.captures.settings, self._window).open()

    def palette(self) -> None:
        self._window.command_palette.show_entries()

    def start_page(self) -> None:
        self._window.show_start_page()

    def trust(self) -> None:
        from ui.services import trust_dialog

        trust_dialog.show(self._window, self._post, self._window.notice.say)

    def about(self) -> None:
        about.show(self._window, self._post)
