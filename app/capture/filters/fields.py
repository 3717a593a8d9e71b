"""The fields that a filter can name: what each holds, and where SQL finds it.

Each field is declared once. The language, the completions of the window and the table in
``docs/filters.md`` are made from the declarations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from app import events

_TEXT = ("==", "!=", "contains", "matches", "in {", "exists")

TYPES = MappingProxyType(
    {
        "number": ("==", "!=", ">", ">=", "<", "<=", "in {", "exists"),
        "text": _TEXT,
        "address": _TEXT,
        "bytes": ("contains", "matches", "==", "exists"),
        "time": (">", ">=", "<", "<="),
        "kind": ("==", "!=", "in {", "contains", "matches"),
    }
)
"""The types of fields, and the operators that mean something for each, the most useful first."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where a text is found that stands in another table; looked up once for a filter, not once for each row.

    Attributes:
        column: of ``event``; its value names a row of the other table.
        select: a SELECT of such values, to which a condition on the field's ``sql`` is added.
        partial: whether the other table may lack what an event names, or have no value for it.
    """

    column: str
    select: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        type: one of ``TYPES``.
        help: one line.
        sql: an expression over a row of ``event``, or of the other table where there is a
            ``lookup``; NULL where the event has no such thing.
        values: what it is mostly compared with, for completion.
        kinds, key: of a field that holds one key of an event's detail: the kinds that have it,
            and the key.
        function: the SQL function that makes a text of its value; empty where it is one.
    """

    name: str
    type: str
    help: str
    sql: str
    lookup: Lookup | None = None
    values: tuple[str, ...] = ()
    kinds: tuple[int, ...] = ()
    key: str = ""
    function: str = ""

    def value_in(self, detail: str) -> str:
        """SQL for its value in a detail."""
        return f"{self.function}(json_extract({detail}, '$.{self.key}'))"


_SERVICE = Lookup("service", "SELECT id FROM service WHERE ")
_CONNECTION = Lookup("conn", "SELECT id FROM connection WHERE ")
_OUTPOST = replace(_SERVICE, partial=True)
_UPSTREAM = replace(_CONNECTION, partial=True)
_NOTE = Lookup("id", "SELECT event FROM note WHERE ", partial=True)
# Captures of earlier builds have no such column: the name stands for the outer one there.
_CHECK = Lookup("conn", "SELECT id FROM (SELECT id, NULL AS watch FROM connection) AS o WHERE ", partial=True)
_CHECK_OF = "(SELECT watch FROM connection AS i WHERE i.id = o.id)"


def _detail(
    name: str, type: str, help: str, key: str, *kinds: int, values: tuple[str, ...] = (), function: str = ""
) -> Field:
    """A field that holds a key of the detail of these kinds only: others may use the key for something else."""
    field = Field(name, type, help, "", values=values, kinds=kinds, key=key, function=function)
    return replace(field, sql=f"CASE WHEN kind IN ({_listed(*kinds)}) THEN {field.value_in('detail')} END")


def _listed(*kinds: int) -> str:
    return ", ".join(map(str, sorted(kinds)))


_DIRECTION = (
    f"CASE WHEN kind IN ({_listed(*events.INBOUND & events.RAW)}) THEN 'received'"
    f" WHEN kind IN ({_listed(*events.OUTBOUND & events.RAW)}) THEN 'sent'"
    f" WHEN kind = {events.WS_MESSAGE} THEN json_extract(detail, '$.direction')"
    # Of connections that we opened, the request is ours.
    f" WHEN kind IN ({_listed(events.HTTP_REQUEST, events.HTTP_RESPONSE)}) THEN CASE"
    f" WHEN (kind = {events.HTTP_REQUEST}) = ifnull(json_extract(detail, '$.outgoing'), 0)"
    " THEN 'sent' ELSE 'received' END END"
)

_ASKED = (events.HTTP_REQUEST, events.HTTP_RESPONSE)
"""The answer to a request that was refused says what is known of it: that has no event of its own."""

_WATCHED = (events.WATCH_CHECKED, events.WATCH_FAILED, events.WATCH_RECOVERED)

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")

FIELDS = {
    field.name: field
    for field in (
        Field("id", "number", "number of the event", "id"),
        Field("time", "time", "12:03:00 of any day, 2026-11-20T12:03:00, or -5m for the last five minutes", "time"),
        Field("kind", "kind", "what happened", "kind", values=tuple(events.NAMES.values())),
        Field("service", "text", "name of the service", "name", _SERVICE),
        Field("outpost", "text", "name of the outpost that has the service; services of this program have none",
              "outpost", _OUTPOST),
        Field("protocol", "text", "protocol of the service", "protocol", _SERVICE,
              values=("tcp", "udp", "http", "websocket", "ssh")),
        Field("conn", "number", "number of the connection", "conn"),
        Field("peer", "address", "the other side: 127.0.0.1 or 127.0.0.1:9007", "peer", _CONNECTION),
        Field("host", "address", "our side: 127.0.0.1 or 127.0.0.1:9007", "host", _CONNECTION),
        Field("upstream", "text", "server to which a relay forwards the connection", "upstream", _UPSTREAM),
        Field("size", "number", "size in bytes, such as 500, 10k or 2M", "size"),
        Field("direction", "text", "received or sent", _DIRECTION, values=("received", "sent")),
        Field("summary", "text", "the line that the log shows; raw bytes have none", "summary"),
        Field("note", "text", "the text of the note on the event", "text", _NOTE),
        Field("note.colour", "text", "the colour of the note", "colour", _NOTE, values=events.COLOURS),
        Field("payload", "bytes", "the bytes: 0d0a means two of them, \"text\" in quotes means text", "payload"),
        _detail("http.method", "text", "method of a request", "method", *_ASKED, values=_METHODS),
        _detail("http.target", "text", "target of a request", "target", *_ASKED),
        _detail("http.version", "text", "version of a request", "version", *_ASKED),
        _detail("http.status", "number", "status of a response", "status", events.HTTP_RESPONSE),
        _detail("http.seconds", "number", "seconds from request to response", "seconds", events.HTTP_RESPONSE),
        _detail("http.fields", "text", "all headers of a request or response, as [\"Name\",\"value\"]", "fields",
                events.HTTP_REQUEST, events.HTTP_RESPONSE, function="post_headers"),
        _detail("http.upstream", "text", "server that answered to a relay", "upstream", events.HTTP_RESPONSE),
        _detail("rule", "number", "rule of a mock or script that answered or sent it", "rule",
                events.HTTP_RESPONSE, events.DATA_SENT, events.DATAGRAM_SENT, events.WS_MESSAGE),
        _detail("ws.opcode", "text", "opcode of a message", "opcode", events.WS_MESSAGE,
                values=("text", "binary", "ping", "pong")),
        _detail("ws.code", "number", "close code", "code", events.WS_CLOSED),
        _detail("tls.version", "text", "version of TLS", "version", events.TLS_OPENED, values=("TLS 1.2", "TLS 1.3")),
        _detail("tls.sni", "text", "name that the client asked for", "sni", events.TLS_OPENED, events.TLS_FAILED),
        _detail("failure.type", "text", "type of an exception", "type", events.FAILURE),
        _detail("failure.message", "text", "message of an exception", "message", events.FAILURE),
        _detail("fault.name", "text", "name of a fault that acted on purpose", "fault", events.FAULT_APPLIED),
        _detail("fault.kind", "text", "kind of such a fault, such as delay or reset", "kind", events.FAULT_APPLIED),
        _detail("alert", "text", "name of an alert", "alert", *events.ALERTS),
        _detail("limit", "text", "limit that was reached", "limit", events.LIMIT_REACHED),
        _detail("watch.name", "text", "name of the watch that checked, failed or recovered", "watch", *_WATCHED),
        Field("watch.traffic", "text",
              "name of the watch that made the check, in the events of our own services that it checks, too",
              _CHECK_OF, _CHECK),
        _detail("watch.target", "text", "target of the watch", "target", *_WATCHED),
        _detail("watch.ok", "number", "1: the check succeeded; 0: it failed", "ok", events.WATCH_CHECKED,
                values=("1", "0")),
        _detail("watch.milliseconds", "number", "how long a check took", "milliseconds", events.WATCH_CHECKED),
        _detail("reason", "text", "why a connection ended, or a service, a check or an upstream failed", "reason",
                events.CONNECTION_CLOSED, events.SERVICE_FAILED, events.TLS_FAILED, events.SERVICE_RESTARTING,
                events.UPSTREAM_FAILED, events.RECONNECTING, events.WATCH_CHECKED, events.WATCH_FAILED),
    )
}  # fmt: skip
