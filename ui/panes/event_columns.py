"""The columns of an event pane, and the shape and the colour of its rows."""

from __future__ import annotations

from app import events
from app.events import ARROWS, KINDS, NAMES, Row
from ui.looks.shapes import Mark
from ui.looks.theme import Theme
from ui.looks.times import clock
from ui.panes.columns import Column

_MARKS: dict[int, Mark] = {
    **{code: kind.direction for code, kind in KINDS.items() if kind.direction},
    events.CONNECTION_OPENED: "opened",
    events.CONNECTION_CLOSED: "closed",
    events.TLS_OPENED: "opened",
    events.SERVICE_STARTED: "opened",
    events.SERVICE_STOPPED: "closed",
    events.FAILURE: "failure",
    events.LOOP_BLOCKED: "failure",
    events.GROWING: "fault",
    events.SERVICE_FAILED: "failure",
    events.TLS_FAILED: "failure",
    events.LIMIT_REACHED: "fault",
    events.FAULT_APPLIED: "fault",
    events.FAILURE_RESOLVED: "closed",
    events.WATCH_FAILED: "failure",
    events.WATCH_RECOVERED: "opened",
    events.CAPTURE_PAUSED: "closed",
    events.CAPTURE_RESUMED: "opened",
}

_MARKED: dict[str, Mark] = {f"{ARROWS[mark]} ": mark for mark in ("sent", "received")}
"""How the summaries of requests begin that we sent, and those of their responses."""


def mark_of(row: Row) -> Mark | None:
    """The shape that tells this row's direction or state."""
    if row.kind == events.WS_MESSAGE:
        return "sent" if row.summary.startswith(ARROWS["sent"]) else "received"
    if row.kind in (events.HTTP_REQUEST, events.HTTP_RESPONSE) and row.summary[:2] in _MARKED:
        return _MARKED[row.summary[:2]]
    return _MARKS.get(row.kind)


def row_color(row: Row, theme: Theme) -> str | None:
    """The colour of a row that asks for attention, or None."""
    if row.kind == events.HTTP_RESPONSE:
        return {"4": theme.warning, "5": theme.bad}.get(row.summary.removeprefix("← ")[:1])
    return {"failure": theme.bad, "fault": theme.warning}.get(_MARKS.get(row.kind, ""))


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


def _direction(row: Row) -> str | None:
    mark = mark_of(row)
    return mark if mark in ("received", "sent") else None


COLUMNS = (
    Column(
        "id", "#", "Number of the event in the capture", 5, lambda row, _: str(row.id),
        right=True, quiet=True, numbered=True, yields=4,
    ),
    Column("time", "Time", "Time of the event", 16, lambda row, _: clock(row.time), quiet=True, yields=1),
    Column("delta", "Δ", "Time since the row above", 7, delta, right=True, quiet=True, yields=6),
    Column(
        "service", "Service", "Service of the event", 14, lambda row, _: row.service, middle=True,
        field="service", value=lambda row: row.service or None, yields=2,
    ),
    # Before the peer: what was received points from it to the service.
    Column(
        "direction", "", "Direction: ← received, → sent", 1,
        lambda row, _: ARROWS.get(_direction(row) or "", ""),
        mark=mark_of, field="direction", value=_direction,
    ),
    Column(
        "peer", "Peer", "Address and port of the peer", 15, lambda row, _: row.peer or "", whole=True,
        field="peer", value=lambda row: row.peer, yields=3,
    ),
    Column(
        "kind", "Kind", "Kind of event", 18, lambda row, _: NAMES.get(row.kind, str(row.kind)),
        field="kind", value=lambda row: NAMES.get(row.kind),
    ),
    Column(
        "size", "Size", "Bytes", 7, lambda row, _: "" if row.size is None else f"{row.size:,}",
        right=True, field="size", value=lambda row: row.size, yields=5,
    ),
    Column(
        "summary", "Summary", "Beginning of the payload, or a description of the event", 60, lambda row, _: row.summary,
        stretch=True,
    ),
)  # fmt: skip
