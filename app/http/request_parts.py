"""Parts of a twisted.web request that Twisted does not parse."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote_to_bytes

from app.http.problem_json import Problem

_ORIGIN = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


def path_of(request: Any) -> bytes:
    """The path of the target as sent, also where that is an absolute URI (RFC 9112 section 3.2.2)."""
    path: bytes = request.path
    if path.startswith(b"/"):
        return path
    return _ORIGIN.sub(b"", path, count=1) or b"/"


def decoded(text: bytes) -> str:
    """``text`` of a URI, percent-decoded. Raises Problem where that is not UTF-8."""
    try:
        return (unquote_to_bytes(text) if b"%" in text else text).decode()
    except UnicodeDecodeError as e:
        raise Problem(400, f"{text.decode('latin-1')} in the target is not UTF-8") from e


def parameters(request: Any) -> list[tuple[str, str]]:
    """Names and values of the query, in order. Raises Problem."""
    _, _, query = request.uri.partition(b"?")
    pairs = (part.partition(b"=") for part in query.replace(b"+", b"%20").split(b"&") if part)
    return [(decoded(name), decoded(value)) for name, _, value in pairs]


def field(request: Any, name: bytes) -> str:
    """The values of a header, joined with commas; empty where there is none."""
    values = request.requestHeaders.getRawHeaders(name)
    return b", ".join(values).decode("latin-1") if values else ""


def media_type(request: Any) -> str:
    """The body's media type in small letters, without parameters; empty where the request names none."""
    return field(request, b"content-type").partition(";")[0].strip().lower()


def accepts_json(request: Any) -> bool:
    """Whether ``Accept`` takes JSON (RFC 9110 section 12.5.1): the most specific of its ranges decides."""
    text = field(request, b"accept")
    if not text or text == "*/*":
        return True
    weights: dict[str, bool] = {}
    for part in text.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weights[name] = not any(re.fullmatch(r"q\s*=\s*0(\.0*)?", parameter) for parameter in parameters)
    for name in ("application/json", "application/*", "*/*"):
        if name in weights:
            return weights[name]
    return False
