"""An epoll reactor that writes in the same iteration.

Twisted's epoll reactor registers a transport with epoll for each write, and learns in the next
iteration that the socket is writable, which it nearly always was before: two ``epoll_ctl`` calls
and one more dispatch for each write. This reactor tries new writers at the end of the iteration in
which they were added, and registers with epoll only those whose socket buffer is full.

Its time does not jump with the clock of the system.
"""

from __future__ import annotations

from select import EPOLLOUT
from time import monotonic
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.python import log

SLICE = 128
"""Descriptors fetched from epoll by one call. The kernel rotates ready descriptors, so none starves."""


class PromptEPollReactor(EPollReactor):
    """Twisted's epoll reactor, with writes tried in the iteration that added the writer.

    Attributes:
        _fresh: writers that were added and not tried yet, in order.
        seconds: the time by which delayed calls run: unlike Twisted's, it does not jump when the clock of the system is
            set. It is no date, and stands still while the machine sleeps.
        _holding: whether ``addWriter`` may put a writer into ``_fresh``. Only true while
            an iteration runs that will try it.
        turns: is told when it begins to work (``begin``) and when it has done so (``end``), if it is not None. A turn
            is all between two polls.
    """

    turns: Any = None
    seconds = staticmethod(monotonic)

    def __init__(self) -> None:
        self._fresh: dict[Any, None] = {}
        self._holding = False
        super().__init__()

    def addWriter(self, writer: Any) -> None:
        if self._holding and writer.fileno() not in self._writes:
            self._fresh[writer] = None
        else:
            super().addWriter(writer)

    def removeWriter(self, writer: Any) -> None:
        if writer in self._fresh:
            del self._fresh[writer]
            if not self._continuousPolling._writers:
                return
            # A regular file, which epoll does not support, may be in _fresh and be polled at the same time.
        super().removeWriter(writer)

    def removeAll(self) -> list[Any]:
        fresh = list(self._fresh)
        self._fresh.clear()
        removed: list[Any] = super().removeAll()
        return removed + [writer for writer in fresh if writer not in removed]

    def getWriters(self) -> list[Any]:
        return [*super().getWriters(), *self._fresh]

    def doPoll(self, timeout: float | None) -> None:
        """One iteration: wait up to ``timeout`` seconds (None: without limit), dispatch, write."""
        self._holding = True
        if self._fresh:
            self._write_fresh()
            # The writers' callbacks may have scheduled a call or stopped the reactor.
            timeout = 0.0
        turns = self.turns
        if turns is not None:
            turns.end()
        try:
            ready = self._poller.poll(-1 if timeout is None else timeout, SLICE)
        except InterruptedError:
            return
        finally:
            if turns is not None:
                turns.begin()
        self._round(ready)

    doIteration = doPoll

    def _round(self, ready: list[tuple[int, int]]) -> None:
        """Dispatch ``ready``, pairs of descriptor and epoll event mask, then write."""
        selectables = self._selectables
        for fd, event in ready:
            selectable = selectables.get(fd)
            if selectable is not None:
                self._dispatch(selectable, fd, event)
        if self._fresh:
            self._write_fresh()

    def _write_fresh(self) -> None:
        fresh = self._fresh
        for writer in list(fresh):
            if writer not in fresh:
                continue
            self._dispatch(writer, -1, EPOLLOUT)
            if fresh.pop(writer, self) is None:
                self._add_to_epoll(writer)
        # Writers added meanwhile go to epoll: two that add each other would loop for ever here.
        while fresh:
            self._add_to_epoll(fresh.popitem()[0])

    def _add_to_epoll(self, writer: Any) -> None:
        try:
            if writer.fileno() != -1:
                super().addWriter(writer)
        except Exception:
            log.err()

    def _dispatch(self, selectable: Any, fd: int, event: int) -> None:
        # Twisted sets a log context for the selectable here. That is slow and not needed: a
        # responder's exception is recorded with its connection.
        try:
            self._doReadOrWrite(selectable, fd, event)
        except BaseException:
            log.err()
