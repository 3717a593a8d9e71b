"""From a turn that took long to its event, which stands among the failures."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from app import events
from app.capture.recorder import Recorder
from app.capture.writing.last_word import IS_THERE, LastWord
from app.failures.blocked import STILL, Block, described
from app.program import growth
from app.program.growth import Growth, Trend
from app.program.stuck import Stuck
from app.program.turns import Turns

SAID = 5.0
"""Seconds after which people are told of a turn that does not end."""


def record(recorder: Recorder, block: Block) -> None:
    """Record a turn that took long, and is over."""
    summary, detail = described(block)
    recorder.failures += 1
    recorder.record(events.LOOP_BLOCKED, summary=summary, detail=detail)


class LoopWatch:
    """Watches the reactor, and records each turn that takes long, once; and what of the program only grows.

    Attributes:
        turns: what it sees.
        growth: looks at the program meanwhile, as long as that is awake anyway.
        last_word: what the writer of the capture stores if the program is ended during such a turn; None before
            ``prepare``, and where the system cannot share memory.
    """

    def __init__(self, reactor: Any, recorder: Recorder, read: Callable[[], dict[str, int]] = dict) -> None:
        """``read`` gives the figures of the program, in another thread."""
        self._reactor, self._recorder = reactor, recorder
        self._say: Callable[[str], object] = lambda words: None
        self.growth = Growth(read, self._on_trend)
        self.turns = Turns(lambda block: record(recorder, block), self._on_unfinished, self.growth.sample)
        self.last_word: LastWord | None = None
        self._said = False

    def prepare(self) -> None:
        """Make ``last_word``, before the capture is opened."""
        if IS_THERE:
            with contextlib.suppress(OSError):  # no descriptor left
                self.last_word = LastWord()

    def open(self, say: Callable[[str], object]) -> None:
        """Begin to watch, in the reactor's thread, once the program has started: that may take long, and is nobody's
        mistake.

        ``say`` takes a line for people, in another thread, about a turn that does not end.
        """
        self._say = say
        if self.last_word is not None:
            self.turns.guard = Stuck(self.last_word)
        self.turns.open(self._reactor)

    def stop(self) -> None:
        """Watch no longer."""
        self.turns.close()

    def close(self) -> None:
        """The same, and free ``last_word``, once the capture is closed."""
        self.stop()
        if self.last_word is not None:
            self.last_word.close()

    def _on_trend(self, trend: Trend) -> None:
        self._reactor.callFromThread(growth.record, self._recorder, trend)

    def _on_unfinished(self, block: Block | None) -> None:
        # Not in the reactor's thread, unless it is None.
        if block is None:
            self._said = False
            if self.last_word is not None:
                self.last_word.take_back()
            return
        summary, detail = described(block)
        if self.last_word is not None:
            self.last_word.say(events.LOOP_BLOCKED, summary, detail)
        if block.seconds >= SAID and not self._said:
            self._said = True
            self._say(summary.removesuffix(STILL))
