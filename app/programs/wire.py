"""How a hosted program hands its events to the Post that has started it: frames on a pipe.

A frame is a head (``<QIIQ``: sequence, bytes of its JSON, number of events, bytes of these), the JSON, and the
events, each a head (``<qHIQqqii``: time, kind, service, connection, size, and the lengths of payload, summary and
detail; -1 where there is none) and its three texts. JSON is ``{"services": [[name, protocol], …]}`` where the list
has grown; with sequence 0 it is a note: ``{"files": [path, …]}``, the files of its own that the program has loaded.

It needs nothing but the standard library, and reads nothing that could be code: a program may write into the pipe.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.capture.writing.batch import FIELDS, SAME, SAME_BUT_ONE, Batch

HEAD = struct.Struct("<QIIQ")
EVENT = struct.Struct("<qHIQqqii")

MAX_FRAME = 512 << 20
"""Bytes of the events of one frame: a program may write as much at once."""

MAX_JSON = 4 << 20
MAX_SERVICES = 10_000
MAX_FILES = 2_000

NONE = -1

Item = tuple[int, int, int, int, bytes | None, str | None, str | None, int | None]
"""Of an event: time, kind, service, connection, payload, summary, detail, size."""


class BrokenFrameError(Exception):
    """What was read is no frame; the words say why."""


@dataclass(slots=True)
class Frame:
    """One frame. ``items`` reads its events one by one."""

    sequence: int
    services: list[tuple[str, str]] | None
    count: int
    body: memoryview
    note: dict[str, Any] = field(default_factory=dict)

    def items(self) -> Iterator[Item]:
        """Raises BrokenFrameError."""
        at, body = 0, self.body
        for _ in range(self.count):
            try:
                time, kind, service, conn, size, *lengths = EVENT.unpack_from(body, at)
            except struct.error as e:
                raise BrokenFrameError("an event breaks off") from e
            at += EVENT.size
            parts: list[memoryview | None] = []
            for length in lengths:
                if length > len(body) - at or length < NONE:
                    raise BrokenFrameError("an event breaks off")
                parts.append(None if length == NONE else body[at : at + length])
                at += max(0, length)
            payload, summary, detail = parts
            yield (
                time, kind, service, conn, None if payload is None else bytes(payload), _text(summary), _text(detail),
                None if size == NONE else size,
            )  # fmt: skip


def note(**facts: Any) -> bytes:
    """A frame that has no events."""
    text = json.dumps(facts).encode()
    return HEAD.pack(0, len(text), 0, 0) + text


def encoded(batch: Batch) -> bytes:
    """A batch of the recorder as a frame."""
    sequence, services, flat = batch[:3]
    head = b"" if services is None else json.dumps({"services": services}).encode()
    parts: list[bytes] = []
    last: list[bytes] = [b"", b""]
    for start in range(0, len(flat), FIELDS):
        time, kind, service, conn, size, payload, summary, detail = flat[start : start + FIELDS]
        if payload is SAME:
            payload = last[0]
        elif payload is SAME_BUT_ONE:
            payload = last[1]
        elif payload is not None:
            last = [payload, last[0]]
        texts = [payload, _bytes(summary), _bytes(detail)]
        lengths = [NONE if text is None else len(text) for text in texts]
        parts.append(EVENT.pack(time, kind, service, conn, NONE if size is None else size, *lengths))
        parts += [text for text in texts if text]
    body = b"".join(parts)
    return HEAD.pack(sequence, len(head), len(flat) // FIELDS, len(body)) + head + body


class Reader:
    """Takes apart what comes through the pipe."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now. Raises BrokenFrameError."""
        self._bytes += data
        while len(self._bytes) >= HEAD.size:
            sequence, head, count, body = HEAD.unpack_from(self._bytes)
            if head > MAX_JSON or body > MAX_FRAME or count * EVENT.size > body:
                raise BrokenFrameError("its lengths are wrong")
            end = HEAD.size + head + body
            if len(self._bytes) < end:
                return
            whole = bytes(self._bytes[:end])
            del self._bytes[:end]
            yield _frame(sequence, count, whole[HEAD.size : HEAD.size + head], memoryview(whole)[HEAD.size + head :])


def _frame(sequence: int, count: int, head: bytes, body: memoryview) -> Frame:
    try:
        facts = json.loads(head) if head else {}
    except (ValueError, RecursionError) as e:
        raise BrokenFrameError("its JSON is wrong") from e
    if not isinstance(facts, dict):
        raise BrokenFrameError("its JSON is not an object")
    services = facts.get("services")
    if services is None:
        return Frame(sequence, None, count, body, facts)
    if not isinstance(services, list) or len(services) > MAX_SERVICES or not all(map(_is_service, services)):
        raise BrokenFrameError("its services are wrong")
    return Frame(sequence, [(str(name), str(protocol)) for name, protocol in services], count, body, facts)


def _is_service(entry: object) -> bool:
    return isinstance(entry, list) and len(entry) == 2 and all(isinstance(text, str) for text in entry)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "replace")


def _text(part: memoryview | None) -> str | None:
    return None if part is None else bytes(part).decode("utf-8", "replace")
