"""Sends each message of a client to all other clients."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Any

from app.responders import Context, Option, Options, Responder

SLICE = 0.005
"""Seconds spent sending messages before the reactor gets a turn."""

MAX_PENDING = 16 << 20
"""Bytes of messages that are not sent to all their clients yet. Above it, the clients that send are paused."""


class Fanout:
    """Sends messages to many clients of a WebSocket service, in order, in slices of ``SLICE`` seconds."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._pending: deque[tuple[bytes, bool, Iterator[Any]]] = deque()
        self._pending_bytes = 0
        self._paused: set[Any] = set()
        self._next_run: Any = None

    def send(self, payload: bytes, is_binary: bool, clients: Iterable[Any], sender: Any) -> None:
        """Send ``sender``'s message to those of ``clients`` that are open when their turn comes."""
        self._pending.append((payload, is_binary, iter(clients)))
        self._pending_bytes += len(payload)
        if self._next_run is None:
            self._run()
        if self._pending_bytes > MAX_PENDING and sender not in self._paused and sender.state == sender.STATE_OPEN:
            self._paused.add(sender)
            sender.transport.pauseProducing()

    def _run(self) -> None:
        self._next_run = None
        until = perf_counter() + SLICE
        while self._pending:
            payload, is_binary, clients = self._pending[0]
            for client in clients:
                if client.state == client.STATE_OPEN:
                    client.sendMessage(payload, is_binary)
                if perf_counter() > until:
                    self._next_run = self._reactor.callLater(0, self._run)
                    return
            self._pending.popleft()
            self._pending_bytes -= len(payload)
        paused, self._paused = self._paused, set()
        for sender in paused:
            if sender.state != sender.STATE_CLOSED:
                sender.transport.resumeProducing()


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
    "Sends each message of a client to all other clients",
    {"websocket": _websocket},
    (Option("echo", bool, False, "Also send each message back to its sender"),),
    guarded=True,
)
