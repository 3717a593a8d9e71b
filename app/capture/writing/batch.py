"""A batch of events, and how it gets from the recorder to the writer process.

A batch is ``(sequence, services, fields)``: ``services`` is the whole list of ``(name, protocol)``
whenever it grew, else None; ``fields`` is flat, ``FIELDS`` values an event. Once in a second a sample of the program
itself follows, or None where something follows of outposts: how far their captures were read, and their connections.

It is sent as a frame: a header (``<QQ?``: the lengths of two parts, and whether there are large payloads), then
the two parts. The first is the ``marshal`` of the batch. In it, a large payload is replaced by its place and length
in the memory that both processes share, or by its length alone; the second part holds the bytes of the latter.
Both ends are the same program, so that ``marshal`` can be used.
"""

from __future__ import annotations

import marshal
import struct
from dataclasses import dataclass, replace
from mmap import mmap
from typing import Any, BinaryIO

FIELDS = 8
"""Values of an event in a batch: time, kind, service, conn, size, payload, summary, detail. A ``conn`` is a number of
this run, 0 for none; a negative one is that of a connection of an earlier run, as it is in the file."""

PAYLOAD = 5
"""Which of them is the payload, from 0."""

SAME, SAME_BUT_ONE = ..., False
"""In the place of a payload: the same bytes as the last payload before it in the batch, or as the last but one. A
message for many readers is recorded as message and frame in turn."""

Services = list[tuple[str, ...]]
"""Name and protocol of each, and the outpost that has it, if one has."""

Sample = tuple[int, list[float], int | None]
"""Of the program itself: when (ns since 1970), by how many seconds its event loop was late each time since the last
sample, and the bytes of memory that it has."""

Progress = tuple[str, str, int, int]
"""Of an outpost: its name, the identity of its capture, the id of the last event that was read of it, and by how many
ns its clock is ahead of ours."""

Elsewhere = tuple[list[Progress], list[tuple[str, str, int, int, int, str | None, str | None, int]]]
"""What a batch says of outposts: ``Progress``, and the connections that came: outpost, identity of the capture, number
there, number here, service, peer, host, and when it was first seen."""

Batch = (
    tuple[int, Services | None, list[Any]]
    | tuple[int, Services | None, list[Any], Sample]
    | tuple[int, Services | None, list[Any], Sample | None, Elsewhere]
)

HEADER = struct.Struct("<QQ?")


@dataclass(frozen=True, slots=True)
class Frame:
    """A batch in the form in which it is sent.

    Attributes:
        large: the large payloads that are not in shared memory, uncopied.
        size: bytes of both parts.
        apart: whether it has large payloads, shared or not.
    """

    body: bytes
    large: list[bytes]
    size: int
    apart: bool

    @classmethod
    def of(cls, batch: Batch, large: list[bytes], *, shared: bool = False) -> Frame:
        """``batch`` holds a length in the place of each payload of ``large``, in order; for a payload in shared
        memory, it holds place and length."""
        body = _packed(batch)
        return cls(body, large, len(body) + sum(map(len, large)), shared or bool(large))

    def parts(self) -> list[bytes]:
        """The parts to send, in order."""
        return [HEADER.pack(len(self.body), self.size - len(self.body), self.apart), self.body, *self.large]

    def with_services(self, services: Services) -> Frame:
        """The same events, for a writer that knows no services yet."""
        sequence, _, *rest = marshal.loads(self.body)  # noqa: S302 - we wrote it
        body = _packed((sequence, services, *rest))
        return replace(self, body=body, size=self.size + len(body) - len(self.body))


def _packed(batch: Batch) -> bytes:
    # Version 2 writes no back references, which would cost a table look-up for each value.
    return marshal.dumps(batch, 2)


def read(source: BinaryIO, shared: mmap | bytes = b"") -> Batch | None:
    """The next batch; None if the source ends, perhaps in the middle of one.

    ``shared`` is the memory into which the sender has put large payloads.
    """
    try:
        length, large, apart = HEADER.unpack(_exactly(source, HEADER.size))
        batch: Batch = marshal.loads(_exactly(source, length))  # noqa: S302 - our own parent wrote it
        if apart:
            _fill(batch[2], _exactly(source, large), shared)
    except EOFError:
        return None
    return batch


def _fill(fields: list[Any], large: bytes, shared: mmap | bytes) -> None:
    start = 0
    for number in range(PAYLOAD, len(fields), FIELDS):
        payload = fields[number]
        if type(payload) is tuple:
            place, length = payload
            fields[number] = shared[place : place + length]
        elif type(payload) is int:
            fields[number] = large[start : start + payload]
            start += payload


def _exactly(source: BinaryIO, length: int) -> bytes:
    data = source.read(length)
    if len(data) < length:
        raise EOFError
    return data
