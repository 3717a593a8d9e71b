"""The way by which a console talks to one outpost: what is asked, what is answered, and whether it is up.

Each way of carrying is a subclass: over a stream (a socket, SSH, the pipe of a child; ``stream.py``), over WAMP. It
does three things: it asks, it says whether the outpost can be reached, and it tries again while it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from app.outposts import protocol as p
from app.signal import Signal


@dataclass(frozen=True, slots=True)
class Connecting:
    """It is being connected."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The outpost can be asked."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The outpost cannot be reached.

    Attributes:
        reason: why, in words.
        due: when it is tried again, in seconds of the reactor's clock; None: when somebody else says so.
    """

    reason: str
    due: float | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """It is not to be reached: ``open`` was not called, or ``close`` was."""


Way = Connecting | Connected | Lost | Closed


class Carrier:
    """Base class of ways to an outpost.

    Subclasses implement ``open``, ``close``, ``now`` and ``ask``, and call ``become`` for each change of ``way``.

    Attributes:
        target: where the outpost is, in words, as the workspace has it.
        way: whether it can be reached.
        changed: emits ``way`` when that has changed. From ``Connected`` on, requests are answered; the first one must
            be ``Hello``, each time anew.
        hinted: emits when the outpost says that its services have changed. Such hints may be lost.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.way: Way = Closed()
        self.changed: Signal[Way] = Signal()
        self.hinted: Signal[None] = Signal()

    def become(self, way: Way) -> None:
        """Set ``way``, and tell."""
        if way != self.way:
            self.way = way
            self.changed.emit(way)

    def open(self) -> None:
        """Connect, and connect again each time that it is lost, until ``close``."""
        raise NotImplementedError

    def close(self) -> Deferred[None]:
        """Connect no more. Requests that are not answered fail. Fires when nothing is left of it."""
        raise NotImplementedError

    def now(self) -> None:
        """Wait no longer, and connect; nothing unless ``way`` is ``Lost``."""
        raise NotImplementedError

    def drop(self, reason: str) -> None:
        """Cut the link, because of what the outpost did; it is tried again later."""
        raise NotImplementedError

    def ask(self, request: p.Request) -> Deferred[Any]:
        """The answer to ``request``, of the type that it declares.

        Fails with RefusedError, in the outpost's words; with LostError when the link is lost before there is an
        answer: whether it was done is not known then. Cancelling it gives up waiting, and nothing else.
        """
        raise NotImplementedError
