"""Series of the user's own: how many events fit a filter, their bytes, or the average of a field, over time.

The events have to be looked at. That is done part by part, the newest first; what was counted is kept by the second,
so that afterwards only new events are looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.capture.filters import errors
from app.capture.filters.fields import FIELDS
from app.capture.filters.language import parse
from app.capture.reading.chart_lines import Unit, Values, seconds_of
from app.capture.reading.charts import Chart, Span
from app.capture.reading.coverage import Coverage
from app.capture.reading.store import Store

MOST_SERIES = 6

COUNT, BYTES = "count", "bytes"
"""Measures; any other one is the name of a field whose average is shown."""

AVERAGED = tuple(
    name
    for name, field in FIELDS.items()
    if field.type == "number" and field.lookup is None and name not in ("id", "conn")
)
"""Fields of which there is an average."""

MEASURES = (COUNT, BYTES, *AVERAGED)

MOST_SECONDS = 100_000
"""Points of a series in memory; above, each is a minute, and then an hour."""

_FOUND = """
SELECT json_group_array(json_array(second, count, bytes, known, total)) FROM (
    SELECT CAST(time AS INTEGER) / {unit}000000000 AS second, count(*) AS count,
        CAST(total(size) AS INTEGER) AS bytes, count({value}) AS known, total({value}) AS total
    FROM event WHERE id BETWEEN ? AND ? AND ({where}) GROUP BY 1)
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a series shows: a filter as it is typed, and a measure."""

    typed: str
    measure: str = COUNT

    @property
    def unit(self) -> Unit:
        if self.measure == COUNT:
            return "/s"
        if self.measure == BYTES:
            return "B/s"
        return "s" if self.measure.endswith(".seconds") else "B" if self.measure == "size" else ""

    def __str__(self) -> str:
        return f"{self.measure}: {self.typed}" if self.typed else self.measure


def wish(text: str) -> Wish:
    """What ``str`` of a wish gives; without a measure, events are counted. Raises FilterError."""
    head, colon, rest = text.partition(":")
    measured = bool(colon) and head.strip() in MEASURES
    found = Wish(rest.strip(), head.strip()) if measured else Wish(text.strip())
    parse(found.typed)
    return found


class OwnSeries:
    """One series of one capture. Its methods run in the thread of the reader.

    Raises FilterError for a filter that means nothing.
    """

    def __init__(self, wish: Wish) -> None:
        if wish.measure not in MEASURES:
            raise errors.FilterError(
                at=0, reason=f"there is no measure {wish.measure}. There are {', '.join(MEASURES)}"
            )
        self.wish = wish
        self._where = parse(wish.typed)
        self._value = FIELDS[wish.measure].sql if wish.measure in AVERAGED else "NULL"
        self._found: dict[int, list[float]] = {}
        self._unit = 1
        self._coverage = Coverage()

    def step(self, store: Store) -> float:
        """Look at the next part of the events, the newest first. Returns the share of all that was looked at."""
        first, last = store.range()
        part = self._coverage.next(first, last)
        if part is None:
            return 1.0
        sql = _FOUND.format(unit=self._unit, value=self._value, where=self._where.sql)
        for second, *figures in store.listed(sql, (*part, *self._where.values)):
            self._add(second, figures)
        self._coverage.add(*part)
        if len(self._found) > MOST_SECONDS and self._unit < 3600:
            self._coarsen()
        return self._coverage.done(first, last)

    def _add(self, second: int, figures: list[float]) -> None:
        into = self._found.setdefault(second, [0, 0, 0, 0.0])
        for at, value in enumerate(figures):
            into[at] += value

    def _coarsen(self) -> None:
        found, self._found = self._found, {}
        self._unit *= 60
        for second, figures in found.items():
            self._add(second // 60, figures)

    def values(self, span: Span, until: float) -> Values:
        """The values at each point of a span, of a capture that is known up to a time."""
        merged: dict[int, list[float]] = {}
        low, high = span.slots.start, span.slots.start + len(span.slots) * span.step
        for second, figures in self._found.items():
            when = second * self._unit
            if low <= when < high:
                into = merged.setdefault(when - when % span.step, [0, 0, 0, 0.0])
                for at, value in enumerate(figures):
                    into[at] += value
        nothing = [0.0, 0, 0, 0]
        chart = Chart(span)
        found: Values = []
        for slot in span.slots:
            count, size, known, total = merged.get(slot, nothing)
            seconds = seconds_of(chart, slot, until)
            if self.wish.measure in (COUNT, BYTES):
                amount = count if self.wish.measure == COUNT else size
                found.append(amount / seconds if seconds else None)
            else:
                found.append(total / known if known else None)
        return found
