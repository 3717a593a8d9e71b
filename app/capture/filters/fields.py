"""The fields that a filter can name: what each holds, and where SQL finds it.

The table in ``docs/filters.md`` and the completions of the window are made from this one.
"""

from __future__ import annotations

from dataclasses import dataclass

from app import events


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        type: ``"number"``, ``"text"``, ``"address"``, ``"bytes"``, ``"time"`` or ``"kind"``.
        help: one line.
        sql: an expression over a row of ``event``; NULL where the event has no such thing.
        subquery: for a text of another table: a SELECT of the values of ``column``, to which a
            condition on ``sql`` is added. Looked up once for a filter and not once for each row.
        values: what it is mostly compared with, for completion.
    """

    name: str
    type: str
    help: str
    sql: str
    subquery: str = ""
    column: str = ""
    values: tuple[str, ...] = ()


def _detail(key: str, *kinds: int) -> str:
    """A value of the detail of events of these kinds only: others may use the key for something else."""
    among = ", ".join(map(str, kinds))
    return f"CASE WHEN kind IN ({among}) THEN json_extract(detail, '$.{key}') END"


_SERVICE = "SELECT id FROM service WHERE "
_CONNECTION = "SELECT id FROM connection WHERE "

_HTTP = (events.HTTP_REQUEST, events.HTTP_RESPONSE)
_BY_EXCHANGE = "(SELECT {} FROM event r WHERE r.conn = event.conn)"

FIELDS = {
    field.name: field
    for field in (
        Field("id", "number", "number of the event", "id"),
        Field("time", "time", "12:03:00 of any day, 2026-11-20T12:03:00, or -5m for the last five minutes", "time"),
        Field("kind", "kind", "what happened", "kind", values=tuple(events.NAMES.values())),
        Field("service", "text", "name of the service", "name", _SERVICE, "service"),
        Field(
            "protocol", "text", "protocol of the service", "protocol", _SERVICE, "service",
            ("tcp", "udp", "http", "websocket", "ssh"),
        ),
        Field("conn", "number", "number of the connection", "conn"),
        Field("peer", "address", "the other side: 127.0.0.1 or 127.0.0.1:9007", "peer", _CONNECTION, "conn"),
        Field("host", "address", "our side, likewise", "host", _CONNECTION, "conn"),
        Field("size", "number", "bytes; 10k and 2M are known", "size"),
        Field(
            "direction", "text", "received or sent",
            f"CASE WHEN kind IN ({', '.join(map(str, sorted(events.INBOUND & events.RAW)))}) THEN 'received'"
            f" WHEN kind IN ({', '.join(map(str, sorted(events.OUTBOUND & events.RAW)))}) THEN 'sent'"
            f" WHEN kind = {events.WS_MESSAGE} THEN json_extract(detail, '$.direction')"
            # Of connections that we opened, the request is ours.
            f" WHEN kind IN {_HTTP} THEN CASE WHEN (kind = {events.HTTP_REQUEST}) ="
            " ifnull(json_extract(detail, '$.outgoing'), 0) THEN 'sent' ELSE 'received' END END",
            values=("received", "sent"),
        ),
        Field("summary", "text", "the line that the log shows; raw data has none", "summary"),
        Field("note", "text", "what was noted on the event", "text", "SELECT event FROM note WHERE ", "id"),
        Field("note.colour", "text", "its colour", "colour", "SELECT event FROM note WHERE ", "id",
              events.COLOURS),
        Field("payload", "bytes", "the bytes: 0d0a means two of them, \"text\" in quotes means text", "payload"),
        Field("http.method", "text", "method of a request", _detail("method", _HTTP[0]),
              values=("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")),
        Field("http.target", "text", "target of a request", _detail("target", _HTTP[0])),
        Field("http.version", "text", "version of a request", _detail("version", _HTTP[0])),
        Field("http.status", "number", "status of a response", _detail("status", _HTTP[1])),
        Field("http.seconds", "number", "seconds from request to response", _detail("seconds", _HTTP[1])),
        Field("http.fields", "text", "all fields of a request or response, as JSON",
              f"CASE WHEN kind IN {_HTTP} THEN json_extract(detail, '$.fields') END"),
        Field("ws.opcode", "text", "opcode of a message", _detail("opcode", events.WS_MESSAGE),
              values=("text", "binary", "ping", "pong")),
        Field("ws.code", "number", "close code", _detail("code", events.WS_CLOSED)),
        Field("tls.version", "text", "version of TLS", _detail("version", events.TLS_OPENED),
              values=("TLS 1.2", "TLS 1.3")),
        Field("tls.sni", "text", "name that the client asked for",
              _detail("sni", events.TLS_OPENED, events.TLS_FAILED)),
        Field("failure.type", "text", "type of an exception", _detail("type", events.FAILURE)),
        Field("failure.message", "text", "what an exception says", _detail("message", events.FAILURE)),
        Field("limit", "text", "limit that was reached", _detail("limit", events.LIMIT_REACHED)),
        Field("reason", "text", "why a connection ended or a service failed",
              _detail("reason", events.CONNECTION_CLOSED, events.SERVICE_FAILED, events.TLS_FAILED)),
    )
}  # fmt: skip
