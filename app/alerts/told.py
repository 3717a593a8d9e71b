"""What an alert tells, and its words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app import __version__
from app.events import rfc3339
from app.text.escapes import one_line

State = Literal["raised", "resolved", "test"]


@dataclass(frozen=True, slots=True)
class Told:
    """One word of an alert.

    Attributes:
        when: the filter.
        count: how many events fit; of one that is resolved, since it was raised.
        seconds: the time in which they came.
        time: ns since 1970 UTC.
        event: the last of them, without payload; empty where there is none.
        missed: earlier words of the same alert that could not be sent.
    """

    alert: str
    state: State
    when: str
    count: int
    seconds: float
    time: int
    event: dict[str, Any] = field(default_factory=dict)
    missed: int = 0

    @property
    def title(self) -> str:
        """One line: what happened."""
        if self.state == "test":
            return one_line(f"{self.alert}: a test, nothing has happened")
        if self.state == "resolved":
            return one_line(f"{self.alert}: resolved")
        return one_line(f"{self.alert}: {events(self.count)} in {self.seconds:g} s")

    @property
    def text(self) -> str:
        """One line more: the last event."""
        if self.state == "test":
            return "Somebody tried this alert. It works."
        if self.state == "resolved":
            return f"Calm again. {events(self.count)} matched while it was raised, for {self.seconds:,.0f} s."
        last = self.event
        words = " ".join(str(last[key]) for key in ("service", "kind", "summary") if last.get(key))
        return one_line(words) or "Its last event is not in the capture any more."

    def behind(self, missed: int) -> Told:
        """The same, which says that so many before it could not be sent."""
        return replace(self, missed=missed)

    def as_json(self) -> dict[str, Any]:
        """What a webhook gets."""
        return {
            "alert": self.alert,
            "state": self.state,
            "title": self.title,
            "text": self.text,
            "when": self.when,
            "count": self.count,
            "seconds": self.seconds,
            "time": rfc3339(self.time),
            "unsent_before": self.missed,
            "event": self.event or None,
            "program": f"Listening Post {__version__}",
        }


def events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"
