"""Which encoding a text is in, and the same text in UTF-8."""

from __future__ import annotations

import codecs
import re

OFFERED = (
    "utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "ascii", "iso8859-1", "cp1252", "iso8859-15",
    "cp1250", "cp1251", "koi8-r", "cp1253", "cp1254", "cp1255", "cp1256", "shift_jis", "euc_jp", "gb18030", "big5",
    "euc_kr", "cp437", "cp850", "mac_roman", "cp037",
)  # fmt: skip
"""Python's names of the encodings to choose from, the likely ones first."""

_TITLES = {
    "utf-16-le": "UTF-16 LE", "utf-16-be": "UTF-16 BE", "utf-32-le": "UTF-32 LE", "utf-32-be": "UTF-32 BE",
    "iso8859-1": "ISO 8859-1", "iso8859-15": "ISO 8859-15", "koi8-r": "KOI8-R", "shift_jis": "Shift JIS",
    "euc_jp": "EUC-JP", "euc_kr": "EUC-KR", "gb18030": "GB 18030", "big5": "Big5", "cp437": "DOS 437",
    "cp850": "DOS 850", "mac_roman": "Mac Roman", "cp037": "EBCDIC 037",
}  # fmt: skip

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_NOT_TEXT = {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7", "mbcs", "oem"}
"""Codecs of Python that are no text encodings; some take very long to decode."""

_STRAY = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\udc80-\udcff]")
_LOOKED_AT = 64 * 1024
_CONTROLS = bytes({*range(0x20)} - {*b"\t\n\f\r\x1b"}) + b"\x7f"


def title(encoding: str) -> str:
    """The usual name of an encoding: ``UTF-16 LE``, ``Windows-1252``."""
    if encoding.startswith("cp125"):
        return f"Windows-{encoding[2:]}"
    return _TITLES.get(encoding, encoding.upper())


def detect(data: bytes, declared: str = "") -> str:
    """The encoding that ``data`` seems to be in, as Python names it.

    In this order: its byte order mark, what was ``declared`` (where that fits), UTF-8, UTF-16 by its
    zeros, Windows-1252 where it has no control characters. UTF-8 for all else: most of it is ASCII,
    and what is not will show as escapes.
    """
    head = data[:_LOOKED_AT]
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if declared and (found := known(declared)) and _fits(head, found, len(data)):
        return found
    if _fits(head, "utf-8", len(data)) and b"\0" not in head:
        return "utf-8"
    if wide := _wide(head):
        return wide
    if head.translate(None, _CONTROLS) != head or any(byte in head for byte in (0x81, 0x8D, 0x8F, 0x90, 0x9D)):
        return "utf-8"
    letters = sum(byte > 0x7F for byte in head)
    return "cp1252" if letters * 2 <= len(head) else "utf-8"


def known(name: str) -> str:
    """Python's name of a text encoding; empty where it has none."""
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    return found.name if getattr(found, "_is_text_encoding", False) and found.name not in _NOT_TEXT else ""


def _fits(head: bytes, encoding: str, size: int) -> bool:
    try:
        # Half a character at the end of a head is none of its faults.
        codecs.getincrementaldecoder(encoding)().decode(head, final=len(head) == size)
    except (UnicodeError, LookupError):
        return False
    return True


def _wide(head: bytes) -> str:
    """UTF-16 in which most characters are ASCII: every other byte is zero."""
    if len(head) < 4 or len(head) % 2:
        return ""
    for encoding, zeros, others in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        if zeros.count(0) * 10 >= len(zeros) * 7 and others.count(0) * 10 <= len(others) and _fits(head, encoding, -1):
            return encoding
    return ""


def as_utf8(data: bytes, encoding: str) -> bytes:
    """``data`` in UTF-8, without its byte order mark; bytes that are no character stay as they are.

    Raises LookupError for an encoding that Python does not know.
    """
    mark = next((mark for mark, of in _MARKS if of == encoding and data.startswith(mark)), b"")
    data = data[len(mark) :]
    if encoding == "utf-8":
        return data
    return data.decode(encoding, "post-bytes").encode("utf-8", "surrogateescape")


def _as_bytes(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    return "".join(chr(byte if byte < 0x80 else 0xDC00 + byte) for byte in wrong), error.end


codecs.register_error("post-bytes", _as_bytes)


def of_text(data: bytes, declared: str = "") -> str:
    """The encoding of ``data`` where it is text: its beginning has no control character and no stray byte."""
    encoding = detect(data, declared)
    head = data[:4096]
    text = as_utf8(head, encoding).decode("utf-8", "surrogateescape")
    if len(data) > len(head):
        text = text[:-4]  # half a character
    return encoding if not _STRAY.search(text) else ""
