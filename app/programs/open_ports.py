"""The ports that a program has open, as its events tell, and which of their faults were switched while they were."""

from __future__ import annotations

import json
from collections.abc import Callable
from time import time_ns
from typing import Any

from app import events
from app.capture.recorder import Recorder
from app.options import Options
from app.programs.inside.owners import OUTGOING
from app.programs.shown import HostedConnection, HostedFaults, HostedPort, Order
from app.signal import Signal
from app.status import Stopped

MAX_PORTS = 1_000
"""Ports of one program that are shown, and names that these have had. What others do is the program's own."""


class OpenPorts:
    """The ports of a program; satisfies ``app.programs.intake.Shown``.

    Attributes:
        all: by their numbers in the program.
        changed: emits it when ports came, went or are others.
        seed: that of the faults of all ports, in this run of the program.

    Args:
        program: its name; ``number``: its own in the recorder, for what is of no port that is shown.
        faults: the tables of the port of this name and protocol.
    """

    def __init__(
        self,
        program: str,
        number: int,
        recorder: Recorder,
        reactor: Any,
        order: Order,
        faults: Callable[[str, str], tuple[Options, ...]],
    ) -> None:
        self._program, self._number, self._recorder, self._reactor = program, number, recorder, reactor
        self._order, self._faults = order, faults
        self.seed = 0
        self._names: set[str] = set()
        self._switched: dict[tuple[str, str], HostedFaults] = {}
        self.all: dict[int, HostedPort] = {}
        self.changed: Signal[OpenPorts] = Signal()

    def fail(self) -> None:
        """Give each port the faults that the workspace has for it now."""
        for port in self.all.values():
            tables = self._faults(port.short, port.config.protocol)
            if tables != port.config.faults:
                port.put_faults(tables)
        self.changed.emit(self)

    def let_go(self) -> None:
        """The process is gone: so are its ports and connections, which it could not tell."""
        for port in self.all.values():
            self._let_go(port)
        self.all = {}
        self.changed.emit(self)

    def _let_go(self, port: HostedPort) -> None:
        closed = {"reason": "the program ended", "unsent": 0}
        for one in list(port.connections.values()):
            seconds = (time_ns() - one.opened) / 1e9
            detail = closed | {"received": one.received, "sent": one.sent, "seconds": seconds}
            self._recorder.record(
                events.CONNECTION_CLOSED,
                port.number,
                one.number,
                summary="the program ended",
                detail=json.dumps(detail),
            )
            port.remove(one.number)
        if port.running and not port.outgoing:
            self._recorder.record(
                events.SERVICE_STOPPED, port.number, summary="stopped: the program ended", detail="{}"
            )
        self._close(port)

    def _close(self, port: HostedPort) -> None:
        port.closed()
        self._switched[port.lasting, port.config.protocol] = port.faults  # of at most twice as many names as ports have

    def _switch_as_before(self, port: HostedPort) -> None:
        """Have the same faults act as when a port of this name was closed, as a service has when it starts again.

        Else a fault that was switched off would act again whenever the program opens its port anew.
        """
        for name in (port.short, port.short.partition(":")[0]):  # the latter: its number was another one
            before = self._switched.get((name, port.config.protocol))
            if before is not None:
                port.faults.take_switches(before)
                return

    # -- what its events tell

    def on_port(self, theirs: int, name: str, protocol: str) -> int:
        port = self.all.get(theirs)
        if port is None:
            if len(self.all) >= MAX_PORTS or (len(self._names) >= MAX_PORTS and name not in self._names):
                return self._number
            self._names.add(name)
            port = HostedPort(
                self._program, name, protocol, theirs, self._recorder, self._reactor, self._order, self.seed
            )
            self.all[theirs] = port
            if tables := self._faults(name, protocol):
                port.put_faults(tables)
                self._switch_as_before(port)
            if name == OUTGOING:
                port.goes_out()
            self.changed.emit(self)
        return port.number

    def on_status(self, theirs: int, kind: int, detail: dict[str, Any]) -> None:
        port = self.all.get(theirs)
        if port is None:
            return
        if kind == events.SERVICE_STARTED:
            port.listens(str(detail.get("host", "")), any_port=detail.get("any_port") is True)
        elif kind == events.SERVICE_FAILED:
            port.fails(str(detail.get("reason", "")))
        else:
            self._close(port)
            if not port.connections:
                del self.all[theirs]
        self.changed.emit(self)

    def on_opened(self, theirs: int, number: int, conn: int, detail: dict[str, Any]) -> None:
        port = self.all.get(theirs)
        if port is not None:
            peer, host, ours = str(detail.get("peer", "")), str(detail.get("host", "")), bool(detail.get("outgoing"))
            port.add(HostedConnection(number, conn, peer, host, time_ns(), self._order, ours=ours))

    def on_closed(self, theirs: int, number: int) -> None:
        port = self.all.get(theirs)
        if port is not None:
            port.remove(number)
            if isinstance(port.status, Stopped) and not port.connections:
                del self.all[theirs]
                self.changed.emit(self)

    def on_bytes(self, theirs: int, number: int, kind: int, size: int) -> None:
        port = self.all.get(theirs)
        connection = port.connections.get(number) if port is not None else None
        if connection is not None:
            if kind in (events.DATA_RECEIVED, events.DATAGRAM_RECEIVED):
                connection.received += size
            else:
                connection.sent += size

    def on_fault(self, theirs: int, detail: dict[str, Any]) -> None:
        port = self.all.get(theirs)
        if port is not None:
            total = detail.get("total")
            port.faults.on_hit(str(detail.get("fault", "")), total if isinstance(total, int) else None)
