"""What came of one check, and what a watch knows from its checks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.watch.config import WatchConfig

State = Literal["unknown", "up", "down"]

KEPT = 300
"""Results of a watch that are kept to be shown."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one check.

    Attributes:
        reason: what was wrong, as one sentence; "" where it is ``ok``.
        milliseconds: from its beginning to its end.
        status: of an HTTP answer; 0: there was none.
        expires: when the certificate does, as in RFC 3339; "" where none was looked at.
        conn: the number of its connection in the recorder; 0: it had none.
        time: of its end, in ns since 1970.
    """

    ok: bool
    milliseconds: float
    reason: str = ""
    status: int = 0
    expires: str = ""
    conn: int = 0
    time: int = 0


class Watch:
    """One watch: its settings, and what its checks have found since its settings changed.

    What they found before the program was started is added where the capture has it.

    Attributes:
        state: ``"unknown"`` until enough checks in a row were well or have failed, or while it is not checked.
        words: the last words: what the last check found, or why there is none.
        milliseconds: of the last check; None before the first.
        results: the newest, the oldest first.
        checks, well: how many there were, and how many of them were ok.
        earlier: whether all that is known of it is from before the program was started.
        since: when it came into this state, in seconds of the reactor's clock, which nobody sets.
        running: whether a check is under way.
        paused: whether the user has paused it.
        held: why it may not run, in words; "" where it may.
    """

    def __init__(self, config: WatchConfig) -> None:
        self.config = config
        self.state: State = "unknown"
        self.words = ""
        self.milliseconds: float | None = None
        self.results: deque[Result] = deque(maxlen=KEPT)
        self.checks = self.well = 0
        self.since = 0.0
        self.running = self.paused = self.earlier = False
        self.held = ""
        self._failed_in_row = self._well_in_row = 0

    @property
    def uptime(self) -> float | None:
        """The part of its checks that were ok, 0 to 1; None before the first."""
        return self.well / self.checks if self.checks else None

    @property
    def failed_in_row(self) -> int:
        return self._failed_in_row

    def take(self, result: Result, now: float) -> State | None:
        """Add a result, at ``now`` on the clock. Returns the new state where it has changed."""
        self.results.append(result)
        self.earlier = False
        self.checks += 1
        self.well += result.ok
        self.milliseconds = result.milliseconds
        self.words = result.reason or "ok"
        self._well_in_row = self._well_in_row + 1 if result.ok else 0
        self._failed_in_row = 0 if result.ok else self._failed_in_row + 1
        wanted: State = self.state
        if result.ok and (self.state == "unknown" or self._well_in_row >= self.config.recovers_after):
            wanted = "up"
        elif self._failed_in_row >= self.config.fails_after:
            wanted = "down"
        return self._become(wanted, now)

    def remember(self, results: Sequence[Result], checks: int, well: int) -> None:
        """So many more checks there were before all that is known, and how many were well; ``results``: newest first.

        They say nothing of the state that it is in now.
        """
        self.earlier = self.earlier or not self.checks
        self.checks += checks
        self.well += well
        self.results.extendleft(results[: KEPT - len(self.results)])

    def set_aside(self, words: str, now: float) -> bool:
        """It is not checked, for a reason in ``words``, and nothing is known of its target. Whether that is new."""
        if self.words == words and self.state == "unknown":
            return False
        self.words = words
        self._failed_in_row = self._well_in_row = 0
        self._become("unknown", now)
        return True

    def _become(self, state: State, now: float) -> State | None:
        if state == self.state:
            return None
        self.state, self.since = state, now
        return state
