"""Whether so many events came within so long: one alert's sliding window, and what has become of the alert."""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from app.alerts.alert import Alert
from app.alerts.looking import Matching

State = Literal["armed", "raised"]


@dataclass(slots=True)
class Watched:
    """One alert while it is looked after. Times of events are ns since 1970; all others are seconds of the clock.

    Attributes:
        state: ``raised`` until nothing has come for ``quiet_seconds`` that would have raised it.
        over: when something came last that made it so many.
        quiet_until: until when nothing more is said.
        began: when it was raised.
        since: events that fitted since it was raised.
        last: the number of the last event that fitted; 0 for none.
        raised_at: when it was raised last, in ns since 1970; 0 for never. ``told``: the same on the clock.
        trouble: why it cannot be looked for, in words; empty: it is.
    """

    alert: Alert
    state: State = "armed"
    over: float = 0.0
    quiet_until: float = 0.0
    began: float = 0.0
    since: int = 0
    last: int = 0
    raised_at: int = 0
    told: float = 0.0
    trouble: str = ""
    _untold: int = 0
    _newest: int = 0
    _back: int = 0
    _times: deque[int] = field(init=False)

    def __post_init__(self) -> None:
        self._times = deque(maxlen=self.alert.count)

    def take(self, found: Matching, now: float) -> int:
        """Count what fits. Returns how many events are to be told of, or 0 while there is nothing to tell."""
        if not found.times:
            return 0
        self.last = found.last
        self._untold += len(found.times)
        if self.state == "raised":
            self.since += len(found.times)
        if not self._reaches(found.times):
            return 0
        self.over = now
        if self.state == "raised" and now < self.quiet_until:
            return 0
        if self.state == "armed":
            self.state, self.began = "raised", now
            self.since = self._untold = self._within(found.times)
        self.quiet_until = now + self.alert.quiet_seconds
        told, self._untold = self._untold, 0
        return told

    def calm_at(self) -> float:
        """When it is resolved, unless something comes before."""
        return self.over + self.alert.quiet_seconds

    def resolve(self) -> None:
        """It is calm."""
        self.state, self._untold = "armed", 0

    def _reaches(self, times: list[int]) -> bool:
        """Whether at any of ``times`` there were so many within so long."""
        window, count, reached = int(self.alert.within_seconds * 1e9), self.alert.count, False
        for time in times:
            time += self._back
            if time < self._newest - window:
                # The clock was set back. What came before has its distance from what comes now, as far as it is known.
                self._back += self._newest - time
                time = self._newest
            if time >= self._newest:
                self._newest = time
                self._times.append(time)
            else:  # it took longer to come here than others: it is of an outpost
                if len(self._times) == count:
                    time = max(time, self._times.popleft())
                insort(self._times, time)
            reached = reached or (len(self._times) == count and time - self._times[0] <= window)
        return reached

    def _within(self, times: list[int]) -> int:
        """How many of the window that ends with ``times`` there are, more than are kept, too."""
        window = int(self.alert.within_seconds * 1e9)
        here = sum(times[-1] - time <= window for time in times)
        return max(here, len(self._times))
