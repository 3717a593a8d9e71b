"""The status of a service. Each status is a frozen value, emitted as a whole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stopped:
    """Not listening, because it was not started or was stopped."""


@dataclass(frozen=True, slots=True)
class Starting:
    """Started; the address is being bound."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Listening.

    Attributes:
        host: the bound address, as ``"127.0.0.1:9007"`` or ``"[::1]:9007"``.
        shut: what a fault has made of the port: ``"closed"``, ``"unaccepted"`` (connections stay in the system's
            queue) or "".
    """

    host: str
    shut: str = ""


@dataclass(frozen=True, slots=True)
class Stopping:
    """No longer accepting connections; open connections are being closed."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Could not listen. ``reason`` tells the user why, and what to do."""

    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """Has failed, and is tried again by itself; ``Service.seconds_left`` counts down.

    Attributes:
        reason: why it has failed, as that of ``Failed``.
        attempt: the number of the next try, from 1.
        seconds: how long it is waited for.
    """

    reason: str
    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Held:
    """Not started, because the workspace is not trusted.

    Attributes:
        reason: tells the user why, and what to do.
        asks: only what it would do.
    """

    reason: str
    asks: str


@dataclass(frozen=True, slots=True)
class Running:
    """A hosted program runs.

    Attributes:
        pid: its process.
        blocked: what keeps its reactor from answering, in words; empty while it answers.
        unseen: whether nothing more is seen of it: it has closed the pipe through which its events come.
    """

    pid: int
    blocked: str = ""
    unseen: bool = False


Status = Stopped | Starting | Listening | Stopping | Failed | Waiting | Held | Running
