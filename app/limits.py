"""Limits: each is declared once, here, and counted in one other place.

A declaration says what the limit is called, how it can be set, what is said when it is reached, and
what its event ``limit.reached`` carries. From it are made: the options of a workspace, which the forms of the
window and the manual show (``options``), and the event (``reached``), which ``Recorder.record_limit`` records.

To add a limit, declare it here and record ``NAME.reached(value)`` where it is counted. What is set in the
table ``[service.limits]`` needs no more; a limit with another ``section`` is named in the table of that section
in ``app.services.settings``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from app.options import Option


@dataclass(frozen=True, slots=True)
class Setting:
    """How a limit is set, on some protocols or (``protocols`` empty) on all; the rest is as in ``Option``."""

    default: Any
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    protocols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Limit:
    """One limit.

    Attributes:
        name: its key in a workspace; ``limit`` in the detail of its events.
        meaning: what is limited, for the manual.
        says: what its events say, by the situation in which it is reached, with ``{value}`` for the limit;
            other names in braces are arguments of ``reached``.
        settings: how it can be set, for each group of protocols; empty: it is fixed, or an option of a responder.
        section: the table of a service in a workspace that has the settings.
        keys: what the detail of its events may hold beside ``limit`` and ``value``.
    """

    name: str
    meaning: str
    says: Mapping[str, str]
    settings: tuple[Setting, ...] = ()
    section: str = ""
    keys: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[Option, ...]:
        """The settings as options of a workspace."""
        return tuple(
            Option(
                self.name,
                type(s.default),
                s.default,
                s.help,
                s.unit,
                s.minimum,
                s.maximum,
                s.protocols,
                live=self.section != "socket",  # those of sockets hold for the port
            )
            for s in self.settings
        )

    def reached(self, value: Any, situation: str = "", /, **words: Any) -> Reached:
        """What is to be recorded when it is reached.

        ``value`` is the limit as it stands; ``words`` fill what ``says`` has in braces for the situation.
        """
        return Reached(self, value, self.says[situation].format(value=value, **words))


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that was reached.

    Attributes:
        value: what is allowed.
        text: what happens, in one line.
        more: further keys of the event's detail, with their values.
    """

    limit: Limit
    value: Any
    text: str
    more: tuple[tuple[str, Any], ...] = ()

    def saying(self, text: str) -> Reached:
        """The same with another text."""
        return replace(self, text=text)

    def carrying(self, **more: Any) -> Reached:
        """The same with more keys in its detail. Raises ValueError for one that the limit does not declare."""
        if unknown := more.keys() - {*self.limit.keys}:
            raise ValueError(f"{self.limit.name} declares no {', '.join(sorted(unknown))}")
        return replace(self, more=(*self.more, *more.items()))

    def detail(self) -> str:
        """The event's detail, as JSON."""
        return json.dumps({"limit": self.limit.name, "value": self.value, **dict(self.more)})


LIMITS: Final[dict[str, Limit]] = {}
"""All limits by their name."""


def _limit(
    name: str,
    meaning: str,
    says: str | Mapping[str, str],
    *settings: Setting,
    section: str = "",
    keys: tuple[str, ...] = (),
) -> Limit:
    texts = MappingProxyType({"": says} if isinstance(says, str) else says)
    made = LIMITS[name] = Limit(name, meaning, texts, settings, section or ("limits" if settings else ""), keys)
    return made


def in_section(section: str) -> tuple[Option, ...]:
    """The options of all limits that are set in this table of a service."""
    return tuple(option for limit in LIMITS.values() if limit.section == section for option in limit.options)


# -- set in [service.limits]

CONNECTIONS = _limit(
    "connections",
    "Connections of a service that are open at once; on UDP, peers",
    {
        "": "refused: connections are limited to {value:,}",
        "datagrams": "{value:,} peers: the one silent for the longest makes room",
    },
    Setting(10_000, "Connections that may be open at once; more are refused", minimum=1, maximum=1_000_000),
    keys=("count",),
)
CONNECTIONS_PER_PEER = _limit(
    "connections_per_peer",
    "The same from one address",
    {
        "": "refused: connections from one address are limited to {value:,}",
        "datagrams": "{value:,} peers at one address: the oldest makes room",
    },
    Setting(10_000, "Connections that may be open at once from one address", minimum=1, maximum=1_000_000),
    keys=("count",),
)
MESSAGE_BYTES = _limit(
    "message_bytes",
    "Bytes of a request's body, a WebSocket message or a datagram",
    {
        "body": "a body of more than {value:,} bytes",
        "message": "a message of more than {value:,} bytes: closing",
        "datagram": "not answered: datagrams are limited to {value:,} bytes",
    },
    Setting(16 << 20, "Largest body, message or frame", "bytes", 1, 1 << 30, ("http", "websocket")),
    Setting(65_535, "Largest datagram that is answered", "bytes", 1, 65_535, ("udp",)),
    keys=("status",),
)
FIELD_BYTES = _limit(
    "field_bytes",
    "Bytes of a request's head",
    {
        "line": "a first line of more than {value:,} bytes",
        "head": "a head of more than {value:,} bytes",
        "handshake": "more than {value:,} bytes of headers",
    },
    Setting(
        64 << 10, "Largest head of a request: its first line and headers", "bytes", 256, 16 << 20, ("http", "websocket")
    ),
    keys=("status",),
)
IDLE_SECONDS = _limit(
    "idle_seconds",
    "Seconds without a byte on a connection; of a manhole's prompt, without a key",
    {
        "": "silent for {value:g} s: closing",
        "no request": "nothing received for {value:g} s: closing",
        "head": "the request's head was not complete within {value:g} s",
        "body": "the request's body comes too slowly",
        "answer": "the client takes the answer too slowly",
        "half-closed": "nothing was sent for long to a client that has finished sending: closing",
        "no stream": "nothing asked for {value:g} s: closing",
        "streams": "the client is too slow",
        "prompt": "nothing typed for {value:g} s",
    },
    Setting(60.0, "Close a connection without traffic after this time; 0: never", "s", 0, 1e7, ("http",)),
    Setting(
        0.0,
        "Close a connection without traffic after this time; 0: never",
        "s",
        0,
        1e7,
        ("tcp", "udp", "websocket", "ssh"),
    ),
    keys=("user",),
)
PING_TIMEOUT = _limit(
    "ping_timeout",
    "Seconds until a ping of ours is answered. Where TCP asks (tcp, http, ssh), the end of the connection says so",
    "no pong for {value:g} s: closing",
    Setting(10.0, "Close the connection when no pong arrives within this time", "s", 0.1, 86_400, ("websocket",)),
    Setting(
        10.0, "Close the connection when a probed peer does not answer within about this time", "s", 1, 32_767,
        ("tcp", "http", "ssh"),
    ),
)  # fmt: skip
ALLOW_PUBLIC = _limit(
    "allow_public",
    "Whether public addresses are served",
    {
        "": "refused: its address is public, and allow_public is off",
        "sum": "{count:,} datagrams from public addresses were refused",
    },
    Setting(False, "Accept clients with public addresses, not only from this machine and private networks"),
    keys=("peer", "count"),
)

# -- set in other tables

ORIGINS = _limit(
    "origins",
    "Origins of web pages that may open a WebSocket",
    "refused: a web page of {origin}",
    Setting([], "Origins whose web pages may connect; * matches any part; empty: all"),
    section="options",
)
HOSTS = _limit(
    "hosts",
    "Names by which a service that holds or passes on data may be asked for on a loopback address",
    {
        "": "refused: asked for as {name}, which the option hosts does not name",
        "origin": "refused: a web page of {name}, which the option hosts does not name",
    },
    Setting([], "Host names to accept besides addresses and localhost; local: no others; *: all"),
    section="options",
    keys=("host", "status"),
)
RECEIVE_BUFFER = _limit(
    "receive_buffer",
    "Bytes of the kernel's buffer for datagrams that wait to be read",
    "the kernel dropped {count:,} datagrams: they came faster than they could be read",
    Setting(0, "Bytes of the kernel's receive buffer; 0: the kernel decides", "bytes", 0, 1 << 30),
    section="socket",
    keys=("dropped",),
)
FRAMING = _limit("framing", "Bytes of one message of a stream, a responder's `max_message`", "{why}")
CAPTURE_BYTES = _limit(
    "capture_bytes",
    "Bytes of a capture, `--limit`",
    "capture limit of {value:,} bytes reached: dropped events {first:,} to {last:,}",
    keys=("first", "last"),
)

# -- fixed

OPEN_FILES = _limit(
    "open_files",
    "Files, pipes and sockets that the system lets the program have open; each connection is one (`ulimit -n`)",
    {
        "": "{count:,} connections were closed as soon as they were made: no more than {value:,} files can be open."
        " Start the program with a higher limit (ulimit -n)",
        "system": "connections cannot be accepted: {why}. They wait until they can be",
    },
    keys=("count",),
)
HANDSHAKE_SECONDS = _limit(
    "handshake_seconds",
    "Seconds until a handshake of TLS or WebSocket, or a login of SSH, is done",
    {
        "login": "no login within {value:g} s: closing",
        "tls": "no TLS handshake within {value:g} s: closing",
        "client": "the client's part of the handshake was not done within {value:g} s: closing",
        "responder": "the responder's part of the handshake was not done within {value:g} s: closing",
    },
)
ANSWERS = _limit(
    "answers",
    "Datagrams in a row, without a pause of 5 s, that a UDP service answers to another service of this program;"
    " none to itself, and none to ports 7, 13, 17, 19 and 37, whose servers answer everything",
    {
        "": "not answered: {value:,} datagrams in a row came from another service of this program, which may answer",
        "own": "not answered: it comes from this service's own address, which is forged or a loop",
        "server": "not answered: it comes from port {port}, which belongs to {name} servers, and they answer too",
    },
)
FRAGMENTS = _limit(
    "fragments",
    "Fragments of one WebSocket message: 262,144, or one for each 64 bytes of the largest message if these are more",
    "a message of more than {value:,} fragments: closing",
)
FIELDS = _limit("fields", "Headers of a request", "more than {value:,} headers", keys=("status",))
KEPT_BYTES = _limit(
    "kept_bytes",
    "Bytes of bodies and answers that one HTTP/2 connection may have us keep",
    "more than {value:,} bytes of bodies and answers at once",
    keys=("status",),
)
UNFINISHED_BYTES = _limit(
    "unfinished_bytes",
    "Bytes of unfinished messages of all peers of the program: bodies of requests, parts of WebSocket messages and of"
    " messages of TCP, messages that wait for a script or a plugin",
    "more than {value:,} bytes of unfinished messages in the program",
    keys=("status",),
)
UNREAD_BYTES = _limit(
    "unread_bytes",
    "Bytes that wait for one WebSocket client, or for all clients of a service, to read them",
    {
        "": "{unread} are not read yet: closing",
        "all": "{unread} are not read yet, of {all} that wait for all clients: closing",
    },
)
HTTP2 = _limit(
    "http2",
    "What an HTTP/2 connection may have us do: open streams, resets, continued heads, unread acknowledgements",
    {
        "": "HTTP/2: {why}: closing",
        "control": "HTTP/2: more than {value:,} bytes of heads and acknowledgements are not read: closing",
    },
)
