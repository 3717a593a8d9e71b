"""The lines of charts: what each shows, in which unit, and its values at each point of a chart."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from app import events
from app.capture import rollup
from app.capture.reading.charts import Chart, Histogram, quantile

Unit = Literal["B/s", "/s", "", "s", "B"]
Values = list[float | None]
"""One for each point of a span; None where nothing is known."""

FOREVER = math.inf
"""The time at which a capture ends that does not grow."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        key: its name in commands and files.
        name: a word or two beside the title of its card.
        values: of a chart that is known up to a time, in seconds since 1970.
    """

    key: str
    name: str
    unit: Unit
    values: Callable[[Chart, float], Values]


@dataclass(frozen=True, slots=True)
class Card:
    """Lines in one picture.

    Attributes:
        histogram: of latencies, which are shown as a heat map below; None: none.
    """

    key: str
    title: str
    lines: tuple[Line, ...]
    histogram: Callable[[Chart], dict[int, Histogram]] | None = None


def seconds_of(chart: Chart, slot: int, until: float) -> float:
    """Seconds of a point that have passed; 0 where it has hardly begun, so that its figure would mean little."""
    passed = until - slot
    if passed >= chart.span.step:
        return chart.span.step
    return passed if passed >= 1 else 0


def _rate(at: int, chart: Chart, until: float) -> Values:
    found: Values = []
    for slot in chart.span.slots:
        seconds = seconds_of(chart, slot, until)
        sums = chart.sums.get(slot)
        found.append((sums[at] if sums else 0) / seconds if seconds else None)
    return found


def _count(at: int, chart: Chart, until: float) -> Values:
    return [(chart.sums[slot][at] if slot in chart.sums else 0) if slot <= until else None for slot in chart.span.slots]


def _open(chart: Chart, until: float) -> Values:
    found: Values = []
    there = chart.open_before
    for slot in chart.span.slots:
        if sums := chart.sums.get(slot):
            there += sums[rollup.OPENED] - sums[rollup.CLOSED]
        found.append(max(0, there) if slot <= until else None)
    return found


def _quantile(share: float, of: Callable[[Chart], dict[int, Histogram]], chart: Chart, until: float) -> Values:
    found = of(chart)
    return [quantile(found[slot], share) if slot in found else None for slot in chart.span.slots]


def _memory(chart: Chart, until: float) -> Values:
    return [chart.memory.get(slot) for slot in chart.span.slots]


def _latency(chart: Chart) -> dict[int, Histogram]:
    return chart.latency


def _loop(chart: Chart) -> dict[int, Histogram]:
    return chart.loop


def _quantiles(prefix: str, of: Callable[[Chart], dict[int, Histogram]], *shares: tuple[str, float]) -> list[Line]:
    return [Line(f"{prefix}_{name}", name, "s", partial(_quantile, share, of)) for name, share in shares]


CARDS: tuple[Card, ...] = (
    Card("traffic", "Bytes", (
        Line("received_bytes", "received", "B/s", partial(_rate, rollup.RECEIVED)),
        Line("sent_bytes", "sent", "B/s", partial(_rate, rollup.SENT)),
    )),
    Card("requests", "Requests", (
        Line("requests", "requests", "/s", partial(_rate, rollup.REQUESTS)),
        Line("client_errors", "4xx", "/s", partial(_rate, rollup.CLIENT_ERRORS)),
        Line("server_errors", "5xx", "/s", partial(_rate, rollup.SERVER_ERRORS)),
    )),
    Card("latency", "Latency", tuple(
        _quantiles("latency", _latency, ("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    ), _latency),
    Card("messages", "Messages", (
        Line("received_messages", "received", "/s", partial(_rate, rollup.MESSAGES_RECEIVED)),
        Line("sent_messages", "sent", "/s", partial(_rate, rollup.MESSAGES_SENT)),
    )),
    Card("connections", "Connections", (
        Line("open_connections", "open", "", _open),
        Line("new_connections", "new", "/s", partial(_rate, rollup.OPENED)),
    )),
    Card("trouble", "Trouble", (
        Line("failures", "failures", "", partial(_count, rollup.FAILURES)),
        Line("lost", "events lost", "", partial(_count, rollup.LOST)),
    )),
    Card("loop", "Event loop", tuple(
        _quantiles("loop", _loop, ("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    )),
    Card("memory", "Memory", (Line("memory", "memory", "B", _memory),)),
)  # fmt: skip
"""What every capture has charts of."""

LINES = {line.key: line for card in CARDS for line in card.lines}


def as_csv(slots: Iterable[int], columns: Sequence[tuple[str, Values]]) -> str:
    """The points as CSV: ``time`` as in RFC 3339, then a column for each of ``columns``; nothing where not known."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["time", *(name for name, _ in columns)])
    for at, slot in enumerate(slots):
        row = (_figure(values[at]) for _, values in columns)
        writer.writerow([events.rfc3339(slot * 10**9).replace(".000000000", ""), *row])
    return out.getvalue()


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) and value != int(value) else str(int(value))
