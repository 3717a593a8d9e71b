"""Relays datagrams. Each client gets a UDP port of its own, connected to the upstream."""

from __future__ import annotations

import socket
from collections import OrderedDict
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from app.responders import Context
from app.responders.relay import errors, loops, upstream
from app.responders.relay.loops import Hop

MAX_FLOWS = 1_000
"""Clients served at once. Above it, the flow of the client silent for longest is closed."""

IDLE = 60.0
"""Seconds without a datagram in either direction, after which a client's port is closed."""

MAX_WAITING = 64
"""Datagrams of one client that wait while the upstream's name is resolved."""

Address = tuple[str, int]


def resolve(host: str, port: int) -> Address:
    """The first address of ``host``. Blocks. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4]
    return str(found[0]), int(found[1])


class Flow(DatagramProtocol):
    """The datagrams between one client and the upstream.

    Attributes:
        previous: the hop from which the client's datagrams come.
        is_loop: whether the client's datagrams have passed this relay before. They are dropped then.
        addresses: the address pair of our port to the upstream.
        waiting: datagrams to send once the upstream's name is resolved.
        last_active: reactor time of the last datagram in either direction, in seconds.
    """

    transport: Any

    def __init__(self, relay: DatagramRelay, client: Any, previous: Hop | None) -> None:
        self._relay, self._client = relay, client
        self.previous = previous
        self.is_loop = False
        self.port: Any = None
        self.addresses = ("", "")
        self.waiting: list[bytes] = []
        self.last_active = 0.0

    def send(self, datagram: bytes) -> None:
        self.transport.write(datagram)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._relay.answer(datagram, self._client)

    def connectionRefused(self) -> None:
        self._relay.refused(self._client)

    def stopProtocol(self) -> None:
        # WORKAROUND: on epoll Twisted treats a refused datagram as the loss of the port, and closes the port.
        # In the next turn, because a service that stops closes this port before the relay's own.
        self._relay.call_next_turn(self._relay.refused, self._client)


class DatagramRelay(DatagramProtocol):
    """Sends the clients' datagrams to the upstream, and the upstream's answers to the clients."""

    def __init__(self, address: str, context: Context) -> None:
        self._address, self._context = address, context
        self._flows: OrderedDict[Any, Flow] = OrderedDict()
        self._target: Address | None = None
        self._resolving = False
        self._last_error = ""
        self._idle_timer: Any = None

    def stopProtocol(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        for flow in self._flows.values():
            self._context.loops.closed(flow.addresses)
        self._flows.clear()  # the service closes their ports

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        flow = self._flows.get(addr) or self._open(addr)
        self._touch(addr, flow)
        if flow.is_loop:
            return
        if flow.port is not None:
            flow.send(datagram)
            return
        if len(flow.waiting) < MAX_WAITING:
            flow.waiting.append(datagram)
        if self._target is not None:
            self._connect(addr, flow, self._target)
        elif not self._resolving:
            self._resolving = True
            resolving = self._context.in_thread(resolve, *upstream.parse(self._address))
            resolving.addCallbacks(self._resolved, self._not_resolved)

    def answer(self, datagram: bytes, client: Any) -> None:
        """Pass on a datagram from the upstream to ``client``."""
        if client in self._flows:
            self._touch(client, self._flows[client])
        self.transport.write(datagram, client)  # type: ignore[union-attr]

    def call_next_turn(self, call: Any, *args: Any) -> None:
        self._context.reactor.callLater(0, call, *args)

    def refused(self, client: Any) -> None:
        """Nobody listens at the upstream: close the flow. The client's next datagram opens a new one."""
        if client in self._flows:
            self._close(client)
            self._log_once(errors.UpstreamRefusedError(address=self._address))

    def _open(self, client: Any) -> Flow:
        if len(self._flows) >= MAX_FLOWS:
            self._close(next(iter(self._flows)))
        previous = self._context.loops.hop(loops.datagrams_from(*client[:2]))
        flow = self._flows[client] = Flow(self, client, previous)
        if loops.passed_through(previous, self._context.name):
            flow.is_loop = True
            self._log(errors.UpstreamItselfError(address=self._address))
        if self._idle_timer is None:
            self._idle_timer = self._context.reactor.callLater(IDLE, self._close_idle)
        return flow

    def _resolved(self, target: Address) -> None:
        self._resolving, self._target = False, target
        for client, flow in list(self._flows.items()):
            if flow.port is None and not flow.is_loop:
                self._connect(client, flow, target)

    def _not_resolved(self, _: Any) -> None:
        self._resolving = False
        self._log_once(errors.UpstreamUnknownError(address=self._address))
        for client in list(self._flows):
            self._close(client)

    def _connect(self, client: Any, flow: Flow, target: Address) -> None:
        flow.port = self._context.open_datagrams(flow, "::" if ":" in target[0] else "")
        try:
            flow.transport.connect(*target)
        except OSError as e:  # no route to the upstream, for example
            self._close(client)
            self._log_once(errors.UpstreamError(address=self._address, reason=e.strerror or e))
            return
        ours = flow.port.getHost()
        flow.addresses = loops.datagrams_from(ours.host, ours.port)
        self._context.loops.opened(flow.addresses, Hop(self._context.name, flow.previous))
        for datagram in flow.waiting:
            flow.send(datagram)
        flow.waiting.clear()

    def _touch(self, client: Any, flow: Flow) -> None:
        flow.last_active = self._context.reactor.seconds()
        self._flows.move_to_end(client)

    def _close_idle(self) -> None:
        self._idle_timer = None
        now = self._context.reactor.seconds()
        for client, flow in list(self._flows.items()):
            if flow.last_active + IDLE > now:
                self._idle_timer = self._context.reactor.callLater(flow.last_active + IDLE - now, self._close_idle)
                break
            self._close(client)

    def _close(self, client: Any) -> None:
        flow = self._flows.pop(client)
        if flow.port is not None:
            self._context.loops.closed(flow.addresses)
            flow.port.stopListening()

    def _log_once(self, error: errors.UpstreamError) -> None:
        if str(error) != self._last_error:  # not again with each datagram
            self._last_error = str(error)
            self._log(error)

    def _log(self, error: errors.UpstreamError) -> None:
        self._context.log(str(error), {"upstream": self._address})
