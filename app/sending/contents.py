"""What a message sends: from the form in which its data is written to the bytes, and back."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl, quote_plus

from app.errors import PostError
from app.files.names import typed
from app.sending import multipart
from app.sending.pieces import MAX_DATA, Content, made, read, rendered
from app.text import strict_json, variables
from app.text.errors import EscapeError, TemplateError, UnknownVariableError
from app.text.escapes import escape, unescape, unhex
from app.text.templates import Template
from app.text.variables import NONE, Variables

__all__ = ["MAX_DATA", "Content", "content", "read"]

FORMS = ("text", "hex", "file", "template", "plain", "json", "form", "multipart")
"""How the data of a message is written.

``text`` has escapes, ``hex`` is digits, ``file`` the path of a file, ``template`` a text with escapes and
``{{…}}``. ``plain`` and ``json`` have ``{{…}}`` and no escapes; ``form`` and ``multipart`` have one
``name=value`` in each line, and a value ``@path`` of ``multipart`` is a file.
"""

TYPES = {"json": "application/json", "form": "application/x-www-form-urlencoded"}
"""Media types of the forms that have one, for requests without the header Content-Type."""

OFF = "# "
"""What a line of headers, or of a form, begins with that is not sent. No header's name has a space."""

MAX_PAIRS = 500
"""Most names and values of a form that is shown as rows."""


def problem(form: str, data: str, given: Variables = NONE) -> str | None:
    """What is wrong with ``data`` as it is typed, or None. Reads no file."""
    try:
        if form == "file":
            return None if data.strip() else "the name of a file is missing"
        if form == "multipart":  # checked as one without files
            data, form = "\n".join(f"{name}={value}" for name, value in form_pairs(data)), "form"
        content(form, data, Path(), given)
    except EscapeError as e:
        return str(e.fields["reason"])
    except (TemplateError, UnknownVariableError) as e:
        return str(e)
    return None


def json_problem(data: str, given: Variables = NONE) -> str | None:
    """Why what ``data`` is filled in to is no JSON, or None. It can be sent all the same."""
    try:
        strict_json.parse(content("json", data, Path(), given)(1))
    except ValueError as e:
        reason = str(e)
        return reason[:1].lower() + reason[1:]
    except PostError:  # ``problem`` says it
        return None
    return None


def written(form: str, data: str) -> bytes:
    """The bytes of a text with escapes, or of hex digits (form ``hex``). Raises EscapeError."""
    return unhex(data) if form == "hex" else unescape(data)


def content(form: str, data: str, folder: Path, given: Variables = NONE) -> Content:
    """What to send for ``data``, written in one of ``FORMS``.

    Blocks where it reads a file: call it in a thread. Raises EscapeError, TemplateError,
    UnknownVariableError, DataUnreadableError, TooLargeError.
    """
    if form == "multipart":
        return multipart.content(form_pairs(data), multipart.boundary(data), folder, given)
    if form == "form":
        pairs = [(made(name, given), made(value, given)) for name, value in form_pairs(data)]
        return lambda number: "&".join(
            f"{quote_plus(name(number))}={quote_plus(value(number))}" for name, value in pairs
        ).encode()
    if form in ("plain", "json"):
        return made(data, given)
    if form == "template":
        return rendered(Template(data), given)
    found = read(folder / typed(data.strip())) if form == "file" else written(form, data)
    return lambda number: found


def form_pairs(data: str) -> list[tuple[str, str]]:
    """Name and value of each line of a form that is sent."""
    lines = (line for line in data.split("\n") if line and not line.startswith(OFF))
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def headers_for(form: str, data: str, fields: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The headers of a request whose data is written in ``form``: with its media type, if none is given."""
    if not data or any(name.lower() == "content-type" for name, _ in fields):
        return tuple(fields)
    kind = f"{multipart.TYPE}; boundary={multipart.boundary(data)}" if form == "multipart" else TYPES.get(form)
    return (*fields, ("Content-Type", kind)) if kind else tuple(fields)


def as_written(data: bytes, *, kind: str = "", binary: bool = False, most: int = 1 << 16) -> tuple[str, str] | None:
    """A form, and what stands for ``data`` in it; None if that has more than ``most`` characters.

    ``kind`` is the media type, for the body of an HTTP request. ``binary``: whether it must be hex.
    """
    if len(data) > most:
        return None
    form, text = ("hex", data.hex(" ")) if binary else _as_text(data, kind)
    return (form, text) if len(text) <= most else None


def _as_text(data: bytes, kind: str) -> tuple[str, str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        # A text with a few bytes that are none is easier to read with escapes than in hex.
        shown = escape(data)
        return ("text", shown) if len(shown) < 2 * len(data) else ("hex", data.hex(" "))
    if kind == TYPES["form"] and (lines := _form_of(data)) is not None:
        return "form", lines
    if kind and _typable(text):
        is_json = kind.endswith(("/json", "+json"))
        return ("json" if is_json else "plain"), variables.literally(text)
    shown = escape(data)
    return ("text", shown) if len(shown) < 2 * max(len(data), 8) else ("hex", data.hex(" "))


def _typable(text: str) -> bool:
    """Whether an editor keeps ``text`` as it is, and shows each of its characters."""
    return text.translate(_LINES).isprintable()


_LINES = {ord("\n"): None, ord("\t"): None}


def _form_of(data: bytes) -> str | None:
    """The lines of a form that is encoded to ``data`` again, or None."""
    try:
        pairs = parse_qsl(data.decode(), True, True, errors="strict", max_num_fields=MAX_PAIRS)
    except ValueError:
        return None
    if not all(name and name.isprintable() and value.isprintable() for name, value in pairs):
        return None
    if any("=" in name or name.startswith(OFF) for name, _ in pairs):
        return None
    lines = "\n".join(f"{variables.literally(name)}={variables.literally(value)}" for name, value in pairs)
    return lines if content("form", lines, Path())(1) == data else None
