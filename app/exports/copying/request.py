"""A recorded request, ready to be made again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.text import errors
from app.text.escapes import unescape

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged
    from app.events import Event

_BY_CURL = ("content-length", "host", "connection", "expect", "keep-alive", "upgrade", "http2-settings")
_LOCAL = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, ready to be made again.

    Attributes:
        url: scheme and authority: where the request went to.
        target: as it was sent.
        headers: without those that follow from the rest; latin-1 stands for bytes.
        body: content codings undone.
        remarks: what is not as it was, one line each.
    """

    method: str
    url: str
    target: bytes
    version: str
    headers: list[tuple[str, str]]
    body: bytes
    secure: bool
    outgoing: bool
    remarks: list[str]


def asked(found: Exchanged, *, secure: bool) -> Asked | None:
    """The request of an exchange; None where it could not be read. ``secure``: whether it came over TLS."""
    event = found.request
    if event is None:
        return None
    detail = event.detail
    given = headers_of(event)
    host = next((value for name, value in given if name.lower() in ("host", ":authority")), "")
    outgoing = bool(detail.get("outgoing"))
    authority, named = _authority(event, host, outgoing)
    body, undone, remarks = _body(found)
    dropped = (*_BY_CURL, *(("content-encoding",) if undone else ()))
    headers = [(name, value) for name, value in given if name.lower() not in dropped and not name.startswith(":")]
    headers = [(name, value) for name, value in headers if name.lower() != "transfer-encoding" or body]
    if named:
        headers.insert(0, ("Host", named))
    method, target = _bytes(detail.get("method", "GET")).decode("latin-1"), _bytes(detail.get("target", "/"))
    url, version = f"http{'s' if secure else ''}://{authority}", str(detail.get("version", ""))
    return Asked(method, url, target, version, headers, body, secure, outgoing, remarks)


def headers_of(event: Event) -> list[tuple[str, str]]:
    """Name and value of each header of a request or answer, in the order in which they came."""
    pairs = event.detail.get("fields") or []
    return [(str(pair[0]), str(pair[1])) for pair in pairs if isinstance(pair, list | tuple) and len(pair) == 2]


def _bytes(escaped: object) -> bytes:
    """What a note shows with escapes, as it was."""
    try:
        return unescape(str(escaped))
    except errors.EscapeError:
        return str(escaped).encode("utf-8", "replace")


def _authority(event: Event, host: str, outgoing: bool) -> tuple[str, str]:
    """Where to send the request, and a Host header where that must say something else."""
    ours = event.peer if outgoing else event.host
    port = (ours or "").rpartition(":")[2]
    name, _, given = host.rpartition(":") if re.search(r":\d+$", host) else (host, "", "")
    local = name in _LOCAL and re.fullmatch(r"[\w.\[\]:-]+", host)
    if host == ours or (local and given == port) or not ours or (outgoing and host):
        return host or "localhost", ""
    return ours, host


def _body(found: Exchanged) -> tuple[bytes, bool, list[str]]:
    """The request's body, whether its content codings were undone, and remarks about it."""
    assert found.request is not None
    content, size = found.asked, found.request.detail.get("body") or 0
    if content is None:
        said = f"The body of {size:,} bytes is missing: it is not in the capture as a whole."
        return b"", False, [said] if size else []
    if content.cut or (size and not content.whole):
        return content.data, bool(content.coding), [f"The body is cut: it has {content.size:,} bytes."]
    return content.data, bool(content.coding), []
