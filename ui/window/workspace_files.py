"""The workspace as a file: new, open, save, save as, and the question about unsaved changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QObject, Qt, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QMessageBox, QWidget

import resources
from app.errors import PostError
from app.post import Post, content
from app.workspace import reading as workspace
from app.workspace import saving as workspace_saving
from app.workspace.reading import Workspace
from ui.edits import Edits
from ui.looks.icons import icon
from ui.settings import Settings

FILES = "Workspaces (*.toml);;All files (*)"


class WorkspaceFiles(QObject):
    """The file of the Post's workspace, and whether the workspace has changed since it was saved.

    Attributes:
        path: None if the workspace was never saved; also None for the demo.
        title: the name of the workspace in the window's title.

    Signals:
        changed: path, title or ``modified`` may have changed.
        failed: carries what went wrong, as text for the user, or "" after the next success.
    """

    changed = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(
        self, post: Post, edits: Edits, settings: Settings, opened: Workspace, title: str, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._post, self._edits, self._settings, self._window = post, edits, settings, parent
        edits.changed.connect(self.changed)
        self._take(opened, title)

    def _take(self, opened: Workspace, title: str) -> None:
        self.path, self.title = opened.path, title
        self._saved = content(opened)
        if opened.path is not None:
            self._settings.add_recent(opened.path)
        self.failed.emit("")
        self.changed.emit()

    def folder(self) -> Path:
        """The folder that relative file names refer to: the workspace's, or the current one if it has no file."""
        return self.path.parent if self.path else Path.cwd()

    @property
    def modified(self) -> bool:
        return self._edits.state != self._saved

    def new(self) -> None:
        self._if_settled(lambda: self._load(Workspace(), "New workspace"))

    def open_demo(self) -> None:
        self._if_settled(lambda: self._load(demo(), "Demo"))

    def open_showcase(self) -> None:
        self._if_settled(lambda: self._load(showcase(), "Showcase"))

    def open(self) -> None:
        def ask() -> None:
            folder = str(self.path.parent if self.path else Path.home())
            name, _ = QFileDialog.getOpenFileName(self._window, "Open workspace", folder, FILES)
            if name:
                self._open(Path(name))

        self._if_settled(ask)

    def open_path(self, path: Path, *, start: bool = False) -> None:
        """Ask about unsaved changes, then open this file, and with ``start`` start all its services."""
        self._if_settled(lambda: self._open(path, start))

    def _open(self, path: Path, start: bool = False) -> None:
        try:
            loaded = workspace.load(path)
        except PostError as e:
            self.failed.emit(f"{path.name} was not opened, and nothing was changed.\n{e}")
            return
        self._load(loaded, path.name, start)

    def _load(self, loaded: Workspace, title: str, start: bool = False) -> None:
        async def load() -> None:
            await self._post.load(loaded)
            self._take(loaded, title)
            self._post.start_all() if start else self._post.autostart()

        self._edits.load(load)

    def save(self) -> bool:
        """Save to the workspace's file; ask for one if there is none. True if it was saved."""
        return self._save(self.path) if self.path else self.save_as()

    def save_as(self) -> bool:
        start = self.path or Path.home() / "workspace.toml"
        dialog = QFileDialog(self._window, "Save workspace", str(start), FILES)
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        # The dialog adds the suffix itself, so that it asks before it overwrites the file of that name.
        dialog.setDefaultSuffix("toml")
        try:
            return bool(dialog.exec_()) and self._save(Path(dialog.selectedFiles()[0]))
        finally:
            dialog.deleteLater()

    def _save(self, path: Path) -> bool:
        if self._edits.loading:
            self.failed.emit(self.tr("Nothing was saved: another workspace is being opened."))
            return False
        try:
            saved = workspace_saving.save(self._edits.state, path)
        except PostError as e:
            self.failed.emit(str(e))
            return False
        self._take(saved, path.name)
        self._edits.when_followed(lambda: self._post.saved(saved))
        return True

    def settled(self) -> bool:
        """Ask about unsaved changes, if there are any. True if the workspace may be replaced."""
        if not self.modified:
            return True
        question = QMessageBox(
            QMessageBox.NoIcon,
            "Unsaved changes",
            f"Save the changes to “{self.title}”?",
            QMessageBox.Save | QMessageBox.Discard | QMessageBox.Cancel,
            self._window,
        )
        question.setTextFormat(Qt.PlainText)
        question.setInformativeText("Without saving, what was changed is lost. The capture is kept either way.")
        question.setIconPixmap(icon("save", "accent").pixmap(24, 24))
        question.button(QMessageBox.Save).setText("&Save")
        question.button(QMessageBox.Discard).setText("&Discard")
        question.setDefaultButton(QMessageBox.Save)
        answer = question.exec_()
        if answer == QMessageBox.Save:
            return self.save()
        return bool(answer == QMessageBox.Discard)

    def _if_settled(self, then: Callable[[], None]) -> None:
        if self.settled():
            then()


def demo() -> Workspace:
    """The demo as a workspace without a file, so that saving it does not overwrite the demo."""
    return workspace.parse(demo_file().read_text("utf-8"))[0]


def showcase() -> Workspace:
    """The showcase, one service of each kind, also without a file. The files that it serves are in its folder."""
    file = demo_file().with_name("showcase.toml")
    return replace(workspace.parse(file.read_text("utf-8"))[0], template=file.parent)


def demo_file() -> Path:
    """The path of the demo's file."""
    return Path(resources.__file__).with_name("demo.toml")
