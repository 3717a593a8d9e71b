"""What an outpost says of an event, made into what our capture may hold: anybody may have said it.

The writer makes tables of the details of some kinds, and takes them for what the program records. An event of which
that is not true is kept as a line of the log, with what was said.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from app import events
from app.capture.reading.stored import Stored
from app.outposts import protocol as p
from app.text.escapes import one_line

MAX_NAME = 200
"""Characters of a name or an address."""

MAX_LINE = 20_000
"""Characters of a summary."""

MAX_NUMBER = 1 << 53
"""Above every number of a detail: JSON has no larger ones."""

MAX_ID = 1 << 62
"""Above every id of an event."""

MAX_TIME = 1 << 62
"""Above every time, in ns since 1970."""

MAX_WORDS = 1_000
"""Characters of what is said of the status of a service."""

MOST_FAULTS = 100
"""Faults of one service."""

_SHOWN = 2_000
"""Characters of a detail that was not understood."""


def name(text: str | None) -> str:
    """A name or an address, in one line."""
    return one_line((text or "")[:MAX_NAME])


def services(found: p.Services) -> tuple[p.Service, ...]:
    """The services that an outpost has told of, as they may be shown: so many, each once, and not longer than that.

    What no honest outpost says is changed: a name that is changed so names nothing there any more.
    """
    by_name: dict[str, p.Service] = {}
    for one in found.services[: p.MOST_SERVICES]:
        named = name(one.name)
        if named and named not in by_name:
            by_name[named] = _service(one, named)
    return tuple(by_name.values())


def _service(told: p.Service, named: str) -> p.Service:
    faults = tuple(
        p.Fault(name(fault.name), name(fault.kind), name(fault.on), fault.enabled, fault.hits)
        for fault in told.faults[:MOST_FAULTS]
    )
    return p.Service(
        named, name(told.protocol), name(told.responder), name(told.status), one_line(told.words[:MAX_WORDS]),
        told.connections, told.opened, told.received, told.sent, faults, told.tls,
    )  # fmt: skip


def sound(event: Stored) -> tuple[int, str | None, str | None]:
    """Kind, summary and detail of an event as they may be stored."""
    summary = None if event.summary is None else event.summary[:MAX_LINE]
    if summary is not None and not summary.isprintable():
        summary = one_line(summary)
    declared = events.KINDS.get(event.kind)
    if declared is None:
        return _told(event, summary, f"an event of a kind that is not known here: {event.kind}")
    if event.detail is None:
        return (event.kind, summary, None) if not declared.always else _told(event, summary, declared.name)
    detail = _read(event.detail)
    if detail is None or not _fits(detail, declared):
        return _told(event, summary, declared.name)
    return event.kind, summary, event.detail


def _read(detail: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(detail)
    except msgspec.DecodeError:
        try:  # half a surrogate pair, for which Python's JSON has an escape
            found = json.loads(detail)
        except (ValueError, RecursionError):
            return None
    except RecursionError:
        return None
    return found if isinstance(found, dict) else None


def _fits(detail: dict[str, Any], declared: events.Declaration) -> bool:
    return all(key in detail and _is(detail[key], type) for key, type in declared.always.items()) and all(
        key not in detail or _is(detail[key], type) for key, type in declared.sometimes.items()
    )


def _is(value: Any, type: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value) and isinstance(value, type)
    if isinstance(value, int):
        # A whole number of seconds is written without a point by other programs.
        return abs(value) < MAX_NUMBER and (isinstance(value, type) or type is float)
    return isinstance(value, type)


def _told(event: Stored, summary: str | None, what: str) -> tuple[int, str | None, str | None]:
    shown = (event.detail or "")[:_SHOWN]
    words = f"what came as {what}" if summary is None else f"what came as {what}: {summary}"
    return events.LOG, one_line(words), json.dumps({"kind": event.kind, "detail": shown})
