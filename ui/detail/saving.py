"""Saves the whole payload or body of an event. All functions block: call them in a thread."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QCoreApplication

from app.events import Event
from app.files.names import harmless
from app.files.replacing import replacing
from app.http.forms import Part
from app.http.media_types import suffix_of


def save_payload(payload: bytes, path: Path) -> str:
    """Write ``payload`` to a file. Returns an error for the user, or an empty text."""
    try:
        with replacing(path) as out:
            out.write(payload)
    except OSError as e:
        return QCoreApplication.translate("Saving", "Cannot save to {path}: {reason}.").format(
            path=path, reason=e.strerror or e
        )
    return ""


def part_name(part: Part, number: int) -> str:
    """A name for the file of a part, by its number from 0. What the peer has sent as a name is made harmless."""
    return harmless(part.file or "", f"part-{number + 1}{suffix_of(part.kind) or '.bin'}")


def save_part(capture: Path, event: Event, number: int, path: Path) -> str:
    """Write a part, by its number from 0, of the multipart body of a request or response.

    Returns an error for the user, or an empty text.
    """
    from app.capture.reading.exchange_at import whole_content
    from app.errors import PostError

    try:
        content = whole_content(capture, event.id)
    except PostError as e:
        return str(e)
    if content is None or number >= len(content.parts):
        return QCoreApplication.translate(
            "Saving",
            "Nothing was saved to {path}: the part is not in the capture, or too far from its event to be found.",
        ).format(path=path)
    return save_payload(content.parts[number].data, path)


def save_body(capture: Path, event: Event, path: Path) -> str:
    """Write the body of a request or response, as far as it was captured.

    Returns an error for the user, or an empty text.
    """
    from app.capture.reading.exchange_at import WHOLE, whole_content
    from app.errors import PostError

    try:
        content = whole_content(capture, event.id)
    except PostError as e:
        return str(e)
    if content is None:
        return QCoreApplication.translate(
            "Saving",
            "Nothing was saved to {path}: the body is not in the capture, or too far from its event to be found.",
        ).format(path=path)
    problem = save_payload(content.data, path)
    if not problem and content.cut:
        return QCoreApplication.translate(
            "Saving", "{path} has only the first {count:,} bytes: bodies are saved up to {most:,} bytes."
        ).format(path=path, count=len(content.data), most=WHOLE)
    return problem
