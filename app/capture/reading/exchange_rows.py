"""HTTP exchanges as rows: each request with the response that it got, found in SQL.

On a connection of HTTP/1 requests and responses are recorded in turns: the HTTP event after a
request is its response; where that event is another request, the first has no response. With HTTP/2
both events name their stream. A response without a request (to bytes that are no request) is an
exchange of its own. The id of an exchange is that of its request, or of its response where it has
no request.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, replace
from typing import Any

from app.capture.filters.fields import FIELDS, Field, Lookup
from app.capture.filters.sql import EVERYTHING, Filter
from app.capture.reading import values as read
from app.capture.reading.store import CHUNK, NAME, Store
from app.events import DATA_RECEIVED, DATA_SENT, HTTP_REQUEST, HTTP_RESPONSE, Row
from app.http.contents import media_type

STEP = CHUNK // 4
"""Events that are looked at in one step of a scan that has to put each exchange together."""

_IS_HTTP = f"kind IN ({HTTP_REQUEST}, {HTTP_RESPONSE})"
"""As in the schema's index, by which SQLite knows it."""

_SAME_STREAM = "json_extract(n.detail, '$.stream') = json_extract(q.detail, '$.stream')"


def _other(kind: int, later: bool) -> str:
    """SQL for the id of the event of ``kind`` that belongs to ``q``, and comes after it or before it."""
    order = "n.id > q.id ORDER BY n.id" if later else "n.id < q.id ORDER BY n.id DESC"
    near = f"FROM stored n WHERE n.conn = q.conn AND n.{_IS_HTTP}"
    return (
        f"CASE WHEN instr(q.detail, '\"stream\"') THEN"
        f" (SELECT n.id {near} AND n.kind = {kind} AND {_SAME_STREAM} AND {order} LIMIT 1)"
        f" ELSE (SELECT CASE n.kind WHEN {kind} THEN n.id END {near} AND {order} LIMIT 1) END"
    )


_ANSWER, _QUESTION = _other(HTTP_RESPONSE, later=True), _other(HTTP_REQUEST, later=False)

# Only a response that the service gave without its responder can be without a request.
_IS_EXCHANGE = (
    f"(q.kind = {HTTP_REQUEST} OR (q.kind = {HTTP_RESPONSE}"
    f" AND instr(q.detail, '\"refused\"') AND {_QUESTION} IS NULL))"
)

BACK = STEP // 8
"""Events before those of a step in which bytes of its exchanges are looked for, too."""

_NEAR = f"FROM stored n WHERE n.conn = e.conn AND n.{_IS_HTTP}"
_OURS = f"(SELECT instr(n.detail, '\"outgoing\"') {_NEAR} AND n.id < e.id ORDER BY n.id DESC LIMIT 1)"

_FRAMED = f"(SELECT instr(n.detail, '\"stream\"') {_NEAR} ORDER BY n.id LIMIT 1)"
_ITS_STREAM = "json_extract(n.detail, '$.stream') = ifnull(post_stream(e.payload), json_extract(n.detail, '$.stream'))"
_ASKED_BY = f"""(SELECT CASE n.kind WHEN {HTTP_RESPONSE}
    THEN (SELECT ifnull({_QUESTION}, q.id) FROM stored q WHERE q.id = n.id) ELSE n.id END"""  # noqa: S608

# The exchange that the bytes of ``e`` belong to. A request of a client is noted after its bytes, one of ours before
# them; a response after its bytes, except on HTTP/2 and where it says why a request was refused. Of bytes of several
# streams, and of those within a frame, only one is looked at.
_OF_BYTES = f"""
CASE WHEN {_FRAMED} THEN
    CASE e.kind WHEN {DATA_RECEIVED} THEN ifnull(
        (SELECT n.id {_NEAR} AND n.id > e.id AND n.kind = {HTTP_REQUEST} AND {_ITS_STREAM} ORDER BY n.id LIMIT 1),
        {_ASKED_BY} {_NEAR} AND n.id < e.id AND {_ITS_STREAM} ORDER BY n.id DESC LIMIT 1))
    ELSE {_ASKED_BY} {_NEAR} AND n.id < e.id AND {_ITS_STREAM} ORDER BY n.id DESC LIMIT 1) END
WHEN e.kind = {DATA_RECEIVED} AND NOT ifnull({_OURS}, 0) THEN
    (SELECT n.id {_NEAR} AND n.id > e.id AND (n.kind = {HTTP_REQUEST} OR instr(n.detail, '"refused"'))
        ORDER BY n.id LIMIT 1)
ELSE ifnull(
    (SELECT ifnull({_QUESTION}, q.id) FROM stored q WHERE q.conn = e.conn AND q.{_IS_HTTP}
        AND q.kind = {HTTP_RESPONSE} AND q.id > e.id ORDER BY q.id LIMIT 1),
    {_ASKED_BY} {_NEAR} AND n.id < e.id ORDER BY n.id DESC LIMIT 1))
END
"""  # noqa: S608

_IS_BYTES = f"kind IN ({DATA_RECEIVED}, {DATA_SENT})"

_BYTES = Lookup(
    "id",
    f"SELECT {_OF_BYTES} FROM event e WHERE e.id BETWEEN ?1 - {BACK} AND ?2 AND e.{_IS_BYTES} AND ",  # noqa: S608 - all ours
)
"""Where the bytes of an exchange are, for a condition on them: worked out once for a step, not once for each row."""

_IDS = f"SELECT group_concat(id) FROM stored q WHERE id BETWEEN ? AND ? AND {_IS_EXCHANGE}"  # noqa: S608

# An exchange as a row like those of ``event``, for conditions on both halves; "answer" is the response's detail.
# It has the exchanges whose request, or whose response, is between the two ids.
_MATCHES = f"""
WITH wanted AS (
    SELECT id FROM stored q WHERE id BETWEEN ?1 AND ?2 AND {_IS_EXCHANGE}
    UNION SELECT {_QUESTION} FROM stored q WHERE id BETWEEN ?1 AND ?2 AND kind = {HTTP_RESPONSE}
    %s
), exchange AS (
    SELECT q.id, q.time, q.kind, q.service, q.conn, CASE q.kind WHEN {HTTP_REQUEST} THEN r.size END AS size,
        NULL AS payload, NULL AS zero, NULL AS same, ifnull(q.summary, '') || '  ' || ifnull(r.summary, '') AS summary,
        CASE q.kind WHEN {HTTP_REQUEST} THEN q.detail END AS detail,
        CASE q.kind WHEN {HTTP_REQUEST} THEN r.detail ELSE q.detail END AS answer
    FROM wanted CROSS JOIN stored q ON q.id = wanted.id
    LEFT JOIN stored r ON q.kind = {HTTP_REQUEST} AND r.id = {_ANSWER}
)
SELECT group_concat(id) FROM exchange WHERE %s
"""  # noqa: S608

# With a condition on bytes, also those that have bytes between the two ids, and neither begin nor end there.
_OPEN = f"""
    UNION SELECT (SELECT n.id {_NEAR} AND n.id < ?1 AND n.kind = {HTTP_REQUEST} ORDER BY n.id DESC LIMIT 1)
    FROM (SELECT DISTINCT conn FROM stored WHERE id BETWEEN ?1 AND ?2 AND {_IS_BYTES}) e
"""  # noqa: S608

_READ = {
    "id": "q.id",
    "time": "q.time",
    "kind": "q.kind",
    "service": NAME.format("s.name"),
    "conn": "q.conn",
    "peer": NAME.format("c.peer"),
    "detail": "q.detail",
    "answer": "r.id",
    "size": "r.size",
    "answer_detail": "r.detail",
    "over": "c.closed IS NOT NULL",
}
"""What ``_row`` takes, in the order of its parameters, and where SQL finds it. (By name it would take longer.)"""

_ROWS = f"""
SELECT json_group_array(json_array({", ".join(_READ.values())}))
FROM json_each(?) wanted CROSS JOIN stored q ON q.id = wanted.value
LEFT JOIN stored r ON q.kind = {HTTP_REQUEST} AND r.id = {_ANSWER}
LEFT JOIN service s ON s.id = q.service LEFT JOIN connection c ON c.id = q.conn
"""  # noqa: S608

_ANSWERED = f"CASE q.kind WHEN {HTTP_REQUEST} THEN r.detail ELSE q.detail END"
_SAID = f"CASE WHEN json_valid({_ANSWERED}) THEN {_ANSWERED} END"
_ASKED = f"CASE WHEN q.kind = {HTTP_REQUEST} AND json_valid(q.detail) THEN q.detail END"

ORDERS = {
    "time": "q.id",
    "service": f"{NAME.format('s.name')} COLLATE NOCASE",
    "method": f"json_extract({_ASKED}, '$.method')",
    "target": f"json_extract({_ASKED}, '$.target')",
    "status": f"json_extract({_SAID}, '$.status')",
    "type": (
        f"(SELECT lower(json_extract(value, '$[1]')) FROM json_each({_SAID}, '$.fields')"  # noqa: S608 - all ours
        " WHERE lower(json_extract(value, '$[0]')) = 'content-type' LIMIT 1)"
    ),
    "size": "r.size",
    "duration": f"json_extract({_SAID}, '$.seconds')",
}
"""What exchanges can be sorted by: the names, and what SQL sorts."""

_SORTED = f"""
SELECT group_concat(id) FROM (
    SELECT q.id AS id, %s AS by FROM json_each(?) wanted CROSS JOIN stored q ON q.id = wanted.value
    LEFT JOIN stored r ON q.kind = {HTTP_REQUEST} AND r.id = {_ANSWER}
    LEFT JOIN service s ON s.id = q.service
    ORDER BY by IS NULL, by %s, q.id
)
"""  # noqa: S608

_PARTS: dict[int, str] = {HTTP_REQUEST: "detail", HTTP_RESPONSE: "answer"}


def _of_exchange(field: Field) -> Field:
    """The same field of an exchange, whose row has the details of request and response side by side."""
    parts = [field.value_in(_PARTS[kind]) for kind in field.kinds if kind in _PARTS]
    if field.type == "bytes":
        return replace(field, lookup=_BYTES)
    if not field.key or not parts:
        return field
    if len(parts) == 1:
        return replace(field, sql=parts[0])
    # All headers are looked at; anything else stands in one of both.
    joined = " || ".join(f"ifnull({part}, '')" for part in parts)
    sql = joined if field.function else f"coalesce({', '.join(parts)})"
    return replace(field, sql=sql)


EXCHANGE_FIELDS = {name: _of_exchange(field) for name, field in FIELDS.items()}
"""The fields that a filter of exchanges can name, of request and response together."""


@dataclass(frozen=True, slots=True)
class ExchangeRow(Row):
    """What one line shows of an exchange. ``size`` is that of the response's body.

    Attributes:
        method, target: empty where no request could be read.
        answer: id of the response, or None while there is none.
        status, seconds: of the response; None while there is none, or where it has none.
        type: media type of the response.
        over: whether the connection is closed.
    """

    method: str = ""
    target: str = ""
    answer: int | None = None
    status: int | None = None
    type: str = ""
    seconds: float | None = None
    over: bool = False


def matches(store: Store, where: Filter, first: int, last: int) -> tuple[array[int], int]:
    """Ids of exchanges that match among the next events from ``first``, and the last one looked at.

    With a condition, also the earlier exchanges whose response, or bytes, are among these events.
    """
    end = min(last, first + (CHUNK if where == EVERYTHING else STEP) - 1)
    if where == EVERYTHING:
        found = store.one(_IDS, (first, end))[0]
    else:
        still_open = _OPEN if _BYTES.select in where.sql else ""
        found = store.one(_MATCHES % (still_open, f"({where.sql})"), (first, end, *where.values))[0]
    return array("q", sorted(map(int, found.split(",")))) if found else array("q"), end


def in_order(store: Store, ids: array[int], order: str, *, descending: bool = False) -> array[int]:
    """These exchanges, sorted by one of ``ORDERS``; those that have no such thing come last.

    One statement, in which nothing else is read: for a number of exchanges that is bounded.
    """
    found = store.one(_SORTED % (ORDERS[order], "DESC" if descending else ""), (json.dumps(ids.tolist()),))[0]
    return array("q", map(int, found.split(","))) if found else array("q")


def rows(store: Store, ids: array[int]) -> list[ExchangeRow]:
    """The rows of these exchanges, in order of id; those that are gone are left out."""
    if not ids:
        return []
    found = store.listed(_ROWS, (json.dumps(ids.tolist()),))
    return sorted((_row(*values) for values in found), key=lambda row: row.id)


def _row(
    id: int, time: Any, kind: int, service: Any, conn: Any, peer: Any, detail: Any,
    answer: int | None, size: Any, answer_detail: Any, over: int,
) -> ExchangeRow:  # fmt: skip
    asked = read.detail(kind, detail) if detail else {}
    answered = read.detail(HTTP_RESPONSE, answer_detail) if answer_detail else {}
    if kind == HTTP_RESPONSE:
        asked, answered, answer = {}, asked, id
    method, target = (read.words(asked.get(key, answered.get(key))) or "" for key in ("method", "target"))
    return ExchangeRow(
        id=id, time=read.number(time) or 0, kind=kind, service=read.words(service) or "", conn=read.number(conn),
        peer=read.words(peer), size=read.number(size),
        summary=f"{method} {target}".strip() or read.words(answered.get("refused")) or "",
        method=method, target=target, answer=answer, over=bool(over),
        status=answered.get("status"),
        type=read.words(media_type(answered.get("fields") or [])[0]) or "",
        seconds=answered.get("seconds"),
    )  # fmt: skip
