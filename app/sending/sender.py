"""Whom the connections that we open belong to: they are captured under one name, as a service's are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint

from app.capture.recorder import Recorder

if TYPE_CHECKING:
    from app.sending.conversation import Conversation, Request
    from app.services.interfaces import Connection

NAME = "send"
"""What stands in the place of a service's name."""

TIMEOUT = 10.0
"""Seconds in which a connection must be made."""


class Sender:
    """Satisfies ``app.services.interfaces.Owner``.

    Attributes:
        connections: the live ones by their number.
        conversations: those that have not ended.
        data: where the program keeps its local authority.
    """

    def __init__(self, reactor: Any, recorder: Recorder, data: Path) -> None:
        self.reactor, self.recorder, self.data = reactor, recorder, data
        self.opened = 0
        self.connections: dict[int, Connection] = {}
        self.conversations: set[Conversation] = set()
        self._emptied: Deferred[None] | None = None

    @cached_property
    def number(self) -> int:
        """In the recorder, which hears of us only if something is sent."""
        self.recorder.pressure.connect(self._on_pressure)
        return self.recorder.add_service(NAME, NAME)

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
        """Our own factories start without failing."""
        yield

    def endpoint(self, request: Request) -> IStreamClientEndpoint:
        """Where to connect to; what passes there is captured."""
        from app.services.tap.outgoing import TappedEndpoint

        url, options = request.url, None
        if url.client.tls:
            from app.services.tls.client import client_tls

            certificate, key = request.certificate, request.key
            options = client_tls(url.host, self.data, verify=request.verify, certificate=certificate, key=key)
        return TappedEndpoint(self, self.reactor, url.host, url.port, options, TIMEOUT)

    def in_thread(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return threads.deferToThreadPool(self.reactor, self.reactor.getThreadPool(), call, *args)

    def close(self, grace: float) -> Deferred[None]:
        """End every conversation. Fires when no connection is left, in ``grace`` seconds at the most."""
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
