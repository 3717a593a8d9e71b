"""Looks up names for checks, a few at a time: where no name server answers, each takes a thread for half a minute."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.python.failure import Failure

from app.services.address import is_number

AT_ONCE = 3
"""Names that are looked up at the same time. The program has ten threads for all that blocks."""


class Lookups:
    """Looks up names; each only once at a time, whoever asks."""

    def __init__(self, in_thread: Callable[..., Deferred[Any]]) -> None:
        self._in_thread = in_thread
        self._room = DeferredSemaphore(AT_ONCE)
        self._running: dict[str, list[Deferred[None]]] = {}

    def known(self, host: str) -> Deferred[None]:
        """Fires when an address of ``host`` is known; fails with OSError or UnicodeError where there is none."""
        waiting: Deferred[None] = Deferred()
        if is_number(host):
            waiting.callback(None)
            return waiting
        if host in self._running:
            self._running[host].append(waiting)
            return waiting
        self._running[host] = [waiting]
        self._room.run(self._in_thread, socket.getaddrinfo, host, None).addBoth(self._tell, host)
        return waiting

    def _tell(self, found: object, host: str) -> None:
        for waiting in self._running.pop(host):
            if not waiting.called:
                waiting.callback(None) if not isinstance(found, Failure) else waiting.errback(found)
