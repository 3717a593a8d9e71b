"""Relays datagrams: a UDP port of our own towards the upstream for each client."""

from __future__ import annotations

import socket
from collections import OrderedDict
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from app.responders import Context
from app.responders.relay import errors, loops, upstream
from app.responders.relay.loops import Step

MAX_FLOWS = 1_000
"""Clients served at once; the one silent for the longest makes room for a new one."""

IDLE = 60.0
"""Seconds without a datagram either way after which a client's port is closed."""

MAX_WAITING = 64
"""Datagrams of one client that are kept until the upstream's name is looked up."""

Address = tuple[str, int]


def look_up(host: str, port: int) -> Address:
    """The first address that ``host`` stands for. Blocks; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4]
    return str(found[0]), int(found[1])


class Flow(DatagramProtocol):
    """What one client and the upstream say to each other.

    Attributes:
        before: the step by which the client's datagrams come.
        refused: whether they are not passed on, because they were here before.
        way: from our port to the upstream.
    """

    transport: Any

    def __init__(self, relay: DatagramRelay, client: Any, before: Step | None) -> None:
        self._relay, self._client = relay, client
        self.before = before
        self.refused = False
        self.port: Any = None
        self.way = ("", "")
        self.waiting: list[bytes] = []
        self.last = 0.0

    def send(self, datagram: bytes) -> None:
        self.transport.write(datagram)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._relay.answer(datagram, self._client)

    def connectionRefused(self) -> None:
        self._relay.refused(self._client)

    def stopProtocol(self) -> None:
        # WORKAROUND: on epoll Twisted takes a refusal for the loss of the port, and closes it.
        # A turn later, because a service that stops closes us before the relay.
        self._relay.later(self._relay.refused, self._client)


class DatagramRelay(DatagramProtocol):
    """Sends what comes to the upstream, and its answers to whoever asked."""

    def __init__(self, address: str, context: Context) -> None:
        self._address, self._context = address, context
        self._flows: OrderedDict[Any, Flow] = OrderedDict()
        self._target: Address | None = None
        self._looking = False
        self._said = ""
        self._sweeping: Any = None

    def stopProtocol(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for flow in self._flows.values():
            self._context.loops.closed(flow.way)
        self._flows.clear()  # the service closes their ports

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        flow = self._flows.get(addr) or self._open(addr)
        self._touch(addr, flow)
        if flow.refused:
            return
        if flow.port is not None:
            flow.send(datagram)
            return
        if len(flow.waiting) < MAX_WAITING:
            flow.waiting.append(datagram)
        if self._target is not None:
            self._connect(addr, flow, self._target)
        elif not self._looking:
            self._looking = True
            self._context.in_thread(look_up, *upstream.parse(self._address)).addCallbacks(self._found, self._unknown)

    def answer(self, datagram: bytes, client: Any) -> None:
        """Pass on what the upstream said to ``client``."""
        if client in self._flows:
            self._touch(client, self._flows[client])
        self.transport.write(datagram, client)  # type: ignore[union-attr]

    def later(self, call: Any, *args: Any) -> None:
        self._context.reactor.callLater(0, call, *args)

    def refused(self, client: Any) -> None:
        """Nobody listens at the upstream. The client's next datagram asks again."""
        if client in self._flows:
            self._close(client)
            self._say(errors.UpstreamRefusedError(address=self._address))

    def _open(self, client: Any) -> Flow:
        if len(self._flows) >= MAX_FLOWS:
            self._close(next(iter(self._flows)))
        before = self._context.loops.by(loops.datagrams(*client[:2]))
        flow = self._flows[client] = Flow(self, client, before)
        if loops.passed(before, self._context.name):
            flow.refused = True
            self._log(errors.UpstreamItselfError(address=self._address))
        if self._sweeping is None:
            self._sweeping = self._context.reactor.callLater(IDLE, self._sweep)
        return flow

    def _found(self, target: Address) -> None:
        self._looking, self._target = False, target
        for client, flow in list(self._flows.items()):
            if flow.port is None and not flow.refused:
                self._connect(client, flow, target)

    def _unknown(self, _: Any) -> None:
        self._looking = False
        self._say(errors.UpstreamUnknownError(address=self._address))
        for client in list(self._flows):
            self._close(client)

    def _connect(self, client: Any, flow: Flow, target: Address) -> None:
        flow.port = self._context.open_datagrams(flow, "::" if ":" in target[0] else "")
        try:
            flow.transport.connect(*target)
        except OSError as e:  # no way leads there, say
            self._close(client)
            self._say(errors.UpstreamError(address=self._address, reason=e.strerror or e))
            return
        ours = flow.port.getHost()
        flow.way = loops.datagrams(ours.host, ours.port)
        self._context.loops.opened(flow.way, Step(self._context.name, flow.before))
        for datagram in flow.waiting:
            flow.send(datagram)
        flow.waiting.clear()

    def _touch(self, client: Any, flow: Flow) -> None:
        flow.last = self._context.reactor.seconds()
        self._flows.move_to_end(client)

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._context.reactor.seconds()
        for client, flow in list(self._flows.items()):
            if flow.last + IDLE > now:
                self._sweeping = self._context.reactor.callLater(flow.last + IDLE - now, self._sweep)
                break
            self._close(client)

    def _close(self, client: Any) -> None:
        flow = self._flows.pop(client)
        if flow.port is not None:
            self._context.loops.closed(flow.way)
            flow.port.stopListening()

    def _say(self, error: errors.UpstreamError) -> None:
        if str(error) != self._said:  # once, not with each datagram
            self._said = str(error)
            self._log(error)

    def _log(self, error: errors.UpstreamError) -> None:
        self._context.log(str(error), {"upstream": self._address})
