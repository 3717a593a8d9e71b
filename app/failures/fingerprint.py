"""Which failures are the same: by type and the innermost frames of the responder's own code.

Grouping as https://docs.sentry.io/concepts/data-management/event-grouping/ describes it: frames
of one's own before those of libraries, paths and line numbers left out, since both change
without the mistake being another; the message only where there is no frame.
"""

from __future__ import annotations

import re
from hashlib import blake2b

from app.failures.origins import library, short
from app.failures.record import FailureRecord, Frame

FRAMES = 3
"""Innermost frames that count."""

_VARIABLE = (
    (re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""), "'…'"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (re.compile(r"0x[0-9a-fA-F]+"), "<address>"),
    (re.compile(r"(?<![\w.])[-+]?\d+(?:[.,:]\d+)*(?![\w])"), "<number>"),
)


def fingerprint(record: FailureRecord) -> str:
    """16 hex digits, the same for failures that are the same mistake."""
    parts = [record.type]
    frames = own_frames(record)
    for frame in frames:
        parts += [short(frame.file), frame.function, _line(frame)]
    if not frames:
        parts.append(generalised(record.message))
    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def own_frames(record: FailureRecord) -> tuple[Frame, ...]:
    """The innermost frames that are not a library's, outermost first; where all are, the innermost of all."""
    own = [frame for frame in record.frames if library(frame.file) is None]
    return tuple((own or list(record.frames[-1:]))[-FRAMES:])


def generalised(message: str) -> str:
    """The first line of a message, with a word for each part that may differ from time to time."""
    line = message.partition("\n")[0][:300]
    for pattern, word in _VARIABLE:
        line = pattern.sub(word, line)
    return line


def _line(frame: Frame) -> str:
    return next((text.strip() for number, text in frame.source if number == frame.line), "")
