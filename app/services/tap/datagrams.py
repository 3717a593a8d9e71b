"""The Tap of datagrams: records those of each peer as a flow."""

from __future__ import annotations

import json
import socket
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import partial
from time import time_ns
from typing import Any, cast

from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IUDPTransport
from twisted.internet.protocol import DatagramProtocol

from app import events, limits
from app.errors import system_words
from app.faults import RECEIVED, SENT
from app.faults.live import Faults
from app.limits import Reached
from app.services import errors
from app.services.address import join
from app.services.admission import Admission
from app.services.answering import DatagramPorts, Guard, is_unspecified, ours_towards
from app.services.interfaces import Owner
from app.services.tap.faulty_flows import FaultyFlow, FaultyFlows

MAX_FLOWS = 10_000
"""Peers remembered at once where the workspace sets no limit."""

MAX_RECORDED = 1_000
"""Public addresses whose refusal is recorded as an event of its own; the others are only in the sum."""

MAX_DATAGRAM = 65_536

_SO_MEMINFO, _DROPS = 55, 8
"""Linux: ``getsockopt`` gives nine 32-bit figures of the socket, the last its dropped datagrams."""


class Flow:
    """The datagrams of one peer; satisfies ``app.services.interfaces.Connection``.

    Attributes:
        warned: whether it was recorded that its datagrams are not answered.
        faulty: what passes it, where faults can act on that.
    """

    def __init__(self, tap: DatagramTap, address: tuple[Any, ...]) -> None:
        self._tap, self._address = tap, address
        self.number = tap.recorder.add_connection()
        self.peer = join(address[0], address[1])
        self.host = tap.host_towards(address)
        self.ours = tap.outgoing
        self.warned = False
        self.opened = time_ns()
        self.received = 0
        self.sent = 0
        self.faulty: FaultyFlow | None = None

    def send(self, data: bytes) -> None:
        self._tap.write(data, self._address)

    def finish(self, why: str = "closed by us") -> None:
        self._tap.forget(self._address, why)

    def abort(self) -> None:
        self.finish()

    def unsent(self) -> int:
        """Bytes of datagrams that wait to be sent: none does, unless a fault keeps it."""
        return 0 if self.faulty is None else self.faulty.outgoing.size

    def record(self, kind: int, summary: str, detail: str) -> None:
        """Record what happened to the flow; ``detail`` is JSON."""
        self._tap.recorder.record(kind, self._tap.number, self.number, None, summary, detail)

    def record_limit(self, reached: Reached) -> None:
        """Record that this peer reached a limit."""
        self._tap.recorder.record_limit(reached, self._tap.number, self.number)

    def on_pressure(self, pressed: bool) -> None:
        """A sender of datagrams cannot be held back."""


class DatagramTap(DatagramProtocol):
    """Stands between a UDP port and any ``DatagramProtocol``, whose transport it is.

    Where there are too many flows, the one that was silent for the longest ends; where there are too many
    from one address, the oldest of these.

    Attributes:
        number: the owner's in the recorder.
        host: the ``address:port`` that it listens on.
        wrapped: what answers.
    """

    def __init__(
        self,
        wrapped: DatagramProtocol,
        owner: Owner,
        clock: Any,
        admission: Admission | None = None,
        most_bytes: int = MAX_DATAGRAM,
        *,
        ports: DatagramPorts | None = None,
        group: bool = False,
        outgoing: bool = False,
        faults: Faults | None = None,
    ) -> None:
        """``most_bytes``: the size of the largest datagram that is passed to ``wrapped``. Without ``admission``,
        all peers are accepted, up to ``MAX_FLOWS`` at once. A service gives the ``ports`` of all services, to
        which its own is added; ``group``: whether it listens to multicast groups; ``outgoing``: whether we are the
        client; ``faults``: those of its datagrams, None: those of the owner."""
        self.wrapped, self._owner, self._clock, self._admission = wrapped, owner, clock, admission
        self._most, self._most_per_host = MAX_FLOWS, MAX_FLOWS
        self.take_limits(most_bytes)
        self._ports, self._group = ports, group
        self._guard: Guard | None = None
        self._hosts: dict[str, dict[tuple[Any, ...], None]] = {}
        self._strangers = 0
        self._recorded: set[str] = set()
        self.recorder = owner.recorder
        self._record = owner.recorder.record
        self.number = owner.number
        self._flows: OrderedDict[tuple[Any, ...], Flow] = OrderedDict()
        self._of_checks: dict[str, tuple[Any, ...]] = {}
        self._dropped = 0
        self._looking: Any = None
        self._port: Any = None
        self._peer: tuple[str, int] | None = None
        self.host = ""
        self._bound = ("", 0)
        self.outgoing = outgoing
        self._faults = faults if faults is not None else owner.faults_of(outgoing=outgoing)
        self._faulty: FaultyFlows | None = None
        if self._faults:
            self.fail()

    def fail(self) -> None:
        """Have the faults of the owner act on its datagrams from now on."""
        if self._faults is not None and self._faulty is None:
            self._faulty = FaultyFlows(self._faults, self._tell_lost)
            for flow in self._flows.values():
                flow.faulty = self._faulty.open(flow)

    def _tell_lost(self, words: str, count: int) -> None:
        self._record(events.LOG, self.number, summary=words, detail=json.dumps({"lost": count}))

    def take_limits(self, most_bytes: int) -> None:
        """Keep to ``most_bytes``, and to the numbers of peers that the admission has now."""
        self._most_bytes = most_bytes
        if self._admission is not None:
            self._most, self._most_per_host = self._admission.connections, self._admission.per_peer

    # -- called by the port

    def startProtocol(self) -> None:
        self._port = self.transport  # Twisted clears self.transport before stopProtocol
        bound = self.transport.getHost()  # type: ignore[union-attr]
        self._bound = bound.host, bound.port
        self.host = join(*self._bound)
        try:
            with self._owner.setting_up():
                self.wrapped.makeConnection(cast(IUDPTransport, self))
        except errors.ResponderBrokenError:
            # Twisted leaves the port bound and gives nobody a way to close it.
            self.transport.socket.close()  # type: ignore[union-attr]
            raise
        if self._ports is not None:
            self._ports.opened(*self._bound)
            self._guard = Guard(self._ports, self._bound, self._clock.seconds, group=self._group)

    def stopProtocol(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        self._look_for_drops()
        self._call(None, self.wrapped.doStop)
        for address in list(self._flows):
            self.forget(address, "closed by us")
        if self._faulty is not None:
            self._faulty.stop()
        self._stop_admission()
        if self._ports is not None and self._guard is not None:
            self._ports.closed(*self._guard.bound)
            self._guard = None

    def swap(self, wrapped: DatagramProtocol) -> None:
        """Have datagrams answered by ``wrapped`` from now on. Raises ResponderBrokenError, and changes nothing then."""
        with self._owner.setting_up():
            wrapped.makeConnection(cast(IUDPTransport, self))
        old, self.wrapped = self.wrapped, wrapped
        self._call(None, old.doStop)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if addr not in self._flows and self._refused(addr):
            return
        flow = self._flow(addr)
        flow.received += len(datagram)
        self.recorder.record_datagram(events.DATAGRAM_RECEIVED, self.number, flow.number, datagram)
        if self._looking is None:
            self._looking = self._clock.callLater(0.25, self._on_looking)
        if len(datagram) > self._most_bytes:
            self._too_large(flow)
            return
        if self._guard is not None and addr[1] in self._guard.suspicious and self._is_refused(flow, addr):
            return
        if flow.faulty is None:
            self._pass(flow, addr, datagram)
        else:
            flow.faulty.pass_on(RECEIVED, datagram, partial(self._pass, flow, addr))

    def _pass(self, flow: Flow, addr: Any, datagram: bytes) -> None:
        try:
            self.wrapped.datagramReceived(datagram, addr)
        except BaseException as e:
            # Recorded here with its bytes. The port lives on, as Twisted has it.
            self.recorder.record_failure(e, self.number, flow.number, datagram)

    def connectionRefused(self) -> None:
        self._call(None, self.wrapped.connectionRefused)

    def _call(self, payload: bytes | None, call: Any) -> None:
        try:
            call()
        except Exception as e:
            self.recorder.record_failure(e, self.number, 0, payload)

    # -- called by the responder

    def write(self, datagram: bytes, addr: Any = None) -> None:
        """Send one datagram. If the kernel refuses it, that becomes an event ``log``, not an exception."""
        self.send(datagram, addr)

    def write_by(self, rule: int, datagram: bytes, addr: Any) -> None:
        """As ``write``, for what a rule of the responder sends: its event has the number of the rule."""
        self.send(datagram, addr, events.by_rule(rule))

    def send(self, datagram: bytes, addr: Any = None, detail: str | None = None) -> Exception | None:
        """As ``write``; returns the error for which it was not sent. ``detail`` is that of its event, as JSON."""
        if addr is None:
            addr = self._peer
        faulty = None if self._faulty is None else self._flow(addr).faulty
        if faulty is None:
            return self._send(datagram, addr, detail)
        results: list[Exception | None] = []
        faulty.pass_on(SENT, datagram, lambda data: results.append(self._send(data, addr, detail)))
        return results[0] if results else None

    def note(self, addr: Any, summary: str, detail: Mapping[str, Any]) -> None:
        """Record a line of the log about the peer at ``addr``, if it is remembered."""
        if flow := self._flows.get(addr):
            flow.record(events.LOG, summary, json.dumps(dict(detail)))

    def after_writes(self, call: Callable[[], None], addr: Any) -> None:
        """Call ``call`` when what was sent to ``addr`` has left, as far as faults hold it back."""
        flow = self._flows.get(addr)
        if flow is None or flow.faulty is None or flow.faulty.outgoing.hanging:
            call()
        else:
            flow.faulty.outgoing.after(call)

    def _send(self, datagram: bytes, addr: Any, detail: str | None) -> Exception | None:
        try:
            self.transport.write(datagram, addr)  # type: ignore[union-attr]
        except (OSError, MessageLengthError) as e:
            flow = self._flow(addr)
            too_long = isinstance(e, MessageLengthError)
            why = "it is longer than a datagram can be" if too_long else system_words(e)
            self._record(
                events.LOG, self.number, flow.number,
                summary=f"a datagram of {len(datagram):,} bytes to {flow.peer} was not sent: {why}",
            )  # fmt: skip
            return e
        flow = self._flow(addr)
        flow.sent += len(datagram)
        self.recorder.record_datagram(events.DATAGRAM_SENT, self.number, flow.number, datagram, detail)
        return None

    def failed(self, error: BaseException, payload: bytes, addr: Any) -> None:
        """Record an exception that the responder raised after its call had returned, with the bytes that caused it."""
        self.recorder.record_failure(error, self.number, self._flow(addr).number, payload)

    def record(self, kind: int, summary: str, detail: Mapping[str, Any], addr: Any) -> None:
        """Record what happened to this peer's flow."""
        self._flow(addr).record(kind, summary, json.dumps(dict(detail)))

    def number_of(self, addr: Any) -> int:
        """The number of this peer's flow."""
        return self._flow(addr).number

    def connect(self, host: str, port: int) -> None:
        """Take datagrams from this peer only, and send to it by default."""
        self.transport.connect(host, port)  # type: ignore[union-attr]
        self._peer = (host, port)
        # The kernel chooses the address with the route.
        bound = self.transport.getHost()  # type: ignore[union-attr]
        self._bound = bound.host, bound.port
        self.host = join(*self._bound)

    def host_towards(self, peer: tuple[Any, ...]) -> str:
        """Our ``address:port`` for this peer: a port on all addresses sends from the one that the route has."""
        host, port = self._bound
        return join((is_unspecified(host) and ours_towards(peer)) or host, port)

    def writeSequence(self, sequence: Any, addr: Any = None) -> None:
        self.write(b"".join(sequence), addr)

    def __getattr__(self, name: str) -> Any:
        if name == "transport":
            raise AttributeError(name)
        return getattr(self.transport, name)

    # -- flows

    def _flow(self, addr: Any) -> Flow:
        flow = self._flows.get(addr)
        if flow is not None:
            self._flows.move_to_end(addr)
            return flow
        self._make_room(addr[0])
        flow = self._flows[addr] = Flow(self, addr)
        if self._faulty is not None:
            flow.faulty = self._faulty.open(flow)
        self._hosts.setdefault(addr[0], {})[addr] = None
        opened = {"peer": flow.peer, "host": flow.host}
        if watch := self._owner.check_of("udp", flow.peer):
            opened["watch"] = watch
            if before := self._of_checks.pop(watch, None):
                self.forget(before, "the check was over")  # it comes from another port each time
            self._of_checks[watch] = addr
        words = f"first datagram from {flow.peer}"
        self._record(events.CONNECTION_OPENED, self.number, flow.number, None, words, json.dumps(opened))
        self._owner.add_connection(flow)
        if self._admission is not None:
            self._admission.silence.opened(flow)
        return flow

    def forget(self, address: tuple[Any, ...], why: str) -> None:
        """End the flow of this peer; its next datagram begins another."""
        flow = self._flows.pop(address, None)
        if flow is None:
            return
        if self._admission is not None:
            self._admission.silence.closed(flow)
        if self._guard is not None:
            self._guard.forget(address)
        of_host = self._hosts[address[0]]
        del of_host[address]
        if not of_host:
            del self._hosts[address[0]]
        detail = {
            "reason": why,
            "received": flow.received,
            "sent": flow.sent,
            "unsent": 0 if flow.faulty is None else flow.faulty.end(),
            "seconds": (time_ns() - flow.opened) / 1e9,
        }
        self._record(events.CONNECTION_CLOSED, self.number, flow.number, None, why, json.dumps(detail))
        self._owner.remove_connection(flow)

    # -- limits

    def _make_room(self, host: str) -> None:
        of_host = self._hosts.get(host, ())
        if len(of_host) >= self._most_per_host:
            reached = limits.CONNECTIONS_PER_PEER.reached(self._most_per_host, "datagrams")
            self._end_flow(next(iter(of_host)), reached)
        elif len(self._flows) >= self._most:
            self._end_flow(next(iter(self._flows)), limits.CONNECTIONS.reached(self._most, "datagrams"))

    def _end_flow(self, address: tuple[Any, ...], reached: Reached) -> None:
        self._record_reached(self._flows[address], reached)
        self.forget(address, "made room for another peer")

    def _too_large(self, flow: Flow) -> None:
        self._record_reached(flow, limits.MESSAGE_BYTES.reached(self._most_bytes, "datagram"))

    def _is_refused(self, flow: Flow, addr: tuple[Any, ...]) -> bool:
        """Whether this datagram is not answered, because it may be an answer itself. Told once for each peer."""
        reached = None if self._guard is None else self._guard.refusal(addr)
        if reached is None:
            return False
        if not flow.warned:
            flow.warned = True
            self._record_reached(flow, reached)
        return True

    def _record_reached(self, flow: Flow, reached: Reached) -> None:
        if self._admission is not None and self._admission.is_recorded(reached):
            flow.record_limit(reached)

    def _refused(self, addr: tuple[Any, ...]) -> bool:
        """Whether a datagram of this peer is dropped. The first of each address is recorded, all are counted."""
        admission = self._admission
        reached = None if admission is None else admission.refusal_of_public(addr[0])
        if admission is None or reached is None:
            return False
        self._strangers += 1
        if addr[0] not in self._recorded and len(self._recorded) < MAX_RECORDED:
            self._recorded.add(addr[0])
            if admission.is_recorded(reached):
                peer = join(addr[0], addr[1])
                recorded = reached.saying(f"datagrams from {peer} are {reached.text}").carrying(peer=peer)
                self.recorder.record_limit(recorded, self.number)
        return True

    def _stop_admission(self) -> None:
        if self._admission is not None:
            self._admission.stop()
        if self._strangers:
            count, self._strangers = self._strangers, 0
            reached = limits.ALLOW_PUBLIC.reached(False, "sum", count=count).carrying(count=count)
            self.recorder.record_limit(reached, self.number)

    # -- datagrams that the kernel dropped

    def _on_looking(self) -> None:
        self._looking = None
        self._look_for_drops()

    def reopened(self) -> None:
        """The port has another socket, which counts from 0."""
        self._dropped = 0

    def _look_for_drops(self) -> None:
        """Count the datagrams that did not fit into the kernel's buffer as seen and lost."""
        dropped = kernel_drops(self._port)
        if dropped > self._dropped:
            count = dropped - self._dropped
            self._dropped = dropped
            self.recorder.lost_before(count)
            size = self._port.socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            reached = limits.RECEIVE_BUFFER.reached(size, count=count).carrying(dropped=count)
            self.recorder.record_limit(reached, self.number)


def kernel_drops(port: Any) -> int:
    """Datagrams that the kernel dropped for want of buffer since the port was bound; 0 where unknown."""
    if sys.platform != "linux":
        return 0
    try:
        figures = port.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_DROPS + 1))
    except (OSError, AttributeError):
        return 0
    return int.from_bytes(figures[4 * _DROPS : 4 * _DROPS + 4], "little") if len(figures) > 4 * _DROPS else 0
