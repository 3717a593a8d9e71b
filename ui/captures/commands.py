"""What the actions on captures do in the main window. Each method has the name of its action."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PyQt5.QtWidgets import QWidget
from twisted.internet.defer import Deferred

from app.capture.reading.reader import Reader
from app.post import Post
from ui.captures.files import CaptureFiles
from ui.panes.browser import Browser
from ui.settings import Settings

if TYPE_CHECKING:
    from ui.captures.export_dialog import ExportDialog


class CaptureCommands:
    """Opens, saves and exports captures.

    Attributes:
        export_dialog: the one that is open.
    """

    def __init__(
        self,
        post: Post,
        reader: Reader,
        files: CaptureFiles,
        browser: Browser,
        window: QWidget,
        connection: Callable[[], tuple[int, bool] | None],
        settings: Settings,
    ) -> None:
        """``connection()`` is the selected one, as for ``PaneCommands``; ``window`` is the parent of dialogs."""
        self._post, self._reader, self._files, self._browser = post, reader, files, browser
        self._window, self._connection, self._settings = window, connection, settings
        self.export_dialog: ExportDialog | None = None

    def open_capture(self) -> None:
        self._files.open()

    def save_capture_as(self) -> None:
        self._files.save_as(typed=self._browser.panes.typed())

    def capture(self) -> None:
        self._files.settings()

    def pause_capture(self) -> None:
        recorder = self._post.recorder
        recorder.resume() if recorder.paused else recorder.pause()

    def new_capture(self) -> None:
        # The logbook records its exceptions, as of any Deferred without an errback.
        Deferred.fromCoroutine(self._files.begin())

    def export(self) -> None:
        from ui.captures.export_dialog import ExportDialog

        if self.export_dialog is None:
            number, live = self._connection() or (None, False)
            panes, in_thread = self._browser.panes, self._post.sender.in_thread
            conn = None if live else number
            dialog = ExportDialog(
                self._reader.path, panes.typed(), panes.shown(), conn, in_thread, self._window,
                panes.export_format() or self._settings.export_format, self._settings.export_folder,
            )  # fmt: skip
            dialog.written.connect(self._settings.remember_export)
            dialog.destroyed.connect(lambda: setattr(self, "export_dialog", None))
            self.export_dialog = dialog
        self.export_dialog.show()
        self.export_dialog.raise_()

    def unfinished(self) -> str:
        """The name of a file that an export or a copy is being written to; empty if there is none."""
        dialog = self.export_dialog
        return (dialog.unfinished() if dialog is not None else "") or self._files.unfinished()

    def stop(self) -> None:
        """End an export that is under way: the window closes."""
        if self.export_dialog is not None:
            self.export_dialog.stop()
