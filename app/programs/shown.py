"""The ports and connections of a hosted program, as the Post shows them: what its events tell, and what is ordered.

A port has what ``app.services.service.Service`` has for whoever lists services, though nothing can be changed in it:
the program alone decides what it opens.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred, TimeoutError, succeed
from twisted.python.failure import Failure

from app.capture.recorder import Recorder
from app.errors import PostError
from app.faults import find
from app.faults.hits import LiveFault, live_fault
from app.faults.live import Faults
from app.faults.switches import Switches
from app.options import Options
from app.programs import port_faults
from app.programs.errors import OnlyTheProgramError
from app.services import address
from app.services.config import ServiceConfig
from app.signal import Signal
from app.status import Failed, Listening, Status, Stopped

GRACE = 5.0
"""Seconds in which a program closes a port that it is told to close."""

Order = Callable[..., None]
"""Orders something of the program, by keywords; see ``app.programs.inside.orders``."""


class HostedConnection:
    """One open connection of a program; satisfies ``app.services.interfaces.Connection``.

    Attributes:
        theirs: its number in the program.
    """

    def __init__(
        self, number: int, theirs: int, peer: str, host: str, opened: int, order: Order, *, ours: bool = False
    ) -> None:
        self.number, self.theirs, self.peer, self.host, self.opened, self.ours = (
            number,
            theirs,
            peer,
            host,
            opened,
            ours,
        )
        self.received = self.sent = 0
        self._order = order

    def send(self, data: bytes) -> None:
        self._order(do="send", conn=self.theirs, text=data.decode("latin-1"))

    def finish(self, why: str = "") -> None:
        self._order(do="finish", conn=self.theirs)

    def abort(self) -> None:
        self._order(do="abort", conn=self.theirs)

    def on_pressure(self, pressed: bool) -> None:
        """The program is held back as a whole: by what it is told of its events."""


class HostedFaults(Faults):
    """The faults of a port of a program, where they are switched. They act in the program, and hit there."""

    def __init__(self, clock: Any, port: HostedPort, order: Order) -> None:
        super().__init__(clock, lambda *_: None, lambda *_: None)
        self._port, self._order = port, order

    def configure(self, tables: Sequence[Options]) -> None:
        super().configure(tables)
        self._order(do="faults", service=self._port.theirs, tables=[dict(table) for table in tables], seed=self.seed)

    def switch(self, fault: LiveFault, *, on: bool) -> None:
        if fault.enabled != on and not fault.only:
            self._order(do="switch", service=self._port.theirs, fault=fault.name, on=on)
        super().switch(fault, on=on)

    def take_switches(self, others: Switches) -> None:
        super().take_switches(others)
        for fault in self.all:
            if not fault.only and fault.enabled != fault.table.get("enabled", True):
                self._order(do="switch", service=self._port.theirs, fault=fault.name, on=fault.enabled)

    def once_now(self, fault: LiveFault) -> None:
        super().once_now(fault)
        self._order(do="once", service=self._port.theirs, fault=fault.name)

    def strike_connection(self, number: int, table: Options) -> LiveFault | None:
        connection = self._port.connections.get(number)
        fault = live_fault(f"{table['kind']} by hand", table, self.seed)
        kind = find(table["kind"])
        if connection is None or fault is None or kind is None:
            return None
        fault.only, fault.enabled = number, not kind.at_once
        self.all.append(fault)
        self._order(do="strike", conn=connection.theirs, table=dict(table))
        self._changed()
        return fault

    def lift_connection(self, number: int) -> bool:
        connection = self._port.connections.get(number)
        if connection is not None:
            self._order(do="lift", conn=connection.theirs)
        return super().lift_connection(number)

    def on_hit(self, name: str, total: int | None) -> None:
        """A fault of this name has hit in the program, or so often in all."""
        for fault in self.all:
            if fault.name == name:
                fault.hits = fault.hits + 1 if total is None else max(fault.hits, total)
                fault.once = max(0, fault.once - 1)
        self._changed()


class HostedPort:
    """A port that a program has opened, or what it has connected to, together.

    Attributes:
        config: as that of a service, under the name ``program/port``, in a group of the program's name.
        short: its name in the program; ``theirs``: its number there; ``number``: in the recorder.
        lasting: what its faults are saved for: ``short``, or the factory alone, where the number is of this run.
        outgoing: whether it is what the program has connected to; ``host``: else, where it listens.
        status, connections, opened, received, sent, faults: as those of a service.
    """

    tls = None
    refused_host = ""
    wanted = False
    seconds_left = 0.0

    def __init__(
        self,
        program: str,
        name: str,
        protocol: str,
        theirs: int,
        recorder: Recorder,
        clock: Any,
        order: Order,
        seed: int,
    ) -> None:
        self.recorder, self.reactor, self._order = recorder, clock, order
        self.number = recorder.add_service(f"{program}/{name}", protocol)
        self.short = self.lasting = name
        self.theirs = theirs
        self.config = ServiceConfig(f"{program}/{name}", protocol, "", 0, "", group=program, seed=seed)
        self.outgoing = False
        self.host = ""
        self.status: Status = Stopped()
        self.status_changed: Signal[HostedPort] = Signal()
        self.connections: dict[int, HostedConnection] = {}
        self._waiting: list[Deferred[None]] = []
        self.opened = self.received = self.sent = 0
        self.faults = HostedFaults(clock, self, order)
        self.faults.protocol = protocol
        self.faults.seed = seed

    # -- what its events tell

    def listens(self, host: str, *, any_port: bool = False) -> None:
        """``any_port``: the system chose it, and chooses another one in the next run."""
        if any_port:
            self.lasting = self.short.partition(":")[0]
        name, number = host, 0
        with contextlib.suppress(PostError):  # it is a file, of a UNIX socket
            name, number = address.parse(host)
        self.config, self.host = replace(self.config, host=name, port=number), host
        self._set(Listening(host))

    def goes_out(self) -> None:
        """It is what the program connects to, and no port."""
        self.outgoing = True
        self._set(Listening(""))

    def fails(self, reason: str) -> None:
        self._set(Failed(reason))

    def closed(self) -> None:
        self.faults.end()
        self._set(Stopped())
        waiting, self._waiting = self._waiting, []
        for done in waiting:
            done.callback(None)

    def add(self, connection: HostedConnection) -> None:
        self.opened += not connection.ours
        self.connections[connection.number] = connection

    def remove(self, number: int) -> None:
        connection = self.connections.pop(number, None)
        if connection is not None:
            self.received += connection.received
            self.sent += connection.sent
            self.faults.all = [fault for fault in self.faults.all if fault.only != number]

    def _set(self, status: Status) -> None:
        self.status = status
        self.status_changed.emit(self)

    # -- as a service

    @property
    def running(self) -> bool:
        return isinstance(self.status, Listening)

    @property
    def reachable(self) -> bool:
        """Whether a client can connect to it by address and port: it listens, and not at the file of a UNIX socket."""
        return self.running and not self.outgoing and self.config.port > 0

    def upstreams(self) -> tuple[Any, ...]:
        return ()

    def hits(self) -> tuple[int, ...]:
        return ()

    @property
    def accepted(self) -> int:
        """How many of ``connections`` others have made."""
        return 0 if self.outgoing else len(self.connections)

    def clients(self) -> list[HostedConnection]:
        return [one for one in self.connections.values() if not one.ours]

    def bytes_so_far(self) -> tuple[int, int]:
        live = self.connections.values()
        return self.received + sum(c.received for c in live), self.sent + sum(c.sent for c in live)

    def fail(self) -> None:
        """The program does that with each strike."""

    def put_faults(self, tables: port_faults.Tables) -> None:
        """Have it fail by these."""
        self.config = replace(self.config, faults=tables)
        self.faults.configure(tables)

    async def start(self) -> Status:
        """Raises OnlyTheProgramError."""
        raise OnlyTheProgramError(name=self.config.name, program=self.config.group)

    def stop(self, grace: float = GRACE, *, by_user: bool = True) -> Deferred[None]:
        """Have the program close the port; its connections go on, as in Twisted.

        Fires when it has, or after ``grace`` seconds: it may be blocked.
        """
        if not self.running or self.outgoing:
            return succeed(None)
        done: Deferred[None] = Deferred()
        self._waiting.append(done)
        self._order(do="stop", service=self.theirs)

        def late(failure: Failure) -> None:
            failure.trap(TimeoutError)
            self._waiting.remove(done)

        return done.addTimeout(grace, self.reactor).addErrback(late)

    def dispose(self) -> None:
        pass
