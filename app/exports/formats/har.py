"""HAR 1.2: HTTP exchanges and the messages of WebSockets, for browsers' developer tools.

Format: http://www.softwareishard.com/blog/har-12-spec/; WebSocket messages as Chrome writes
them, in ``_webSocketMessages``.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, urlsplit

from app import __version__
from app import events as kinds
from app.events import Event, rfc3339
from app.exports.formats import Exporter
from app.http.bodies import Fields, decoded, text_of, value_of
from app.http.exchanges import Body, Exchange, Exchanges


def write(events: Iterable[Event], out: BinaryIO) -> None:
    creator = {"name": "Listening Post", "version": __version__}
    head = json.dumps({"version": "1.2", "creator": creator})[:-1]
    out.write(f'{{"log": {head}, "entries": ['.encode())
    exchanges, first = Exchanges(), True

    def put(exchange: Exchange) -> None:
        nonlocal first
        out.write(b"\n" if first else b",\n")
        out.write(json.dumps(entry(exchange), ensure_ascii=False).encode("utf-8", "backslashreplace"))
        first = False

    for event in events:
        for exchange in exchanges.take(event):
            put(exchange)
    for exchange in exchanges.rest():
        put(exchange)
    out.write(b"\n]}}\n")


def entry(exchange: Exchange) -> dict[str, Any]:
    """One entry of the log."""
    asked, answered = exchange.request, exchange.response
    is_socket = asked.kind == kinds.WS_OPENED
    milliseconds = float(answered.detail.get("seconds", 0)) * 1000 if answered is not None else 0.0
    began = asked.time if answered is None else answered.time - int(milliseconds * 1e6)
    address, _, _ = (asked.host or "").rpartition(":")
    found: dict[str, Any] = {
        "startedDateTime": rfc3339(began)[:23] + "Z",
        "time": round(milliseconds, 3),
        "request": _request(exchange),
        "response": _response(exchange, is_socket=is_socket),
        "cache": {},
        "timings": {"send": 0, "wait": round(milliseconds, 3), "receive": 0},
        "serverIPAddress": address.strip("[]"),
        "connection": str(asked.conn),
        "comment": f"{asked.service}, from {asked.peer}",
    }
    if is_socket:
        found["_resourceType"] = "websocket"
        found["_webSocketMessages"] = [_message(event) for event in exchange.messages]
        if exchange.messages_cut:
            found["comment"] += "; not all messages are here"
    return found


def _request(exchange: Exchange) -> dict[str, Any]:
    event, detail = exchange.request, exchange.request.detail
    fields: Fields = detail.get("fields") or []
    target = str(detail.get("target", "/"))
    found: dict[str, Any] = {
        "method": str(detail.get("method", "GET")),
        "url": _url(exchange, target),
        "httpVersion": str(detail.get("version", "HTTP/1.1")),
        "cookies": _cookies(value_of(fields, "cookie")),
        "headers": _pairs(fields),
        "queryString": [{"name": name, "value": value} for name, value in _query(target)],
        "headersSize": -1,
        "bodySize": event.size or 0,
    }
    body = exchange.request_body
    if body is not None and body.size:
        content, text, encoding = _content(body, fields)
        found["postData"] = {"mimeType": value_of(fields, "content-type") or "application/octet-stream", "text": text}
        if encoding:
            found["postData"]["encoding"] = encoding
        if body.cut or content:
            found["postData"]["comment"] = _cut(body) if body.cut else content
    return found


def _response(exchange: Exchange, *, is_socket: bool) -> dict[str, Any]:
    event = exchange.response
    fields: Fields = event.detail.get("fields") or [] if event is not None else []
    if event is None:
        status, reason, size = (101, "Switching Protocols", 0) if is_socket else (0, "", -1)
    else:
        status, reason = int(event.detail.get("status", 0)), str(event.detail.get("reason", ""))
        size = event.size or 0
    body = exchange.response_body
    content: dict[str, Any] = {"size": max(size, 0), "mimeType": value_of(fields, "content-type")}
    if body is not None and body.size:
        comment, text, encoding = _content(body, fields)
        content["size"] = body.size
        content["text"] = text
        if encoding:
            content["encoding"] = encoding
        if body.cut or comment:
            content["comment"] = _cut(body) if body.cut else comment
    return {
        "status": status,
        "statusText": reason,
        "httpVersion": str(exchange.request.detail.get("version", "HTTP/1.1")),
        "cookies": [cookie for name, value in fields if name.lower() == "set-cookie" for cookie in _cookies(value)[:1]],
        "headers": _pairs(fields),
        "content": content,
        "redirectURL": value_of(fields, "location"),
        "headersSize": -1,
        "bodySize": size,
    }


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


def _url(exchange: Exchange, target: str) -> str:
    if "://" in target:
        return target
    fields: Fields = exchange.request.detail.get("fields") or []
    scheme = "ws" if exchange.request.kind == kinds.WS_OPENED else "http"
    host = value_of(fields, "host") or exchange.request.host or "localhost"
    return f"{scheme}{'s' if exchange.secure else ''}://{host}{target if target.startswith('/') else f'/{target}'}"


def _query(target: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(urlsplit(target).query, keep_blank_values=True, max_num_fields=1_000)
    except ValueError:
        return []


def _pairs(fields: Fields) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in fields]


def _cookies(text: str) -> list[dict[str, str]]:
    pairs = (part.strip().partition("=") for part in text.split(";") if part.strip())
    return [{"name": name, "value": value} for name, _, value in pairs]


def _message(event: Event) -> dict[str, Any]:
    payload, opcode = event.payload or b"", event.detail.get("opcode")
    codes = {"text": 1, "binary": 2, "close": 8, "ping": 9, "pong": 10}
    data = payload.decode("utf-8", "replace") if opcode == "text" else b64encode(payload).decode()
    kind = "receive" if event.detail.get("direction") == "sent" else "send"  # as the client saw it
    return {"type": kind, "time": event.time / 1e9, "opcode": codes.get(str(opcode), 2), "data": data}


EXPORTER = Exporter("har", "HAR", ".har", "HTTP exchanges and WebSocket messages, for developer tools", write)
