"""New, Open, Save, Save as, Recent: the workspace as a file, and the question about unsaved changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QMessageBox, QWidget
from twisted.internet.defer import Deferred

from app import errors, workspace
from app.post import Post
from app.workspace import Workspace
from ui.settings import Settings

FILES = "Workspaces (*.toml);;All files (*)"


class WorkspaceFiles(QObject):
    """Which file the Post's services came from, and whether they have changed since.

    Attributes:
        path: None for one that was never saved, the demo included.
        title: how the window calls it.

    Signals:
        changed: path, title or ``modified`` may be others.
        failed: what went wrong, in words.
    """

    changed = pyqtSignal()
    failed = pyqtSignal(str)

    def __init__(self, post: Post, settings: Settings, opened: Workspace, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._post, self._settings, self._window = post, settings, parent
        self._take(opened, title)

    def _take(self, opened: Workspace, title: str) -> None:
        self.path, self.title = opened.path, title
        self._saved = opened.services
        if opened.path is not None:
            self._settings.add_recent(opened.path)
        self.changed.emit()

    @property
    def modified(self) -> bool:
        return self._post.configs() != self._saved

    def new(self) -> None:
        self._if_settled(lambda: self._load(Workspace(), "New workspace"))

    def open_demo(self) -> None:
        self._if_settled(lambda: self._load(demo(), "Demo"))

    def open(self) -> None:
        def ask() -> None:
            folder = str(self.path.parent if self.path else Path.home())
            name, _ = QFileDialog.getOpenFileName(self._window, "Open workspace", folder, FILES)
            if name:
                self._open(Path(name))

        self._if_settled(ask)

    def open_path(self, path: Path) -> None:
        """Open this file, after the question about unsaved changes."""
        self._if_settled(lambda: self._open(path))

    def _open(self, path: Path) -> None:
        try:
            loaded = workspace.load(path)
        except errors.PostError as e:
            self.failed.emit(f"{path.name} was not opened, and nothing was changed.\n{e}")
            return
        self._load(loaded, path.name)

    def _load(self, loaded: Workspace, title: str) -> None:
        Deferred.fromCoroutine(self._post.load(loaded)).addCallback(lambda _: self._take(loaded, title))

    def save(self) -> bool:
        """Save to the file it came from, or ask for one. Whether it was saved."""
        return self._save(self.path) if self.path else self.save_as()

    def save_as(self) -> bool:
        start = self.path or Path.home() / "workspace.toml"
        name, _ = QFileDialog.getSaveFileName(self._window, "Save workspace", str(start), FILES)
        if not name:
            return False
        path = Path(name)
        return self._save(path if path.suffix else path.with_suffix(".toml"))

    def _save(self, path: Path) -> bool:
        try:
            saved = workspace.save(Workspace(self._post.configs()), path)
        except errors.PostError as e:
            self.failed.emit(str(e))
            return False
        self._take(saved, path.name)
        return True

    def settled(self) -> bool:
        """Ask about unsaved changes, if there are any. Whether what is here may be let go."""
        if not self.modified:
            return True
        question = QMessageBox(
            QMessageBox.Question,
            "Unsaved changes",
            f"Save the changes to “{self.title}”?",
            QMessageBox.Save | QMessageBox.Discard | QMessageBox.Cancel,
            self._window,
        )
        question.setInformativeText("Without saving, the changed services are lost. The capture is kept either way.")
        question.setDefaultButton(QMessageBox.Save)
        answer = question.exec_()
        if answer == QMessageBox.Save:
            return self.save()
        return bool(answer == QMessageBox.Discard)

    def _if_settled(self, then: Callable[[], None]) -> None:
        if self.settled():
            then()


def demo() -> Workspace:
    """The demo as a workspace of its own, which saving does not write over."""
    from importlib.resources import files

    source = files("resources").joinpath("demo.toml").read_text("utf-8")
    return workspace.parse(source)[0]
