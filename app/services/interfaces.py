"""What the parts of a service need of each other, as protocols.

Each part imports this module rather than the parts that fulfil the protocols. Only
``app.services.service`` and the modules that open ports know all parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from twisted.internet.interfaces import IAddress

from app.capture.recorder import Recorder
from app.faults.live import Faults
from app.limits import Reached
from app.services.budget import Budget
from app.services.own_checks import Transport


class Connection(Protocol):
    """One live connection: a TCP connection, or the flow of one UDP peer.

    Attributes:
        number: the connection's, in the recorder.
        peer, host: the two ends as ``address:port``.
        opened: ns since 1970.
        received, sent: bytes so far.
        ours: whether we have made it, as a relay does to its upstream.
    """

    number: int
    peer: str
    host: str
    ours: bool
    opened: int
    received: int
    sent: int

    def send(self, data: bytes) -> None:
        """Send what the user typed."""

    def finish(self, why: str = ...) -> None:
        """Close in good order."""

    def abort(self) -> None:
        """Close now."""

    def on_pressure(self, pressed: bool) -> None:
        """Stop reading, or go on."""


class Owner(Protocol):
    """Whom recorded connections belong to: a service, or whoever sends.

    Attributes:
        number: its number in the recorder.
        opened: connections so far.
    """

    recorder: Recorder
    opened: int

    @property
    def budget(self) -> Budget:
        """What unfinished messages may take."""

    @property
    def number(self) -> int: ...

    def faults_of(self, *, outgoing: bool) -> Faults | None:
        """The faults that act on connections that others open to us, or that we open; None: none ever do."""

    def check_of(self, transport: Transport, peer: str) -> str:
        """The name of the watch whose check the connection with ``peer`` is; "" for any other."""

    def add_connection(self, connection: Connection) -> None: ...

    def remove_connection(self, connection: Connection) -> None: ...

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """A context in which the responder's factory or protocol is started: what that raises is the
        responder's failure."""


class Watched(Protocol):
    """A connection that is closed when it is silent, as far as that needs to know it."""

    received: int
    sent: int

    def unsent(self) -> int | None: ...

    def record_limit(self, reached: Reached) -> None: ...

    def finish(self, why: str = ...) -> None: ...

    def abort(self) -> None: ...


class Admitted(Watched, Protocol):
    """A connection that counts against the limits of its port."""

    def getPeer(self) -> IAddress: ...


class Secured(Protocol):
    """The Tap above TLS, as far as TLS needs to know it."""

    @property
    def held(self) -> bool:
        """Whether anybody holds the peer back."""

    @property
    def ended_by(self) -> str:
        """Who ended the connection, or in words what did; empty while nothing has."""

    def ended(self, why: str) -> None:
        """Take ``why`` for the reason of the connection's end."""

    def failed(self, e: BaseException, payload: bytes | None) -> None:
        """Record an exception."""

    def record(self, kind: int, summary: str, detail: dict[str, Any] | str, **more: Any) -> None: ...

    def record_limit(self, reached: Reached) -> None: ...

    def readConnectionLost(self) -> None: ...
