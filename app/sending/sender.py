"""The owner of the connections that this program opens. They are captured as those of a service are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint

from app.capture.recorder import Recorder
from app.faults.live import Faults
from app.options import Options
from app.sending.faults import level
from app.sending.request import Request
from app.services.budget import Budget
from app.services.failing import faults_of
from app.services.own_checks import Transport
from app.signal import Signal

if TYPE_CHECKING:
    from app.services.interfaces import Connection

NAME = "send"
"""The name, and the protocol, that captured events of what the user sends have in place of a service's."""

TIMEOUT = 10.0
"""Seconds in which a connection must be made."""


class Closable(Protocol):
    """What a sender needs of a conversation."""

    def close(self) -> None: ...


class Sender:
    """The owner of the connections that this program opens, as ``app.services.interfaces.Owner`` describes it.

    Attributes:
        opened: how many connections there have been.
        connections: the open connections by their number.
        conversations: the conversations that have not ended.
        faults: how its connections fail on purpose, unless a request says so itself. ``faulted`` emits what a fault
            did, as one line.
        data: the folder of the local authority.
        budget: what unfinished messages may take.
        timeout: seconds in which a connection must be made.
    """

    def __init__(
        self, reactor: Any, recorder: Recorder, data: Path, budget: Budget | None = None, name: str = NAME
    ) -> None:
        self.reactor, self.recorder, self.data, self.budget = reactor, recorder, data, budget or Budget()
        self.faulted: Signal[str] = Signal()
        self.faults = self._no_faults()
        self._name, self.timeout = name, TIMEOUT
        self.opened = 0
        self.connections: dict[int, Connection] = {}
        self.conversations: set[Closable] = set()
        self._emptied: Deferred[None] | None = None

    @cached_property
    def number(self) -> int:
        """Of this sender in the recorder. It is registered there when something is sent for the first time."""
        self.recorder.pressure.connect(self._on_pressure)
        return self.recorder.add_service(self._name, self._name)

    def faults_of(self, *, outgoing: bool) -> Faults | None:
        return self.faults

    def check_of(self, transport: Transport, peer: str) -> str:
        """What the user sends is no check."""
        return ""

    def fail(self, tables: Sequence[Options], protocol: str, seed: int) -> None:
        """Have connections by ``protocol`` fail as ``tables`` say, which are valid; ``seed`` decides their draws."""
        self.faults = self.failing(tables, protocol, seed)

    def failing(self, tables: Sequence[Options], protocol: str, seed: int) -> Faults:
        """What has connections by ``protocol`` fail as ``tables`` say, which are valid."""
        made = self._no_faults()
        made.protocol = level(protocol)
        made.configure(tables)
        made.begin(seed)
        return made

    def _no_faults(self) -> Faults:
        return faults_of(self, self.reactor, self.faulted.emit)

    def add_connection(self, connection: Connection) -> None:
        self.opened += 1
        self.connections[connection.number] = connection

    def remove_connection(self, connection: Connection) -> None:
        self.connections.pop(connection.number, None)
        if not self.connections and self._emptied is not None:
            emptied, self._emptied = self._emptied, None
            emptied.callback(None)

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """Does nothing: the factories of clients do not fail when they start."""
        yield

    def endpoint(self, request: Request) -> IStreamClientEndpoint:
        """The endpoint for ``request``, with TLS where its URL says so. Its connections are captured."""
        return self.tapped(request)

    def tapped(self, request: Request, endpoint: IStreamClientEndpoint | None = None) -> IStreamClientEndpoint:
        """As ``endpoint``; ``endpoint`` connects in place of the usual one, without TLS."""
        from app.services.tap.outgoing import TappedEndpoint

        url, options = request.url, None
        if url.client.tls:
            from app.services.tls.client import client_tls

            certificate, key = request.certificate, request.key
            options = client_tls(url.host, self.data, verify=request.verify, certificate=certificate, key=key)
        return TappedEndpoint(self, self.reactor, url.host, url.port, options, self.timeout, endpoint, request.faults)

    def in_thread(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return threads.deferToThreadPool(self.reactor, self.reactor.getThreadPool(), call, *args)

    def close(self, grace: float) -> Deferred[None]:
        """Close every conversation. Fires when no connection is left; after ``grace`` seconds they are aborted."""
        done: Deferred[None] = Deferred()
        for conversation in list(self.conversations):
            conversation.close()
        if not self.connections:
            done.callback(None)
            return done
        overdue = self.reactor.callLater(grace, self._abort_all)
        done.addCallback(lambda _: overdue.cancel() if overdue.active() else None)
        self._emptied = done
        return done

    def _abort_all(self) -> None:
        for connection in list(self.connections.values()):
            connection.abort()

    def _on_pressure(self, pressed: bool) -> None:
        for connection in list(self.connections.values()):
            connection.on_pressure(pressed)
