"""The kinds of event, and the frozen values that a reader of a capture gets back.

A kind is a plain ``int``: it crosses to the writer process by ``marshal``, which takes no enum.
People and files use its dotted name. Each kind is declared once, with what its ``detail`` holds;
the tests check every event that the program records against its declaration. The codes are part
of the capture format: append new ones, never renumber.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import UnionType
from typing import Any, Final, Literal, NewType

Kind = NewType("Kind", int)

Direction = Literal["received", "sent", ""]

ARROWS: Final[Mapping[str, str]] = {"received": "←", "sent": "→"}
"""How a direction is written everywhere: we stand at the left and the peer at the right, so that what was
received points from the peer to us."""

Keys = Mapping[str, "type | UnionType"]
"""Keys of a detail, and the Python type that ``json.loads`` gives for each."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is true of every event of one kind.

    Attributes:
        meaning: what has happened, in one line, for the manual.
        direction: which way bytes went; empty where none did, or where ``detail`` says it.
        raw: whether the payload is bytes as they passed.
        always, sometimes: keys of ``detail`` that each event of this kind has, and that some have.
        more: whether ``detail`` may have other keys, which a responder or a plugin chooses.
    """

    code: Kind
    name: str
    meaning: str
    direction: Direction = ""
    raw: bool = False
    always: Keys = field(default_factory=dict)
    sometimes: Keys = field(default_factory=dict)
    more: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """Every key that is declared."""
        return frozenset(self.always) | frozenset(self.sometimes)


KINDS: Final[dict[int, Declaration]] = {}
"""Every kind, by its code."""


def _kind(code: int, name: str, meaning: str, **facts: Any) -> Kind:
    KINDS[code] = Declaration(Kind(code), name, meaning, **facts)
    return Kind(code)


SERVICE_STARTED: Final = _kind(
    1,
    "service.started",
    "a service listens; `seed` is that of its faults, and of what it draws; `any_port`: a hosted program left it to the"
    " system which port that is",
    always={"host": str},
    sometimes={"seed": int, "any_port": bool},
)
SERVICE_STOPPED: Final = _kind(2, "service.stopped", "a service has closed its port and its connections")
SERVICE_FAILED: Final = _kind(3, "service.failed", "a service cannot listen, or no longer", always={"reason": str})
CONNECTION_OPENED: Final = _kind(
    4, "connection.opened",
    "a connection was accepted or made; on UDP, a peer's first datagram; `earlier`: before this capture"
    " began; `watch`: by a check of this watch",
    always={"peer": str, "host": str}, sometimes={"outgoing": bool, "earlier": bool, "watch": str},
)  # fmt: skip
DATA_RECEIVED: Final = _kind(
    5, "data.received", "bytes came; behind TLS, in plain text", direction="received", raw=True
)
DATA_SENT: Final = _kind(
    6,
    "data.sent",
    "bytes were handed over to be sent; those that never left are `unsent` of the connection's end;"
    " a script says by which `rule`",
    direction="sent",
    raw=True,
    sometimes={"rule": int},
)
CONNECTION_CLOSED: Final = _kind(
    7, "connection.closed",
    "a connection ended; `received`, `sent`, `unsent` and `unfinished` (of a message without an end) are bytes",
    always={"reason": str, "received": int, "sent": int, "unsent": int, "seconds": float},
    sometimes={"unfinished": int},
)  # fmt: skip
DATAGRAM_RECEIVED: Final = _kind(8, "datagram.received", "a datagram came", direction="received", raw=True)
DATAGRAM_SENT: Final = _kind(
    9, "datagram.sent", "a datagram left; a script says by which `rule`", direction="sent", raw=True,
    sometimes={"rule": int},
)  # fmt: skip
HTTP_REQUEST: Final = _kind(
    10, "http.request", "a request was read, or sent where it is `outgoing`; `size` is its body's",
    direction="received",
    always={"method": str, "target": str, "version": str, "fields": list, "body": int | None},
    sometimes={"stream": int, "outgoing": bool},
)  # fmt: skip
HTTP_RESPONSE: Final = _kind(
    11, "http.response",
    "a response was written, or read where it is `outgoing`; one that the service gave by itself to what it"
    " `refused` has its status, and `method`, `target` and `version` of what was asked, as far as they are known;"
    " a mock says by which `rule` it answered, a relay which `upstream`",
    direction="sent",
    always={"status": int},
    sometimes={
        "reason": str, "fields": list, "body": int, "seconds": float, "stream": int, "received": int, "cut": str,
        "refused": str, "outgoing": bool, "method": str, "target": str, "version": str, "rule": int,
        "upstream": str,
    },
)  # fmt: skip
WS_OPENED: Final = _kind(
    12, "ws.opened", "a WebSocket handshake was done",
    always={"target": str, "offered": list, "subprotocol": str | None, "extensions": list, "fields": list},
    sometimes={"origin": str | None, "outgoing": bool},
)  # fmt: skip
WS_MESSAGE: Final = _kind(
    13, "ws.message", "a message, ping or pong, before compression; a script says by which `rule` it was sent",
    always={"opcode": str, "direction": str}, sometimes={"rule": int},
)  # fmt: skip
WS_CLOSED: Final = _kind(
    14, "ws.closed", "a WebSocket was closed",
    always={
        "clean": bool, "code": int | None, "reason": str | None, "their_code": int | None, "our_code": int | None,
    },
    sometimes={"their_reason": str | None, "our_reason": str | None, "unfinished": int},
)  # fmt: skip
TLS_FAILED: Final = _kind(
    15, "tls.failed", "a TLS handshake failed; the payload is the client's first message",
    always={"reason": str},
    sometimes={"offered": list, "sni": str | None, "alpn": list, "openssl": list},
)  # fmt: skip
FAULT_APPLIED: Final = _kind(
    16, "fault.applied",
    "something was done to a connection on purpose; `message` is the number of what was hit on its side of the"
    " connection, or of all that was, where it is the `total`; the payload is what was changed or withheld",
    always={"fault": str, "kind": str, "on": str, "message": int, "seed": int, "words": str},
    sometimes={"total": int, "stream": int},
)  # fmt: skip
LIMIT_REACHED: Final = _kind(
    17, "limit.reached", "somebody reached a limit and was refused",
    always={"limit": str, "value": int | float | bool | list | None},
    sometimes={
        "count": int, "status": int, "peer": str, "host": str, "dropped": int, "user": str, "first": int, "last": int,
    },
)  # fmt: skip
FAILURE: Final = _kind(
    18, "failure", "an exception was caught; the payload is what led to it",
    always={
        "group": str, "type": str, "message": str, "frames": list, "notes": list, "relation": str,
        "cause": dict | None, "members": list,
    },
)  # fmt: skip
LOG: Final = _kind(19, "log", "a line of the log; who writes it may add to it", more=True)
TLS_OPENED: Final = _kind(
    20, "tls.opened", "a TLS handshake was done; `client` or `server` is the subject of the peer's certificate",
    always={
        "version": str, "cipher": str | None, "bits": int | None, "alpn": str | None, "sni": str | None,
        "resumed": bool,
    },
    sometimes={"client": str | None, "server": str | None},
)  # fmt: skip
FAILURE_RESOLVED: Final = _kind(
    21, "failure.resolved", "a group of failures was marked as resolved, or reopened",
    always={"group": str}, sometimes={"reopened": bool},
)  # fmt: skip
NOTE: Final = _kind(
    22, "note", "the user wrote a note on an event, or coloured it",
    always={"event": int, "text": str, "colour": str},
)  # fmt: skip
LOST: Final = _kind(
    23, "events.lost", "events happened that are not in the capture; `from` and `until` are as in RFC 3339",
    always={"count": int, "from": str, "until": str, "why": str},
)  # fmt: skip

CAPTURE_PAUSED: Final = _kind(24, "capture.paused", "the user paused the capture: what passes is not stored")
CAPTURE_RESUMED: Final = _kind(
    25, "capture.resumed", "the capture goes on; `count` events were not stored, `from` and `until` are as in RFC 3339",
    always={"count": int, "from": str, "until": str},
)  # fmt: skip

ALERT_RAISED: Final = _kind(
    32, "alert.raised",
    "enough events matched an alert within its time; `count`: how many did, `event`: the last of them; `again`: it was"
    " raised before and is not resolved",
    always={"alert": str, "count": int, "seconds": int | float, "event": int}, sometimes={"again": bool},
)  # fmt: skip
ALERT_RESOLVED: Final = _kind(
    33, "alert.resolved",
    "for as long as an alert is quiet, nothing came that would have raised it; `count`: how many events fit since it"
    " was raised, `seconds` ago",
    always={"alert": str, "count": int, "seconds": int | float},
)  # fmt: skip
ALERT_SENT: Final = _kind(
    34, "alert.sent", "an alert told somebody; `test`: because the user tried it",
    always={"alert": str, "action": str, "words": str}, sometimes={"test": bool},
)  # fmt: skip
ALERT_UNSENT: Final = _kind(
    35, "alert.unsent",
    "an alert could not tell somebody; it tries again in `again` seconds, or gave up where that is missing",
    always={"alert": str, "action": str, "reason": str}, sometimes={"again": int | float, "test": bool},
)  # fmt: skip

ALERTS: Final = (ALERT_RAISED, ALERT_RESOLVED, ALERT_SENT, ALERT_UNSENT)
"""What is recorded of alerts: no alert looks at these."""
LOOP_BLOCKED: Final = _kind(
    36, "loop.blocked",
    "one turn of the reactor took long, and nothing was answered meanwhile; `frames` is the stack that ran, `seconds`"
    " its length, `unfinished`: it had not ended when the program was ended",
    always={
        "group": str, "type": str, "message": str, "frames": list, "notes": list, "relation": str,
        "cause": dict | None, "members": list, "seconds": float,
    },
    sometimes={"unfinished": bool},
)  # fmt: skip
GROWING: Final = _kind(
    37, "program.growing",
    "something of the program has only grown for an hour; `what` is its name, `first` and `last` its figures",
    always={"what": str, "first": int, "last": int, "seconds": float},
)  # fmt: skip

FAILURES: Final = frozenset({FAILURE, LOOP_BLOCKED})
"""The kinds that are grouped as failures."""

CONTROL_ASKED: Final = _kind(
    39, "control.asked", "another process asked for something that changes what runs here; `by` says who it is",
    always={"by": str, "request": str},
)  # fmt: skip
OUTPOST_CONNECTED: Final = _kind(
    40, "outpost.connected",
    "an outpost is read from now on; `allow` is what may be done there, `clock` the seconds by which its clock is ahead"
    " of ours",
    always={"outpost": str, "target": str, "program": str, "allow": str, "clock": float},
)  # fmt: skip
OUTPOST_LOST: Final = _kind(
    41, "outpost.lost", "an outpost cannot be reached any more; it is tried again",
    always={"outpost": str, "target": str, "reason": str},
)  # fmt: skip
OUTPOST_GAP: Final = _kind(
    42, "outpost.gap",
    "events of an outpost that are not here; `first` and `last` are their ids there. It had dropped them before they"
    " were read; without `last`, it has begun another capture, and there may be more in the one before",
    always={"outpost": str, "first": int},
    sometimes={"last": int, "count": int},
)  # fmt: skip
WATCH_CHECKED: Final = _kind(
    26, "watch.checked",
    "a watch has checked its target; `reason` says what was wrong, and is empty where it is `ok`; `expires`, as in"
    " RFC 3339, is when the certificate does",
    always={"watch": str, "target": str, "ok": bool, "milliseconds": float, "reason": str},
    sometimes={"status": int, "expires": str},
)  # fmt: skip
WATCH_FAILED: Final = _kind(
    27, "watch.failed", "the target of a watch is down: so many checks in a row have failed",
    always={"watch": str, "target": str, "reason": str, "checks": int},
)  # fmt: skip
WATCH_RECOVERED: Final = _kind(
    28, "watch.recovered", "the target of a watch is up again, after so many seconds",
    always={"watch": str, "target": str, "seconds": float},
)  # fmt: skip
SERVICE_RESTARTING: Final = _kind(
    29, "service.restarting",
    "a service is tried again that had failed; `attempt` counts from 1, and `seconds` were waited before it",
    always={"attempt": int, "seconds": float, "reason": str},
)  # fmt: skip
UPSTREAM_FAILED: Final = _kind(
    30, "upstream.failed", "an upstream of a relay could not be reached, or its watch has failed: it is skipped",
    always={"upstream": str, "reason": str},
)  # fmt: skip
UPSTREAM_RECOVERED: Final = _kind(
    31, "upstream.recovered", "such an upstream was reached again, after `seconds`",
    always={"upstream": str, "seconds": float},
)  # fmt: skip
RECONNECTING: Final = _kind(
    38, "reconnecting",
    "a connection that is kept open was lost and is made again; `attempt` counts from 1, and `seconds` were waited",
    always={"address": str, "attempt": int, "seconds": float, "reason": str},
)  # fmt: skip

NAMES: Final[dict[int, str]] = {code: kind.name for code, kind in KINDS.items()}
RAW: Final = frozenset(kind.code for kind in KINDS.values() if kind.raw)
INBOUND: Final = frozenset(kind.code for kind in KINDS.values() if kind.direction == "received")
OUTBOUND: Final = frozenset(kind.code for kind in KINDS.values() if kind.direction == "sent")


def by_rule(rule: int) -> str:
    """The detail, as JSON, of an event of raw data that the rule with this number, from 1, has sent."""
    return f'{{"rule": {rule}}}'


COLOURS: Final = ("red", "yellow", "green", "blue", "violet")
"""The colours that a user can give a row."""


@dataclass(frozen=True, slots=True)
class Note:
    """The user's note on an event; ``colour`` is one of ``COLOURS``, and either may be empty."""

    text: str
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """What one line of a pane shows of an event.

    Attributes:
        time: ns since 1970 UTC.
        conn, size: None where the event has none.
        summary: one line without control characters.
        note: the newest note on the event.
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
    """One whole event, as it was stored. ``KINDS`` says which keys ``detail`` has.

    Attributes:
        unescaped: the texts among ``service``, ``peer``, ``host`` and ``summary`` as they are in the
            capture, where one of them has characters that would not show, for which it has escapes here.
    """

    host: str | None = None
    payload: bytes | None = None
    detail: dict[str, Any] = field(default_factory=dict)
    unescaped: Mapping[str, str] = field(default_factory=dict, kw_only=True)

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
            **self.unescaped,
            "payload": None if self.payload is None else b64encode(self.payload).decode(),
            "detail": self.detail,
        }


def rfc3339(time: int) -> str:
    """``time`` in ns since 1970 as ``2026-11-20T12:03:11.482000118Z``."""
    seconds, ns = divmod(time, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09}Z"
