"""Serves metrics at an address that may change while the program runs."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from twisted.internet import threads
from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IListeningPort

from app.errors import PostError
from app.post import Post
from app.services.address import written
from app.signal import Signal

DEFAULT = "127.0.0.1:9464"
"""The port that is allocated to exporters of OpenTelemetry metrics, of which this is one:
https://github.com/prometheus/prometheus/wiki/Default-port-allocations"""


class MetricsServer:
    """The metrics of a Post, served or not.

    Attributes:
        address: where they are served, as ``127.0.0.1:9464``; "" while they are not.
        problem: why they are not served though they should be, in words; "" otherwise.
        changed: emits this when either has changed.
    """

    def __init__(self, reactor: Any, post: Post) -> None:
        self._reactor, self._post = reactor, post
        self._port: IListeningPort | None = None
        self._lock = DeferredLock()
        self.address = self.problem = ""
        self.changed: Signal[MetricsServer] = Signal()

    async def use(self, where: str) -> None:
        """Serve them at ``where``, as ``127.0.0.1:9464``; nowhere if it is "". What goes wrong is ``problem`` then."""
        await self._lock.acquire()
        try:
            await self._close()
            self.problem = ""
            if where:
                await self._open(where)
        finally:
            self._lock.release()
        self.changed.emit(self)

    async def _open(self, where: str) -> None:
        # Only who asks for metrics needs these modules, and importing them takes a while.
        pool = self._reactor.getThreadPool()
        server = await threads.deferToThreadPool(self._reactor, pool, import_module, "app.metrics.server")
        try:
            self._port = await server.serve(self._reactor, self._post, where)
        except PostError as e:
            self.problem = str(e)
        else:
            self.address = written(self._port.getHost())

    async def _close(self) -> None:
        port, self._port, self.address = self._port, None, ""
        if port is not None:
            closed = port.stopListening()
            if closed is not None:
                await closed
