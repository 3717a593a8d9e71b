"""Opens, saves and recovers captures as files, besides the capture that is being written."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt5.QtCore import QMimeData, QObject, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QWidget
from twisted.python.failure import Failure

from app.capture import errors
from app.capture.keeping.about import About, about
from app.capture.keeping.retention import cut_off
from app.capture.reading.reader import Reader
from app.capture.schema import SUFFIX
from app.post import Post
from ui.settings import Settings

if TYPE_CHECKING:
    from ui.captures.save_dialog import SaveDialog
    from ui.captures.window import CaptureWindow


class CaptureFiles(QObject):
    """The windows of opened captures, and the dialogs for files.

    Attributes:
        windows: by path.
        before: the capture that the current one follows; None if it follows none of this run.

    Signals:
        failed: an error for the user; empty once a later action succeeded.
        begun: the program captures into a new file.
        send_wanted: the Send dock is to be filled from an opened capture; carries its reader and the id of the event.
        found: a capture that a previous run of the program did not close.
    """

    failed = pyqtSignal(str)
    found = pyqtSignal(object)
    send_wanted = pyqtSignal(object, int)
    begun = pyqtSignal()

    def __init__(self, post: Post, reader: Reader, settings: Settings, parent: QWidget) -> None:
        super().__init__(parent)
        self._post, self._reader, self._settings, self._window = post, reader, settings, parent
        self._in_thread = post.sender.in_thread
        self.windows: dict[Path, CaptureWindow] = {}
        self._folder = post.capturing.folder
        self.before: Path | None = None
        self._saving: list[SaveDialog] = []
        self._closed = False

    def open(self) -> None:
        """Show the dialog that selects a capture to open."""
        dialog = QFileDialog(
            self._window,
            self.tr("Open capture"),
            str(self._folder),
            self.tr("Captures (*{suffix});;All files (*)").format(suffix=SUFFIX),
        )
        dialog.setFileMode(QFileDialog.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.open_path(Path(path)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def open_path(self, path: Path) -> None:
        """Open this capture in a new window; if it is open already, raise its window."""
        path = Path(os.path.realpath(path))
        if path in self.windows:
            self.windows[path].show()
            self.windows[path].raise_()
            self.windows[path].activateWindow()
            return
        live = self._post.capture
        if live is not None and path == Path(os.path.realpath(live)):
            self.failed.emit(self.tr("{name} is already shown in this window.").format(name=path.name))
            return
        self._in_thread(about, path).addCallbacks(self._show, self._on_failure)

    def _on_failure(self, failure: Failure) -> None:
        failure.trap(errors.CaptureError)
        if not self._closed:
            self.failed.emit(self.tr("The capture was not opened.\n{reason}").format(reason=failure.value))

    def _show(self, found: About) -> None:
        if self._closed or found.path in self.windows:
            return
        from ui.captures.window import CaptureWindow

        self.failed.emit("")
        self._folder = found.path.parent
        window = CaptureWindow(found, self._reader.beside(found.path), self._in_thread, self._settings)
        self.windows[found.path] = window
        window.closed.connect(lambda path: self.windows.pop(path, None))
        window.open_wanted.connect(self.open)
        window.save_wanted.connect(self.save_as)
        window.send_wanted.connect(self.send_wanted)
        window.show()

    def save_as(self, source: Path | None = None, typed: str = "") -> None:
        """Show the dialog that saves a copy of a capture; by default, of the live one."""
        from ui.captures.save_dialog import SaveDialog

        path = source or self._post.capture
        if path is None:
            return
        parent = self.windows.get(path, self._window)
        dialog = SaveDialog(path, typed, self._in_thread, self._post.recorder.flush, parent)
        self._saving.append(dialog)
        dialog.destroyed.connect(lambda _=None, dialog=dialog: self._saving.remove(dialog))
        dialog.show()

    def settings(self) -> None:
        """Show the dialog with the capture's path, and the limits of captures."""
        from ui.captures.settings_dialog import CaptureDialog

        CaptureDialog(self._post, self._settings, self._in_thread, self._window).open()

    async def begin(self) -> None:
        """Capture into a new file from now on. The one before is complete, and can be opened."""
        before = await self._post.new_capture(self._settings.capture_limit, self._settings.captures)
        if before is not None:
            self.before = before
            self._folder = before.parent
            self.begun.emit()

    def open_before(self) -> None:
        """Open the capture that the current one follows."""
        if self.before is not None:
            self.open_path(self.before)

    def look_for_cut_off(self, *, killed: bool = False) -> None:
        """Look for a capture that a previous run did not close; if there is one, emit ``found``.

        ``killed``: a previous run did not end in order. Its capture may be closed all the same, by the writer, which
        is a process of its own: ``failed`` says then what happened.
        """
        live = [self._post.capture] if self._post.capture else []

        def tell(found: About | None) -> None:
            if self._closed:
                return
            if found is not None:
                self.found.emit(found)
            elif killed:
                self.failed.emit(self.tr("Last time, Listening Post ended unexpectedly. Its capture is complete."))

        self._in_thread(cut_off, self._post.capturing.folder, live).addCallback(tell)

    def unfinished(self) -> str:
        """The name of a copy that is being saved; empty if none is."""
        return next(filter(None, (dialog.saving for dialog in self._saving)), "")

    def close(self) -> None:
        """Close all windows and stop saving, because the program ends."""
        self._closed = True
        for dialog in self._saving:
            dialog.stop()
        for window in list(self.windows.values()):
            window.close()


def dropped(data: QMimeData, suffix: str = SUFFIX) -> list[Path]:
    """The captures, or other files with that ending, among those that the user dropped onto a window."""
    paths: Iterable[Path] = (Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile())
    return [path for path in paths if path.suffix == suffix]
