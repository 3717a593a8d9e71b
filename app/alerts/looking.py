"""Which of the events that were stored fit an alert. In the reader's thread, in one step of SQL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.alerts.own import PROTOCOL, Traffic
from app.capture.errors import CaptureError
from app.capture.filters.language import Filter
from app.capture.reading.store import NAME, Store
from app.events import ALERTS, KINDS, NAMES, rfc3339

CHUNK = 20_000
"""Events that are looked at in one step."""

_MATCHING = f"""
SELECT json_array(%s) FROM event
WHERE id BETWEEN ? AND ? AND (%s) AND kind NOT IN ({", ".join(map(str, ALERTS))})
AND (service IS NULL OR service NOT IN (SELECT id FROM service WHERE protocol = '{PROTOCOL}'))
AND (conn IS NULL OR conn NOT IN (SELECT value FROM json_each(?)))
"""  # noqa: S608

_FOUND = "json_group_array(time) FILTER (WHERE %s), ifnull(max(id) FILTER (WHERE %s), 0)"

_ACCEPTED = """
SELECT json_group_array(c.id) FROM json_each(?) w JOIN connection c
ON c.id BETWEEN json_extract(w.value, '$[0]') AND json_extract(w.value, '$[1]')
AND c.peer LIKE '%:' || json_extract(w.value, '$[2]') AND c.host LIKE '%:' || json_extract(w.value, '$[3]')
"""

_BRIEF = f"""
SELECT e.id, e.time, e.kind, {NAME.format("s.name")}, e.conn, {NAME.format("c.peer")}, {NAME.format("c.host")},
    e.size, substr(e.summary, 1, 1000), CASE WHEN length(e.detail) < 100000 THEN e.detail END
FROM stored e LEFT JOIN service s ON s.id = e.service LEFT JOIN connection c ON c.id = e.conn WHERE e.id = ?
"""  # noqa: S608

LONGEST = 1_000
"""Characters of one value of an event's detail that leave the program."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The events that fit one alert among those looked at: their times, in ns, and the number of the last; 0: none.

    ``trouble``: why it cannot be said, in words; empty: it can.
    """

    times: list[int]
    last: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found up to the event ``upto``, for each alert. ``accepted``: connections that are our own doing."""

    upto: int
    found: list[Matching]
    accepted: list[int]


def look(store: Store, wheres: Sequence[Filter], first: int, last: int, traffic: Traffic) -> Seen:
    """Look at the next ``CHUNK`` events from ``first`` to ``last``. Raises CaptureError if none can be looked for."""
    upto = min(last, first + CHUNK - 1)
    calls = json.dumps([(call.low, call.high, call.port, call.to) for call in traffic.calls])
    accepted = store.listed(_ACCEPTED, (calls,)) if traffic.calls else []
    ours = json.dumps([*traffic.accepted, *accepted])
    try:
        return Seen(upto, _found(store, wheres, first, upto, ours), accepted)
    except CaptureError:
        if len(wheres) == 1:
            raise
    return Seen(upto, _each(store, wheres, first, upto, ours), accepted)


def _found(store: Store, wheres: Sequence[Filter], first: int, last: int, ours: str) -> list[Matching]:
    """What fits each filter, in one pass: an event that fits none, as most do, is looked at once by each."""
    columns = ", ".join(_FOUND % (f"({where.sql})", f"({where.sql})") for where in wheres)
    twice = [value for where in wheres for value in where.values * 2]
    once = [value for where in wheres for value in where.values]
    sql = _MATCHING % (columns, " OR ".join(f"({where.sql})" for where in wheres))
    flat = json.loads(store.one(sql, (*twice, first, last, *once, ours))[0])
    return [Matching(times, newest) for times, newest in zip(flat[::2], flat[1::2], strict=True)]


def _each(store: Store, wheres: Sequence[Filter], first: int, last: int, ours: str) -> list[Matching]:
    """The same, one after the other, because they cannot be looked for together."""
    found: list[Matching] = []
    for where in wheres:
        try:
            found += _found(store, [where], first, last, ours)
        except CaptureError as e:
            if len(found) + 1 == len(wheres) and all(one.trouble for one in found):
                raise
            found.append(Matching([], 0, str(e)))
    return found


def brief(store: Store, id: int) -> dict[str, Any]:
    """What an alert tells others of an event: neither its payload nor headers. Empty where the event is gone."""
    found = store.one(_BRIEF, (id,))
    if found is None:
        return {}
    id, time, kind, service, conn, peer, host, size, summary, detail = found
    raw = kind in KINDS and KINDS[kind].raw
    return {
        "id": id,
        "time": rfc3339(time),
        "kind": NAMES.get(kind, str(kind)),
        "service": service,
        "conn": conn,
        "peer": peer,
        "host": host,
        "size": size,
        "summary": None if raw else summary,
        "detail": _plain(detail),
    }


def _plain(detail: Any) -> dict[str, Any]:
    """The single values of a detail. Lists are headers, frames of tracebacks and the like: they may hold secrets."""
    try:
        found = json.loads(detail or "{}")
    except (ValueError, TypeError, RecursionError):
        return {}
    plain = {key: value for key, value in found.items() if isinstance(value, str | int | float | bool)}
    return {key: value[:LONGEST] if isinstance(value, str) else value for key, value in plain.items()}
