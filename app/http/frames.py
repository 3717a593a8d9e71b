"""The bodies of HTTP/2, out of the frames of a connection (RFC 9113 section 4.1). Events have the heads."""

from __future__ import annotations

from collections import OrderedDict

from app.http.body import MAX_BODY, Body

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""What a client begins with (section 3.4)."""

HEAD = 9
"""Bytes before what is in a frame."""

MAX_FRAME = 1 << 20
"""Bytes of a frame: nobody sends larger ones, and no text can be taken for the head of one."""

DATA, HEADERS, RST_STREAM, LAST_KIND = 0, 1, 3, 9
PASSED_OVER = LAST_KIND
END_STREAM, PADDED = 0x01, 0x08

MAX_STREAMS = 1_000
"""Streams of which something came and nothing was told."""


class FramedBodies:
    """The bodies that one side of a connection sent.

    Attributes:
        broken: whether what came are no frames; nothing more is read then.
    """

    def __init__(self, max_body: int = MAX_BODY, only: int | None = None) -> None:
        """``max_body``: bytes of each that are kept; ``only``: a stream beside which all others are passed over."""
        self.broken = False
        self._max_body, self._only = max_body, only
        self._bodies: OrderedDict[int, Body] = OrderedDict()
        self._ended: set[int] = set()
        self._reset: set[int] = set()
        self._begun = bytearray()  # of the preface, or of the head of a frame
        self._started = False
        # Of the frame that is read: its stream, whether it is over after it, and bytes of its body and behind that.
        self._stream, self._last, self._content, self._rest = 0, False, 0, 0

    def feed(self, data: bytes) -> None:
        if self.broken:
            return
        if not self._started:
            data = bytes(self._begun) + data
            self._begun.clear()
            if len(data) < len(PREFACE) and PREFACE.startswith(data):
                self._begun += data
                return
            self._started = True
            data = data.removeprefix(PREFACE)
        at = 0
        while at < len(data) and not self.broken:
            at = self._read_on(data, at) if self._content or self._rest else self._read_head(data, at)

    def _read_head(self, data: bytes, at: int) -> int:
        """Read on in the head of a frame, with the byte that says how much of a body is padding."""
        wanted = HEAD + (len(self._begun) >= HEAD)
        end = at + wanted - len(self._begun)
        self._begun += data[at:end]
        if len(self._begun) < wanted:
            return end
        size, kind, flags, stream = head_of(self._begun)
        if size > MAX_FRAME or kind > LAST_KIND:
            self.broken = True
            return end
        if self._only not in (None, stream):
            kind, flags = PASSED_OVER, 0
        padded = kind == DATA and bool(flags & PADDED) and size > 0
        if padded and wanted == HEAD:
            return end
        padding = min(self._begun[HEAD], size - 1) if padded else 0
        size -= padded
        self._stream, self._last = stream, kind in (DATA, HEADERS) and bool(flags & END_STREAM)
        self._content, self._rest = (size - padding, padding) if kind == DATA else (0, size)
        self._begun.clear()
        if kind in (DATA, HEADERS, RST_STREAM):
            self.body(stream)
        if kind == RST_STREAM:
            self._reset.add(stream)
        if not size:
            self._end_frame()
        return end

    def _read_on(self, data: bytes, at: int) -> int:
        content = data[at : at + self._content]
        if content:
            self.body(self._stream).add(content)
            self._content -= len(content)
            at += len(content)
        rest = min(self._rest, len(data) - at)
        self._rest -= rest
        if not self._content and not self._rest:
            self._end_frame()
        return at + rest

    def _end_frame(self) -> None:
        if self._last:
            self.body(self._stream).whole = True
            self._ended.add(self._stream)

    def body(self, stream: int) -> Body:
        """The body of a stream, as far as it came, now and later."""
        if stream not in self._bodies:
            self._bodies[stream] = Body(limit=self._max_body)
            if len(self._bodies) > MAX_STREAMS:
                self.forget(next(iter(self._bodies)))
        return self._bodies[stream]

    def is_over(self, stream: int) -> bool:
        """Whether nothing more will come on a stream."""
        return self.broken or stream in self._ended or stream in self._reset

    def known(self, stream: int) -> Body | None:
        """The body of a stream of which something came."""
        return None if self.broken else self._bodies.get(stream)

    def is_reset(self, stream: int) -> bool:
        """Whether this side broke a stream off."""
        return stream in self._reset

    def forget(self, stream: int) -> None:
        self._bodies.pop(stream, None)
        self._ended.discard(stream)
        self._reset.discard(stream)

    def bodies(self) -> list[Body]:
        """Those that are known."""
        return list(self._bodies.values())


def head_of(data: bytes | bytearray, at: int = 0) -> tuple[int, int, int, int]:
    """Size, kind, flags and stream of the frame that begins there, of which ``HEAD`` bytes have come."""
    head = data[at : at + HEAD]
    return int.from_bytes(head[:3]), head[3], head[4], int.from_bytes(head[5:9]) & 0x7FFFFFFF


def stream_of(data: object) -> int | None:
    """The stream of the first body or head in frames; None where there is none, or ``data`` begins within a frame."""
    if not isinstance(data, bytes):
        return None
    at = len(PREFACE) if data.startswith(PREFACE) else 0
    while len(data) - at >= HEAD:
        size, kind, _, stream = head_of(data, at)
        if size > MAX_FRAME or kind > LAST_KIND:
            return None
        if kind in (DATA, HEADERS):
            return stream
        at += HEAD + size
    return None
