"""Sees which code keeps the reactor from its other work, by a thread that looks on only while there is work.

The reactor says when a turn begins (it has something to do) and when it ends (it waits, or asks for more).
The thread sleeps until a turn has lasted ``LONG`` seconds and then takes down the stack that runs: never before, so
that turns which end in time cost two readings of the clock. While no turn runs, it sleeps without a time limit.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, Protocol

from twisted.logger import Logger

from app.failures.blocked import Block, of_turn
from app.failures.record import Frame, frames_of
from app.program.delays import Delays

_log = Logger()

LONG = 0.25
"""Seconds from which a turn is one that blocks. Those do not count in which the system let other programs run."""

LOOK_AGAIN = 5.0
"""The most seconds between two looks at a turn that does not end."""

WINDOW = 15.0
"""Seconds; the longest turn is that of the last one to two of these."""


class Guard(Protocol):
    """What is told that this thread can run."""

    def arm(self) -> None: ...

    def cancel(self) -> None: ...


class Turns:
    """Watches the turns of one reactor.

    Attributes:
        began: when the turn began that runs, by the clock; negative: when the last one did, and none runs.
        asleep: whether the thread has to be woken by the next turn.
        guard: is armed while a turn may run that was not seen to take long, by whoever can.
    """

    def __init__(
        self,
        report: Callable[[Block], None],
        unfinished: Callable[[Block | None], None] = lambda block: None,
        awake: Callable[[float], None] = lambda now: None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        """``report`` is called in the reactor's thread after each turn that took long. ``unfinished`` is called in
        the other thread while one still lasts, again and again, and with None once it is over. ``awake`` is called
        there, with the clock's time, whenever the thread has been woken: some times a second while there is work."""
        self._report, self._unfinished, self._clock = report, unfinished, clock
        self._awake = awake
        self.began = 0.0
        self.asleep = False
        self.guard: Guard | None = None
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._seen: tuple[float, tuple[Frame, ...]] = (0.0, ())
        self._delays: Delays | None = None
        self._idle = 1.0  # as ``began`` was at the last look, if no turn ran
        self._watched = 0.0  # the turn that ran then
        self._before = self._delay = 0.0  # delays at the last look before that turn, and at the last look
        self._worst = self._worst_before = 0.0
        self._notable = 0.0  # a turn that took so long is the longest, or one that blocks
        self._since = clock()
        self._reactor: Any = None
        self._main = threading.get_ident()
        self._closed = False

    def open(self, reactor: Any) -> None:
        """Watch this reactor, in whose thread this is called, from its next turn on. Reactors not of ours have no
        turns to watch: that changes nothing."""
        if not hasattr(reactor, "turns"):
            return
        self._main = threading.get_ident()
        self._delays = Delays(threading.get_native_id())
        self._delay = self._before = self._delayed()  # of the thread, since it began
        self._reactor, reactor.turns, self.asleep = reactor, self, True
        threading.Thread(target=self._run, name="turns", daemon=True).start()

    def close(self) -> None:
        """Watch no longer. Closing again does nothing."""
        if self._reactor is not None and self._reactor.turns is self:
            self._reactor.turns = None
        self._reactor, self._closed = None, True
        guard, self.guard = self.guard, None
        if guard is not None:
            guard.cancel()
        self.end()
        self._bell.put(None)

    # -- called by the reactor

    def begin(self) -> None:
        """A turn begins."""
        self.began = self._clock()
        if self.asleep:
            self.wake()

    def wake(self) -> None:
        """Wake the thread: a turn has begun. A reactor that has read the clock does what ``begin`` does itself: it
        makes many thousand turns a second."""
        self.asleep = False
        if self.guard is not None:
            self.guard.arm()
        self._bell.put(None)

    def end(self) -> None:
        """The turn ends, if one runs."""
        began = self.began
        if began > 0.0:
            self.began = -began
            lasted = self._clock() - began
            if lasted >= self._notable:
                self._on_notable(began, lasted)

    def _on_notable(self, began: float, lasted: float) -> None:
        self._worst = max(self._worst, lasted)
        self._notable = min(self._worst, LONG)
        if lasted >= LONG:
            self._on_long(began, lasted)

    def _on_long(self, began: float, lasted: float) -> None:
        turn, frames = self._seen
        if turn == began:  # seen, and found too long then
            self._unfinished(None)
            self._report(Block(lasted, frames))
            return
        before = self._before if self._watched == began else self._delay
        if lasted - (self._delayed() - before) >= LONG:
            self._report(Block(lasted, ()))

    def longest(self) -> float:
        """Seconds of the longest turn in the last ``WINDOW`` to twice as long; longer if nobody has asked since."""
        now = self._clock()
        found = max(self._worst, self._worst_before)
        if now - self._since >= WINDOW:
            self._worst_before, self._worst, self._since = self._worst, 0.0, now
            self._notable = 0.0
        return found

    # -- in the thread that watches

    def _run(self) -> None:
        wait: float | None = None
        while not self._closed:
            with contextlib.suppress(Empty):
                self._bell.get(timeout=wait)
            wait = self.look()
            try:
                self._awake(self._clock())
            except Exception:
                _log.failure("the program cannot be measured")

    def look(self) -> float | None:
        """See what runs, if it has run too long. Returns the seconds until the next look; None: at the next turn.

        Under load it looks each ``LONG`` seconds. Between two turns it does not go to sleep at once: the next turn
        would have to wake it, and all of them would.
        """
        began, delayed = self.began, self._delayed()
        guard = self.guard
        if began <= 0.0:
            if began != self._idle:
                self._idle, self._delay = began, delayed
                if guard is not None:
                    guard.arm()
                return LONG
            if guard is not None:
                guard.cancel()  # before the next turn can arm it
            self.asleep = True
            if self.began == began:
                self._delay = delayed
                return None
            self.asleep = False  # one that began a moment ago has not seen that the thread sleeps
            began = self.began
            if began <= 0.0:  # and it has ended already
                return LONG
        if self._watched != began:
            self._watched, self._before = began, self._delay
        self._delay = delayed
        lasted = self._clock() - began
        left = LONG - (lasted - (delayed - self._before))
        if guard is not None:
            (guard.arm if left > 0 else guard.cancel)()
        return left if left > 0 else self._look_at(began, lasted)

    def _look_at(self, began: float, lasted: float) -> float:
        """See what runs in a turn that has lasted too long."""
        if self._seen[0] != began:
            frames = self._stack()
            if self.began != began:
                return 0.0  # it was the stack of another turn
            self._seen = (began, frames)
        self._unfinished(Block(lasted, self._seen[1], unfinished=True))
        if self.began != began:
            self._unfinished(None)
        return min(lasted, LOOK_AGAIN)

    def _delayed(self) -> float:
        return self._delays.seconds() if self._delays is not None else 0.0

    def _stack(self) -> tuple[Frame, ...]:
        return of_turn(frames_of(sys._current_frames().get(self._main)))
