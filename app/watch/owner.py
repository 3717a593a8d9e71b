"""The owner of the connection that one check makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.faults.live import Faults
from app.sending.sender import Sender

if TYPE_CHECKING:
    from app.services.interfaces import Connection


class CheckOwner(Sender):
    """The owner of the connection of one check: what it opens belongs to the sender of all checks.

    Attributes:
        connection: its connection; None before it was made.
    """

    def __init__(self, all_: Sender, timeout: float) -> None:
        super().__init__(all_.reactor, all_.recorder, all_.data, all_.budget)
        self.timeout = timeout + 1  # the check itself ends before
        self._all, self.conversations = all_, all_.conversations
        self.connection: Connection | None = None

    @property
    def number(self) -> int:
        return self._all.number

    def faults_of(self, *, outgoing: bool) -> Faults | None:
        return None

    def add_connection(self, connection: Connection) -> None:
        self._all.add_connection(connection)
        self.connection = connection

    def remove_connection(self, connection: Connection) -> None:
        self._all.remove_connection(connection)
