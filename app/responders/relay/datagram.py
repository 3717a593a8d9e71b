"""Relays datagrams. Each client gets a UDP port of its own, connected to an upstream with which it stays."""

from __future__ import annotations

import socket
from collections import OrderedDict
from typing import Any

from twisted.internet.protocol import DatagramProtocol

from app.responders import Context
from app.responders.relay import errors, loops
from app.responders.relay.balance import Balance, Member
from app.responders.relay.loops import Hop
from app.responders.relay.outposts import Located, Place
from app.responders.relay.upstream import served_by

MAX_FLOWS = 1_000
"""Clients served at once. Above it, the flow of the client silent for longest is closed."""

IDLE = 60.0
"""Seconds without a datagram in either direction, after which a client's port is closed."""

MAX_WAITING = 64
"""Datagrams of one client that wait while the upstream's name is resolved."""

UNREFUSED = 1.0
"""Seconds after which an upstream that was sent a datagram, and has not refused it, is taken to be there."""

Address = tuple[str, int]


def resolve(host: str, port: int) -> Address:
    """The first address of ``host``. Blocks. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4]
    return str(found[0]), int(found[1])


class Flow(DatagramProtocol):
    """The datagrams between one client and its upstream.

    Attributes:
        previous: the hop from which the client's datagrams come.
        is_loop: whether the client's datagrams have passed this relay before. They are dropped then.
        member: the upstream; None for a loop.
        tried: the upstreams that could not be reached for it.
        place: host and port of the upstream, as they were when the port was connected.
        addresses: the address pair of our port to the upstream.
        waiting: datagrams to send once the upstream's name is resolved.
        last_active: reactor time of the last datagram in either direction, in seconds.
        connected: reactor time at which the port was connected to the upstream.
    """

    transport: Any

    def __init__(self, relay: DatagramRelay, client: Any, previous: Hop | None) -> None:
        self._relay, self._client = relay, client
        self.previous = previous
        self.is_loop = False
        self.member: Member | None = None
        self.tried: list[Member] = []
        self.port: Any = None
        self.place: Place = ("", 0)
        self.addresses = ("", "")
        self.waiting: list[bytes] = []
        self.last_active = self.connected = 0.0

    @property
    def is_left_behind(self) -> bool:
        """Whether it goes to where a service of an outpost was, and is no more."""
        if self.member is None or self.port is None or self.member.upstream.where is None:
            return False
        found = self.member.upstream.look()
        return not isinstance(found, Located) or (found.host, found.port) != self.place

    def send(self, datagram: bytes) -> None:
        self.transport.write(datagram)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._relay.answer(datagram, self._client, self)

    def connectionRefused(self) -> None:
        self._relay.refused(self._client, self)

    def stopProtocol(self) -> None:
        # WORKAROUND: on epoll Twisted treats a refused datagram as the loss of the port, and closes the port.
        # In the next turn, because a service that stops closes this port before the relay's own.
        self._relay.call_next_turn(self._relay.refused, self._client, self)


class DatagramRelay(DatagramProtocol):
    """Sends the clients' datagrams to the upstreams, and the upstreams' answers to the clients."""

    def __init__(self, balance: Balance, context: Context) -> None:
        self.balance, self._context = balance, context
        self._flows: OrderedDict[Any, Flow] = OrderedDict()
        self._targets: dict[Member, tuple[Place, Address]] = {}
        self._resolving: set[Member] = set()
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
        flow = self._flows.get(addr)
        if flow is not None and flow.is_left_behind:
            self._close(addr)
            flow = None
        flow = flow or self._open(addr)
        self._touch(addr, flow)
        if flow.is_loop or flow.member is None:
            return
        if flow.port is not None:
            if flow.member.reason and flow.last_active - flow.connected > UNREFUSED:
                self.balance.reached(flow.member)
            flow.send(datagram)
            return
        if len(flow.waiting) < MAX_WAITING:
            flow.waiting.append(datagram)
        self._go_on(addr, flow, flow.member)

    def answer(self, datagram: bytes, client: Any, flow: Flow) -> None:
        """Pass on a datagram from the upstream of ``flow`` to ``client``."""
        if client in self._flows:
            self._touch(client, self._flows[client])
        if flow.member is not None:
            self.balance.reached(flow.member)
        self.transport.write(datagram, client)  # type: ignore[union-attr]

    def call_next_turn(self, call: Any, *args: Any) -> None:
        self._context.reactor.callLater(0, call, *args)

    def refused(self, client: Any, flow: Flow) -> None:
        """Nobody listens at the upstream: close the flow. The client's next datagram opens a new one."""
        if self._flows.get(client) is flow and flow.member is not None:
            error = errors.UpstreamRefusedError(address=flow.member.address)
            self._close(client)
            self.balance.failed(flow.member, str(error))
            self._log_once(error)

    def _open(self, client: Any) -> Flow:
        if len(self._flows) >= MAX_FLOWS:
            self._close(next(iter(self._flows)))
        previous = self._context.loops.hop(loops.datagrams_from(*client[:2]))
        flow = self._flows[client] = Flow(self, client, previous)
        if loops.passed_through(previous, self._context.name):
            flow.is_loop = True
            self._log(errors.UpstreamItselfError(address=self.balance.addresses))
        else:
            self._give(client, flow)
        if self._idle_timer is None:
            self._idle_timer = self._context.reactor.callLater(IDLE, self._close_idle)
        return flow

    def _give(self, client: Any, flow: Flow) -> Member | None:
        """Give the flow another upstream; None where there is none left."""
        if flow.member is not None:
            self.balance.left(flow.member)
        flow.member = self.balance.choose(f"{client[0]}:{client[1]}", flow.tried)
        if flow.member is not None:
            self.balance.taken(flow.member)
        return flow.member

    def _go_on(self, client: Any, flow: Flow, member: Member) -> None:
        """Send what waits to ``member``, once its name is resolved."""
        try:
            place = member.upstream.at()
        except errors.UpstreamAwayError as e:
            self._not_reached(client, flow, member, e)
            return
        known = self._targets.get(member)
        if known is not None and known[0] == place:
            self._connect(client, flow, member, *known)
        elif member not in self._resolving:
            self._resolving.add(member)
            resolving = self._context.in_thread(resolve, *place)
            resolving.addCallbacks(self._resolved, self._not_resolved, (place, member), errbackArgs=(member,))

    def _resolved(self, target: Address, place: Place, member: Member) -> None:
        self._resolving.discard(member)
        self._targets[member] = place, target
        for client, flow in self._waiting_for(member):
            self._connect(client, flow, member, place, target)

    def _not_resolved(self, _: Any, member: Member) -> None:
        self._resolving.discard(member)
        for client, flow in self._waiting_for(member):
            self._not_reached(client, flow, member, errors.UpstreamUnknownError(address=member.address))

    def _waiting_for(self, member: Member) -> list[tuple[Any, Flow]]:
        return [(client, flow) for client, flow in self._flows.items() if flow.member is member and flow.port is None]

    def _connect(self, client: Any, flow: Flow, member: Member, place: Place, target: Address) -> None:
        flow.port = self._context.open_datagrams(flow, "::" if ":" in target[0] else "")
        try:
            flow.transport.connect(*target)
        except OSError as e:  # no route to the upstream, for example
            port, flow.port = flow.port, None
            port.stopListening()
            self._not_reached(
                client, flow, member, errors.UpstreamError(address=member.address, reason=e.strerror or e)
            )
            return
        ours, flow.place = flow.port.getHost(), place
        member.served += 1
        flow.connected = self._context.reactor.seconds()
        flow.addresses = loops.datagrams_from(ours.host, ours.port)
        self._context.loops.opened(flow.addresses, Hop(self._context.name, flow.previous))
        detail = served_by(member.address, f"{ours.host}:{ours.port}")
        self.transport.note(client, f"relayed to {member.address}", detail)  # type: ignore[union-attr]
        for datagram in flow.waiting:
            flow.send(datagram)
        flow.waiting.clear()

    def _not_reached(self, client: Any, flow: Flow, member: Member, error: errors.UpstreamError) -> None:
        """Nothing was sent to ``member`` for this flow: go on with another upstream, or close it."""
        self.balance.failed(member, str(error))
        self._log_once(error)
        flow.tried.append(member)
        other = self._give(client, flow)
        if other is not None:
            self._go_on(client, flow, other)
        else:
            self._close(client)

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
        if flow.member is not None:
            self.balance.left(flow.member)
        if flow.port is not None:
            self._context.loops.closed(flow.addresses)
            flow.port.stopListening()

    def _log_once(self, error: errors.UpstreamError) -> None:
        if str(error) != self._last_error:  # not again with each datagram
            self._last_error = str(error)
            self._log(error)

    def _log(self, error: errors.UpstreamError) -> None:
        self._context.log(str(error), {"upstream": error.fields["address"]})
