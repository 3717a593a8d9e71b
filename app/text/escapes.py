"""Between bytes and the text that people read and type."""

from __future__ import annotations

import json
import re

from app.text import errors

_NAMED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\x1b": "\\e"}
"""The backslash comes first: what stands for the others begins with one."""
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[nrt0e\\\"']|.|$)", re.DOTALL)
_BYTES = {"n": b"\n", "r": b"\r", "t": b"\t", "0": b"\0", "e": b"\x1b", "\\": b"\\", '"': b'"', "'": b"'"}


def _visible(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character.isprintable():
        return character
    if "\udc80" <= character <= "\udcff":  # a byte that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))


class _Table(dict[int, str]):
    """For ``str.translate``: what to show for each character; common ones are cached."""

    def __init__(self, keep: str) -> None:
        super().__init__()
        self._keep = keep

    def __missing__(self, code: int) -> str:
        character = chr(code)
        shown = character if character in self._keep else _visible(character)
        if code < 0x400 or 0xDC80 <= code <= 0xDCFF:
            self[code] = shown
        return shown


_ON_ONE_LINE = _Table(keep="\\")  # a backslash in our own words means itself


def escape(data: bytes) -> str:
    """``data`` as one line: UTF-8 where it is, everything that would not show as an escape.

    No control, bidirectional or line-breaking character survives: what a peer sends can
    neither move the cursor of a terminal nor turn a line of the log around. ``unescape``
    gives the same bytes back.
    """
    if data.isascii():
        text = data.decode("ascii")
        if text.isprintable() and "\\" not in text:
            return text
    text = data.decode("utf-8", "surrogateescape")
    # Most of what does not show is one of these, and in text a replacement is several times as fast as a table.
    for character, written in _NAMED.items():
        text = text.replace(character, written)
    return text if text.isprintable() else text.translate(_ON_ONE_LINE)


def one_line(text: str) -> str:
    """``text`` with an escape in the place of each character that would not show."""
    return text.translate(_ON_ONE_LINE)


class _Printable(_Table):
    """Surrogates stay: of what came as bytes, the encoding of the output makes its escapes."""

    def __missing__(self, code: int) -> str:
        return chr(code) if 0xD800 <= code <= 0xDFFF else super().__missing__(code)


_IN_LINES = _Printable(keep="\n\t\\")


def printable(text: str) -> str:
    """``text`` of several lines with an escape in the place of each character that would not show."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return text
    return text.translate(_IN_LINES)


def shown(line: bytes) -> str:
    """A line of text as it reads: UTF-8 with its tabs and backslashes, an escape for what would not show."""
    return "\t".join(map(one_line, line.decode("utf-8", "surrogateescape").split("\t")))


_NO_BYTE = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def typed(text: str) -> bytes:
    """The bytes of a text that somebody typed: UTF-8, and bytes of the command line that are no text (PEP 383)."""
    return _NO_BYTE.sub("?", text).encode("utf-8", "surrogateescape")


class _JSONTable(dict[int, str]):
    """For ``str.translate``: a JSON escape for each character that would not show."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if not character.isprintable():
            character = json.dumps(character)[1:-1]
        self[code] = character
        return character


def json_line(value: object) -> str:
    """``value`` as JSON on one line, with a JSON escape for each character that would not show.

    ``json`` escapes only those below a space, and a terminal obeys others, too.
    """
    written = json.dumps(value, ensure_ascii=False)
    return written if written.isprintable() else written.translate(_JSONTable())


PREVIEW = 120
"""Bytes of a payload that its ``preview`` is drawn from."""


def preview(head: bytes, size: int) -> str:
    """One line for a payload of ``size`` bytes that begins with ``head``."""
    if len(head) < size:
        # Do not show half of a character that the cut went through as broken bytes.
        for cut in range(1, 4):
            if len(head) >= cut and head[-cut] >= 0xC0:
                head = head[:-cut]
                break
        return escape(head) + "…"
    return escape(head)


def unescape(text: str) -> bytes:
    r"""The bytes that ``text`` stands for: UTF-8, with ``\n \r \t \0 \e \\ \" \' \xNN``.

    Raises EscapeError for any other backslash.
    """
    parts: list[bytes] = []
    end = 0
    for match in _ESCAPE.finditer(text):
        parts.append(typed(text[end : match.start()]))
        end = match.end()
        code = match[1]
        if len(code) == 3:
            parts.append(bytes.fromhex(code[1:]))
        elif code in _BYTES:
            parts.append(_BYTES[code])
        else:
            raise errors.EscapeError(
                text=text, reason=rf"\{code} is not an escape. Use \n \r \t \0 \e \xNN, or \\ for a backslash"
            )
    parts.append(typed(text[end:]))
    return b"".join(parts)


def unhex(text: str) -> bytes:
    """The bytes of hex digits, with spaces, colons, commas, ``0x`` and line breaks between them.

    Raises EscapeError where something else stands or a digit is missing.
    """
    digits = re.sub(r"0[xX]|[\s:,]", "", text)
    try:
        return bytes.fromhex(digits)
    except ValueError as e:
        reason = "hex needs pairs of digits 0-9 and a-f, as in 48 65 6c 6c 6f"
        raise errors.EscapeError(text=text, reason=reason) from e


def amount(count: float) -> str:
    """A number of bytes for people: ``"64 B"``, ``"4.1 kB"``, ``"1.2 MB"``; decimal units."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.5 or unit == "GB":
            return f"{count:.0f} {unit}" if unit == "B" or count >= 99.95 else f"{count:.1f} {unit}"
        count /= 1000
    raise AssertionError
