"""Responders decide how a service answers. Each is one module of this package, found by its name.

A module defines ``RESPONDER``, with one builder for each protocol that the responder
serves. A builder takes the options, defaults filled in, and a ``Context``. It returns, for

``tcp``        an ``IProtocolFactory``
``udp``        a ``DatagramProtocol``
``http``       an ``IResource``, the root of the site. With ``parses_forms = False`` on it, Twisted
               does not parse the bodies of forms. With ``streams_body = True``, the resource is
               rendered when the headers are complete, and ``request.body`` delivers the body
``websocket``  a subclass of autobahn's ``WebSocketServerProtocol``
``ssh``        a ``twisted.conch.ssh.factory.SSHFactory``

Modules import heavy libraries inside their builders, because listing the responders must stay cheap.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IListeningPort, IStreamClientEndpoint
from twisted.internet.protocol import DatagramProtocol

from app import events
from app.errors import PostError
from app.options import Option, Options, with_defaults
from app.responders.relay.loops import Loops
from app.responders.relay.outposts import Located
from app.text.variables import Variables

if TYPE_CHECKING:
    from app.responders.rulebook import Rulebook

__all__ = ["Builder", "Context", "Option", "Options", "Responder"]


class Context(Protocol):
    """What a responder may use of the service that it answers for.

    Attributes:
        name: the service's name.
        reactor: for timers; a ``Clock`` in tests.
        folder: the workspace's folder. Relative paths in options are relative to it.
        data: the program's data folder, for files that outlive the program.
        namespace: the objects that a manhole's prompt offers, by name.
        loops: the connections that the program's relays have opened, to detect relay loops.
        variables: those of the workspace, by name, as they are now.
        seed: of what the responder draws, so that a run can be repeated; that of the service's faults.
    """

    name: str
    reactor: Any
    folder: Path
    data: Path
    namespace: Mapping[str, Any]
    loops: Loops

    @property
    def variables(self) -> Variables: ...

    @property
    def seed(self) -> int: ...

    def log(self, summary: str, detail: Mapping[str, Any] | None = None, kind: int = events.LOG) -> None:
        """Record an event of this service. ``detail`` must hold plain values (as JSON does)."""

    def is_down(self, host: str, port: int) -> bool:
        """Whether a watch of the workspace has found that the server there is down."""

    def locate(self, outpost: str, service: str) -> Located:
        """Where the service of an outpost listens now. Raises UpstreamAwayError where it does not, or is not known."""

    def failed(self, error: BaseException, payload: bytes | None = None) -> None:
        """Record an exception that no connection's Tap sees, with the bytes that caused it."""

    def endpoint(
        self, host: str, port: int, *, tls: bool = False, verify: bool = True, alpn: Sequence[bytes] = ()
    ) -> IStreamClientEndpoint:
        """An endpoint that connects to another server. Its traffic is captured under this service.

        With ``tls``, the connection uses TLS and offers ``alpn``; ``verify`` checks the server's
        certificate against the system's authorities and the local one.
        """

    def open_datagrams(self, protocol: DatagramProtocol, host: str = "") -> IListeningPort:
        """Open a UDP port on a free port number. Its traffic is captured under this service.

        The caller closes the port. The service closes the ports that are still open when it stops.
        """

    def in_thread(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        """Run a call that blocks, on a file for example, in a thread."""


Builder = Callable[[Options, Context], Any]


@dataclass(frozen=True, slots=True)
class Responder:
    """One way to answer, with a builder for each protocol it serves.

    Attributes:
        guarded: whether it holds data or passes data on. On a loopback address it then answers only to names
            of this machine, unless the option ``hosts`` names others: a web page could reach it otherwise.
        runs: what those who reach the service can have the program run, after "whoever", as "logs in can run any
            code"; empty: nothing. The user is asked before such a service of a workspace that is not trusted starts.
        missing: why a plugin's responder cannot be used now; a workspace may name it all the same.
        rulebook: what is known of its option ``rules``: titles, hints, trials. None where it has no such rules.
    """

    name: str
    help: str
    builders: Mapping[str, Builder]
    options: tuple[Option, ...] = field(default=())
    missing: PostError | None = None
    guarded: bool = False
    runs: str = ""
    rulebook: Rulebook | None = None

    def options_for(self, protocol: str) -> tuple[Option, ...]:
        """The options that apply to ``protocol``."""
        return tuple(o for o in self.options if not o.protocols or protocol in o.protocols)

    def with_defaults(self, options: Options) -> dict[str, Any]:
        """``options``, with the declared default for each that is missing."""
        return with_defaults(self.options, options)


_added: dict[str, Responder] = {}
"""The responders of plugins, by name."""


def add(responder: Responder) -> None:
    """Register a plugin's responder. It replaces one that was added before under the same name."""
    _added[responder.name] = responder


def remove(name: str) -> None:
    """Unregister a plugin's responder."""
    _added.pop(name, None)


_OTHERS = ("errors", "rulebook", "trial")
"""Modules of this package that are no responders."""


@cache
def built_in() -> tuple[str, ...]:
    """The names of the responders in this package, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name not in _OTHERS))


def names() -> tuple[str, ...]:
    """The names of all responders, built in or added, sorted."""
    return tuple(sorted({*built_in(), *_added}))


def find(name: str) -> Responder | None:
    """The responder of that name, or None. A built-in one wins over a plugin's."""
    if name not in built_in():
        return _added.get(name)
    module = import_module(f"{__name__}.{name}")
    if hasattr(module, "__path__"):  # a package
        module = import_module(f"{module.__name__}.responder")
    responder: Responder = module.RESPONDER
    return responder


def serving(protocol: str) -> list[Responder]:
    """The responders that serve ``protocol``, sorted by name."""
    found = [find(name) for name in names()]
    return [responder for responder in found if responder and protocol in responder.builders]


def build(name: str, protocol: str, options: Options, context: Context) -> Any:
    """Call the responder's builder for ``protocol``, with ``options`` and the defaults.

    Raises KeyError for an unknown responder or protocol; checking the workspace finds those earlier.
    """
    responder = find(name)
    if responder is None:
        raise KeyError(name)
    return responder.builders[protocol](responder.with_defaults(options), context)
