"""From a turn that took long to its event, which stands among the failures."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from app import events
from app.capture.recorder import Recorder
from app.capture.writing.last_word import IS_THERE, LastWord
from app.failures.fingerprint import called_frame
from app.failures.origins import short
from app.failures.record import BLOCKED, FailureRecord
from app.program import growth
from app.program.growth import Growth, Trend
from app.program.turns import Block, Turns

SAID = 5.0
"""Seconds after which people are told of a turn that does not end."""

STILL = " and had not ended"


def described(block: Block) -> tuple[str, str]:
    """Summary and detail of the event ``loop.blocked``.

    Blocks are of one group when the reactor called the same function of the user's own code: which line of a loop was
    met, and in what it calls, is chance.
    """
    record = FailureRecord(BLOCKED, "", block.frames)
    called = called_frame(record)
    where = f"{short(called.file)}:{called.line}" if called else "something that was over before it could be seen"
    has = "has blocked" if block.unfinished else "blocked"
    whom = f"every service for {block.seconds:,.1f} s"
    end = STILL if block.unfinished else ""
    place = f"{short(called.file)}\0{called.function}" if called else ""
    group = blake2b(f"{BLOCKED}\0{place}".encode("utf-8", "replace"), digest_size=8).hexdigest()
    record = FailureRecord(BLOCKED, f"{whom}, in {where}{end}" if called else f"{whom}{end}", block.frames)
    more = {"unfinished": True} if block.unfinished else {}
    detail = {"group": group, **record.as_json(), "seconds": round(block.seconds, 3), **more}
    return f"{where} {has} {whom}{end}", json.dumps(detail)


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
            ``open``, and where the system cannot share memory.
    """

    def __init__(self, reactor: Any, recorder: Recorder, read: Callable[[], dict[str, int]] = dict) -> None:
        """``read`` gives the figures of the program, in another thread."""
        self._reactor, self._recorder = reactor, recorder
        self._say: Callable[[str], object] = lambda words: None
        self.growth = Growth(read, self._on_trend)
        self.turns = Turns(lambda block: record(recorder, block), self._on_unfinished, self.growth.sample)
        self.last_word: LastWord | None = None
        self._said = False

    def open(self, say: Callable[[str], object]) -> None:
        """Begin to watch, in the reactor's thread, before the capture is opened.

        ``say`` takes a line for people, in another thread, about a turn that does not end.
        """
        self._say = say
        if IS_THERE:
            with contextlib.suppress(OSError):  # no descriptor left
                self.last_word = LastWord()
        self.turns.open(self._reactor)

    def close(self) -> None:
        """Watch no longer."""
        self.turns.close()
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
