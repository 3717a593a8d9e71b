"""Has the reactor of a hosted program, whichever it installs, put a Tap before each protocol.

``main.installReactor`` is replaced before the program can import a reactor. Endpoints, Agent, ``internet.TCPServer``
and ``twistd`` all go through the methods of the reactor that are wrapped here.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from twisted.internet import endpoints, main
from twisted.internet.interfaces import IAddress, IHandshakeListener, ILoggingContext, IProtocolFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events
from app.programs.link import HostRecorder
from app.programs.owners import OUTGOING, ProgramOwner
from app.programs.ports import Ports, suggested
from app.services.address import written
from app.services.tap.datagrams import DatagramTap
from app.services.tap.factory import TapFactory
from app.services.tap.faulted import faulted
from app.services.tap.tap import Tap

Wrap = Callable[..., Any]


class Reactors:
    """Wraps the reactor that is installed.

    Attributes:
        reactor: the one; None before.
        owners: one for each port that is open or has connections, and the one of what the program opens.
    """

    def __init__(self, recorder: HostRecorder, instead: Mapping[int, int] = MappingProxyType({})) -> None:
        """``instead``: other ports for those that are taken."""
        self._recorder = recorder
        self.ports = Ports(instead, lambda words: recorder.record(events.LOG, summary=words))
        self.owners: list[ProgramOwner] = []
        self._outgoing: ProgramOwner | None = None
        self.reactor: Any = None
        self._install = main.installReactor
        patched: Any = main
        patched.installReactor = self._on_install
        wrapper: Any = endpoints._WrapperEndpoint
        connect = wrapper.connect

        def unwrapped(self: Any, factory: Any) -> Any:
            return connect(self, factory).addCallback(lambda p: p.wrappedProtocol if isinstance(p, Tap) else p)

        wrapper.connect = unwrapped

    def in_reactor(self, call: Callable[..., object], *args: Any) -> None:
        if self.reactor is not None:
            self.reactor.callFromThread(call, *args)

    def _on_install(self, reactor: Any) -> None:
        self._install(reactor)
        self.reactor = reactor
        for name, wrap in _WRAPS.items():
            method = getattr(reactor, name, None)
            if method is not None:
                setattr(reactor, name, functools.wraps(method)(functools.partial(wrap, self, method)))

    # -- owners

    def _owner(self, name: str, protocol: str) -> ProgramOwner:
        return ProgramOwner(self._recorder, self.reactor, name, protocol, self.in_reactor)

    @property
    def outgoing(self) -> ProgramOwner:
        if self._outgoing is None:
            self._outgoing = self._owner(OUTGOING, "tcp")
            self.owners.append(self._outgoing)
        return self._outgoing

    # -- streams

    def listen(self, method: Wrap, where: str, factory: Any, call: Callable[[Any], Any]) -> Any:
        """Call ``call``, which listens, with ``factory`` behind a Tap."""
        holder, inner = _innermost(factory)
        if isinstance(inner, TapFactory):
            return call(factory)
        if not _is_factory(inner):
            return call(factory)  # the program's mistake, which is to fail as it does in Twisted
        owner = self._owner(f"{_name_of(inner)}:{where}", "tcp")
        tapped = ProgramTapFactory(inner, owner)
        try:
            port = call(_put(factory, holder, tapped))
        except Exception as e:
            owner.failed(f"{e}{suggested(e)}")
            raise
        tapped.host = written(port.getHost())
        if where in ("0", "None"):
            owner.number = self._recorder.add_service(f"{_name_of(inner)}:{tapped.host.rpartition(':')[2]}", "tcp")
        self._opened(owner, port, tapped)
        owner.started(tapped.host)
        return port

    def _opened(self, owner: ProgramOwner, port: Any, tap: Any) -> None:
        owner.port = port
        owner.taps.add(tap)
        kept = [one for one in self.owners if one.port is not None or one.connections or one is self._outgoing]
        self.owners = [*kept, owner]

        def closed() -> None:
            owner.port = None
            owner.stopped()

        _on_stop(port, closed)

    def connect(self, factory: Any, call: Callable[[Any], Any]) -> Any:
        """Call ``call``, which connects, with ``factory`` behind a Tap."""
        holder, inner = _innermost(factory)
        if isinstance(inner, TapFactory) or not _is_factory(inner):
            return call(factory)
        if not _is_secured(factory):
            # Outside of what an endpoint has wrapped it in, whose Deferred is to fire with the program's protocol.
            return call(self._outgoing_tap(factory))
        return call(_put(factory, holder, self._outgoing_tap(inner)))

    def _outgoing_tap(self, factory: Any) -> ClientTapFactory:
        made = ClientTapFactory(factory, self.outgoing)
        self.outgoing.taps.add(made)
        return made

    # -- datagrams

    def datagrams(self, protocol: Any, port: Any, call: Callable[[Any], Any]) -> Any:
        if isinstance(protocol, DatagramTap) or not hasattr(protocol, "datagramReceived"):
            return call(protocol)
        owner = self._owner(f"{type(protocol).__name__}:{port}", "udp")
        tap = ProgramDatagramTap(protocol, owner, self.reactor)
        try:
            listening = call(tap)
        except Exception as e:
            owner.failed(f"{e}{suggested(e, 'udp')}")
            raise
        self._opened(owner, listening, tap)
        owner.started(written(listening.getHost()))
        return listening


class ProgramTap(Tap):
    """The Tap of a hosted program. It changes nothing: who reads how much, and what raises, is the program's affair."""

    def _open_valve(self) -> None:
        """Twisted alone keeps what a peer does not read; a program that is looked at is to behave as ever."""

    def handshakeCompleted(self) -> None:
        from app.services.tls.transport import agreed

        wire = self._wire
        self.record(events.TLS_OPENED, *agreed(wire._tlsConnection, client=self.ours))
        if IHandshakeListener.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.handshakeCompleted()

    def unsent(self) -> int | None:
        return None if self._secured else super().unsent()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if type(reason.value).__module__ == "OpenSSL.SSL":
            words = f"TLS failed: {reason.getErrorMessage()}"
            self.record(events.TLS_FAILED, words, {"reason": words})
            self.ended(words)
        super().connectionLost(reason)


@implementer(ILoggingContext)
class ProgramTapFactory(TapFactory):
    """Passes on what Twisted or the program asks of the factory that was given to the reactor."""

    def __init__(self, wrapped: Any, owner: ProgramOwner, *, outgoing: bool = False) -> None:
        super().__init__(wrapped, owner, ProgramTap, outgoing=outgoing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def doStart(self) -> None:
        self.wrapped.doStart()

    def doStop(self) -> None:
        self.wrapped.doStop()

    def buildProtocol(self, addr: IAddress) -> Tap | None:
        """As Twisted does it: what the program raises is logged there, too."""
        try:
            protocol = self.wrapped.buildProtocol(addr)
        except BaseException as e:
            self._turn_away(addr, "closed after a failure", e)
            raise
        if protocol is None:
            self._turn_away(addr, "refused by the program")
            return None
        return self._tapped(protocol)

    def _tapped(self, protocol: Any) -> Tap:
        made: Tap = (faulted(self._tap) if self.faults else self._tap)(self, protocol)
        return made

    def logPrefix(self) -> str:
        """What the program's log calls it: by the program's own factory."""
        if ILoggingContext.providedBy(self.wrapped):
            return str(self.wrapped.logPrefix())
        return type(self.wrapped).__name__


class ClientTapFactory(ProgramTapFactory):
    """The same for a ``ClientFactory``, which is told how connecting goes."""

    def __init__(self, wrapped: Any, owner: ProgramOwner) -> None:
        super().__init__(wrapped, owner, outgoing=True)

    def startedConnecting(self, connector: Any) -> None:
        self.wrapped.startedConnecting(connector)  # type: ignore[attr-defined]

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        to = connector.getDestination()
        where = written(to) if hasattr(to, "port") else str(getattr(to, "name", to))
        words = f"cannot connect to {where}: {reason.getErrorMessage()}"
        self.owner.recorder.record(events.LOG, self.owner.number, summary=words)
        self.wrapped.clientConnectionFailed(connector, reason)  # type: ignore[attr-defined]

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self.wrapped.clientConnectionLost(connector, reason)  # type: ignore[attr-defined]


@implementer(ILoggingContext)
class ProgramDatagramTap(DatagramTap):
    """The same for datagrams."""

    noisy = False

    def logPrefix(self) -> str:
        return type(self.wrapped).__name__


def _is_factory(factory: Any) -> bool:
    return IProtocolFactory.providedBy(factory) or callable(getattr(factory, "buildProtocol", None))


def _innermost(factory: Any) -> tuple[tuple[Any, str] | None, Any]:
    """The factory inside of wrappers that endpoints and TLS put round it, and which attribute of what holds it."""
    holder = None
    while type(factory).__name__ in ("_WrappingFactory", "TLSMemoryBIOFactory"):
        name = "_wrappedFactory" if type(factory).__name__ == "_WrappingFactory" else "wrappedFactory"
        holder, factory = (factory, name), getattr(factory, name)
    return holder, factory


def _is_secured(factory: Any) -> bool:
    while factory is not None:
        if type(factory).__name__ == "TLSMemoryBIOFactory":
            return True
        factory = getattr(factory, "_wrappedFactory", None)
    return False


def _put(factory: Any, holder: tuple[Any, str] | None, tapped: TapFactory) -> Any:
    if holder is None:
        return tapped
    setattr(holder[0], holder[1], tapped)
    return factory


def _name_of(factory: Any) -> str:
    """What a program's author calls it: the protocol of a plain Factory, else the class of the factory."""
    made = getattr(factory, "protocol", None)
    if type(factory).__name__ in ("Factory", "ServerFactory", "_WrappingFactory") and isinstance(made, type):
        return made.__name__
    return type(factory).__name__


def _on_stop(port: Any, stopped: Callable[[], None]) -> None:
    lost = port.connectionLost

    @functools.wraps(lost)
    def on_lost(*args: Any, **more: Any) -> Any:
        stopped()
        return lost(*args, **more)

    port.connectionLost = on_lost


def _listen_tcp(self: Reactors, method: Wrap, port: Any, factory: Any, *args: Any, **more: Any) -> Any:
    def call(made: Any) -> Any:
        return self.ports.listen(port, lambda number: method(number, made, *args, **more))

    return self.listen(method, str(port), factory, call)


def _listen_ssl(self: Reactors, method: Wrap, port: Any, factory: Any, *args: Any, **more: Any) -> Any:
    # It goes on to listenTCP, where the factory inside of TLS is wrapped: what is recorded is plain text.
    return method(port, factory, *args, **more)


def _listen_unix(self: Reactors, method: Wrap, address: Any, factory: Any, *args: Any, **more: Any) -> Any:
    return self.listen(method, str(address), factory, lambda made: method(address, made, *args, **more))


def _adopt_stream(self: Reactors, method: Wrap, number: Any, family: Any, factory: Any, *args: Any) -> Any:
    return self.listen(method, f"descriptor {number}", factory, lambda made: method(number, family, made, *args))


def _connect_tcp(self: Reactors, method: Wrap, host: Any, port: Any, factory: Any, *args: Any, **more: Any) -> Any:
    return self.connect(factory, lambda made: method(host, port, made, *args, **more))


def _connect_unix(self: Reactors, method: Wrap, address: Any, factory: Any, *args: Any, **more: Any) -> Any:
    return self.connect(factory, lambda made: method(address, made, *args, **more))


def _listen_udp(self: Reactors, method: Wrap, port: Any, protocol: Any, *args: Any, **more: Any) -> Any:
    def call(made: Any) -> Any:
        return self.ports.listen(port, lambda number: method(number, made, *args, **more), "udp")

    return self.datagrams(protocol, port, call)


_WRAPS: dict[str, Callable[..., Any]] = {
    "listenTCP": _listen_tcp,
    "listenUNIX": _listen_unix,
    "adoptStreamPort": _adopt_stream,
    "connectTCP": _connect_tcp,
    "connectUNIX": _connect_unix,
    "listenUDP": _listen_udp,
    "listenMulticast": _listen_udp,
}
"""What is wrapped. ``listenSSL`` and ``connectSSL`` come through ``listenTCP`` and ``connectTCP``."""
