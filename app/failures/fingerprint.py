"""Fingerprints group failures that have the same cause.

A fingerprint is made of the exception's type and the innermost frames of the user's and the responders'
code, as https://docs.sentry.io/concepts/data-management/event-grouping/ describes: library frames count
only if there are no others. Paths and line numbers are left out, since both change while the mistake
stays the same. The message counts only if there is no frame.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from app.failures.origins import library, short
from app.failures.record import FailureRecord, Frame

FRAMES = 3
"""Number of innermost frames in a fingerprint."""

_VARIABLE = (
    (re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""), "'…'"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"0x[0-9a-fA-F]+"), "<address>"),
    (re.compile(r"(?<![\w.])[-+]?\d+(?:[.,:]\d+)*(?![\w])"), "<number>"),
)


def fingerprint(record: FailureRecord) -> str:
    """The fingerprint: 16 hex digits, equal for failures with the same cause."""
    parts = [record.type]
    frames = own_frames(record)
    for frame in frames:
        parts += [short(frame.file), frame.function, _line(frame)]
    if not frames:
        parts.append(generalised(record.message))
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def own_frames(record: FailureRecord) -> tuple[Frame, ...]:
    """The innermost frames outside of libraries, outermost first; if there are none, the innermost frame."""
    own = [frame for frame in record.frames if library(frame.file) is None]
    return tuple((own or list(record.frames[-1:]))[-FRAMES:])


def called_frame(record: FailureRecord) -> Frame | None:
    """The outermost frame outside of libraries, or else the innermost frame: what was called, whatever it called then.

    It is the same wherever in a loop of many small calls the stack was taken.
    """
    own = (frame for frame in record.frames if library(frame.file) is None)
    return next(own, record.frames[-1] if record.frames else None)


def generalised(message: str) -> str:
    """The first line of a message, with placeholders for quoted texts, numbers and addresses."""
    line = message.partition("\n")[0][:300]
    for pattern, word in _VARIABLE:
        line = pattern.sub(word, line)
    return line


def _line(frame: Frame) -> str:
    return next((text.strip() for number, text in frame.source if number == frame.line), "")
