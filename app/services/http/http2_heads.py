"""Bounds what the heads of one HTTP/2 read become: HPACK repeats a header of kilobytes with one byte (RFC 7541)."""

from __future__ import annotations

from typing import Any

from h2.connection import H2Connection
from h2.frame_buffer import FrameBuffer
from hyperframe.frame import Frame

TURN_HEADS = 1 << 20
"""Bytes of decoded heads after which other connections have their turn, and the capture may hold the peer back."""


class _Frames(FrameBuffer):
    """The frames of a connection, which stop while ``heads`` has had enough; the rest stays here."""

    heads: Heads

    def __next__(self) -> Frame:
        if self.heads.decoded > TURN_HEADS and self._data:
            self.heads.stopped = True
            raise StopIteration
        return super().__next__()


class Heads:
    """Counts the heads that a connection decodes, and has it stop in the middle of what was read.

    h2 goes on where it stopped when it is given the next data, which may be empty.

    Attributes:
        decoded: bytes of heads in this turn, each header with 32 more (RFC 9113 section 10.5.1).
        stopped: whether frames are left for the next turn.
    """

    def __init__(self, conn: H2Connection) -> None:
        """``conn`` must have received nothing yet."""
        self.decoded, self.stopped = 0, False
        frames = _Frames(server=True)
        frames.heads = self
        conn.incoming_buffer = frames
        self._decode: Any = conn.decoder.decode
        conn.decoder.decode = self._counted  # type: ignore[method-assign]

    def begin_turn(self) -> None:
        self.decoded, self.stopped = 0, False

    def _counted(self, data: bytes, raw: bool = False) -> Any:
        headers = self._decode(data, raw)
        self.decoded += sum(len(name) + len(value) + 32 for name, value in headers)
        return headers
