"""Whom the connections of a hosted program belong to: one owner for each port that it opens, one for what it opens."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakSet

from app import events
from app.capture.recorder import Recorder
from app.faults.live import Faults
from app.programs.inside.link import HostRecorder
from app.programs.inside.mistakes import Mistakes
from app.services.budget import Budget
from app.services.interfaces import Connection

OUTGOING = "outgoing"
"""The name that events of connections have which the program opens."""


class ProgramOwner:
    """An owner of connections, as ``app.services.interfaces.Owner`` describes it.

    Attributes:
        mistakes: what the program does wrong.
        port: what listens, while it does.
        taps: the factories of its connections, or its Tap of datagrams.

    Args:
        in_reactor: calls something in the thread of the program's reactor.
    """

    def __init__(
        self,
        recorder: HostRecorder,
        clock: Any,
        name: str,
        protocol: str,
        in_reactor: Callable[..., object],
        mistakes: Mistakes,
    ) -> None:
        self.recorder: Recorder = recorder
        self.name = name
        self.mistakes = mistakes
        self.number = recorder.add_service(name, protocol)
        self.opened = 0
        self.connections: dict[int, Connection] = {}
        self.budget = Budget()
        self.port: Any = None
        self.taps: WeakSet[Any] = WeakSet()
        self._in_reactor = in_reactor
        self.faults = Faults(clock, self._record_fault, self._on_fault_failed)
        recorder.pressure.connect(lambda pressed: in_reactor(self._on_pressure, pressed))

    def faults_of(self, *, outgoing: bool) -> Faults | None:
        return self.faults

    def check_of(self, protocol: str, peer: str) -> str:
        """No watch checks a hosted program from within."""
        return ""

    def add_connection(self, connection: Connection) -> None:
        self.opened += 1
        self.connections[connection.number] = connection

    def remove_connection(self, connection: Connection) -> None:
        self.connections.pop(connection.number, None)

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """Nothing is added to what the program raises: it is to see its own error."""
        yield

    def fail(self, *, always: bool = False) -> None:
        """Have its faults act on open connections, too; ``always``: also where it has none yet."""
        if self.faults or always:
            for tap in list(self.taps):
                tap.fail()

    def started(self, host: str, *, any_port: bool = False) -> None:
        """Record that the program listens on ``host``; ``any_port``: the system chose the port, another in each run."""
        detail = {"host": host} | ({"any_port": True} if any_port else {})
        self.recorder.record(
            events.SERVICE_STARTED, self.number, summary=f"listening on {host}", detail=json.dumps(detail)
        )

    def stopped(self) -> None:
        self.recorder.record(events.SERVICE_STOPPED, self.number, summary="stopped")

    def failed(self, reason: str) -> None:
        """Record that the program could not listen."""
        self.recorder.record(events.SERVICE_FAILED, self.number, summary=reason, detail=json.dumps({"reason": reason}))

    def _record_fault(self, conn: int, summary: str, detail: str, payload: bytes | None) -> None:
        self.recorder.record(events.FAULT_APPLIED, self.number, conn, payload, summary, detail)

    def _on_fault_failed(self, conn: int, error: BaseException, payload: bytes | None) -> None:
        self.recorder.record_failure(error, self.number, conn, payload)

    def _on_pressure(self, pressed: bool) -> None:
        for connection in list(self.connections.values()):
            connection.on_pressure(pressed)
