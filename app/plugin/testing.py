"""For the tests of plugins: builds a responder without a service, on a ``Clock`` that the test advances."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from app.plugin.declare import MARK
from app.responders import Responder
from app.responders.relay.loops import Loops


class BareContext:
    """Takes the place of the context that a service passes to its responder. Calls run in no thread, but at once.

    Attributes:
        reactor: a ``Clock``: ``context.reactor.advance(1)``.
        logged: ``(summary, detail)`` of each ``log``.
        failures: ``(error, payload)`` of each ``failed``.
    """

    name = "under-test"

    def __init__(self, folder: Path | str = ".") -> None:
        self.reactor: Any = Clock()
        self.folder = self.data = Path(folder)
        self.namespace: Mapping[str, Any] = {}
        self.loops = Loops()
        self.logged: list[tuple[str, Mapping[str, Any]]] = []
        self.failures: list[tuple[BaseException, bytes | None]] = []

    def log(self, summary: str, detail: Mapping[str, Any] | None = None) -> None:
        self.logged.append((summary, detail or {}))

    def failed(self, error: BaseException, payload: bytes | None = None) -> None:
        self.failures.append((error, payload))

    def endpoint(self, host: str, port: int, **more: Any) -> Any:
        raise NotImplementedError("give the test an endpoint of its own")

    def open_datagrams(self, protocol: Any, host: str = "") -> Any:
        raise NotImplementedError("give the test a port of its own")

    def in_thread(self, call: Any, *args: Any) -> Deferred[Any]:
        return maybeDeferred(call, *args)


def build(thing: Any, protocol: str, context: BareContext | None = None, **options: Any) -> Any:
    """What a decorated function or class, or a ``Responder``, builds for ``protocol``, as a factory or a resource."""
    responder: Responder = getattr(thing, MARK, thing)
    return responder.builders[protocol](responder.with_defaults(options), context or BareContext())


def connect(thing: Any, context: BareContext | None = None, **options: Any) -> tuple[Any, StringTransport]:
    """Open a TCP connection to ``thing``. Returns its protocol, and the transport that holds the answers."""
    protocol, wire = build(thing, "tcp", context, **options).buildProtocol(None), StringTransport()
    protocol.makeConnection(wire)
    return protocol, wire
