"""The workspace as a file: new, open, save, save as, and the question before it goes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QObject, pyqtSignal
from PyQt5.QtWidgets import QFileDialog, QMessageBox, QWidget

import resources
from app.errors import PostError
from app.post import Post, content
from app.trust.asks import digest_of
from app.workspace import reading as workspace
from app.workspace import saving as workspace_saving
from app.workspace.drafts import Origin
from app.workspace.reading import Workspace
from ui.edits import Edits
from ui.settings import Settings
from ui.window.leave_question import LeaveQuestion, OverwriteQuestion, UnappliedQuestion, running
from ui.workbench.pages import Workbench

FILES = QT_TRANSLATE_NOOP("WorkspaceFiles", "Workspaces (*.toml);;All files (*)")

DEMO = "Demo"


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
        self._pages: Workbench | None = None
        edits.changed.connect(self.changed)
        self._take(opened, title)

    def follow(self, pages: Workbench) -> None:
        """Ask about changes on these pages, too, that are not applied."""
        self._pages = pages
        pages.pending_changed.connect(self.changed)

    def _take(self, opened: Workspace, title: str) -> None:
        self.path, self.title = opened.path, title
        self._saved, self._digest, self._template = content(opened), opened.digest, opened.template
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

    @property
    def pending(self) -> dict[str, bool]:
        """The services with changes that are not applied, as ``Workbench.pending`` has them."""
        return self._pages.pending() if self._pages is not None else {}

    def unsaved(self) -> Workspace | None:
        """The workspace with all changes, also those that wait for a restart; None if they are saved."""
        waiting = self._pages.waiting() if self._pages is not None else {}
        state = self._edits.state
        services = tuple(waiting.get(one.name, one) for one in state.services)
        if len({one.name for one in services}) == len(services):  # two pages may have been given the same name
            state = replace(state, services=services)
        return state if state != self._saved else None

    def is_open(self, path: Path) -> bool:
        """Whether this file is the one that is open, by whatever path."""
        if same_file(path, demo_file()):
            return self.path is None and self.title == DEMO
        return self.path is not None and same_file(path, self.path)

    def origin(self) -> Origin:
        """What a draft of the workspace is a draft of."""
        return Origin(self.path, self.title, self._template)

    # -- opening

    def new(self) -> None:
        self._go_to(self.tr("New workspace"), Workspace)

    def open_demo(self) -> None:
        self._go_to(DEMO, demo)

    def open_showcase(self) -> None:
        self._go_to(self.tr("Showcase"), showcase)

    def open(self) -> None:
        folder = str(self.path.parent if self.path else Path.home())
        name, _ = QFileDialog.getOpenFileName(self._window, self.tr("Open workspace"), folder, self.tr(FILES))
        if name:
            self.open_path(Path(name))

    def open_path(self, path: Path, *, start: bool = False) -> None:
        """Open this file, and with ``start`` start all its services. Nothing happens if it is open as it is."""
        if same_file(path, demo_file()):  # belongs to the program; opened as a template, it is saved to another file
            self._go_to(DEMO, demo, start)
        elif self.is_open(path) and not self.modified and self._is_as_read(path):
            self.failed.emit("")
            if start:
                self._post.start_all()
        else:
            self._go_to(path.name, lambda: workspace.load(path), start, check=lambda: workspace.text_of(path))

    def _is_as_read(self, path: Path) -> bool:
        """Whether the file has what was read from it or saved to it last."""
        try:
            return digest_of(workspace.text_of(path).encode()) == self._digest
        except PostError:
            return False

    def _is_changed(self, path: Path) -> bool:
        """Whether another program has written to the file, which is open, since."""
        return bool(self._digest) and self.is_open(path) and os.path.exists(path) and not self._is_as_read(path)

    def _go_to(
        self, title: str, read: Callable[[], Workspace], start: bool = False, check: Callable[[], object] = str
    ) -> None:
        """Ask about what would be lost, then have the workspace that ``read`` returns take the place of this one.

        Nothing is asked if ``check`` raises.
        """
        try:
            check()
            if not self.settled(title):
                return
            loaded = read()
        except PostError as e:
            words = self.tr("{name} was not opened, and nothing was changed.\n{reason}")
            self.failed.emit(words.format(name=title, reason=e))
            return

        self.load(loaded, title, start=start)

    def load(self, loaded: Workspace, title: str, *, start: bool = False, own: bool = True) -> None:
        """Have this workspace take the place of the one that is open; nothing is asked.

        ``own``: whether one without a file is the user's own, which may do everything.
        """

        async def load() -> None:
            await self._post.load(loaded, own=own)
            if self._pages is not None:
                self._pages.discard()
            self._take(loaded, title)
            self._post.start_all() if start else self._post.autostart()

        self._edits.load(load)

    # -- saving

    def save(self) -> bool:
        """Save to the workspace's file; ask for one if there is none. True if it was saved."""
        return self._save(self.path) if self.path else self.save_as()

    def save_as(self) -> bool:
        start = self.path or Path.home() / "workspace.toml"
        dialog = QFileDialog(self._window, self.tr("Save workspace"), str(start), self.tr(FILES))
        dialog.setAcceptMode(QFileDialog.AcceptSave)
        # The dialog adds the suffix itself, so that it asks before it overwrites the file of that name.
        dialog.setDefaultSuffix("toml")
        try:
            return bool(dialog.exec_()) and self._save(Path(dialog.selectedFiles()[0]))
        finally:
            dialog.deleteLater()

    def _save(self, path: Path) -> bool:
        if self._edits.loading:
            self.failed.emit(
                self.tr("Nothing was saved, because another workspace is being opened. Save again when it is open.")
            )
            return False
        if not self._applied():
            return False
        if self._is_changed(path) and not OverwriteQuestion(self._window, path.name).agreed():
            return False
        try:
            saved = workspace_saving.save(self._edits.state, path)
        except PostError as e:
            self.failed.emit(str(e))
            return False
        self._take(saved, path.name)
        self._edits.when_followed(lambda: self._post.saved(saved))
        return True

    def _applied(self) -> bool:
        """Apply what pages have and ask about what is left. False if nothing is to be saved."""
        if self._pages is None:
            return True
        self._pages.apply()
        pending = self._pages.pending()
        if not pending:
            return True
        question = UnappliedQuestion(self._window, pending)
        answer = question.exec_()
        question.deleteLater()
        if answer == QMessageBox.Apply:
            self._pages.apply(restart=True)
        return answer in (QMessageBox.Apply, QMessageBox.Ignore)

    # -- the question

    def settled(self, following: str = "", unfinished: str = "") -> bool:
        """Ask once about all that would be lost. True if the workspace may go.

        ``following`` is the title of the workspace that takes its place, for which all services stop; empty if the
        window closes. ``unfinished`` is the name of a file that is being written, which its end would stop.
        """
        if self._pages is not None:
            self._pages.apply()
        modified, pending, up = self.modified, self.pending, running(self._post)
        ends = up.services if following else up.clients  # a service without a client loses nothing with the window
        if not modified and not pending and not unfinished and not ends:
            return True
        question = LeaveQuestion(self._window, self.title, modified, up, following, unfinished, pending)
        answer = question.exec_()
        question.deleteLater()
        return self.save() if answer == QMessageBox.Save else answer in (QMessageBox.Discard, QMessageBox.Ok)


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


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file."""
    try:
        return os.path.samefile(one, other)
    except OSError:  # one is gone
        return os.path.realpath(one) == os.path.realpath(other)
