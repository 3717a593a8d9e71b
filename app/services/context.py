"""What a service lends to its responder, and how a responder reaches somebody else."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IStreamClientEndpoint
from twisted.internet.protocol import DatagramProtocol

from app import events
from app.files.folders import data_folder
from app.responders.relay.loops import Loops

if TYPE_CHECKING:
    from app.services.config import ServiceConfig
    from app.services.service import Service


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where services live.

    Attributes:
        folder: where relative paths in a workspace begin.
        data: where the program keeps what outlives it; ours alone to read.
        namespace: what a person who looks into the running program finds by name.
        loops: what their relays have opened.
        admit: raises NotTrustedError for a service that may not start; None: all may.
    """

    folder: Path = Path()
    data: Path = field(default_factory=data_folder)
    namespace: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    loops: Loops = field(default_factory=Loops)
    admit: Callable[[ServiceConfig], None] | None = None


class ServiceContext:
    """One running of a service, as its responder sees it; satisfies ``app.responders.Context``."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.name = service.config.name
        self.reactor = service.reactor
        self.folder = service.surroundings.folder
        self.data = service.surroundings.data
        self.namespace = service.surroundings.namespace
        self.loops = service.surroundings.loops
        self._ports: list[Any] = []

    def log(self, summary: str, detail: Mapping[str, Any] | None = None) -> None:
        written = json.dumps(dict(detail)) if detail else None
        self._service.recorder.record(events.LOG, self._service.number, summary=summary, detail=written)

    def failed(self, error: BaseException, payload: bytes | None = None) -> None:
        self._service.recorder.record_failure(error, self._service.number, payload=payload)

    def endpoint(
        self, host: str, port: int, *, tls: bool = False, verify: bool = True, alpn: Sequence[bytes] = ()
    ) -> IStreamClientEndpoint:
        from app.services.tap.outgoing import TappedEndpoint
        from app.services.tls.client import client_tls

        options = client_tls(host, self.data, verify=verify, alpn=alpn) if tls else None
        return TappedEndpoint(self._service, self.reactor, host, port, options)

    def open_datagrams(self, protocol: DatagramProtocol, host: str = "") -> IListeningPort:
        from app.services.udp import DatagramTap

        port: IListeningPort = self.reactor.listenUDP(0, DatagramTap(protocol, self._service), interface=host)
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
