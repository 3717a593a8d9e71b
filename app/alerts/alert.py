"""What an alert is, as it is declared, checked and written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from app.alerts import actions
from app.options import Option, without_defaults

MAX_ALERTS = 50
"""Alerts of a workspace."""

MAX_ACTIONS = 10
"""Things that one alert does."""

MAX_NAME = 60
"""Characters of an alert's name."""

MAX_COUNT = 100_000
DAY = 86_400.0


def _name(value: str) -> str | None:
    if not value.strip() or value != value.strip() or len(value) > MAX_NAME or not value.isprintable():
        return f"must be one line of at most {MAX_NAME} characters, without spaces around it"
    return None


def _when(value: str) -> str | None:
    if not value.strip():
        return "must be a filter, such as http.status >= 500"
    from app.capture.filters import language  # slow to load, and most workspaces have no alert
    from app.capture.filters.errors import FilterError

    try:
        names, _ = language.named(value)
    except FilterError as e:
        return f"is not a filter: at character {e.at + 1}, {e.fields['reason']}"
    if late := sorted(names & {"time", "note", "note.colour"}):
        return f"cannot name {late[0]}: an event is looked at once, when it is stored"
    return None


def _then(value: list[str]) -> str | None:
    if len(value) > MAX_ACTIONS:
        return f"has {len(value)} of them; an alert has {MAX_ACTIONS} actions at most"
    return next((problem for text in value if (problem := actions.problem(text))), None)


ALERT = (
    Option("name", str, "", "Name of the alert", required=True, check=_name),
    Option("when", str, "", "A filter: the events that are counted", required=True, check=_when),
    Option("count", int, 1, "Number of matching events that raises the alert", minimum=1, maximum=MAX_COUNT),
    Option(
        "within_seconds", float, 60.0, "Time within which they must come, by the times of the events", "s", 0.001, DAY,
    ),
    Option(
        "quiet_seconds", float, 300.0,
        "Time without further notices after the alert was raised; the alert is resolved when nothing would have raised"
        " it for this long",
        "s", 1.0, 7 * DAY,
    ),
    Option("then", list, ["notify"], "Actions of the alert", check=_then),
)  # fmt: skip
"""The keys of ``[[alert]]``."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One ``[[alert]]`` of a workspace; ``ALERT`` says what each key means."""

    name: str
    when: str
    count: int = 1
    within_seconds: float = 60.0
    quiet_seconds: float = 300.0
    then: tuple[str, ...] = ("notify",)

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Alert:
        """The alert of a valid table."""
        return cls(**{**table, "then": tuple(table.get("then", ("notify",)))})

    def as_table(self) -> dict[str, Any]:
        """The table for a workspace file: without keys that have their default values."""
        return without_defaults(ALERT, self.every_key())

    def every_key(self) -> dict[str, Any]:
        """The table with all its keys."""
        return asdict(self) | {"then": list(self.then)}

    @property
    def condition(self) -> str:
        """What raises it, in a few words, after the filter."""
        if self.count == 1:
            return ""
        return f"{self.count:,} within {self.within_seconds:g} s"


def unknown_services(alert: Alert, services: Collection[str]) -> list[str]:
    """The services that an alert stops and that are not among ``services``."""
    done = (actions.parsed(text) for text in alert.then)
    return [name for action, name in done if action.stops and name not in services]
