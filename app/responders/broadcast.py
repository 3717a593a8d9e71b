"""Sends each message of a client to all the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any

from app.responders import Context, Option, Options, Responder

SLICE = 0.005
"""Seconds in which messages are sent before others get their turn."""

KEPT = 16 << 20
"""Bytes of messages still on their way to somebody, beyond which those who speak are not read."""


class Fanout:
    """Sends messages to many clients of a WebSocket service, in order, and lets others have their turn."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._waiting: deque[tuple[bytes, bool, Iterator[Any]]] = deque()
        self._kept = 0
        self._held: set[Any] = set()
        self._later: Any = None

    def send(self, payload: bytes, is_binary: bool, clients: Iterable[Any], speaker: Any) -> None:
        """Send to those of ``clients`` that are open when their turn comes."""
        self._waiting.append((payload, is_binary, iter(clients)))
        self._kept += len(payload)
        if self._later is None:
            self._run()
        if self._kept > KEPT and speaker not in self._held and speaker.state == speaker.STATE_OPEN:
            self._held.add(speaker)
            speaker.transport.pauseProducing()

    def _run(self) -> None:
        self._later = None
        until = perf_counter() + SLICE
        while self._waiting:
            payload, is_binary, clients = self._waiting[0]
            for client in clients:
                if client.state == client.STATE_OPEN:
                    client.sendMessage(payload, is_binary)
                if perf_counter() > until:
                    self._later = self._reactor.callLater(0, self._run)
                    return
            self._waiting.popleft()
            self._kept -= len(payload)
        held, self._held = self._held, set()
        for speaker in held:
            if speaker.state != speaker.STATE_CLOSED:
                speaker.transport.resumeProducing()


def _websocket(options: Options, context: Context) -> Any:
    from autobahn.twisted.websocket import WebSocketServerProtocol

    fanout, clients = Fanout(context.reactor), dict[Any, None]()
    echo: bool = options["echo"]

    class Broadcast(WebSocketServerProtocol):
        def onOpen(self) -> None:
            clients[self] = None

        def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
            clients.pop(self, None)

        def onMessage(self, payload: bytes, isBinary: bool) -> None:
            fanout.send(payload, isBinary, [c for c in clients if echo or c is not self], self)

    return Broadcast


RESPONDER = Responder(
    "broadcast",
    "Sends each message of a client to all the others",
    {"websocket": _websocket},
    (Option("echo", bool, False, "Send it to the client that it came from, too"),),
)
