"""An epoll reactor that writes at once.

Twisted's own registers a transport with epoll for each write and is told in the next
round that the socket is writable, which it nearly always was: two ``epoll_ctl`` calls and
one more dispatch for each answer. This one tries fresh writers at the end of the round in
which they asked, and hands only those with a full socket to epoll.
"""

from __future__ import annotations

from select import EPOLLOUT
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.python import log

SLICE = 128
"""Descriptors taken from epoll at once; the kernel rotates them, so none is starved."""


class PromptEPollReactor(EPollReactor):
    """Twisted's epoll reactor with writes tried in the round that asked for them.

    Attributes:
        _fresh: transports that asked to write and were not tried yet, in order.
        _holding: whether ``addWriter`` may hold a writer in ``_fresh``; only true while
            a round is under way that will come to try it.
    """

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
            # A file, which epoll does not take, may be fresh and polled at the same time.
        super().removeWriter(writer)

    def removeAll(self) -> list[Any]:
        fresh = list(self._fresh)
        self._fresh.clear()
        removed: list[Any] = super().removeAll()
        return removed + [writer for writer in fresh if writer not in removed]

    def getWriters(self) -> list[Any]:
        return [*super().getWriters(), *self._fresh]

    def doPoll(self, timeout: float | None) -> None:
        """One round: wait up to ``timeout`` seconds (None: without end), dispatch, write."""
        self._holding = True
        if self._fresh:
            self._write_fresh()
            # What was called from there may have asked for a call at once, or for the end.
            timeout = 0.0
        try:
            ready = self._poller.poll(-1 if timeout is None else timeout, SLICE)
        except InterruptedError:
            return
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
        # Those who asked meanwhile have to wait: two that feed each other would never end.
        while fresh:
            self._add_to_epoll(fresh.popitem()[0])

    def _add_to_epoll(self, writer: Any) -> None:
        try:
            if writer.fileno() != -1:
                super().addWriter(writer)
        except Exception:
            log.err()

    def _dispatch(self, selectable: Any, fd: int, event: int) -> None:
        # Twisted does this under a log context of the selectable, which costs more than
        # it tells here: what a responder raises is recorded with its connection anyway.
        try:
            self._doReadOrWrite(selectable, fd, event)
        except BaseException:
            log.err()
