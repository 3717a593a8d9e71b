"""Forms with files: bodies of the type multipart/form-data (RFC 7578)."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from app.files.names import typed
from app.sending import errors
from app.sending.pieces import MAX_DATA, Content, made, read
from app.text.variables import Variables, filled

TYPE = "multipart/form-data"

FILE = "@"
"""What a value begins with that is the path of a file."""


def boundary(data: str) -> str:
    """What divides the parts of a form that is written as ``data``: always the same, and found in no file."""
    return f"listening-post-{sha256(data.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"


def content(pairs: Iterable[tuple[str, str]], dividing: str, folder: Path, given: Variables) -> Content:
    """The body with these parts.

    Blocks where it reads files. Raises UnknownVariableError, TemplateError, DataUnreadableError, TooLargeError.
    """
    parts: list[tuple[Content, Content, str]] = []
    size = 0
    for name, value in pairs:
        if value.startswith(FILE):
            path = folder / typed(filled(value[1:], given).strip())
            data = read(path)
            size += len(data)
            if size > MAX_DATA:
                raise errors.TooLargeError(what="A form", size=f"more than {MAX_DATA:,}", most=f"{MAX_DATA:,}")
            parts.append((made(name, given), lambda number, data=data: data, path.name))  # type: ignore[misc]
        else:
            parts.append((made(name, given), made(value, given), ""))
    line = f"--{dividing}".encode()

    def body(number: int) -> bytes:
        found = [line + b"\r\n" + _head(name(number), file) + value(number) + b"\r\n" for name, value, file in parts]
        return b"".join(found) + line + b"--\r\n"

    return body


def _head(name: bytes, file: str) -> bytes:
    kind = mimetypes.guess_type(file)[0] or "application/octet-stream"
    more = b'; filename="%s"\r\nContent-Type: %s' % (_quoted(file.encode("utf-8", "replace")), kind.encode())
    return b'Content-Disposition: form-data; name="%s"%s\r\n\r\n' % (_quoted(name), more if file else b"")


def _quoted(text: bytes) -> bytes:
    """As browsers write it (HTML, section 4.10.21.8)."""
    return text.replace(b"\n", b"%0A").replace(b"\r", b"%0D").replace(b'"', b"%22")
