"""The documents of one service: loaded when it starts, with every change stored in order."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from app.errors import PostError
from app.files.confined import inside
from app.http.problem_json import Problem
from app.responders import Context
from app.responders.rest.memory import Documents
from app.responders.rest.storage import Change, Loaded, load, store


class Library:
    """All documents of a service, and their files.

    Attributes:
        documents: all documents, in memory. Call ``keep`` right after each change to them.
        ready: whether the documents were read from their files. If not, wait for ``loaded``.
    """

    def __init__(self, seed: str, keep: str, uuid: bool, context: Context) -> None:
        self.documents = Documents()
        self.ready = not (seed or keep)
        self._files = seed, keep, uuid
        self._context = context
        self._keeping = bool(keep)
        self._path: Path | None = None
        self._changes = 0
        self._readers: list[Deferred[None]] = []
        self._waiting: list[tuple[Change, Deferred[None]]] = []
        self._storing = False
        if not self.ready:
            self.loaded().addErrback(self._log)

    def loaded(self) -> Deferred[None]:
        """Fires when the files were read; fails with a Problem 503 if they cannot be read."""
        reader: Deferred[None] = Deferred()
        self._readers.append(reader)
        if len(self._readers) == 1:
            reading = self._context.in_thread(_read, self._context.folder, *self._files)
            reading.addCallbacks(self._loaded, self._not_loaded)
        return reader

    def keep(self, change: Change) -> Deferred[None] | None:
        """Store a change that was just made in memory. Fires when it is on the disk, or fails with a Problem 503.

        Returns None if the service has no SQLite file. After a Problem the documents are read
        again from the file, so that neither memory nor file has the change.
        """
        if not self._keeping:
            return None
        stored: Deferred[None] = Deferred()
        self._waiting.append((change, stored))
        if not self._storing:
            self._storing = True
            self._store()
        return stored

    def _log(self, reason: Failure) -> None:
        self._context.log(str(reason.value))

    def _loaded(self, result: tuple[Path | None, Loaded]) -> None:
        self._path, (self.documents, self._changes) = result
        self.ready = True
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.callback(None)

    def _not_loaded(self, reason: Failure) -> None:
        readers, self._readers = self._readers, []
        for reader in readers:
            reader.errback(self._problem(reason.value))

    def _store(self) -> None:
        """Write all waiting changes in one transaction. Changes made meanwhile are written next."""
        batch, self._waiting = self._waiting, []
        storing = self._context.in_thread(store, self._path, [change for change, _ in batch], self._changes)
        storing.addCallbacks(self._stored, self._not_stored, (batch,), errbackArgs=(batch,))

    def _stored(self, changes: int, batch: list[tuple[Change, Deferred[None]]]) -> None:
        self._changes = changes
        if self._waiting:
            self._store()
        else:
            self._storing = False
        for _, stored in batch:
            stored.callback(None)

    def _not_stored(self, reason: Failure, batch: list[tuple[Change, Deferred[None]]]) -> None:
        batch += self._waiting
        self._waiting, self._storing, self.ready = [], False, False
        problem = self._problem(reason.value)
        self._context.log(problem.detail)
        for _, stored in batch:
            stored.errback(problem)

    def _problem(self, error: BaseException | None) -> Problem:
        if isinstance(error, PostError):
            return Problem(503, str(error))
        assert error is not None
        self._context.failed(error)
        return Problem(503, "The documents cannot be used. The Failures pane says why")


def _read(folder: Path, seed: str, keep: str, uuid: bool) -> tuple[Path | None, Loaded]:
    path = inside(folder, keep) if keep else None
    return path, load(folder, seed, path, uuid)
