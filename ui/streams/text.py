"""Formats a stream as text or hex: turns its pieces into runs of one colour each. No Qt."""

from __future__ import annotations

from collections.abc import Iterator

from PyQt5.QtCore import QCoreApplication

from app.capture.reading.pieces import Piece
from app.events import ARROWS
from app.text.escapes import amount, one_line, shown
from ui.detail.text_pieces import MAX_LINE, PIECE, whole_characters
from ui.looks.times import clock

ROW = 16
"""Bytes in a line of hex."""

Run = tuple[str, str]
"""A text and its style: ``received``, ``sent``, ``dim``, or for titles ``+received`` or ``+sent``."""

_ARROWS = {True: ARROWS["received"], False: ARROWS["sent"], None: "·"}


class StreamFormatter:
    """Formats pieces one after the other, as text or as hex, of one direction or of both.

    A direction is True for received, False for sent.

    Attributes:
        _only: the direction that is shown; None: both.
        _column: characters in the current line.
        _side: the direction of the bytes in the current line.
        _rest: by direction, the first bytes of a character that continues in the next piece.
        _offsets: by direction, the offset of the next line of hex.
        _empty: whether nothing was written yet.
    """

    def __init__(
        self, *, hexadecimal: bool = False, side: bool | None = None, skipped: tuple[int, int] = (0, 0)
    ) -> None:
        self._hex, self._only = hexadecimal, side
        self._column = 0
        self._side: bool | None = None
        self._rest = {True: b"", False: b""}
        self._offsets = {True: skipped[0], False: skipped[1]}
        self._empty = True

    def write(self, piece: Piece) -> Iterator[Run]:
        """The runs of a piece; each has at most ``PIECE`` bytes of it."""
        if self._only is not None and piece.received not in (self._only, None):
            return
        style = _style(piece.received)
        if piece.title:
            yield from self._title(piece, style)
        elif self._side is not piece.received:
            yield from self._new_line("dim")
        self._side = piece.received
        if piece.received is not None:
            yield from self._dump(piece, style) if self._hex else self._text(piece, style)
        if piece.left:
            yield from self._new_line("dim")
            words = QCoreApplication.translate("Stream", "[{size} more are not shown]")
            yield words.format(size=amount(piece.left)), "dim"
            self._column = 1
        if piece.title:
            yield from self._new_line("dim")
            self._offsets = {True: 0, False: 0}

    def _new_line(self, style: str) -> Iterator[Run]:
        if self._column:
            self._column = 0
            yield "\n", style

    def _title(self, piece: Piece, style: str) -> Iterator[Run]:
        self._rest = {True: b"", False: b""}
        yield from self._new_line("dim")
        if not self._empty:
            yield "\n", "dim"
        self._empty = False
        total = len(piece.data) + piece.left
        size = f"  {amount(total)}" if total else ""
        yield f"{_ARROWS[piece.received]} {one_line(piece.title)}", "dim" if piece.received is None else f"+{style}"
        yield f"   {clock(piece.time, 3)}{size}\n", "dim"
        if piece.head:
            head = "\n".join(shown(line.encode("latin-1", "replace")) for line in piece.head.split("\n"))
            yield head + "\n", "dim"
            if piece.data or piece.left:
                yield "\n", "dim"

    # -- text

    def _text(self, piece: Piece, style: str) -> Iterator[Run]:
        assert piece.received is not None
        data = self._rest[piece.received] + piece.data
        self._empty = self._empty and not data
        at = 0
        while at < len(data):
            part = whole_characters(data[at : at + PIECE + 1], PIECE)
            at += len(part)
            if at >= len(data) and not piece.title:
                part, self._rest[piece.received] = _split_end(part)
            if part:
                yield self._folded(part), style

    def _folded(self, data: bytes) -> str:
        """The lines of ``data``; lines longer than ``MAX_LINE`` are broken."""
        lines = []
        for number, line in enumerate(data.replace(b"\r\n", b"\n").split(b"\n")):
            if number:
                self._column = 0
            text = shown(line)
            room = MAX_LINE - self._column
            parts = [text[:room], *(text[i : i + MAX_LINE] for i in range(room, len(text), MAX_LINE))]
            self._column = len(parts[-1]) if len(parts) > 1 else self._column + len(text)
            lines.append("\n".join(parts))
        return "\n".join(lines)

    # -- hex

    def _dump(self, piece: Piece, style: str) -> Iterator[Run]:
        assert piece.received is not None
        yield from self._new_line("dim")
        indent = "" if piece.received else "    "
        step = PIECE // 4 // ROW * ROW
        for start in range(0, len(piece.data), step):
            rows = []
            part = piece.data[start : start + step]
            for at in range(0, len(part), ROW):
                row = part[at : at + ROW]
                digits = f"{row[:8].hex(' '):<23}  {row[8:].hex(' '):<23}"
                shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
                rows.append(f"{indent}{self._offsets[piece.received] + start + at:08x}  {digits}  {shown}\n")
            yield "".join(rows), style
        self._offsets[piece.received] += len(piece.data)
        self._empty = False


def _style(received: bool | None) -> str:
    return "dim" if received is None else "received" if received else "sent"


def _split_end(data: bytes) -> tuple[bytes, bytes]:
    """``data`` without an incomplete UTF-8 character at its end, and the bytes of that character."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte & 0xC0 == 0x80:
            continue
        needed = 2 if byte & 0xE0 == 0xC0 else 3 if byte & 0xF0 == 0xE0 else 4 if byte & 0xF8 == 0xF0 else 1
        return (data[:-back], data[-back:]) if needed > back else (data, b"")
    return data, b""
