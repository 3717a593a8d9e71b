"""What an event of a capture was sent with, ready to be sent again: to the service that got it, or on to where it went.

A request is read from the capture whole: its headers without those that belong to its connection, its body
without the transfer coding and with its content codings. Everything else is bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app import events
from app.capture.reading.exchange_at import raw_request
from app.capture.reading.store import Store
from app.capture.reading.streams import EXCHANGES, MESSAGES, About, about
from app.errors import PostError
from app.events import Event
from app.sending.resending import as_it_came
from app.sending.url import field, parse
from app.text.errors import EscapeError
from app.text.escapes import unescape

KEPT = 32 << 20
"""Bytes of a body that are read."""

NEAR = 10_000
"""Events behind a connection's first among which its opening is searched for."""

_HTTP = (events.HTTP_REQUEST, events.HTTP_RESPONSE)
_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "TRACE", "DELETE")
"""Methods whose requests have no body, unless a Content-Length says so."""

_DATAGRAMS = (events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT)

_OF_CONNECTION = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect",
        "http2-settings",
    }
)  # fmt: skip
"""Headers that belong to one connection, or to how a body is passed on it (RFC 9110 section 7.6.1)."""


@dataclass(frozen=True, slots=True)
class Captured:
    """What can be sent again.

    Attributes:
        data: the bytes of the message, or of the body.
        kind: the media type of a body that is to be shown as text; empty for other data.
        binary: whether it is a binary message of a WebSocket.
        method, fields: of HTTP. ``left``: headers that are to be offered, and not sent.
        notes: what is not as it was, one sentence each.
    """

    url: str
    data: bytes = b""
    kind: str = ""
    binary: bool = False
    method: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def captured(store: Store, event: Event, ours: Mapping[str, str]) -> Captured | None:
    """What was sent in ``event``, or the request that it answers; None where the capture does not have it.

    ``ours`` has the address at which each service listens now. Raises what the store raises.
    """
    connection = about(store, event.conn) if event.conn is not None else None
    to = _address(store, event, connection, ours)
    if to is None:
        return None
    secure = connection is not None and connection.tls
    if event.kind in _HTTP:
        return _request(store, event, f"http{'s' if secure else ''}://{to}")
    data = event.payload or b""
    scheme = _scheme(store, event, connection, secure=secure)
    if event.kind == events.FAILURE:
        # Of a request, the payload is without its transfer coding.
        url, data = as_it_came(f"{scheme}://{to}", data)
        scheme = url.partition("://")[0]
    if scheme not in ("ws", "wss"):
        return Captured(f"{scheme}://{to}", data)
    opened = _first(store, connection, events.WS_OPENED)
    target = str(opened.detail.get("target", "/")) if opened is not None else "/"
    return Captured(f"{scheme}://{to}{target}", data, binary=event.detail.get("opcode") == "binary")


def _scheme(store: Store, event: Event, connection: About | None, *, secure: bool) -> str:
    """The scheme that carries the payload of the event as it is."""
    if event.kind in _DATAGRAMS:
        return "udp"
    form = connection.form if connection is not None else ""
    if event.kind == events.WS_MESSAGE or (event.kind == events.FAILURE and form == MESSAGES):
        return "wss" if secure else "ws"
    if event.kind == events.FAILURE:
        if _first(store, connection, *_DATAGRAMS) is not None:
            return "udp"
        if form == EXCHANGES:
            return "https" if secure else "http"
    return "tls" if secure else "tcp"


def _first(store: Store, connection: About | None, *kinds: int) -> Event | None:
    """The first event of one of these kinds near the beginning of the connection."""
    if connection is None:
        return None
    marks = store.marks(connection.conn, connection.first, connection.first + NEAR)
    id = next((id for id, found, _ in marks if found in kinds), 0)
    return store.event(id) if id else None


def _outgoing(store: Store, event: Event, connection: About | None) -> bool:
    """Whether this program opened the connection of the event. Who sends the first datagram opens a flow."""
    if event.detail.get("outgoing"):
        return True
    opened = _first(store, connection, events.CONNECTION_OPENED)
    if opened is not None and opened.detail.get("outgoing"):
        return True
    datagram = _first(store, connection, *_DATAGRAMS)
    return datagram is not None and datagram.kind == events.DATAGRAM_SENT


def _address(store: Store, event: Event, connection: About | None, ours: Mapping[str, str]) -> str | None:
    """Where it went to: the peer of a connection that this program opened, else the service's address."""
    if _outgoing(store, event, connection):
        return event.peer
    if event.service in ours:
        return ours[event.service]
    host, _, port = (event.host or "").rpartition(":")
    if not port.isdecimal():
        return None
    near = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)
    return f"{near}:{port}"


# -- HTTP


def _request(store: Store, event: Event, base: str) -> Captured | None:
    request, body = raw_request(store, event.id, KEPT)
    if request is None or "refused" in request.detail:
        return None
    notes: list[str] = []
    if request.detail.get("outgoing"):
        base = _named(base, request)
    url = _url(base, str(request.detail.get("target", "/")), notes)
    fields, left = _headers(request, parse(url).authority, notes)
    data = bytes(body.data) if body is not None else b""
    size = request.detail.get("body") or 0
    if body is None and _had_body(request):
        notes.append("The body is missing: it is not in the capture.")
    elif body is not None and (body.cut or not body.whole):
        notes.append(f"The body is cut: {len(data):,} of {max(body.size, size):,} bytes are here.")
    kind = next((value for name, value in fields if name.lower() == "content-type"), "text/plain")
    coded = any(name.lower() == "content-encoding" for name, _ in fields)
    if not data:
        kind = ""
    method = _unescaped(request.detail.get("method", "GET")).decode("latin-1")
    shown = "" if coded else kind.partition(";")[0].strip().lower()
    return Captured(url, data, shown, False, method, tuple(fields), tuple(left), tuple(notes))


def _had_body(request: Event) -> bool:
    """Whether a body followed the head, as far as the head tells."""
    size = request.detail.get("body")
    if size is None and "stream" in request.detail:  # it was passed on while it came, and had no Content-Length
        return request.detail.get("method") not in _WITHOUT_BODY
    return bool(size)


def _named(base: str, request: Event) -> str:
    """``base`` with the name by which a request of ours was sent: certificates are for names."""
    pairs = request.detail.get("fields") or []
    host = next((str(pair[1]) for pair in pairs if len(pair) == 2 and str(pair[0]).lower() == "host"), "")
    named = f"{base.partition('://')[0]}://{host}"
    try:
        return named if host and parse(named).target == "/" else base
    except PostError:
        return base


def _url(base: str, target: str, notes: list[str]) -> str:
    """The URL whose request has this target."""
    raw = _unescaped(target)
    path = re.sub(rb"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*", b"", raw)  # of a request to a proxy
    if not path.startswith((b"/", b"?")):
        path = b"/" + path
    text = "".join(chr(byte) if 0x20 < byte < 0x7F else f"%{byte:02X}" for byte in path)
    url = base + text
    try:
        sent = parse(url).target.encode()
    except PostError:
        url, sent = f"{base}/", b"/"
    if sent != raw:
        notes.append(f"The target was {target}, and will be {sent.decode()}.")
    return url


def _headers(request: Event, authority: str, notes: list[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The headers to send, and those to offer."""
    pairs = request.detail.get("fields") or []
    given = [(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]
    named = {word.strip().lower() for name, value in given if name.lower() == "connection" for word in value.split(",")}
    fields: list[tuple[str, str]] = []
    left: list[tuple[str, str]] = []
    dropped: list[str] = []
    odd: list[str] = []
    for name, value in given:
        lower = name.lower()
        if lower in ("host", ":authority"):
            if value != authority:
                left.append(("Host", value))
        elif lower in _OF_CONNECTION or lower in named:
            dropped.append(name)
        elif lower != "content-length" and not name.startswith(":"):
            text = _text(value)
            if text is None or _refused(name, text):
                odd.append(name)
            else:
                fields.append((name, text))
    if dropped:
        notes.append(f"Left out, because they belong to the connection: {', '.join(dict.fromkeys(dropped))}.")
    if odd:
        notes.append(f"Left out, because they cannot be sent as they were: {', '.join(dict.fromkeys(odd))}.")
    if left:
        notes.append(f"Host was {left[0][1]}, and will be {authority}.")
    added = [name for name in ("User-Agent", "Accept") if name.lower() not in {name.lower() for name, _ in fields}]
    if added:
        notes.append(f"Added, because the request had none: {', '.join(added)}.")
    return fields, left


def _refused(name: str, text: str) -> bool:
    try:
        return field(f"{name}: {text}") != (name, text)
    except PostError:
        return True


def _text(value: str) -> str | None:
    """The text that is sent as the same bytes; latin-1 stands for bytes in a capture."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeEncodeError:
        return value
    except UnicodeDecodeError:
        return None


def _unescaped(text: object) -> bytes:
    """What an event shows with escapes, as it was."""
    try:
        return unescape(str(text))
    except EscapeError:
        return str(text).encode("utf-8", "replace")
