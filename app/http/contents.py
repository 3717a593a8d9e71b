"""The content of an event: its payload, or the body of its request or response, without content codings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.http.bodies import Fields, decoded, value_of
from app.http.forms import Part, all_parts
from app.text.encodings import as_utf8, detect

if TYPE_CHECKING:
    from app.http.body import Body


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes, and what the headers say about them.

    Attributes:
        data: the bytes, content codings undone.
        size: bytes as sent, without the transfer coding.
        kind: the media type in small letters, without parameters; empty where none was given.
        charset: the charset parameter of the media type; empty where there is none.
        coding: the content codings that were undone.
        cut: whether ``data`` is only the beginning.
        whole: whether the body came to its end.
        parts: those of a multipart body.
    """

    data: bytes = b""
    size: int = 0
    kind: str = ""
    charset: str = ""
    coding: str = ""
    cut: bool = False
    whole: bool = True
    parts: tuple[Part, ...] = ()


def of_payload(payload: bytes) -> Content:
    return Content(payload, len(payload))


def of_body(body: Body, fields: Fields) -> Content:
    """The content of a body whose headers are ``fields``."""
    data = bytes(body.data)
    plain, cut = decoded(data, fields)
    kind, charset = media_type(fields)
    coding = value_of(fields, "content-encoding") if plain != data else ""
    parts = tuple(all_parts(plain, fields)) if kind.startswith("multipart/") else ()
    return Content(plain, body.size, kind, charset, coding, cut or body.cut, body.whole, parts)


def of_part(part: Part) -> Content:
    return Content(part.data, len(part.data), part.kind, media_type(part.fields)[1])


def media_type(fields: Fields) -> tuple[str, str]:
    """Media type and charset (RFC 9110, section 8.3)."""
    kind, _, parameters = value_of(fields, "content-type").partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return kind.strip().lower(), value.strip(" \t\"'")
    return kind.strip().lower(), ""


_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg"), (b"GIF87a", "gif"), (b"GIF89a", "gif"),
)  # fmt: skip


def image_format(data: bytes) -> str:
    """``png``, ``jpeg``, ``gif``, ``webp`` or ``bmp`` by the first bytes; empty for all else."""
    for begin, name in _IMAGES:
        if data.startswith(begin):
            return name
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    # Its size stands behind the letters: BM alone is the beginning of many a text.
    if data.startswith(b"BM") and len(data) >= 26 and data[6:10] == b"\0\0\0\0" and data[14:18] in _BMP_HEADS:
        return "bmp"
    return ""


_BMP_HEADS = frozenset(size.to_bytes(4, "little") for size in (12, 40, 52, 56, 64, 108, 124))
_JSON = re.compile(rb'\s*(?:\{\s*(?:"|\}|$)|\[\s*(?:["{\[\]tfn\d-]|$))')
_XML = re.compile(rb"\s*(?:<\?xml[\s?]|<!--|<!DOCTYPE\s|<[A-Za-z_][\w.:-]*(?:\s[^<>]*)?/?>)", re.IGNORECASE)


def kind_of(content: Content) -> str:
    """``json``, ``xml`` or ``image``, by its media type or its first bytes; empty for all else."""
    kind, head = content.kind, content.data[:1024]
    if image_format(head):
        return "image"
    if kind.endswith(("/json", "+json", "json-seq", "/x-ndjson", "/jsonl")):
        return "json"
    if kind.endswith(("/xml", "+xml", "/html")):
        return "xml"
    text = as_utf8(head, detect(head, content.charset)) if head[:1] in _WIDE or head[1:2] == b"\0" else head
    if _JSON.match(text):
        return "json"
    return "xml" if _XML.match(text) else ""


_WIDE = (b"\xff", b"\xfe", b"\xef", b"\0")
"""Of a byte order mark, or of UTF-16."""
