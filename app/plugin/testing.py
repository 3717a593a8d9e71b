"""For the tests of plugins: a responder or a fault without a service, on a ``Clock`` that the test advances."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from app import events, faults
from app.faults.lane import Lane, Piece
from app.faults.live import Faults
from app.faults.tables import mistakes
from app.plugin.declare import MARK
from app.plugin.declare_fault import MARK as FAULT_MARK
from app.responders import Responder
from app.responders.relay.loops import Loops
from app.responders.relay.outposts import Located, nowhere
from app.text.variables import Variables


class BareContext:
    """Takes the place of the context that a service passes to its responder. Calls run in no thread, but at once.

    Attributes:
        reactor: a ``Clock``: ``context.reactor.advance(1)``.
        logged: ``(summary, detail)`` of each ``log``.
        failures: ``(error, payload)`` of each ``failed``.
    """

    name = "under-test"
    seed = 1

    def __init__(self, folder: Path | str = ".") -> None:
        self.reactor: Any = Clock()
        self.folder = self.data = Path(folder)
        self.namespace: Mapping[str, Any] = {}
        self.loops = Loops()
        self.variables: Variables = {}
        self.logged: list[tuple[str, Mapping[str, Any]]] = []
        self.failures: list[tuple[BaseException, bytes | None]] = []

    def log(self, summary: str, detail: Mapping[str, Any] | None = None, kind: int = events.LOG) -> None:
        self.logged.append((summary, detail or {}))

    def is_down(self, host: str, port: int) -> bool:
        return False

    def locate(self, outpost: str, service: str) -> Located:
        return nowhere(outpost, service)

    def failed(self, error: BaseException, payload: bytes | None = None) -> None:
        self.failures.append((error, payload))

    def endpoint(self, host: str, port: int, **more: Any) -> Any:
        raise NotImplementedError("give the test an endpoint of its own")

    def open_datagrams(self, protocol: Any, host: str = "") -> Any:
        raise NotImplementedError("give the test a port of its own")

    def in_thread(self, call: Any, *args: Any) -> Deferred[Any]:
        return maybeDeferred(call, *args)


def build(thing: Any, protocol: str, context: BareContext | None = None, **options: Any) -> Any:
    """What a decorated function or class, or a ``Responder``, builds for ``protocol``, as a factory or a resource."""
    responder: Responder = getattr(thing, MARK, thing)
    return responder.builders[protocol](responder.with_defaults(options), context or BareContext())


def connect(thing: Any, context: BareContext | None = None, **options: Any) -> tuple[Any, StringTransport]:
    """Open a TCP connection to ``thing``. Returns its protocol, and the transport that holds the answers."""
    protocol, wire = build(thing, "tcp", context, **options).buildProtocol(None), StringTransport()
    protocol.makeConnection(wire)
    return protocol, wire


class FaultyConnection:
    """A connection that one fault acts on, as it does in a service.

    Attributes:
        clock: a ``Clock``: ``connection.clock.advance(1)``.
        passed: the messages, or parts of them, that got through, in their order.
        words: what the fault did to each message that it hit.
        failures: what it has raised.
        closes_late: seconds by which it has put off the end.
        ended: how it ended the connection: ``"closed"``, ``"reset"``, ``"half-closed"``; empty: not yet.
    """

    def __init__(self, thing: Any, protocol: str = "tcp", **table: Any) -> None:
        """``thing`` is a decorated function or a ``FaultKind``; ``table`` its options and conditions.

        Raises ValueError for a table that a workspace could not have.
        """
        kind: faults.FaultKind = getattr(thing, FAULT_MARK, thing)
        faults.add(kind)
        given = {"kind": kind.name, "seed": 1} | table
        for mistake in mistakes([given], protocol, tls=kind.tls):
            raise ValueError(str(mistake))
        self.clock: Any = Clock()
        self.passed: list[bytes] = []
        self.words: list[str] = []
        self.failures: list[BaseException] = []
        self.ended = ""
        self.closes_late = 0.0
        self.protocol_name = protocol
        self.incoming, self.outgoing = Lane(self.clock), Lane(self.clock)
        self._faults = Faults(self.clock, self._record, self._failed)
        self._faults.protocol = protocol
        self._faults.configure([given])
        [self._fault] = self._faults.all
        target: Any = self
        self._course = self._faults.open(1, "127.0.0.1", target)

    def message(self, data: bytes = b"", *, path: str = "", method: str = "") -> None:
        """One candidate of the fault's side: a message that is sent or received, or the connection itself."""
        side = self._fault.on
        lane = self.incoming if side == faults.RECEIVED else self.outgoing
        piece = Piece(data, self.passed.append, whole=True)
        self._faults.strike(self._course, side, "", piece, lane, path=path, method=method)
        self._course.passed[side] = self._course.passed.get(side, 0) + len(data)
        lane.put(piece)

    def switch_off(self) -> None:
        """Lift the fault: what it holds passes."""
        self._faults.switch(self._fault, on=False)

    def _record(self, conn: int, summary: str, detail: str, payload: bytes | None) -> None:
        self.words.append(json.loads(detail)["words"])

    def _failed(self, conn: int, error: BaseException, payload: bytes | None) -> None:
        self.failures.append(error)

    def _end(self, how: str) -> None:
        self.ended = self.ended or how
        for lane in (self.incoming, self.outgoing):
            lane.close()

    # -- as a fault sees it

    def close(self) -> None:
        self._end("closed")

    def reset(self) -> None:
        self._end("reset")

    def half_close(self) -> None:
        self.ended = self.ended or "half-closed"

    def close_slowly(self, seconds: float, fault: Any = None) -> None:
        self.closes_late = seconds

    def cut(self, piece: Piece, lane: Lane, size: int, part: float, *, reset: bool, told: Any = None) -> None:
        piece.data = piece.data[: round(len(piece.data) * part) if part else size]
        piece.then.append(self.reset if reset else self.close)

    def garble(self, piece: Piece, noise: bytes) -> None:
        piece.data = noise
        piece.then.append(self.close)

    def freeze(self, fault: Any) -> None:
        self.incoming.blocked = True

    def thaw(self, fault: Any) -> None:
        self.incoming.go_on()
