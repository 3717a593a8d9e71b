"""Lanes: the pieces that pass one way on a connection, in order, and what faults have them wait for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from app.faults.aside import Aside

TICK = 0.005
"""Least seconds between two portions of a piece that passes at a rate."""

MOST, LEAST = 256 << 10, 64 << 10
"""Bytes in a lane at which whoever fills it is held back, and at which it goes on."""

EACH = 256
"""What a piece that waits counts beside its bytes, towards the bounds of those who keep it."""


class Meter:
    """A token bucket: how much may pass now."""

    def __init__(self, per_second: float, burst: float, now: float) -> None:
        """``per_second`` and ``burst`` in bytes; a burst passes at once."""
        self.per_second, self.burst = per_second, max(burst, 1.0)
        self._tokens, self._at = self.burst, now

    def room(self, now: float) -> int:
        """Bytes that may pass now."""
        self._tokens += (now - self._at) * self.per_second
        self._at = now
        # What one tick brings is kept beyond the burst: a timer is late, and the rate must be reached all the same.
        self._tokens = min(self._tokens, max(self.burst, self.per_second * 0.1))
        return int(self._tokens)

    def take(self, size: int) -> None:
        self._tokens -= size

    def wait(self, size: int) -> float:
        """Seconds until ``size`` bytes may pass, but no longer than until a burst may."""
        return max(0.0, (min(size, self.burst) - self._tokens) / self.per_second)


class Piece:
    """What passes as one: bytes as they were read or written, or one message.

    Attributes:
        data: its bytes, which a fault may change.
        deliver: passes bytes on, perhaps a part of them.
        whole: whether it is passed on whole: a message.
        due: when each fault that delays it lets it pass, by fault.
        meters: the rates at which it passes, by fault.
        slices: by fault, what gives the size of the next slice, and the seconds of the pause after it.
        passed: how many of its bytes have passed already.
        gone: whether it is withheld.
        until: the fault that withholds it for a time, after which ``then`` is called; see ``Hit.later``.
        copies: how often it is passed on in addition.
        gap: how many of those behind it may overtake it, at the most until it is due; 0: none.
        then: called after it has passed, or in the place of it.
    """

    __slots__ = (
        "copies",
        "data",
        "deliver",
        "due",
        "gap",
        "gone",
        "meters",
        "passed",
        "slices",
        "then",
        "until",
        "whole",
    )

    def __init__(self, data: bytes, deliver: Callable[[bytes], None], *, whole: bool = False) -> None:
        self.data, self.deliver, self.whole = data, deliver, whole
        self.due: dict[Any, float] = {}
        self.meters: dict[Any, Meter] = {}
        self.slices: dict[Any, tuple[Callable[[], int], float]] = {}
        self.gone = False
        self.until: Any = None
        self.copies = self.gap = self.passed = 0
        self.then: list[Callable[[], None]] = []

    @property
    def free(self) -> bool:
        """Whether it passes at once and as it is."""
        return not (self.due or self.meters or self.slices or self.gone or self.copies or self.then)

    def withhold(self) -> bytes:
        """Do not pass it on. Returns its bytes."""
        self.gone = True
        return self.data


def mark(data: bytes = b"") -> Piece:
    """A piece that nobody takes. It has its turn in a lane for what is called then; faults may look at ``data``."""
    return Piece(data, lambda _: None, whole=True)


class Lane:
    """Pieces in their order. A piece that waits has those behind it wait, unless they may overtake it.

    Attributes:
        loose: whether pieces keep no order: each waits for itself, as datagrams do.
        size: bytes that wait.
        swallowed: bytes that came while a fault let nothing pass, and are lost.
        blocked: whether nobody takes a piece now, because the receiver is held back; see ``go_on``.
    """

    def __init__(
        self,
        clock: Any,
        on_size: Callable[[int], None] = lambda size: None,
        *,
        loose: bool = False,
        full: Callable[[int], bool] = lambda size: False,
    ) -> None:
        """``clock`` for timers. ``on_size`` is called when what waits has changed: with its bytes, and ``EACH`` more
        for each piece. ``full`` says whether there is no room for a piece of so many bytes, which others may overtake:
        it is dropped then."""
        self._clock, self._on_size, self.loose, self._full = clock, on_size, loose, full
        self._queue: deque[Piece] = deque()
        self._aside: Aside[Piece] = Aside()
        self._when_empty: list[Callable[[], None]] = []
        self._alarm: Any = None
        self._swallowed_by: set[Any] = set()
        self._ends: dict[Any, Any] = {}
        self._after_lift: list[Callable[[], None]] = []
        self._timer: Any = None
        self._running = self._lifted = False
        self._closed = False
        self._pause_until = 0.0
        self.size = self.swallowed = 0
        self.blocked = False

    def __len__(self) -> int:
        return len(self._queue) + len(self._aside)

    @property
    def idle(self) -> bool:
        """Whether a piece that waits for nothing would pass at once."""
        return not (
            self._queue or self.blocked or self._running or self._swallowed_by or self._aside.counts or self._closed
        )

    def put(self, piece: Piece) -> None:
        """Pass ``piece`` on, at once or when it is its turn."""
        if self._closed:
            return
        if self._swallowed_by:
            self.swallowed += len(piece.data)
            for call in piece.then:
                call()
            return
        if piece.gap or (self.loose and piece.due):
            if self._full(len(piece.data)):
                return
            self._aside.put(piece)
            self._grow(len(piece.data))
            self._set_alarm()
            return
        if not self._queue and not self.blocked and not self._running and piece.free:
            piece.deliver(piece.data)
            if self._aside.counts:
                self._next(self._aside.one_passes())
                self._run()
            return
        self._queue.append(piece)
        self._grow(len(piece.data))
        if not self._running:
            self._run()

    def after(self, call: Callable[[], None]) -> None:
        """Call ``call`` when all that waits has passed. What others were to overtake passes before.

        While what comes is swallowed, nothing comes to its end. In a ``loose`` lane, what comes meanwhile passes
        before, too.
        """
        if self._swallowed_by:
            self.after_lift(partial(self.after, call))
            return
        if self.loose and len(self):
            self._when_empty.append(call)
            return
        if self._aside:
            self._queue.extend(self._aside.take_all())
            self._set_alarm()
        if not self._queue and not self.blocked and not self._running:
            call()
            return
        end = mark()
        end.then.append(call)
        self._queue.append(end)

    @property
    def hanging(self) -> bool:
        """Whether what comes is swallowed."""
        return bool(self._swallowed_by)

    def swallow(self, fault: Any) -> None:
        """Take what comes from now on and pass none of it on, until ``lift(fault)``."""
        self._swallowed_by.add(fault)

    def after_lift(self, call: Callable[[], None]) -> None:
        """Call ``call`` when nothing is swallowed any more."""
        if self._swallowed_by:
            self._after_lift.append(call)
        else:
            call()

    def lift_at(self, time: float, fault: Any) -> None:
        """``lift`` at this time of the clock."""
        if fault not in self._ends:
            self._ends[fault] = self._clock.callLater(max(0.0, time - self._clock.seconds()), self.lift, fault)

    def lift(self, fault: Any) -> None:
        """``fault`` acts no longer: what waits for nothing else passes."""
        self._swallowed_by.discard(fault)
        end = self._ends.pop(fault, None)
        if end is not None and end.active():
            end.cancel()
        self._pause_until = 0.0
        for piece in self._queue:
            piece.due.pop(fault, None)
            piece.meters.pop(fault, None)
            piece.slices.pop(fault, None)
            if piece.until is fault:
                # It was to end the connection: lifted, it passes on what it holds, and ends nothing.
                piece.gone, piece.until = False, None
                piece.then.clear()
        if self._aside.lift(fault):
            self._next(self._aside.due(self._clock.seconds()))
            self._set_alarm()
        self._lifted = True
        if not self._running:
            self._run()
        while self._after_lift and not self._swallowed_by:
            self._after_lift.pop(0)()

    def go_on(self) -> None:
        """The receiver takes pieces again."""
        self.blocked = False
        if not self._running:
            self._run()

    def close(self) -> int:
        """Drop what waits. Returns its bytes."""
        dropped, self.size, self._closed = self.size, 0, True
        self._queue.clear()
        self._aside.clear()
        self._when_empty.clear()
        self._set_alarm()
        self._swallowed_by.clear()
        self._after_lift.clear()
        while self._ends:
            self._ends.popitem()[1].cancel()
        self._stop_timer()
        return dropped

    # -- overtaking

    def _next(self, ready: list[Piece]) -> None:
        """Those that stood aside are the next to pass."""
        for piece in reversed(ready):
            piece.due.clear()
            self._queue.appendleft(piece)
        if ready:
            self._set_alarm()

    def _set_alarm(self) -> None:
        alarm, wanted = self._alarm, self._aside.next
        if alarm is not None:
            if wanted is not None and alarm.getTime() <= wanted:
                return  # it looks again
            self._alarm = None
            alarm.cancel()
        if wanted is not None:
            self._alarm = self._clock.callLater(max(0.0, wanted - self._clock.seconds()), self._on_alarm)

    def _on_alarm(self) -> None:
        self._alarm = None
        self._next(self._aside.due(self._clock.seconds()))
        self._set_alarm()
        if not self._running:
            self._run()

    # -- passing on

    def _run(self) -> None:
        self._stop_timer()
        self._running = True
        try:
            while self._queue and not self.blocked and not self._closed:
                self._lifted = False
                wait = self._pass(self._queue[0])
                # What takes a portion may close the lane, or lift what has the rest of it wait.
                if wait is not None and not self._closed and not self._lifted:
                    self._timer = self._clock.callLater(wait, self._on_timer)
                    break
            while self._when_empty and not len(self):
                self._when_empty.pop(0)()
        finally:
            self._running = False

    def _on_timer(self) -> None:
        self._timer = None
        self._run()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _pass(self, piece: Piece) -> float | None:
        """Pass on of ``piece`` what may pass. Returns the seconds until more may; None if it is through."""
        now = self._clock.seconds()
        due = max(piece.due.values(), default=now)
        if due > now:
            return float(due - now)
        piece.due.clear()
        if piece.gone:
            self._leave(piece)
            _done(piece)
            return None
        if piece.whole or not piece.data or not (piece.meters or piece.slices):
            return self._pass_whole(piece, now)
        return self._pass_portion(piece, now)

    def _pass_whole(self, piece: Piece, now: float) -> float | None:
        if piece.passed:  # it waits for nothing more
            piece.data, piece.passed = piece.data[piece.passed :], 0
        size = len(piece.data)
        for meter in piece.meters.values():
            if meter.room(now) < min(size, meter.burst):
                return max(meter.wait(size), TICK)
        for meter in piece.meters.values():
            meter.take(size)
        self._leave(piece)
        for _ in range(1 + piece.copies if size or piece.whole or not piece.then else 0):
            piece.deliver(piece.data)
        if self._aside.counts:
            self._next(self._aside.one_passes())
        _done(piece)
        return None

    def _pass_portion(self, piece: Piece, now: float) -> float | None:
        if self._pause_until > now:
            return self._pause_until - now
        size = left = len(piece.data) - piece.passed
        for meter in piece.meters.values():
            size = min(size, meter.room(now))
        if size < 1:
            return max(TICK, *(meter.wait(1) for meter in piece.meters.values()))
        pause = 0.0
        for length, seconds in piece.slices.values():
            size, pause = min(size, length()), max(pause, seconds)
        for meter in piece.meters.values():
            meter.take(size)
        # Not the rest as new bytes: of a large piece in small portions, that would be its square.
        portion = piece.data[piece.passed : piece.passed + size]
        piece.passed += size
        self._pause_until = now + pause
        if size < left:
            self._grow(-size)
            piece.deliver(portion)
            # Slices are to leave one by one: what is written in one turn of the reactor is sent together.
            return pause or (TICK if piece.meters else 0.0)
        self._leave(piece, size)
        piece.deliver(portion)
        _done(piece)
        return None

    def _leave(self, piece: Piece, size: int | None = None) -> None:
        """``piece`` leaves the queue, with the last ``size`` bytes of it."""
        self._queue.popleft()
        self._grow(-(len(piece.data) if size is None else size))

    def _grow(self, size: int) -> None:
        if not self._closed:
            self.size += size
            self._on_size(self.size + EACH * len(self))


def _done(piece: Piece) -> None:
    for call in piece.then:
        call()
