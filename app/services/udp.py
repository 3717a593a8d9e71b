"""Opens UDP services, and records each peer's datagrams as a flow."""

from __future__ import annotations

import json
import socket
import sys
from collections import OrderedDict
from collections.abc import Mapping
from time import time_ns
from typing import Any, cast

from twisted.internet.error import MessageLengthError
from twisted.internet.interfaces import IListeningPort, IUDPTransport
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import DatagramProtocol

from app import events
from app.errors import system_words
from app.services import errors
from app.services.address import join
from app.services.breach import Breach
from app.services.limits import Limits
from app.services.service import Service
from app.services.sockets import DatagramPort

MAX_FLOWS = 10_000
"""Peers remembered at once where the workspace sets no limit."""

MAX_TOLD = 1_000
"""Public addresses that are told of by themselves; what is refused from others is in the sum only."""

MAX_DATAGRAM = 65_536
RECEIVE_BUFFER = 8 << 20
"""Bytes asked of the kernel, for datagrams that arrive while Qt paints."""

ROUND_BYTES = 32 << 10
"""Bytes read from one port before others get their turn."""

_SO_RCVBUFFORCE = 33
_SO_MEMINFO, _DROPS = 55, 8
"""Linux: ``getsockopt`` gives nine 32-bit figures of the socket, the last its dropped datagrams."""


class Flow:
    """The datagrams of one peer; satisfies ``app.services.service.Connection``."""

    def __init__(self, tap: DatagramTap, address: tuple[Any, ...]) -> None:
        self._tap, self._address = tap, address
        self.number = tap.recorder.add_connection()
        self.peer = join(address[0], address[1])
        self.host = tap.host
        self.opened = time_ns()
        self.received = 0
        self.sent = 0

    def send(self, data: bytes) -> None:
        self._tap.write(data, self._address)

    def finish(self, why: str = "closed by us") -> None:
        self._tap.forget(self._address, why)

    def abort(self) -> None:
        self.finish()

    def unsent(self) -> int:
        """Bytes of datagrams that wait to be sent: none ever does."""
        return 0

    def note(self, kind: int, summary: str, detail: str) -> None:
        """Record what happened to the flow; ``detail`` is JSON."""
        self._tap.recorder.record(kind, self._tap.number, self.number, None, summary, detail)

    def on_pressure(self, pressed: bool) -> None:
        """A sender of datagrams cannot be held back."""


class DatagramTap(DatagramProtocol):
    """Stands between a UDP port and any ``DatagramProtocol``, whose transport it is.

    Of too many flows the one silent for the longest ends; of too many from one address the oldest.

    Attributes:
        number: the service's in the recorder.
        host: the ``address:port`` that it listens on.
    """

    def __init__(self, wrapped: DatagramProtocol, service: Service, limits: Limits | None = None) -> None:
        self._wrapped, self._service, self._limits = wrapped, service, limits
        self._most, self._most_per_host = (limits.connections, limits.per_peer) if limits else (MAX_FLOWS, MAX_FLOWS)
        self._most_bytes: int = service.config.settings("limits")["message_bytes"] if limits else MAX_DATAGRAM
        self._hosts: dict[str, dict[tuple[Any, ...], None]] = {}
        self._strangers = 0
        self._told: set[str] = set()
        self.recorder = service.recorder
        self._record = service.recorder.record
        self.number = service.number
        self._flows: OrderedDict[tuple[Any, ...], Flow] = OrderedDict()
        self._dropped = 0
        self._looking: Any = None
        self._port: Any = None
        self._peer: tuple[str, int] | None = None
        self.host = ""

    # -- the port's side

    def startProtocol(self) -> None:
        self._port = self.transport  # which Twisted takes away before stopProtocol
        bound = self.transport.getHost()  # type: ignore[union-attr]
        self.host = join(bound.host, bound.port)
        try:
            with self._service.setting_up():
                self._wrapped.makeConnection(cast(IUDPTransport, self))
        except errors.ResponderBrokenError:
            # Twisted leaves the port bound, and gives it to nobody who could close it.
            self.transport.socket.close()  # type: ignore[union-attr]
            raise

    def stopProtocol(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        self._look_for_drops()
        self._guard(None, self._wrapped.doStop)
        for address in list(self._flows):
            self.forget(address, "closed by us")
        self._stop_limits()

    def swap(self, wrapped: DatagramProtocol) -> None:
        """Have datagrams answered by ``wrapped`` from now on. Raises ResponderBrokenError, and changes nothing then."""
        with self._service.setting_up():
            wrapped.makeConnection(cast(IUDPTransport, self))
        old, self._wrapped = self._wrapped, wrapped
        self._guard(None, old.doStop)

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        if addr not in self._flows and self._limits is not None and self._refused(addr, self._limits):
            return
        flow = self._flow(addr)
        flow.received += len(datagram)
        self.recorder.record_datagram(events.DATAGRAM_RECEIVED, self.number, flow.number, datagram)
        if self._looking is None:
            self._looking = self._service.reactor.callLater(0.25, self._on_looking)
        if len(datagram) > self._most_bytes:
            self._too_large(flow)
            return
        try:
            self._wrapped.datagramReceived(datagram, addr)
        except BaseException as e:
            # Recorded here with its bytes. The port lives on, as Twisted has it.
            self.recorder.record_failure(e, self.number, flow.number, datagram)

    def connectionRefused(self) -> None:
        self._guard(None, self._wrapped.connectionRefused)

    def _guard(self, payload: bytes | None, call: Any) -> None:
        try:
            call()
        except Exception as e:
            self.recorder.record_failure(e, self.number, 0, payload)

    # -- the responder's side

    def write(self, datagram: bytes, addr: Any = None) -> None:
        """Send one datagram; what the kernel refuses becomes a log event, not an exception."""
        self.send(datagram, addr)

    def send(self, datagram: bytes, addr: Any = None) -> Exception | None:
        """As ``write``; returns what kept it from being sent."""
        if addr is None:
            addr = self._peer
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
        self.recorder.record_datagram(events.DATAGRAM_SENT, self.number, flow.number, datagram)
        return None

    def failed(self, error: BaseException, payload: bytes, addr: Any) -> None:
        """Record what the responder let out later than when it was called, with the bytes that caused it."""
        self.recorder.record_failure(error, self.number, self._flow(addr).number, payload)

    def note(self, kind: int, summary: str, detail: Mapping[str, Any], addr: Any) -> None:
        """Record what happened to this peer's flow."""
        self._flow(addr).note(kind, summary, json.dumps(dict(detail)))

    def number_of(self, addr: Any) -> int:
        """The number of this peer's flow."""
        return self._flow(addr).number

    def connect(self, host: str, port: int) -> None:
        """Take datagrams from this peer only, and send there what names no other."""
        self.transport.connect(host, port)  # type: ignore[union-attr]
        self._peer = (host, port)

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
        self._hosts.setdefault(addr[0], {})[addr] = None
        self._record(
            events.CONNECTION_OPENED, self.number, flow.number, None, f"first datagram from {flow.peer}",
            json.dumps({"peer": flow.peer, "host": flow.host}),
        )  # fmt: skip
        self._service.add_connection(flow)
        if self._limits is not None:
            self._limits.silence.opened(flow)
        return flow

    def forget(self, address: tuple[Any, ...], why: str) -> None:
        """End the flow of this peer; its next datagram begins another."""
        flow = self._flows.pop(address, None)
        if flow is None:
            return
        if self._limits is not None:
            self._limits.silence.closed(flow)
        of_host = self._hosts[address[0]]
        del of_host[address]
        if not of_host:
            del self._hosts[address[0]]
        detail = {
            "reason": why,
            "received": flow.received,
            "sent": flow.sent,
            "unsent": 0,
            "seconds": (time_ns() - flow.opened) / 1e9,
        }
        self._record(events.CONNECTION_CLOSED, self.number, flow.number, None, why, json.dumps(detail))
        self._service.remove_connection(flow)

    # -- limits

    def _make_room(self, host: str) -> None:
        of_host = self._hosts.get(host, ())
        if len(of_host) >= self._most_per_host:
            text = f"{self._most_per_host:,} peers at one address: the oldest makes room"
            self._end_flow(next(iter(of_host)), Breach("connections_per_peer", self._most_per_host, text))
        elif len(self._flows) >= self._most:
            text = f"{self._most:,} peers: the one silent for the longest makes room"
            self._end_flow(next(iter(self._flows)), Breach("connections", self._most, text))

    def _end_flow(self, address: tuple[Any, ...], breach: Breach) -> None:
        self._tell(self._flows[address], breach)
        self.forget(address, "made room for another peer")

    def _too_large(self, flow: Flow) -> None:
        text = f"not answered: datagrams are limited to {self._most_bytes:,} bytes"
        self._tell(flow, Breach("message_bytes", self._most_bytes, text))

    def _tell(self, flow: Flow, breach: Breach) -> None:
        if self._limits is not None and self._limits.tells(breach):
            flow.note(events.LIMIT_REACHED, breach.text, breach.detail())

    def _refused(self, addr: tuple[Any, ...], limits: Limits) -> bool:
        """Whether a datagram of this peer goes unread. A peer's first is told of, the others are counted."""
        breach = limits.stranger(addr[0])
        if breach is None:
            return False
        self._strangers += 1
        if addr[0] not in self._told and len(self._told) < MAX_TOLD:
            self._told.add(addr[0])
            if limits.tells(breach):
                peer = join(addr[0], addr[1])
                self._record(
                    events.LIMIT_REACHED, self.number,
                    summary=f"datagrams from {peer} are {breach.text}", detail=breach.detail(peer=peer),
                )  # fmt: skip
        return True

    def _stop_limits(self) -> None:
        if self._limits is not None:
            self._limits.stop()
        if self._strangers:
            count, self._strangers = self._strangers, 0
            self._record(
                events.LIMIT_REACHED, self.number, summary=f"{count:,} datagrams from public addresses were refused",
                detail=json.dumps({"limit": "allow_public", "value": False, "count": count}),
            )  # fmt: skip

    # -- what the kernel could not hold for us

    def _on_looking(self) -> None:
        self._looking = None
        self._look_for_drops()

    def _look_for_drops(self) -> None:
        """Count datagrams lost in the kernel's buffer: lost, but not unseen."""
        dropped = kernel_drops(self._port)
        if dropped > self._dropped:
            count = dropped - self._dropped
            self._dropped = dropped
            self.recorder.lost_before(count)
            self._record(
                events.LIMIT_REACHED, self.number,
                summary=f"the kernel dropped {count:,} datagrams: they came faster than they could be read",
                detail=json.dumps({"dropped": count}),
            )  # fmt: skip


def kernel_drops(port: Any) -> int:
    """Datagrams that the kernel dropped for want of buffer since the port was bound; 0 where unknown."""
    if sys.platform != "linux":
        return 0
    try:
        figures = port.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_DROPS + 1))
    except (OSError, AttributeError):
        return 0
    return int.from_bytes(figures[4 * _DROPS : 4 * _DROPS + 4], "little") if len(figures) > 4 * _DROPS else 0


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's responder behind the Tap. Raises CannotListenError."""
    options, asked = service.config.settings("options"), service.config.settings("socket")
    tap = DatagramTap(service.build(), service, Limits(service))
    if not isinstance(service.reactor, PosixReactorBase):  # one in memory, or IOCP: knows no options
        plain: IListeningPort = service.reactor.listenUDP(port, tap, interface=host, maxPacketSize=MAX_DATAGRAM)
        return plain
    listening = DatagramPort(
        port, tap, host, service.reactor, asked, size=MAX_DATAGRAM,
        groups=options["groups"], interface=options["multicast_interface"], broadcast=options["broadcast"],
    )  # fmt: skip
    listening.startListening()
    listening.maxThroughput = ROUND_BYTES
    if sys.platform == "linux" and not asked["receive_buffer"]:
        _widen(listening.socket)
    service.renew = lambda: tap.swap(service.build())
    return listening


def _widen(port: socket.socket) -> None:
    for option in (_SO_RCVBUFFORCE, socket.SO_RCVBUF):
        try:
            port.setsockopt(socket.SOL_SOCKET, option, RECEIVE_BUFFER)
        except OSError:
            continue  # the first is for administrators; the second is cut at net.core.rmem_max
        return
