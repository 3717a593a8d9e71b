"""Ports with the socket options that a service asks for, and the multicast groups that it joins."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv6Address, ip_address
from typing import Any, cast

from twisted.internet import tcp, udp
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IDelayedCall, IListeningPort, IProtocolFactory
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.protocol import DatagramProtocol
from twisted.python.failure import Failure

from app.errors import system_words
from app.faults import CLOSED
from app.services import errors
from app.services.probes import ProbedServer, Probes, probed

Settings = Mapping[str, Any]
"""The section ``socket`` of a service; see ``app.services.settings.SOCKET``."""

_LINUX = sys.platform == "linux"
_IP_MULTICAST_ALL, _IPV6_MULTICAST_ALL = 49, 29
"""Linux: whether a socket gets the datagrams of groups that only others have joined."""


def _prepare(made: socket.socket, settings: Settings) -> None:
    """Set what has to be set before the socket is bound."""
    if settings["reuse_port"]:
        if not hasattr(socket, "SO_REUSEPORT"):
            raise errors.PortNotShareableError
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    # Accepted sockets have the sizes of the one that listens; what they offer a peer depends on it.
    for option, size in (socket.SO_RCVBUF, settings["receive_buffer"]), (socket.SO_SNDBUF, settings["send_buffer"]):
        if size:
            made.setsockopt(socket.SOL_SOCKET, option, size)


OnShort = Callable[[OSError, int], object]
"""Called when connections could not be accepted for want of something, as descriptors: with the error, and how many
of them were closed for it."""

_SHORT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
"""Errors of ``accept`` that tell of too few descriptors or too little memory."""

PAUSE = 0.25
"""Seconds after which connections are accepted again that could be neither accepted nor closed. They stay
in the system's queue, which would call at once again."""


def listen_streams(
    reactor: Any, number: int, factory: IProtocolFactory, host: str, settings: Settings, on_short: OnShort
) -> IListeningPort:
    """Listen on TCP. Raises CannotListenError.

    Reactors that are not made of Twisted's own ports (IOCP; one in memory) know no options but
    the backlog.
    """
    if not isinstance(reactor, PosixReactorBase):
        given: IListeningPort = reactor.listenTCP(number, factory, backlog=settings["backlog"], interface=host)
        return given
    port = StreamPort(number, factory, host, reactor, settings, on_short)
    port.startListening()
    listening: IListeningPort = port
    return listening


class _Accepting(socket.socket):
    """A listening socket that knows what its port does not say: why connections were not accepted.

    Where descriptors run out, Twisted's port lets go of one that it has in reserve, accepts with it what waits,
    and closes that.

    Attributes:
        short: the error that told so, in the present call of the port; None without one.
        closed_at_once: connections accepted since then in this call, which the port closes.
        shut: whether none is accepted any more, though the port may be about to.
    """

    short: OSError | None = None
    closed_at_once = 0
    shut = False

    @classmethod
    def of(cls, made: socket.socket) -> _Accepting:
        accepting = cls(fileno=made.detach())
        accepting.setblocking(False)
        return accepting

    def begin(self) -> None:
        """A call of the port begins."""
        self.short, self.closed_at_once = None, 0

    def accept(self) -> tuple[socket.socket, Any]:
        if self.shut:
            raise BlockingIOError(errno.EAGAIN, "shut")
        try:
            accepted = super().accept()
        except OSError as e:
            if e.errno in _SHORT:
                self.short = e
            raise
        if self.short is not None:
            self.closed_at_once += 1
        return accepted


class StreamPort(tcp.Port):
    """A TCP port with a service's socket options, for itself and those it accepts.

    Attributes:
        probes: whether, and when, silent peers of the next connections are asked whether they are there.
        on_lost: called when it is closed for good, whoever has done that.
    """

    probes: Probes | None = None
    on_lost: Callable[[], object] | None = None

    def __init__(
        self, number: int, factory: IProtocolFactory, host: str, reactor: Any, settings: Settings, on_short: OnShort
    ) -> None:
        self._settings, self._on_short = settings, on_short
        self._pausing: IDelayedCall | None = None
        super().__init__(number, factory, settings["backlog"], host, reactor)

    def createInternetSocket(self) -> socket.socket:
        made: socket.socket = super().createInternetSocket()
        try:
            _prepare(made, self._settings)
        except BaseException:
            made.close()
            raise
        return _Accepting.of(made)

    def doRead(self) -> None:
        accepting = cast(_Accepting, self.socket)
        accepting.begin()
        super().doRead()
        short = accepting.short
        if short is None:
            return
        self._on_short(short, accepting.closed_at_once)
        if not accepting.closed_at_once and self.connected and self._pausing is None:
            self.stopReading()
            self._pausing = cast(Any, self.reactor).callLater(PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._pausing = None
        self.startReading()

    # -- shut on purpose, while a fault says so

    def shut(self, how: str) -> None:
        """Accept no more connections: refuse them (``CLOSED``), or leave them in the system's queue."""
        self._stop_pausing()
        self.stopReading()
        cast(_Accepting, self.socket).shut = True
        if how == CLOSED:
            self.socket.close()
            with contextlib.suppress(OSError):  # another program has taken the number; ``reopen`` says so
                self._bind_again()

    def reopen(self) -> None:
        """Accept connections again. Raises OSError where another program has taken the port's number."""
        if self.socket.fileno() == -1:
            self._bind_again()
        self.socket.listen(self.backlog)
        cast(_Accepting, self.socket).shut = False
        self.startReading()

    def _bind_again(self) -> None:
        """Have a socket that does not listen: it keeps the number, and the system refuses connections."""
        made, number = self.createInternetSocket(), self._realPortNumber or 0
        try:
            made.bind(_numeric(self.interface, number) if self.interface else ("", number))
        except OSError:
            made.close()
            raise
        cast(_Accepting, made).shut = True
        self.socket, self.fileno = made, made.fileno  # type: ignore[method-assign]

    def _stop_pausing(self) -> None:
        if self._pausing is not None:
            self._pausing.cancel()
            self._pausing = None

    def connectionLost(self, reason: Failure) -> None:
        self._stop_pausing()
        super().connectionLost(reason)
        if self.on_lost is not None:
            self.on_lost()

    def transport(self, accepted: socket.socket, *more: Any) -> tcp.Server:  # type: ignore[override]
        # The client may be gone already; its connection says so.
        with contextlib.suppress(OSError):
            if self._settings["no_delay"]:
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._settings["keep_alive"]:
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self.probes is not None:
            return ProbedServer(probed(accepted, self.probes), *more)
        return tcp.Server(accepted, *more)


def _numeric(host: str, port: int) -> Any:
    """An address as sockets take it, with the number of its zone."""
    return socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)[0][4]


class _Zoned(socket.socket):
    """A socket that keeps the zone of link-local addresses, in what it receives and in what it binds to.

    WORKAROUND: Twisted's port drops it, and what is sent to them then fails
    (https://github.com/twisted/twisted/issues/6826), as does binding to one.
    """

    @classmethod
    def of(cls, made: socket.socket) -> _Zoned:
        zoned = cls(fileno=made.detach())
        zoned.setblocking(False)
        return zoned

    def bind(self, address: Any) -> None:
        host, port = address[:2]
        super().bind(_numeric(host, port) if "%" in host else address)

    def recvfrom(self, *args: Any) -> Any:
        data, address = super().recvfrom(*args)
        return data, ((f"{address[0]}%{address[3]}", *address[1:]) if address[3] else address)


class DatagramPort(udp.Port):
    """A UDP port with a service's socket options and groups.

    The kernel leaves the groups when the socket is closed.

    Attributes:
        on_reopened: called when it has another socket, after a fault had closed it.
        on_lost: as of ``StreamPort``.
    """

    on_lost: Callable[[], object] | None = None

    def __init__(
        self,
        number: int,
        protocol: DatagramProtocol,
        host: str,
        reactor: Any,
        settings: Settings,
        *,
        size: int,
        groups: Sequence[str] = (),
        interface: str = "",
        broadcast: bool = False,
    ) -> None:
        """``size``: bytes of the largest datagram. ``interface``: a name or IPv4 address, where groups are joined."""
        self._settings, self._groups, self._joined_on, self._broadcast = settings, groups, interface, broadcast
        self._made: socket.socket | None = None
        self.on_reopened: Callable[[], None] = lambda: None
        super().__init__(number, protocol, host, size, reactor)

    def createInternetSocket(self) -> socket.socket:
        made: socket.socket = super().createInternetSocket()
        self._made = made = _Zoned.of(made) if self.addressFamily == socket.AF_INET6 else made
        _prepare(made, self._settings)
        if self._groups:  # other programs may join them too
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self._broadcast:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return made

    # -- shut on purpose, while a fault says so

    def shut(self, how: str) -> None:
        """Close it: the system answers datagrams with "port unreachable"."""
        self.stopReading()
        self.socket.close()

    def reopen(self) -> None:
        """Take datagrams again. Raises OSError where another program has taken the port's number."""
        self.port = self._realPortNumber
        try:
            self._bindSocket()
        except CannotListenError as e:
            raise e.socketError from e
        self.startReading()
        self.on_reopened()

    def connectionLost(self, reason: Failure | None = None) -> None:
        super().connectionLost(reason)
        if self.on_lost is not None:
            self.on_lost()

    def write(self, datagram: bytes, addr: Any = None) -> None:
        if self.socket.fileno() == -1:
            raise OSError(errno.ENOTCONN, "a fault has closed the port")
        super().write(datagram, addr)

    def _bindSocket(self) -> None:
        try:
            super()._bindSocket()
            if self._groups:
                _check_reach(self.interface, self._groups)
            for group in self._groups:
                join(self.socket, group, self._joined_on)
        except BaseException:
            # Twisted leaves it to the garbage collector.
            if self._made is not None:
                self._made.close()
            raise


def join(bound: socket.socket, group: str, interface: str = "") -> None:
    """Join ``bound`` to a multicast ``group``. Raises GroupNotJoinedError.

    ``interface`` is a name or, for IPv4, an address. A zone in ``group`` takes precedence.
    """
    number = ip_address(group)
    zone = number.scope_id if isinstance(number, IPv6Address) else None
    where = zone or interface
    try:
        if isinstance(number, IPv6Address):
            index = _index(where)
            packed = number.packed + struct.pack("@I", index)
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, packed)
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        else:
            local = _local(where)
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, number.packed + local)
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, b"\0" * (len(local) - 4) + local)
        _only_own_groups(bound)
    except (OSError, ValueError) as e:
        names = ", ".join(name for _, name in socket.if_nameindex())
        raise errors.GroupNotJoinedError(group=group, reason=system_words(e), names=names) from e


def _index(name: str) -> int:
    """The number of a network interface; 0, the system's choice, for no name."""
    try:
        return socket.if_nametoindex(name) if name else 0
    except OSError as e:
        raise ValueError(f"there is no network interface {name}") from e


def _local(interface: str) -> bytes:
    """An interface for IPv4, by name or address, as ``ip_mreqn`` and ``ip_mreq`` have it after the group."""
    try:
        return socket.inet_aton(interface) if interface else bytes(4)
    except OSError:
        return bytes(4) + struct.pack("@i", _index(interface))


def _only_own_groups(bound: socket.socket) -> None:
    if _LINUX:
        if bound.family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
        else:
            bound.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)


def _check_reach(host: str, groups: Sequence[str]) -> None:
    """Raise GroupUnreachableError for a group whose datagrams a socket bound to ``host`` never gets."""
    bound = ip_address(host)
    for group in groups:
        number = ip_address(group)
        if number.version != bound.version or not (bound.is_unspecified or bound == number):
            wanted = "0.0.0.0" if number.version == 4 else "[::]"
            raise errors.GroupUnreachableError(group=group, host=host, wanted=wanted)
