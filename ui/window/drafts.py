"""Keeps the unsaved changes of the window in a draft, and offers those that an earlier run left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from PyQt5.QtCore import QObject, QTimer, pyqtSignal
from twisted.internet.defer import Deferred, DeferredLock

from app.errors import PostError
from app.workspace import reading
from app.workspace.drafts import DraftFile, Left, Origin, left_behind
from app.workspace.reading import Workspace
from ui.edits import Edits
from ui.window.workspace_files import WorkspaceFiles

PAUSE = 1000
"""Milliseconds from a change until it is in the draft."""

SHARE = 10
"""The pause is that many times as long as writing the draft took, if that is longer."""

InThread = Callable[..., Deferred[Any]]


class Drafts(QObject):
    """The draft of the window's workspace. It is there while there are unsaved changes.

    Attributes:
        settled: whether the user has saved or discarded what was changed, because the window closes. Without it,
            as when the desktop's session ends, the changes are left for the next start.
        pause: milliseconds from a change until it is in the draft.

    Signals:
        found(list): drafts that no running program writes: each a ``Left``.
        failed(str): what went wrong, as text for the user.
    """

    found = pyqtSignal(list)
    failed = pyqtSignal(str)

    def __init__(self, edits: Edits, files: WorkspaceFiles, in_thread: InThread, folder: Path) -> None:
        super().__init__(files)
        self._edits, self._files, self._in_thread, self._folder = edits, files, in_thread, folder
        self._file = DraftFile(folder)
        self._alone = DeferredLock()
        self._written: Workspace | None = None
        self._left: list[Left] = []
        self._restored: list[Left] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self.pause = PAUSE
        self._timer.setInterval(self.pause)
        self._timer.timeout.connect(self._follow)
        self._begun = self._told = False
        self.settled = False

    def _on_change(self) -> None:
        # Not started anew by each change: who types without a pause has a draft all the same.
        wanted = self._files.modified or self._files.pending or self._written is not None or self._restored
        if wanted and not self._timer.isActive():
            self._timer.start()

    # -- the draft of this window

    def _follow(self) -> None:
        if self._edits.loading:
            self._timer.start()
        else:
            self._alone.run(lambda: Deferred.fromCoroutine(self._bring_up_to_date()))

    async def _bring_up_to_date(self) -> None:
        state = self._files.unsaved()
        try:
            if state is None:
                await self._in_thread(self._file.remove)
            elif state != self._written:
                began = monotonic()
                await self._in_thread(self._file.write, state, self._files.origin())
                # A large workspace is not written all the time while somebody types.
                self._timer.setInterval(max(self.pause, round((monotonic() - began) * 1000 * SHARE)))
            self._written = state
            restored, self._restored = self._restored, []
            for left in restored:  # what they hold is in the draft of this window, or saved
                await self._in_thread(left.remove)
        except OSError as e:
            if not self._told:
                self._told = True
                words = self.tr("Unsaved changes would not survive a crash: {folder} cannot be written: {reason}.")
                self.failed.emit(words.format(folder=self._folder, reason=e.strerror or e))

    async def finish(self) -> None:
        """The program ends."""
        if not self._begun:
            return
        self._begun = False
        self._timer.stop()
        self._files.changed.disconnect(self._on_change)
        await self._alone.acquire()
        try:
            if self.settled:
                await self._in_thread(self._file.remove)
            else:
                await self._bring_up_to_date()
                if self._written is not None:
                    last = partial(self._file.write, self._written, self._files.origin(), last=True)
                    await self._in_thread(last)
                self._file.leave()
        except OSError:
            pass  # it was told when it was written
        for left in self._left:
            left.let_go()

    # -- drafts of earlier runs

    async def begin(self) -> bool:
        """Keep a draft from now on. Look for drafts that were left behind; if there are any, emit ``found``.

        Returns whether there are.
        """
        self._begun = True
        self._files.changed.connect(self._on_change)
        self._on_change()  # somebody was quick
        self._left = await self._in_thread(left_behind, self._folder)
        if self._left:
            self.found.emit(list(self._left))
        return bool(self._left)

    def restore(self, left: Left) -> None:
        """Make the changes of a draft again, as one step, in the workspace that they belong to."""
        if self._is_open(left.origin) or self._open(left.origin):
            self._edits.when_followed(lambda: self._make_changes(left))
        else:
            self.found.emit(list(self._left))

    def _is_open(self, origin: Origin) -> bool:
        # One without a file is opened anew: the one that is open may do everything, as the user's own.
        return origin.path is not None and self._files.path is not None and self._files.is_open(origin.path)

    def _open(self, origin: Origin) -> bool:
        """Open the workspace of a draft, empty if it was never saved or its file is gone. True if that is to come."""
        if not self._files.settled(origin.title):
            return False
        path = origin.path
        try:
            loaded = (
                reading.load(path) if path and os.path.exists(path) else Workspace(path=path, template=origin.template)
            )
        except PostError as e:
            words = self.tr("The changes to {name} were not restored, because it cannot be read now.\n{reason}")
            self.failed.emit(words.format(name=origin.title, reason=e))
            return False
        self._files.load(loaded, origin.title, own=False)
        return True

    async def _make_changes(self, left: Left) -> None:
        state, problems = left.read()
        if problems:
            words = self.tr("{path} has unsaved changes that cannot be read, so nothing was changed:\n{problems}")
            self.failed.emit(words.format(path=left.path, problems="\n".join(map(str, problems))))
            return
        self._edits.change(self.tr("restoring unsaved changes"), state, by_user=False)
        self._left.remove(left)
        self._restored.append(left)
        self._on_change()

    def discard(self, left: Left) -> None:
        """Delete a draft."""
        self._left.remove(left)
        self._in_thread(left.remove)
