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
}

RAW: Final = frozenset({DATA_RECEIVED, DATA_SENT, DATAGRAM_RECEIVED, DATAGRAM_SENT})
INBOUND: Final = frozenset({DATA_RECEIVED, DATAGRAM_RECEIVED, HTTP_REQUEST})
OUTBOUND: Final = frozenset({DATA_SENT, DATAGRAM_SENT, HTTP_RESPONSE})


@dataclass(frozen=True, slots=True)
class Row:
    """What one line of a pane shows of an event.

    Attributes:
        time: ns since 1970 UTC.
        conn, size: None where the event has none.
        summary: one line without control characters.
    """

    id: int
    time: int
    kind: int
    service: str
    conn: int | None
    peer: str | None
    size: int | None
    summary: str


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
