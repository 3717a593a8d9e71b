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

from app import events
from app.programs.inside.factories import innermost, is_factory, is_secured, name_of, put
from app.programs.inside.link import HostRecorder
from app.programs.inside.mistakes import Mistakes
from app.programs.inside.owners import OUTGOING, ProgramOwner
from app.programs.inside.taps import ClientTapFactory, ProgramDatagramTap, ProgramTapFactory
from app.programs.ports import Ports, suggested
from app.services.address import written
from app.services.tap.datagrams import DatagramTap
from app.services.tap.factory import TapFactory
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
        self.mistakes = Mistakes(recorder)
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
                setattr(
                    reactor, name, functools.wraps(method)(self._checked(name, functools.partial(wrap, self, method)))
                )
        for name in ("callLater", "stop"):
            method = getattr(reactor, name)
            setattr(reactor, name, functools.wraps(method)(self._checked(name, method)))

    def _checked(self, name: str, call: Wrap) -> Wrap:
        """The method of the reactor called ``name``, which only its own thread may call."""
        called = f"reactor.{name}"

        def run(*args: Any, **more: Any) -> Any:
            self.mistakes.from_thread(called)
            return call(*args, **more)

        return run

    # -- owners

    def _owner(self, name: str, protocol: str) -> ProgramOwner:
        return ProgramOwner(self._recorder, self.reactor, name, protocol, self.in_reactor, self.mistakes)

    @property
    def outgoing(self) -> ProgramOwner:
        if self._outgoing is None:
            self._outgoing = self._owner(OUTGOING, "tcp")
            self.owners.append(self._outgoing)
        return self._outgoing

    # -- streams

    def listen(self, method: Wrap, where: str, factory: Any, call: Callable[[Any], Any]) -> Any:
        """Call ``call``, which listens, with ``factory`` behind a Tap."""
        self.mistakes.look()
        holder, inner = innermost(factory)
        if isinstance(inner, TapFactory):
            return call(factory)
        if not is_factory(inner):
            return call(factory)  # the program's mistake, which is to fail as it does in Twisted
        owner = self._owner(f"{name_of(inner)}:{where}", "tcp")
        tapped = ProgramTapFactory(inner, owner)
        try:
            port = call(put(factory, holder, tapped))
        except Exception as e:
            owner.failed(f"{e}{suggested(e)}")
            raise
        tapped.host = written(port.getHost())
        any_port = where in ("0", "None")
        if any_port:
            owner.number = self._recorder.add_service(f"{name_of(inner)}:{tapped.host.rpartition(':')[2]}", "tcp")
        self._opened(owner, port, tapped)
        owner.started(tapped.host, any_port=any_port)
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
        holder, inner = innermost(factory)
        if isinstance(inner, TapFactory) or not is_factory(inner):
            return call(factory)
        if not is_secured(factory):
            # Outside of what an endpoint has wrapped it in, whose Deferred is to fire with the program's protocol.
            return call(self._outgoing_tap(factory))
        return call(put(factory, holder, self._outgoing_tap(inner)))

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
