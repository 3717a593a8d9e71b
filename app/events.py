"""What can happen: the kinds of event and the frozen value that a reader gets back.

A kind is a plain ``int`` (it crosses to the writer process by ``marshal``, which takes
no enum) and has a dotted name that people and files use. The codes are part of the
capture format: append new ones, never renumber.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NewType

Kind = NewType("Kind", int)

SERVICE_STARTED: Final = Kind(1)
SERVICE_STOPPED: Final = Kind(2)
SERVICE_FAILED: Final = Kind(3)
CONNECTION_OPENED: Final = Kind(4)
DATA_RECEIVED: Final = Kind(5)
DATA_SENT: Final = Kind(6)
CONNECTION_CLOSED: Final = Kind(7)
DATAGRAM_RECEIVED: Final = Kind(8)
DATAGRAM_SENT: Final = Kind(9)
HTTP_REQUEST: Final = Kind(10)
HTTP_RESPONSE: Final = Kind(11)
WS_OPENED: Final = Kind(12)
WS_MESSAGE: Final = Kind(13)
WS_CLOSED: Final = Kind(14)
TLS_FAILED: Final = Kind(15)
FAULT_APPLIED: Final = Kind(16)
LIMIT_REACHED: Final = Kind(17)
FAILURE: Final = Kind(18)
LOG: Final = Kind(19)
TLS_OPENED: Final = Kind(20)
FAILURE_RESOLVED: Final = Kind(21)
NOTE: Final = Kind(22)
LOST: Final = Kind(23)

NAMES: Final[dict[int, str]] = {
    SERVICE_STARTED: "service.started",
    SERVICE_STOPPED: "service.stopped",
    SERVICE_FAILED: "service.failed",
    CONNECTION_OPENED: "connection.opened",
    DATA_RECEIVED: "data.received",
    DATA_SENT: "data.sent",
    CONNECTION_CLOSED: "connection.closed",
    DATAGRAM_RECEIVED: "datagram.received",
    DATAGRAM_SENT: "datagram.sent",
    HTTP_REQUEST: "http.request",
    HTTP_RESPONSE: "http.response",
    WS_OPENED: "ws.opened",
    WS_MESSAGE: "ws.message",
    WS_CLOSED: "ws.closed",
    TLS_FAILED: "tls.failed",
    FAULT_APPLIED: "fault.applied",
    LIMIT_REACHED: "limit.reached",
    FAILURE: "failure",
    LOG: "log",
    TLS_OPENED: "tls.opened",
    FAILURE_RESOLVED: "failure.resolved",
    NOTE: "note",
    LOST: "events.lost",
}

MEANING: Final[dict[int, tuple[str, str]]] = {
    SERVICE_STARTED: ("a service listens", "`host`"),
    SERVICE_STOPPED: ("a service has closed its port and its connections", ""),
    SERVICE_FAILED: ("a service cannot listen, or no longer", "`reason`"),
    CONNECTION_OPENED: ("a connection was accepted or made; on UDP, a peer's first datagram", "`peer`, `host`"),
    DATA_RECEIVED: ("bytes came; behind TLS, in plain text", ""),
    DATA_SENT: ("bytes left", ""),
    CONNECTION_CLOSED: ("a connection ended", "`reason`, `received`, `sent`, `unsent` (bytes), `seconds`"),
    DATAGRAM_RECEIVED: ("a datagram came", ""),
    DATAGRAM_SENT: ("a datagram left", ""),
    HTTP_REQUEST: ("a request was read; `size` is its body's", "`method`, `target`, `version`, `fields`, `body`"),
    HTTP_RESPONSE: ("a response was written", "`status`, `reason`, `fields`, `body`, `seconds`"),
    WS_OPENED: ("a WebSocket handshake was done", "`target`, `origin`, `subprotocol`, `extensions`, `fields`"),
    WS_MESSAGE: ("a message, ping or pong, as it was before compression", "`opcode`, `direction`"),
    WS_CLOSED: ("a WebSocket was closed", "`clean`, `code`, `reason`, and which side said what"),
    TLS_FAILED: (
        "a TLS handshake failed; the payload is the client's first message",
        "`reason`, `offered`, `sni`, `alpn`",
    ),
    FAULT_APPLIED: ("something was done to a connection on purpose", ""),
    LIMIT_REACHED: ("somebody reached a limit and was refused", "`limit`, `value`"),
    FAILURE: ("an exception was caught; the payload is what led to it", "`type`, `message`, `frames`, `group`"),
    LOG: ("a line of the log", ""),
    TLS_OPENED: ("a TLS handshake was done", "`version`, `cipher`, `alpn`, `sni`, `client`, `resumed`"),
    FAILURE_RESOLVED: ("a group of failures was marked as resolved, or reopened", ""),
    NOTE: ("somebody wrote a note on an event, or coloured it", "`event`, `text`, `colour`"),
    LOST: ("events happened that are not in the capture", "`count`, `from`, `until` (RFC 3339), `why`"),
}
"""For each kind: what has happened, and the keys of its detail. For the manual."""

RAW: Final = frozenset({DATA_RECEIVED, DATA_SENT, DATAGRAM_RECEIVED, DATAGRAM_SENT})
INBOUND: Final = frozenset({DATA_RECEIVED, DATAGRAM_RECEIVED, HTTP_REQUEST})
OUTBOUND: Final = frozenset({DATA_SENT, DATAGRAM_SENT, HTTP_RESPONSE})


COLOURS: Final = ("red", "yellow", "green", "blue", "violet")
"""What a row can be marked with."""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote on an event; ``colour`` is a name, and either may be empty."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What one line of a pane shows of an event.

    Attributes:
        time: ns since 1970 UTC.
        conn, size: None where the event has none.
        summary: one line without control characters.
        note: the newest that is on it.
    """

    id: int
    time: int
    kind: int
    service: str
    conn: int | None
    peer: str | None
    size: int | None
    summary: str
    note: Note | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True)
class Event(Row):
    """One whole event, as it was stored. ``detail`` has keys that depend on the kind."""

    host: str | None = None
    payload: bytes | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The event as the commands print it (``--json``): plain values, payload in base64."""
        return {
            "id": self.id,
            "time": rfc3339(self.time),
            "kind": NAMES.get(self.kind, str(self.kind)),
            "service": self.service or None,
            "conn": self.conn,
            "peer": self.peer,
            "host": self.host,
            "size": self.size,
            "summary": self.summary,
            "payload": None if self.payload is None else b64encode(self.payload).decode(),
            "detail": self.detail,
        }


def rfc3339(time: int) -> str:
    """``time`` in ns since 1970 as ``2026-11-20T12:03:11.482000118Z``."""
    seconds, ns = divmod(time, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09}Z"
