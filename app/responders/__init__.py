"""How a service answers: one small module for each responder, found by its name.

A module holds ``RESPONDER``, with one builder for each protocol that the responder can
serve. A builder gets the options, with their defaults, and a ``Context``; it returns, for

``tcp``        an ``IProtocolFactory``
``udp``        a ``DatagramProtocol``
``http``       an ``IResource``, the root of the site; ``parses_forms = False`` on it spares
               it what Twisted does with the bodies of forms; ``streams_body = True`` has it
               asked when a request's head is complete, and ``request.body`` deliver the rest
``websocket``  a subclass of autobahn's ``WebSocketServerProtocol``
``ssh``        a ``twisted.conch.ssh.factory.SSHFactory``

Modules import what is heavy inside their builders: listing the names must stay cheap.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IStreamClientEndpoint
from twisted.internet.protocol import DatagramProtocol

from app.errors import PostError
from app.options import Option, Options, with_defaults
from app.responders.relay.loops import Loops

__all__ = ["Builder", "Context", "Option", "Options", "Responder"]


class Context(Protocol):
    """What a responder may use of the service that it answers for.

    Attributes:
        name: the service's.
        reactor: for timers; a ``Clock`` in tests.
        folder: where relative paths in options begin: the workspace's folder.
        data: where the program keeps what outlives it.
        namespace: what a person who looks into the running program finds by name.
        loops: what the program's relays have opened.
    """

    name: str
    reactor: Any
    folder: Path
    data: Path
    namespace: Mapping[str, Any]
    loops: Loops

    def log(self, summary: str, detail: Mapping[str, Any] | None = None) -> None:
        """Record an event ``log`` of this service; ``detail`` must be plain values."""

    def failed(self, error: BaseException, payload: bytes | None = None) -> None:
        """Record a failure that no connection's Tap sees, with the bytes that caused it."""

    def endpoint(
        self, host: str, port: int, *, tls: bool = False, verify: bool = True, alpn: Sequence[bytes] = ()
    ) -> IStreamClientEndpoint:
        """Where to connect to somebody else: what passes there is captured under this service.

        With ``tls``, ``verify`` has the other side's certificate checked, against the system's
        and the local authority; ``alpn`` is offered.
        """

    def open_datagrams(self, protocol: DatagramProtocol, host: str = "") -> IListeningPort:
        """A UDP port of our own, on any free number, captured under this service.

        The caller closes it; what is still open when the service stops is closed then.
        """

    def in_thread(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Run what blocks (files, say) away from the reactor."""


Builder = Callable[[Options, Context], Any]


@dataclass(frozen=True, slots=True)
class Responder:
    """One way to answer, with a builder for each protocol it serves.

    Attributes:
        missing: why a plugin's cannot answer for now, though a workspace may name it.
    """

    name: str
    help: str
    builders: Mapping[str, Builder]
    options: tuple[Option, ...] = field(default=())
    missing: PostError | None = None

    def options_for(self, protocol: str) -> tuple[Option, ...]:
        """The options that mean something on ``protocol``."""
        return tuple(o for o in self.options if not o.protocols or protocol in o.protocols)

    def with_defaults(self, options: Options) -> dict[str, Any]:
        """``options`` filled up with the declared defaults."""
        return with_defaults(self.options, options)


_added: dict[str, Responder] = {}
"""Those that plugins brought, by name."""


def add(responder: Responder) -> None:
    """Make known a responder that a plugin brought, in the place of one added before under its name."""
    _added[responder.name] = responder


def remove(name: str) -> None:
    """Forget a responder that was added."""
    _added.pop(name, None)


@cache
def built_in() -> tuple[str, ...]:
    """Those of this folder, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def names() -> tuple[str, ...]:
    """All responders there are, sorted."""
    return tuple(sorted({*built_in(), *_added}))


def find(name: str) -> Responder | None:
    """The responder of that name, or None. Our own come before a plugin's."""
    if name not in built_in():
        return _added.get(name)
    module = import_module(f"{__name__}.{name}")
    if hasattr(module, "__path__"):  # a folder of its own
        module = import_module(f"{module.__name__}.responder")
    responder: Responder = module.RESPONDER
    return responder


def serving(protocol: str) -> list[Responder]:
    """The responders that can serve ``protocol``, by name."""
    found = [find(name) for name in names()]
    return [responder for responder in found if responder and protocol in responder.builders]


def build(name: str, protocol: str, options: Options, context: Context) -> Any:
    """What the responder's builder for ``protocol`` makes of ``options`` and its defaults.

    The workspace was checked before, so a missing responder or protocol is a KeyError.
    """
    responder = find(name)
    if responder is None:
        raise KeyError(name)
    return responder.builders[protocol](responder.with_defaults(options), context)
