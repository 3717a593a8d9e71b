"""Has the stack written down where no thread of Python's can run: one call into C has kept the interpreter's lock.

:mod:`faulthandler` does so, by a thread that needs no lock. It may only be called upon where nothing else can be: it
reads frames that must not change meanwhile.
"""

from __future__ import annotations

import faulthandler
import os
from time import monotonic

from app.capture.writing.last_word import STUCK, LastWord

AGAIN = STUCK / 2
"""Seconds after which it counts anew: a thread of C ends and another begins then, which costs more than looking."""


class Stuck:
    """Writes the stacks into the last word when ``arm`` was not called again for ``STUCK`` seconds.

    There is one in a process. The reactor calls ``arm`` when it wakes the thread that watches, and the thread does
    with each look: as long as either can, nothing is written.
    """

    def __init__(self, word: LastWord) -> None:
        self._word = word
        self._armed = 0.0

    def arm(self) -> None:
        """Begin to count anew, and forget what was written."""
        now = monotonic()
        if now - self._armed < AGAIN:
            return
        self._armed = now
        if os.fstat(self._word.file).st_size:
            self._word.take_back()
        faulthandler.dump_traceback_later(STUCK, file=self._word.file)

    def cancel(self) -> None:
        """Write nothing."""
        self._armed = 0.0
        faulthandler.cancel_dump_traceback_later()
