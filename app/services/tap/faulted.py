"""A Tap whose connection fails on purpose: what passes between wire and responder goes through lanes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, cast

from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from app import events
from app.faults import BYTES, CONNECT, RECEIVED, SENT
from app.faults.hits import Course, Hit
from app.faults.lane import TICK, Lane, Piece, mark
from app.faults.live import Faults
from app.faults.targets import ENDED, Told
from app.services.tap.bounded import BY_FREEZE, Bounded
from app.services.tap.tap import Tap
from app.text.framing import Framer


class Faulted(Bounded):
    """Mixed in before a class of Tap. Recorded is what was on the wire: what came when it came, and what is sent
    when it leaves.

    Attributes:
        incoming, outgoing: what waits between wire and responder, and between responder and wire.
        course: what the faults know of the connection.
        protocol_name: of the service.
    """

    course: Course
    protocol_name: str
    _ended_by: str
    _dropped: int
    _cut_after: int
    _cut_end: Callable[[], None] | None
    _cut_told: Told | None
    _faults: Faults
    _frames: Framer | None
    _level: str
    _slow_close: dict[Any, float]
    _leaving: bool
    _resetting: bool
    _spoiled: Any  # the TLS below, once a fault has acted on it

    def enter_faults(self, faults: Faults, framer: Framer | None = None) -> None:
        """Have what passes from now on go through lanes. With ``framer``, whole messages do."""
        clock = faults.clock
        self._faults = faults
        self.incoming = Lane(clock, self._on_incoming)
        self.outgoing = Lane(clock, self._on_outgoing)
        self._slow_close, self._frozen_by = {}, set()
        self._leaving = self._resetting = self._full = self._read_to_end = False
        self._dropped = 0
        self._cut_after, self._cut_end, self._cut_told = 0, None, None
        self._spoiled = self._pulled = None
        self._frames = framer
        self.protocol_name = faults.protocol
        self._level = "" if faults.protocol == "tcp" else BYTES
        self.course = faults.open(self.number, getattr(self._peer, "host", ""), cast(Any, self))
        self.incoming.blocked = self.paused
        self.on_faults()

    # -- target

    def close(self) -> None:
        """Close in good order."""
        self._ended_by = self._ended_by or f"closed {ENDED}"
        self._clear_lanes()
        if getattr(self._wire, "producer", None):
            self._wire.unregisterProducer()
        super().loseConnection()

    def reset(self) -> None:
        self._ended_by = self._ended_by or f"reset {ENDED}"
        self.abortConnection()

    def half_close(self) -> None:
        # Otherwise what is written until the kernel has taken what was written before would leave, too.
        self._leaving = True
        self._drop(SENT)
        super().loseWriteConnection()

    def close_slowly(self, seconds: float, fault: Any = None) -> None:
        self._slow_close[fault] = seconds

    def cut(self, piece: Piece, lane: Lane, size: int, part: float, *, reset: bool, told: Told | None = None) -> None:
        end = self.reset if reset else self.close
        length = round(len(piece.data) * part) if part else size
        if length <= len(piece.data):
            piece.data = piece.data[:length]
            piece.then.append(partial(self._cut_now, end))
            self._leaving = True
        else:
            self._cut_after, self._cut_end, self._cut_told = length - len(piece.data), end, told

    def end(self, *, reset: bool) -> None:
        """Close or reset when what was written has left."""
        self.outgoing.after(partial(self._cut_now, self.reset if reset else self.close))

    def _cut_now(self, end: Callable[[], None], wait: float = TICK) -> None:
        if not self.connected:
            return
        # RST would drop what the peer's kernel has not got yet.
        if end == self.reset and self._under_way():
            self._clear_lanes()
            self._resetting = True
            self._faults.clock.callLater(wait, self._cut_now, end, min(2 * wait, 0.1))
        else:
            end()

    def garble(self, piece: Piece, noise: bytes) -> None:
        piece.data = noise
        piece.then.append(self.close)

    def freeze(self, fault: Any) -> None:
        self._frozen_by.add(fault)
        self.hold(BY_FREEZE)

    def thaw(self, fault: Any) -> None:
        self._slow_close.pop(fault, None)
        self._frozen_by.discard(fault)
        if not self._frozen_by:
            self.release(BY_FREEZE)
        if self._spoiled is not None:
            self._spoiled.thaw(fault)

    def spoil_handshake(self, hit: Hit) -> None:
        self._spoiled = self._wire
        self._spoiled.spoil(hit)

    # -- called by the transport

    def _made(self) -> None:
        faults = cast(Faults, self.factory.faults)
        self.enter_faults(faults, faults.framer() if faults.framer is not None else None)
        piece = mark()
        if self._faults.strike(self.course, CONNECT, "", piece, self.incoming):
            if not self._open:
                if not self.factory.outgoing:
                    self.wrappedProtocol = Protocol()  # nobody answers one that is refused
                return
            self.incoming.put(piece)
            if piece.due:
                twin = mark()
                twin.due.update(piece.due)
                self.outgoing.put(twin)

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)
        self._record(events.DATA_RECEIVED, self._owner_number, self.number, data)
        pieces = [data] if self._frames is None else self._frames.frames(data)
        for message in pieces:
            self._take(message)

    def _take(self, data: bytes) -> None:
        course, lane = self.course, self.incoming
        spared = self._faults.spares(course, RECEIVED, self._level)
        if spared and lane.idle:
            course.passed[RECEIVED] += len(data)
            self._deliver(data)
            return
        piece = Piece(data, self._deliver)
        if not spared:
            self._faults.strike(course, RECEIVED, self._level, piece, lane)
        course.passed[RECEIVED] += len(data)
        lane.put(piece)

    def _deliver(self, data: bytes) -> None:
        if not self.connected or self.wrappedProtocol is None:
            return
        try:
            self.wrappedProtocol.dataReceived(data)
        except Exception as e:
            self._failed(e, data)
            self.abortConnection()

    def readConnectionLost(self) -> None:
        if self._frames is not None and (rest := self._frames.rest()):
            self._take(rest)
        self._read_to_end = True
        self.factory.lookout.watch(self)
        self.incoming.after(super().readConnectionLost)

    def connectionLost(self, reason: Failure) -> None:
        self.factory.lookout.forget(self)
        undelivered = self._drop(RECEIVED, SENT)
        if undelivered:
            self.record(
                events.LOG, f"{undelivered:,} bytes that a fault held back never reached the responder",
                {"undelivered": undelivered},
            )  # fmt: skip
        self._faults.close(self.course)  # its totals come before the connection's end, and before that of the service
        super().connectionLost(reason)

    # -- called by the responder

    def write(self, data: bytes) -> None:
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")
        self._put(data, super().write)

    def write_by(self, rule: int, data: bytes) -> None:
        self._put(data, partial(super().write_by, rule))

    def _put(self, data: bytes, write: Callable[[bytes], None]) -> None:
        if not self.sends or not data:
            return
        course, lane = self.course, self.outgoing
        spared = self._cut_end is None and self._faults.spares(course, SENT, self._level)
        if spared and lane.idle:
            course.passed[SENT] += len(data)
            write(data)
            return
        piece = Piece(data, write)
        if self._cut_end is not None:
            self._cut_after -= len(data)
            if self._cut_after <= 0:
                self._leaving = True
                left = len(data) + self._cut_after
                piece.data = data[:left]
                piece.then.append(partial(self._cut_now, self._cut_end))
                if self._cut_told is not None and left < len(data):
                    self._cut_told(data, left)
        elif not spared:
            self._faults.strike(course, SENT, self._level, piece, lane)
        course.passed[SENT] += len(data)
        lane.put(piece)

    @property
    def sends(self) -> bool:
        """Whether what is written is sent."""
        return not self._leaving and (self._open or self._drains())

    def after_writes(self, call: Callable[[], None]) -> None:
        if self.outgoing.hanging:
            call()  # what was written is lost
        else:
            self.outgoing.after(call)

    def loseConnection(self) -> None:
        self._end(super().loseConnection)

    def loseWriteConnection(self) -> None:
        self._end(super().loseWriteConnection)

    def _end(self, end: Callable[[], None]) -> None:
        if self._resetting:
            return  # it ends otherwise, and soon
        if self._slow_close:
            pause, now = mark(), self._faults.clock.seconds()
            pause.due.update({fault: now + seconds for fault, seconds in self._slow_close.items()})
            self._slow_close.clear()
            self.outgoing.put(pause)
        self._leaving = True
        self.outgoing.after(end)

    def abortConnection(self) -> None:
        self._clear_lanes()
        super().abortConnection()

    def _clear_lanes(self) -> None:
        self._leaving = True
        self._drop(RECEIVED, SENT)

    def _drop(self, *sides: str) -> int:
        """Drop what waits on these sides, in the layers above, too. Returns the bytes that were received."""
        undelivered = 0
        for target in self.course.targets:
            undelivered += target.incoming.close() if RECEIVED in sides else 0
            self._dropped += target.outgoing.close() if SENT in sides else 0
        return undelivered

    def unsent(self) -> int | None:
        unsent = super().unsent()
        if unsent is None:
            return None
        return int(unsent + self.outgoing.size + self._dropped)


def faulted(tap: type[Tap]) -> Any:
    """The class of Taps that fail on purpose, and are ``tap`` otherwise."""
    return _faulted(cast(Any, tap))


@cache
def _faulted(tap: Any) -> Any:
    return type(f"Faulted{tap.__name__}", (Faulted, tap), {})


def convert(tap: Tap) -> None:
    """Have an open connection fail on purpose from now on."""
    if isinstance(tap, Faulted):
        return
    # The transport and the responder know this object, and look its methods up with each call.
    tap.__class__ = faulted(type(tap))
    # Without the framing: it may be in the middle of a message.
    cast(Any, tap).enter_faults(tap.factory.faults)
