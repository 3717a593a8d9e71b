"""HAR 1.2: HTTP exchanges and the messages of WebSockets, for browsers' developer tools.

Format: http://www.softwareishard.com/blog/har-12-spec/; WebSocket messages as Chrome writes
them, in ``_webSocketMessages``, and why there was no answer in ``_error`` of the response.
"""

from __future__ import annotations

import json
import re
import tempfile
from array import array
from base64 import b64encode
from collections.abc import Iterable
from typing import IO, Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

from app import __version__
from app import events as kinds
from app.events import Event, rfc3339
from app.exports.formats import ALL, Chosen, Exporter
from app.http.bodies import Fields, decoded, text_of, value_of
from app.http.body import Body
from app.http.cookies import asked_with, set_by
from app.http.exchange import Exchange
from app.http.pairing import Exchanges

SPOOLED = 8 << 20
"""Bytes of entries that wait for their order in memory; beyond that they wait in a temporary file."""

AT_ONCE = 1 << 20
"""Bytes copied at once."""

NO_ANSWER = "no answer up to the last event that was exported"


def write(events: Iterable[Event], out: BinaryIO, chosen: Chosen = ALL) -> int:
    """Write the exchanges that ``chosen`` wants, in the order in which they began. Returns how many."""
    creator = {"name": "Listening Post", "version": __version__}
    head = json.dumps({"version": "1.2", "creator": creator})[:-1]
    out.write(f'{{"log": {head}, "entries": ['.encode())
    lost: list[str] = []
    with tempfile.SpooledTemporaryFile(SPOOLED) as spool:
        entries = _Entries(spool)
        exchanges = Exchanges()
        for event in events:
            if event.kind == kinds.LOST:
                lost.append(event.summary)
            for exchange in exchanges.take(event):
                if chosen.wants(exchange):
                    entries.add(exchange)
        for exchange in exchanges.rest():
            if chosen.wants(exchange):
                entries.add(exchange)
        entries.write(out)
    comment = f', "comment": {json.dumps(_told(lost))}' if lost else ""
    out.write(f"\n]{comment}}}}}\n".encode())
    return len(entries)


MAX_TOLD = 20
"""Losses that the comment of the log tells one by one, and faults that the comment of an exchange does."""


def _told(lost: list[str]) -> str:
    more = f"; and {len(lost) - MAX_TOLD:,} times more" if len(lost) > MAX_TOLD else ""
    return f"This capture is not complete. {'; '.join(lost[:MAX_TOLD])}{more}"


class _Entries:
    """Entries that are ready and wait until all are, since the last to end may have begun first."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        self._began, self._at = array("q"), array("q", [0])

    def __len__(self) -> int:
        return len(self._began)

    def add(self, exchange: Exchange) -> None:
        text = json.dumps(entry(exchange), ensure_ascii=False).encode("utf-8", "backslashreplace")
        self._spool.write(text)
        self._began.append(began(exchange))
        self._at.append(self._at[-1] + len(text))

    def write(self, out: BinaryIO) -> None:
        between = b"\n"
        for number in sorted(range(len(self._began)), key=self._began.__getitem__):
            out.write(between)
            between = b",\n"
            self._spool.seek(self._at[number])
            left = self._at[number + 1] - self._at[number]
            while left > 0 and (part := self._spool.read(min(left, AT_ONCE))):
                out.write(part)
                left -= len(part)


LONGEST = 1e9
"""Seconds that an exchange can have taken: a capture may say anything."""


def began(exchange: Exchange) -> int:
    """When the exchange began, in ns since 1970."""
    answered = exchange.response
    seconds = answered.detail.get("seconds") if answered is not None else None
    if answered is None or not isinstance(seconds, int | float) or not 0 <= seconds < LONGEST:
        return exchange.request.time
    return answered.time - int(seconds * 1e9)


def entry(exchange: Exchange) -> dict[str, Any]:
    """One entry of the log."""
    asked = exchange.request
    is_socket = asked.kind == kinds.WS_OPENED
    milliseconds = round(_milliseconds(exchange), 3)
    server = asked.peer if exchange.outgoing else asked.host
    found: dict[str, Any] = {
        "startedDateTime": rfc3339(began(exchange))[:23] + "Z",
        "time": milliseconds,
        "request": _request(exchange),
        "response": _response(exchange, is_socket=is_socket),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "serverIPAddress": (server or "").rpartition(":")[0].strip("[]"),
        "connection": f"#{asked.conn}",  # not a bare number, which is taken for a port
        "comment": f"{asked.service}, {'to' if exchange.outgoing else 'from'} {asked.peer}",
    }
    if is_socket:
        found["_resourceType"] = "websocket"
        found["_webSocketMessages"] = [_message(event, outgoing=exchange.outgoing) for event in exchange.messages]
        if exchange.messages_cut:
            found["comment"] += "; not all messages are here"
    elif "refused" in asked.detail:
        found["comment"] += "; the request was refused before it was read to its end"
        if not asked.detail.get("method"):
            found["comment"] += ", and its method and target are not known"
    found["comment"] += "".join(f"; fault {fault.summary}" for fault in exchange.faults[:MAX_TOLD])
    if len(exchange.faults) > MAX_TOLD:
        found["comment"] += f"; and {len(exchange.faults) - MAX_TOLD:,} faults more"
    return found


def _milliseconds(exchange: Exchange) -> float:
    end = exchange.response.time if exchange.response is not None else exchange.until
    return max(0, end - began(exchange)) / 1e6


def _request(exchange: Exchange) -> dict[str, Any]:
    event, detail = exchange.request, exchange.request.detail
    body = exchange.request_body
    head = body.head if body is not None else None
    fields: Fields = detail.get("fields") or []
    method, version = detail.get("method"), detail.get("version")
    if event.kind == kinds.WS_OPENED and head is not None:
        # Of a WebSocket that we opened, the event has the fields of the answer.
        fields, (method, _, version) = head.fields, head.line
    method, version = str("GET" if method is None else method), _version(version)
    target = str(detail.get("target", "/"))
    found: dict[str, Any] = {
        "method": method,
        "url": _url(exchange, target, fields),
        "httpVersion": version,
        "cookies": [cookie for name, value in fields if name.lower() == "cookie" for cookie in asked_with(value)],
        "headers": _pairs(fields),
        "queryString": [{"name": name, "value": value} for name, value in _query(target)],
        "headersSize": _head_size(body, f"{method} {target} {version}", fields, version),
        "bodySize": event.size or 0,
    }
    if body is not None and ("refused" in detail or event.size is None):
        found["bodySize"] = body.size  # more may have come since
    if body is not None and body.size:
        content, text, encoding = _content(body, fields)
        found["postData"] = {"mimeType": value_of(fields, "content-type") or "application/octet-stream", "text": text}
        if encoding:
            # HAR has no coding here, and who does not know ours takes the text for the body.
            found["postData"] |= {
                "text": decoded(bytes(body.data), fields)[0].decode("latin-1"),
                "_encoding": "latin-1",
            }
        if body.cut or content:
            found["postData"]["comment"] = _cut(body) if body.cut else content
    return found


def _response(exchange: Exchange, *, is_socket: bool) -> dict[str, Any]:
    event, body = exchange.response, exchange.response_body
    head = body.head if body is not None else None
    fields: Fields = event.detail.get("fields") or [] if event is not None else []
    if not fields and head is not None:
        fields = head.fields
    if event is not None:
        status, reason = event.detail.get("status", 0), str(event.detail.get("reason", ""))
        if not reason and head is not None:
            reason = head.line[2]
    elif head is not None:
        status, reason = head.line[1], head.line[2]
    else:
        status, reason = (101, "Switching Protocols") if is_socket else (0, "")
    version = _version(head.line[0] if head is not None else exchange.request.detail.get("version"))
    size = -1 if event is None and head is None else _body_size(event, body)
    found = {
        "status": int(status) if _MAY_BE_STATUS.fullmatch(str(status)) else 0,
        "statusText": reason,
        "httpVersion": version,
        "cookies": [
            cookie for name, value in fields if name.lower() == "set-cookie"
            for cookie in set_by(value, event.time if event is not None else exchange.until)
        ],
        "headers": _pairs(fields),
        "content": _body_of(body, fields, max(size, 0)),
        "redirectURL": value_of(fields, "location"),
        "headersSize": _head_size(body, f"{version} {status} {reason}", fields, version) if fields else -1,
        "bodySize": size,
    }  # fmt: skip
    if error := _error(exchange, is_socket=is_socket):
        found["_error"] = error
    if event is not None and "refused" in event.detail:
        found["comment"] = f"refused: {event.detail['refused']}"
    return found


_MAY_BE_STATUS = re.compile(r"[0-9]{1,9}")


def _error(exchange: Exchange, *, is_socket: bool) -> str:
    """Why the answer is missing, or is not whole."""
    if exchange.response is not None:
        return str(exchange.response.detail.get("cut", ""))
    return "" if is_socket else exchange.ended or NO_ANSWER


def _body_size(event: Event | None, body: Body | None) -> int:
    """Bytes of the body as they were sent, without a transfer coding."""
    if body is not None and body.head is not None:
        return body.size
    return event.size or 0 if event is not None else 0


def _body_of(body: Body | None, fields: Fields, size: int) -> dict[str, Any]:
    content: dict[str, Any] = {"size": size, "mimeType": value_of(fields, "content-type")}
    if body is None or not body.size:
        return content
    comment, text, encoding = _content(body, fields)
    content["size"] = body.size
    plain, _ = decoded(bytes(body.data), fields)
    if plain != body.data:
        content["size"] = len(plain)
        if not (body.cut or comment):
            content["compression"] = len(plain) - body.size
    content["text"] = text
    if encoding:
        content["encoding"] = encoding
    if body.cut or comment:
        content["comment"] = _cut(body) if body.cut else comment
    return content


def _content(body: Body, fields: Fields) -> tuple[str, str, str]:
    """A remark on the content, its text, and the encoding of the text."""
    data, cut = decoded(bytes(body.data), fields)
    remark = f"cut at {len(data):,} decoded bytes" if cut else ""
    text = text_of(data, fields)
    if text is not None:
        return remark, text, ""
    return remark, b64encode(data).decode(), "base64"


def _cut(body: Body) -> str:
    return f"cut: {len(body.data):,} of {body.size:,} bytes"


def _version(version: object) -> str:
    text = str(version or "HTTP/1.1")
    return "HTTP/2.0" if text == "HTTP/2" else text


def _head_size(body: Body | None, line: str, fields: Fields, version: str) -> int:
    """Bytes of start line and headers with the empty line; -1 where they were packed, as by HTTP/2."""
    if body is not None and body.head is not None and body.head.size is not None:
        return body.head.size
    if not version.startswith("HTTP/1"):
        return -1
    return len(line) + 2 + sum(len(name) + len(value) + 4 for name, value in fields) + 2


def _url(exchange: Exchange, target: str, fields: Fields) -> str:
    if "://" in target:
        return target
    scheme = "ws" if exchange.request.kind == kinds.WS_OPENED else "http"
    server = exchange.request.peer if exchange.outgoing else exchange.request.host
    host = value_of(fields, "host") or value_of(fields, ":authority") or server or "localhost"
    return f"{scheme}{'s' if exchange.secure else ''}://{host}{target if target.startswith('/') else f'/{target}'}"


def _query(target: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        return []


def _pairs(fields: Fields) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in fields]


def _message(event: Event, *, outgoing: bool) -> dict[str, Any]:
    payload, opcode = event.payload or b"", event.detail.get("opcode")
    codes = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
    data = payload.decode("utf-8", "replace") if opcode == "text" else b64encode(payload).decode()
    # As the client saw it.
    kind = "send" if (event.detail.get("direction") == "sent") is outgoing else "receive"
    return {"type": kind, "time": event.time / 1e9, "opcode": codes.get(str(opcode), 2), "data": data}


EXPORTER = Exporter(
    "har",
    "HAR",
    ".har",
    "HTTP exchanges and WebSocket messages, for developer tools",
    write,
    "entry",
    "entries",
    exchanges=True,
)
