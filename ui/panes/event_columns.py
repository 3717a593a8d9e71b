"""The columns of an event pane: what each shows of a row, and in which colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PyQt5.QtCore import Qt

from app import events
from app.events import NAMES, Row
from ui.looks.shapes import Mark
from ui.looks.theme import Theme
from ui.looks.times import clock

Text = Callable[[Row, "Row | None"], str]
"""The text of a row's cell, from the row and the one above it."""

MARKS: dict[int, Mark] = {
    events.DATA_RECEIVED: "received",
    events.DATA_SENT: "sent",
    events.DATAGRAM_RECEIVED: "received",
    events.DATAGRAM_SENT: "sent",
    events.HTTP_REQUEST: "received",
    events.HTTP_RESPONSE: "sent",
    events.CONNECTION_OPENED: "opened",
    events.CONNECTION_CLOSED: "closed",
    events.TLS_OPENED: "opened",
    events.SERVICE_STARTED: "opened",
    events.SERVICE_STOPPED: "closed",
    events.FAILURE: "failure",
    events.SERVICE_FAILED: "failure",
    events.TLS_FAILED: "failure",
    events.LIMIT_REACHED: "fault",
    events.FAULT_APPLIED: "fault",
    events.FAILURE_RESOLVED: "closed",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        chars: its first width, in characters of the monospaced font. Numbers of rows make room as they grow.
        right: whether numbers stand right-aligned in it.
        quiet: whether it is dim, unless the row itself has a colour.
        color: the colour of a cell that says more than others, or None.
        field: what a filter calls it, and ``value`` what a row has there; None: nothing to filter by.
    """

    title: str
    tip: str
    chars: int
    text: Text
    right: bool = False
    quiet: bool = False
    color: Callable[[Row, Theme], str | None] = lambda *_: None
    field: str = ""
    value: Callable[[Row], object] = lambda _: None


_OURS: dict[str, Mark] = {"→ ": "sent", "← ": "received"}
"""How the requests begin that we sent, and their responses."""


def mark_of(row: Row) -> Mark | None:
    """The shape that tells this row's direction or state."""
    if row.kind == events.WS_MESSAGE:
        return "sent" if row.summary.startswith("→") else "received"
    if row.kind in (events.HTTP_REQUEST, events.HTTP_RESPONSE) and row.summary[:2] in _OURS:
        return _OURS[row.summary[:2]]
    return MARKS.get(row.kind)


def row_color(row: Row, theme: Theme) -> str | None:
    """The colour of a row that asks for attention, or None."""
    if row.kind in (events.FAILURE, events.SERVICE_FAILED, events.TLS_FAILED):
        return theme.bad
    if row.kind in (events.LIMIT_REACHED, events.FAULT_APPLIED):
        return theme.warning
    if row.kind == events.HTTP_RESPONSE:
        return {"4": theme.warning, "5": theme.bad}.get(row.summary.removeprefix("← ")[:1])
    return None


def delta(row: Row, above: Row | None) -> str:
    """The time since the row above: ``+0.8 ms``, ``+12 s``."""
    if above is None:
        return ""
    ns = row.time - above.time
    sign, ns = ("-", -ns) if ns < 0 else ("+", ns)
    if ns < 10_000_000:
        return f"{sign}{ns / 1e6:.1f} ms"
    if ns < 999_500_000:
        return f"{sign}{ns / 1e6:.0f} ms"
    if ns < 100_000_000_000:
        return f"{sign}{ns / 1e9:.1f} s"
    return f"{sign}{ns / 60e9:.0f} min"


COLUMNS = (
    Column("#", "Number of the event in the capture", 5, lambda row, _: str(row.id), right=True, quiet=True),
    Column("Time", "When it was received", 16, lambda row, _: clock(row.time), quiet=True),
    Column("Δ", "Time since the row above", 7, delta, right=True, quiet=True),
    Column(
        "Service", "The service it happened to", 14, lambda row, _: row.service,
        field="service", value=lambda row: row.service or None,
    ),
    Column(
        "Peer", "The other side's address and port", 15, lambda row, _: row.peer or "",
        field="peer", value=lambda row: row.peer,
    ),
    Column(
        "", "Direction: ← received, → sent", 1, lambda row, _: "",
        field="direction", value=lambda row: _direction(row),
    ),
    Column(
        "Kind", "What happened", 17, lambda row, _: NAMES.get(row.kind, str(row.kind)),
        field="kind", value=lambda row: NAMES.get(row.kind),
    ),
    Column(
        "Size", "Bytes", 7, lambda row, _: "" if row.size is None else f"{row.size:,}", right=True,
        field="size", value=lambda row: row.size,
    ),
    Column("Summary", "The payload's beginning, or what happened in words", 60, lambda row, _: row.summary),
)  # fmt: skip


def _direction(row: Row) -> str | None:
    mark = mark_of(row)
    return mark if mark in ("received", "sent") else None


MARK = 5
"""The column that holds a shape instead of text."""


def alignment(column: Column) -> int:
    return int((Qt.AlignRight if column.right else Qt.AlignLeft) | Qt.AlignVCenter)


def as_text(row: Row, above: Row | None, columns: tuple[Column, ...] = COLUMNS) -> str:
    """The row as tab-separated text, for the clipboard."""
    mark = {"received": "←", "sent": "→"}.get(mark_of(row) or "", "")
    return "\t".join(mark if column is COLUMNS[MARK] else column.text(row, above) for column in columns)
