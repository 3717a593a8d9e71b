"""A whole exchange as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.exports.copying.request import headers_of
from app.text.escapes import one_line, shown

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged
    from app.events import Event
    from app.http.contents import Content


def as_text(found: Exchanged) -> str:
    """Request and response as they would be typed; codings undone, what is no text as escapes."""
    parts = []
    if found.request is not None:
        detail = found.request.detail
        line = f"{detail.get('method', '')} {detail.get('target', '')} {detail.get('version', '')}"
        parts.append(_message(line, found.request, found.asked))
    if found.response is not None:
        detail = found.response.detail
        version = str(found.request.detail.get("version", "HTTP/1.1")) if found.request is not None else "HTTP/1.1"
        line = f"{version} {detail.get('status', '')} {detail.get('reason', '') or detail.get('refused', '')}"
        parts.append(_message(line, found.response, found.answered))
    return "\n\n".join(parts) + "\n"


def _message(line: str, event: Event, content: Content | None) -> str:
    head = [one_line(line.rstrip())]
    head += [shown(f"{name}: {value}".encode("latin-1", "replace")) for name, value in headers_of(event)]
    text = "\n".join(head) + "\n"
    if content is None:
        return text
    if content.data:
        text += "\n" + "\n".join(shown(part) for part in content.data.replace(b"\r\n", b"\n").split(b"\n"))
    if content.cut:
        text += f"\n[cut: the body has {content.size:,} bytes]"
    return text
