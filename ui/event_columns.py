"""The columns of an event pane: what each shows of a row, and in which colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from PyQt5.QtCore import Qt

from app import events
from app.events import NAMES, Row
from ui.shapes import Mark
from ui.theme import Theme

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
    events.SERVICE_STARTED: "opened",
    events.SERVICE_STOPPED: "closed",
    events.FAILURE: "failure",
    events.SERVICE_FAILED: "failure",
    events.TLS_FAILED: "failure",
    events.LIMIT_REACHED: "fault",
    events.FAULT_APPLIED: "fault",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        chars: its first width, in characters of the monospaced font.
        right: whether numbers stand right-aligned in it.
        quiet: whether it is dim, unless the row itself has a colour.
    """

    title: str
    tip: str
    chars: int
    text: Text
    right: bool = False
    quiet: bool = False


def mark_of(row: Row) -> Mark | None:
    """The shape that tells this row's direction or state."""
    if row.kind == events.WS_MESSAGE:
        return "sent" if row.summary.startswith("→") else "received"
    return MARKS.get(row.kind)


def row_color(row: Row, theme: Theme) -> str | None:
    """The colour of a row that asks for attention, or None."""
    if row.kind in (events.FAILURE, events.SERVICE_FAILED, events.TLS_FAILED):
        return theme.bad
    if row.kind in (events.LIMIT_REACHED, events.FAULT_APPLIED):
        return theme.warning
    if row.kind == events.HTTP_RESPONSE and row.summary[:1] in ("4", "5"):
        return theme.bad if row.summary[0] == "5" else theme.warning
    return None


@lru_cache(4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S")


def clock(time: int) -> str:
    """``time`` in ns as local ``12:03:11.482 007``, to the microsecond."""
    seconds, ns = divmod(time, 10**9)
    return f"{_second(seconds)}.{ns // 10**6:03} {ns // 1000 % 1000:03}"


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
    Column("#", "Number of the event in the capture", 7, lambda row, _: str(row.id), right=True, quiet=True),
    Column("Time", "When it was received, in local time", 16, lambda row, _: clock(row.time), quiet=True),
    Column("Δ", "Time since the row above", 8, delta, right=True, quiet=True),
    Column("Service", "The service it happened to", 14, lambda row, _: row.service),
    Column("Peer", "The other side's address and port", 16, lambda row, _: row.peer or ""),
    Column("", "Direction: ← received, → sent", 2, lambda row, _: ""),
    Column("Kind", "What happened", 17, lambda row, _: NAMES.get(row.kind, str(row.kind))),
    Column("Size", "Bytes", 7, lambda row, _: "" if row.size is None else f"{row.size:,}", right=True),
    Column("Summary", "The payload's beginning, or what happened in words", 60, lambda row, _: row.summary),
)

MARK = 5
"""The column that holds a shape instead of text."""


def alignment(column: Column) -> int:
    return int((Qt.AlignRight if column.right else Qt.AlignLeft) | Qt.AlignVCenter)


def as_text(row: Row, above: Row | None) -> str:
    """The row as tab-separated text, for the clipboard."""
    mark = {"received": "←", "sent": "→"}.get(mark_of(row) or "", "")
    return "\t".join(mark if i == MARK else column.text(row, above) for i, column in enumerate(COLUMNS))
