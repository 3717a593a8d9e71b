"""What a hosted program does by order of the Post that has started it: closes ports, acts on connections, fails.

``{"do": "stop", "service": n}`` closes a port. ``{"do": "send", "conn": n, "text": …}`` (as Latin-1), ``{"do":
"finish", "conn": n}`` and ``{"do": "abort", "conn": n}`` act on a connection. ``{"do": "faults", "service": n,
"tables": […], "seed": n}`` gives a port its faults, ``{"do": "switch", "service": n, "fault": name, "on": …}`` switches
one of them, ``{"do": "once", …}`` has it hit the next candidate, ``{"do": "strike", "conn": n, "table": {…}}`` and
``{"do": "lift", "conn": n}`` act on one connection by hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.programs.inside.owners import ProgramOwner
from app.programs.inside.reactor import Reactors
from app.services.interfaces import Connection


class Orders:
    """Carries out orders in the thread of the program's reactor."""

    def __init__(self, reactors: Reactors) -> None:
        self._reactors = reactors

    def obey(self, order: dict[str, Any]) -> None:
        """In any thread."""
        self._reactors.in_reactor(self._do, order)

    def _do(self, order: dict[str, Any]) -> None:
        getattr(self, f"_{order['do']}")(order)

    def _owners(self, order: dict[str, Any]) -> list[ProgramOwner]:
        return [owner for owner in self._reactors.owners if owner.number == order["service"]]

    def _connections(self, order: dict[str, Any]) -> Iterator[tuple[ProgramOwner, Connection]]:
        for owner in self._reactors.owners:
            connection = owner.connections.get(order["conn"])
            if connection is not None:
                yield owner, connection

    def _stop(self, order: dict[str, Any]) -> None:
        for owner in self._owners(order):
            if owner.port is not None:
                owner.port.stopListening()

    def _send(self, order: dict[str, Any]) -> None:
        for _, connection in self._connections(order):
            connection.send(order["text"].encode("latin-1"))

    def _finish(self, order: dict[str, Any]) -> None:
        for _, connection in self._connections(order):
            connection.finish()

    def _abort(self, order: dict[str, Any]) -> None:
        for _, connection in self._connections(order):
            connection.abort()

    def _faults(self, order: dict[str, Any]) -> None:
        for owner in self._owners(order):
            if order["seed"] != owner.faults.seed:
                owner.faults.begin(order["seed"])
            owner.faults.configure(order["tables"])
            owner.fail()

    def _switch(self, order: dict[str, Any]) -> None:
        for owner in self._owners(order):
            fault = owner.faults.find(order["fault"])
            if fault is not None:
                owner.faults.switch(fault, on=order["on"])

    def _once(self, order: dict[str, Any]) -> None:
        for owner in self._owners(order):
            fault = owner.faults.find(order["fault"])
            if fault is not None:
                owner.faults.once_now(fault)

    def _strike(self, order: dict[str, Any]) -> None:
        for owner, connection in self._connections(order):
            owner.fail(always=True)
            owner.faults.strike_connection(connection.number, order["table"])

    def _lift(self, order: dict[str, Any]) -> None:
        for owner, connection in self._connections(order):
            owner.faults.lift_connection(connection.number)
