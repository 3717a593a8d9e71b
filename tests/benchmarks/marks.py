"""What is to be reached: each mark with its bar and its aim, and how a figure is held against them."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound: ``sense`` is ``">="``, ``"<"`` or ``"<="``."""

    sense: str
    value: float
    unit: str = ""

    def holds(self, figure: float) -> bool:
        if self.sense == ">=":
            return figure >= self.value
        return figure < self.value if self.sense == "<" else figure <= self.value

    def __str__(self) -> str:
        sign = {">=": "≥", "<=": "≤"}.get(self.sense, self.sense)
        return f"{sign} {amount(self.value, self.unit)}"


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark of the design."""

    key: str
    title: str
    bar: Limit
    aim: Limit


def at_least(bar: float, aim: float) -> tuple[Limit, Limit]:
    """Bar and aim of a ratio."""
    return Limit(">=", bar), Limit(">=", aim)


def below(bar: float, aim: float, unit: str) -> tuple[Limit, Limit]:
    return Limit("<", bar, unit), Limit("<", aim, unit)


def at_most(bar: float, aim: float, unit: str) -> tuple[Limit, Limit]:
    return Limit("<=", bar, unit), Limit("<=", aim, unit)


MARKS = {
    mark.key: mark
    for mark in (
        Mark("echo", "TCP echo, full capture, window open ÷ plain Twisted on epoll", *at_least(0.85, 1.1)),
        Mark("idle", "the same beside 8,000 idle connections ÷ beside none", *at_least(0.90, 1.0)),
        Mark("http", "HTTP /hello, the same 13 bytes, wrk -c50 ÷ plain twisted.web on epoll", *at_least(0.65, 0.90)),
        Mark("inspector", "HTTP inspector, wrk -c50 ÷ plain twisted.web on epoll", *at_least(0.55, 0.80)),
        Mark("rest", "rest, one document, wrk -c50 ÷ plain twisted.web on epoll", *at_least(0.50, 0.80)),
        Mark("mock", "mock, one rule, wrk -c50 ÷ plain twisted.web on epoll", *at_least(0.50, 0.80)),
        Mark("ws-echo", "WebSocket echo, full capture, window open ÷ plain autobahn on epoll", *at_least(0.60, 0.80)),
        Mark("ws-broadcast", "WebSocket broadcast to 50 readers, full capture ÷ plain autobahn", *at_least(0.60, 0.80)),
        Mark(
            "ws-large",
            "broadcast of 5 × 1 MiB to 100 readers: events lost, memory at the most",
            Limit("<=", 0),
            Limit("<", 500, "MB"),
        ),
        Mark(
            "ws-deflated",
            "echo of 200 × 1 MiB, deflated, sent at once: events lost, memory at the most",
            Limit("<=", 0),
            Limit("<", 500, "MB"),
        ),
        Mark("relay", "1 GB through a TCP relay, full capture ÷ through socat", *at_least(0.33, 0.70)),
        Mark("faults", "what a fault adds to a message that it lets pass, one connection", *below(100, 40, "µs")),
        Mark("alerts", "TCP echo with five armed alerts ÷ without", *at_least(0.98, 1.0)),
        Mark("outposts", "events/s of an outpost read through a socket ÷ stored by one program", *at_least(0.3, 0.8)),
        Mark("filter", "a filter over 1,000,000 events, to the last row", *below(0.3, 0.1, "s")),
        Mark("pcapng", "pcapng of 1,000,000 events", *below(12, 4, "s")),
        Mark("tshark", "tshark -Y over the same events exported ÷ our filter", *at_least(40, 100)),
        Mark("typing", "last key of a filter to its first rows, under full echo load", *below(1.0, 0.4, "s")),
        Mark("memory", "memory with 10,000,000 events and a pane open", *below(250, 150, "MB")),
        Mark("lateness", "a 16 ms timer's lateness under full echo load, p99", *below(25, 10, "ms")),
        Mark(
            "page",
            "the same at 20,000 events/s of 500 connections, the page of their service open",
            *below(25, 10, "ms"),
        ),
        Mark("charts-page", "the same with the charts in view", *below(25, 10, "ms")),
        Mark("chart", "all charts of 10,000,000 events, read from the capture", *below(0.5, 0.2, "s")),
        Mark("charts-cost", "TCP echo with rollup and charts in view ÷ without a rollup", *at_least(0.98, 1.0)),
        Mark(
            "quiet",
            "four servers up, window and charts shown, alerts armed, metrics served, nothing to do",
            *at_most(0, 0, "wake-ups/s"),
        ),
        Mark(
            "watched",
            "what watching the reactor and scraping metrics add to an event, echo at full load",
            *below(2, 1, "%"),
        ),
        Mark("soak", "memory that a million events leave behind", *below(20, 5, "MB")),
        Mark("start", "process start to painted window", *below(0.9, 0.5, "s")),
        Mark("size", "the packaged program, one file", *below(75, 50, "MB")),
        Mark("frozen", "the packaged program's folder: process start to painted window", *below(0.9, 0.5, "s")),
        Mark("udp", "UDP, 250 datagrams/s, window shown: CPU of one core", *below(8, 3, "%")),
        Mark("flood", "UDP for 10 s, lost: of 20,000 datagrams/s; the aim, of 60,000/s", *at_most(0, 0, "lost")),
        Mark("kill", "kill -9 under load: age of the newest event stored", *below(100, 50, "ms")),
        Mark("fuzz", "mutated inputs for each parser that a peer or a file reaches: broken", *at_most(0, 0, "parsers")),
        Mark("leave", "SIGTERM under load: until all is stored and the program has left", *below(3.0, 1.0, "s")),
    )
}


@dataclass(slots=True)
class Result:
    """What was measured for one mark.

    Attributes:
        figure: held against the bar.
        for_aim: held against the aim, where that measures something else.
        sound: False where the run itself broke (events missing from the capture, a client
            that failed); the mark then counts as missed, whatever the figure.
        references: the other programs' figures of the same run, by what they are.
        notes: one line each, printed below the mark.
        details: everything else worth keeping.
        seconds: how long it took to measure.
    """

    key: str
    figure: float
    for_aim: float | None = None
    sound: bool = True
    references: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def mark(self) -> Mark:
        return MARKS[self.key]

    @property
    def verdict(self) -> str:
        mark = self.mark
        if not (self.sound and mark.bar.holds(self.figure)):
            return "missed"
        return "aim reached" if mark.aim.holds(self._aim_figure) else "bar reached"

    @property
    def _aim_figure(self) -> float:
        return self.figure if self.for_aim is None else self.for_aim

    def as_json(self) -> dict[str, Any]:
        return {
            "mark": self.key,
            "title": self.mark.title,
            "bar": str(self.mark.bar),
            "aim": str(self.mark.aim),
            "figure": self.figure,
            "unit": self.mark.bar.unit,
            "for_aim": self._aim_figure,
            "verdict": self.verdict,
            "references": self.references,
            "notes": self.notes,
            "sound": self.sound,
            "details": self.details,
            "seconds": round(self.seconds, 1),
        }

    def lines(self) -> list[str]:
        mark = self.mark
        figure = amount(self.figure, mark.bar.unit)
        if self.for_aim is not None:
            figure += f", {amount(self.for_aim, mark.aim.unit)}"
        trouble = "" if self.sound else " (the run itself was not sound)"
        head = f"{mark.title}\n    {figure:<24} at least {mark.bar!s:<11} aim {mark.aim!s:<16} {self.verdict}{trouble}"
        return [*head.split("\n"), *(f"      {note}" for note in self.notes if note)]


def amount(value: float, unit: str) -> str:
    """``0.85``, ``250 MB``, ``0.2 s``: no more digits than mean something."""
    if not unit:
        text = f"{value:.2f}" if value != int(value) else f"{int(value):,}"
    elif value and abs(value) < 10:
        text = f"{value:.2g}"
    else:
        text = f"{value:,.0f}"
    return f"{text} {unit}".strip()


def ratios(ours: list[float], theirs: list[float]) -> float:
    """The median of the ratios of neighbouring runs: a slow minute then slows both of a pair."""
    return median(a / b if b else 0.0 for a, b in zip(ours, theirs, strict=True))


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values are; 0 where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
