"""Faults: how a service fails on purpose.

A fault stands between the Tap and the responder, so that the capture tells what was on the wire. Each kind is one
module of ``app.faults.kinds``, found by its name, which defines ``KIND``:

``when``    says whether a fault hits: the conditions that all kinds have, and the draws that decide
``lane``    the pieces that pass one way, in order, and what faults have them wait for
``live``    the faults of one service: their counts and switches, and what they hit
``targets`` what a kind can do to a connection, a message, an answer

A service asks its faults about each candidate: a connection, a read or write, a message, a datagram, a request, an
answer. Each fault that hits is given the ``Hit``, and acts on its piece, its lane or its target.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from app.errors import PostError
from app.options import Mistake, Option, Options

if TYPE_CHECKING:
    from collections.abc import Iterable

    from app.faults.draws import Draws
    from app.faults.hits import Course, Hit, LiveFault

CONNECT, RECEIVED, SENT = "connect", "received", "sent"
"""Sides: when a connection is made; what the peer sends; what we send."""

STREAMS = ("tcp", "http", "websocket")
"""Protocols on TCP connections that faults can act on."""

BYTES, MESSAGES, STREAMS_OF_HTTP2, HANDSHAKES, PONGS = "bytes", "messages", "streams", "handshakes", "pongs"
"""What a fault acts on: the bytes of a connection as they are read and written, what its protocol calls a message; an
HTTP/2 connection and its streams, the handshake of a WebSocket, its answers to pings."""

CLOSED, UNACCEPTED = "closed", "unaccepted"
"""What a fault can make of a port while it acts: nobody listens, or connections stay in the system's queue."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One way to fail.

    Attributes:
        name: the value of ``kind`` in a workspace.
        help: one line for the form and the manual.
        act: does it. Returns what was done, in words that follow the fault's name, as "200 ms late". Empty: there was
            nothing to do, and the candidate was not hit.
        protocols: those that it fits.
        sides: those that it fits; the first is the default of ``on``.
        options: its own, beside the conditions.
        level: ``BYTES``, ``MESSAGES`` or another one; on TCP without a framing, and on UDP, these two are the same.
        ends: whether it closes, resets, refuses or loses what it hits: such faults act before others, and alone.
        steady: whether it usually touches every piece, so that only the first and the total are events.
        check: given the options with their defaults, the protocol and the side, what contradicts itself.
        tls: whether it needs TLS.
        at_once: whether it needs no message: set on a connection by hand, it acts at once.
        level_of: given its options, the level of one fault, where that differs from ``level``.
        chance: in the place of an independent draw, whether a candidate is hit; given the fault, its connection, the
            draws of the candidate, the clock's time, and whether all conditions but ``probability`` hold.
        shuts: given its options and the protocol, what becomes of the port while it acts: ``CLOSED``, ``UNACCEPTED``
            or "" for nothing.
        figure: how its first two options are said in a row, as "after {}"; empty: by their names.
        at_zero: what is said in the place of both where they are 0: what it does then.
        missing: why a plugin's kind cannot be used now; a workspace may name it all the same.
    """

    name: str
    help: str
    act: Callable[[Hit], str]
    protocols: tuple[str, ...]
    sides: tuple[str, ...]
    options: tuple[Option, ...] = field(default=())
    level: str = MESSAGES
    ends: bool = False
    steady: bool = False
    check: Callable[[Options, str, str], Iterable[Mistake]] | None = None
    tls: bool = False
    at_once: bool = False
    level_of: Callable[[Options], str] | None = None
    chance: Callable[[LiveFault, Course, Draws, float, bool], bool] | None = None
    shuts: Callable[[Options, str], str] | None = None
    figure: str = ""
    at_zero: str = ""
    missing: PostError | None = None


_added: dict[str, FaultKind] = {}
"""The kinds of plugins, by name."""


def add(kind: FaultKind) -> None:
    """Register a plugin's kind. It replaces one that was added before under the same name."""
    _added[kind.name] = kind


def remove(name: str) -> None:
    """Unregister a plugin's kind."""
    _added.pop(name, None)


@cache
def built_in() -> dict[str, FaultKind]:
    """The kinds of ``app.faults.kinds`` by name, sorted."""
    from app.faults import kinds

    modules = (import_module(f"{kinds.__name__}.{m.name}") for m in pkgutil.iter_modules(kinds.__path__))
    found: list[FaultKind] = [kind for module in modules for kind in _declared(module)]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.name)}


def _declared(module: object) -> tuple[FaultKind, ...]:
    kinds: tuple[FaultKind, ...] | None = getattr(module, "KINDS", None)
    return kinds or (module.KIND,)  # type: ignore[attr-defined]


def names() -> tuple[str, ...]:
    """The names of all kinds, sorted."""
    return tuple(sorted({*built_in(), *_added}))


def find(name: str) -> FaultKind | None:
    """The kind of that name, or None. A built-in one wins over a plugin's."""
    return built_in().get(name) or _added.get(name)


def fitting(protocol: str) -> list[FaultKind]:
    """The kinds that fit ``protocol``, sorted by name."""
    found = [find(name) for name in names()]
    return [kind for kind in found if kind and protocol in kind.protocols]
