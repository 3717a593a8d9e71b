"""Conch's line editor for characters of more than one byte, which Conch throws away."""

from __future__ import annotations

import codecs
import contextlib
import tokenize
import unicodedata
from typing import Any

from twisted.conch.manhole import ColoredManhole, lastColorizedLine


class LineEditor(ColoredManhole):
    """A prompt whose line buffer has one item for each character, in UTF-8.

    Conch moves the cursor by one column for each item, so lines that are not ASCII are drawn anew instead.
    """

    lineBuffer: list[bytes]
    lineBufferIndex: int
    mode: str

    def __init__(self, namespace: dict[str, Any]) -> None:
        super().__init__(namespace)
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def keystrokeReceived(self, keyID: bytes, modifier: Any) -> None:
        if isinstance(keyID, bytes) and (keyID >= b"\x80" or self._decoder.getstate()[0]):
            self._character(keyID)
            return
        super().keystrokeReceived(keyID, modifier)
        if not self._is_ascii():
            self._draw()

    def _character(self, byte: bytes) -> None:
        """Take one byte of a character."""
        try:
            text = self._decoder.decode(byte)
        except UnicodeDecodeError:
            self._decoder.reset()
            self.terminal.write(b"\a")
            if byte < b"\x80":
                self.keystrokeReceived(byte, None)
            return
        if not text:
            return  # more bytes will come
        if unicodedata.category(text) == "Cc":
            self.terminal.write(b"\a")
        else:
            self.characterReceived(text.encode(), False)

    def characterReceived(self, ch: bytes, moreCharactersComing: bool) -> None:
        if len(ch) == 1 and self._is_ascii():
            super().characterReceived(ch, moreCharactersComing)
            return
        end = self.lineBufferIndex + (self.mode != "insert")
        self.lineBuffer[self.lineBufferIndex : end] = [ch]
        self.lineBufferIndex += 1
        if not moreCharactersComing:
            self._draw()

    def _deliverBuffer(self, buf: Any) -> None:
        """Take a line of the history, or the one that output has interrupted, as if it was typed."""
        text = (buf if isinstance(buf, bytes) else b"".join(buf)).decode("utf-8", "surrogateescape")
        for at, character in enumerate(text, 1):
            self.characterReceived(character.encode("utf-8", "surrogateescape"), at < len(text))

    def _is_ascii(self) -> bool:
        return all(len(character) == 1 for character in self.lineBuffer)

    def _draw(self) -> None:
        """Draw the line, and put the cursor where it belongs."""
        line = b"".join(self.lineBuffer)
        with contextlib.suppress(tokenize.TokenError, SyntaxError, IndexError):  # the line is not complete yet
            line = lastColorizedLine(self.getSource()) if line.strip() else line
        self.terminal.write(b"\r")
        self.terminal.eraseLine()
        self.terminal.write(self.ps[self.pn] + line)
        columns = sum(map(width, self.lineBuffer[self.lineBufferIndex :]))
        if columns:
            self.terminal.cursorBackward(columns)


def width(character: bytes) -> int:
    """The columns that a terminal takes for ``character``, which is UTF-8: 0, 1 or 2 (Unicode, annex 11)."""
    text = character.decode("utf-8", "replace")
    if unicodedata.category(text[:1]) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(text[:1]) in ("W", "F") else 1
