"""What actions need of the program: each place that runs alerts (the window, ``serve``) fills in what it has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.alerts.own import PROTOCOL
from app.capture.recorder import Recorder
from app.sending.sender import Sender
from app.services.budget import Budget
from app.signal import Signal

if TYPE_CHECKING:
    from app.alerts.mail import Mail
    from app.alerts.told import Told
    from app.services.interfaces import Connection


class Caller(Sender):
    """The owner of the connections of alerts.

    Attributes:
        connected: emits the ports of each connection: ours, and theirs.
    """

    def __init__(self, reactor: Any, recorder: Recorder, data: Path, budget: Budget) -> None:
        super().__init__(reactor, recorder, data, budget, PROTOCOL)
        self.connected: Signal[tuple[int, int]] = Signal()

    def add_connection(self, connection: Connection) -> None:
        super().add_connection(connection)
        self.connected.emit((_port(connection.host), _port(connection.peer)))


@dataclass(slots=True)
class Means:
    """What actions use.

    Attributes:
        sender: opens their connections.
        stop: stops the service of that name; False if there is none.
        called: told the ports, ours and theirs, of each connection of ours that is not the sender's.
        password: of ``user`` at ``server``. Raises AlertError.
        mail: the mail of the workspace.
        show: shows a word to the user, and returns where; None where there is nobody.
        beep: makes a sound; None where that is impossible.
    """

    sender: Sender
    stop: Callable[[str], bool]
    called: Callable[[tuple[int, int]], object]
    password: Callable[[str, str], Awaitable[str]]
    mail: Mail | None = None
    show: Callable[[Told], Awaitable[str]] | None = None
    beep: Callable[[], object] | None = None

    @property
    def reactor(self) -> Any:
        return self.sender.reactor


def _port(address: str) -> int:
    return int(address.rpartition(":")[2])
