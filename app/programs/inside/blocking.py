"""Sees what keeps the reactor of a hosted program from its work, from another thread.

The program's reactor may be any, so that its turns cannot be watched as those of the program itself are
(``app.program.turns``): while its thread does not wait, it is asked to answer. A program that waits is not woken.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from app import events
from app.failures.blocked import Block, described, of_turn
from app.failures.origins import library
from app.failures.record import Frame, frames_of
from app.programs.inside.link import HostRecorder

LONG = 1.0
"""Seconds from which a turn is one that blocks."""

WITHOUT = 5.0
"""Seconds for which a program may run without a reactor before that is said."""

_WAITS = ("selectors.py", "epollreactor.py", "pollreactor.py", "selectreactor.py", "kqreactor.py", "threading.py")
"""Files of the functions in which a reactor waits."""


class Blocking:
    """Looks at one program.

    Args:
        reactor: gives its reactor, once there is one.
        tell: takes where it stands, in words; "" once it goes on.
    """

    def __init__(
        self,
        recorder: HostRecorder,
        reactor: Callable[[], Any],
        tell: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._recorder, self._reactor, self._tell, self._clock = recorder, reactor, tell, clock
        self._main = threading.main_thread().ident or 0
        self._asked: float | None = None
        self._began = clock()
        self._told = False

    def look(self) -> None:
        """Ask the reactor, or see what keeps it from answering."""
        reactor, frame = self._reactor(), sys._current_frames().get(self._main)
        if reactor is None or not reactor.running:
            if frame is not None and not _waits(frame) and self._clock() - self._began >= WITHOUT:
                self._say(frame, "has not started its reactor for")
            return
        if self._asked is None:
            if frame is not None and _waits(frame):
                return self._on_answer()
            self._asked = self._clock()
            reactor.callFromThread(self._on_answer)
        elif self._clock() - self._asked >= LONG and frame is not None and not self._told:
            self._say(frame, "")
            block = Block(self._clock() - self._asked, of_turn(_own(frame)), unfinished=True)
            summary, detail = described(block, "the program's reactor")
            self._recorder.failures += 1
            self._recorder.record(events.LOOP_BLOCKED, summary=summary, detail=detail)
            self._recorder.flush()

    def _on_answer(self) -> None:
        self._asked, self._began = None, self._clock()
        if self._told:
            self._told = False
            self._tell("")

    def _say(self, frame: FrameType, why: str) -> None:
        if self._told:
            return
        self._told = True
        frames = of_turn(_own(frame))
        last = next((one for one in reversed(frames) if _is_users(one.file)), frames[-1] if frames else None)
        where = f"{os.path.basename(last.file)}:{last.line} in {last.function}" if last is not None else "unknown code"
        since = self._began if self._asked is None else self._asked
        words = f"it {why or 'has answered nobody for'} {self._clock() - since:,.0f} s"
        self._tell(f"{where}: {words}")


def _waits(frame: FrameType) -> bool:
    return os.path.basename(frame.f_code.co_filename) in _WAITS


def _own(frame: FrameType) -> tuple[Frame, ...]:
    """The stack without what has started the program."""
    ours = os.path.dirname(os.path.dirname(sys._getframe().f_code.co_filename)) + os.sep
    return tuple(one for one in frames_of(frame) if not one.file.startswith((ours, "<frozen runpy>")))


def _is_users(file: str) -> bool:
    return library(file) is None and not file.startswith("<")
