"""What a service offers its responder: a log, timers, folders, and captured connections to others."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IStreamClientEndpoint
from twisted.internet.protocol import DatagramProtocol

from app import events
from app.services.interfaces import Owner
from app.services.surroundings import Surroundings
from app.text.variables import Variables


class ServiceContext:
    """What a service offers its responder from its start to its stop; satisfies ``app.responders.Context``.

    Attributes:
        drawn: whether the responder has asked for the seed.
    """

    def __init__(
        self, owner: Owner, name: str, reactor: Any, surroundings: Surroundings, seed: Callable[[], int]
    ) -> None:
        """``owner`` is the service: what is logged, and each connection that is opened, is recorded under it."""
        self._seed = seed
        self._owner, self.name, self.reactor = owner, name, reactor
        self.folder = surroundings.folder
        self.data = surroundings.data
        self.namespace = surroundings.namespace
        self.loops = surroundings.loops
        self._variables = surroundings.variables
        self.is_down, self.locate = surroundings.is_down, surroundings.locate
        self.drawn = False
        self._ports: list[Any] = []

    @property
    def variables(self) -> Variables:
        return self._variables()

    @property
    def seed(self) -> int:
        self.drawn = True
        return self._seed()

    def log(self, summary: str, detail: Mapping[str, Any] | None = None, kind: int = events.LOG) -> None:
        written = json.dumps(dict(detail)) if detail else None
        self._owner.recorder.record(kind, self._owner.number, summary=summary, detail=written)

    def failed(self, error: BaseException, payload: bytes | None = None) -> None:
        self._owner.recorder.record_failure(error, self._owner.number, payload=payload)

    def endpoint(
        self, host: str, port: int, *, tls: bool = False, verify: bool = True, alpn: Sequence[bytes] = ()
    ) -> IStreamClientEndpoint:
        from app.services.tap.outgoing import TappedEndpoint
        from app.services.tls.client import client_tls

        options = client_tls(host, self.data, verify=verify, alpn=alpn) if tls else None
        return TappedEndpoint(self._owner, self.reactor, host, port, options)

    def open_datagrams(self, protocol: DatagramProtocol, host: str = "") -> IListeningPort:
        from app.services.tap.datagrams import DatagramTap

        tap = DatagramTap(protocol, self._owner, self.reactor, outgoing=True)
        port: IListeningPort = self.reactor.listenUDP(0, tap, interface=host)
        self._ports = [*(port for port in self._ports if port.connected), port]
        return port

    def in_thread(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return threads.deferToThreadPool(self.reactor, self.reactor.getThreadPool(), call, *args)

    def close(self) -> None:
        """The service has stopped: close what was opened for it."""
        for port in self._ports:
            with suppress(Exception):
                port.stopListening()
        self._ports.clear()
