"""What contents are made of: texts that are filled in, and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.files import confined as files
from app.sending import errors
from app.text import variables
from app.text.escapes import typed
from app.text.templates import Template
from app.text.variables import NUMBER, Variables

MAX_DATA = 64 << 20
"""Most bytes of one message, which is kept in memory while it is sent."""

Content = Callable[[int], bytes]
"""Makes the bytes of the message with the given number, which counts from 1. Raises TemplateError."""


def made(text: str, given: Variables) -> Content:
    """A text without escapes, filled in. Raises UnknownVariableError, TemplateError."""
    if "{{" in text:
        return rendered(Template(text, escapes=False), given)
    plain = typed(text)
    return lambda number: plain


def rendered(template: Template, given: Variables) -> Content:
    """A template, filled in. Raises UnknownVariableError."""
    variables.check(template, given, [NUMBER])
    values = variables.both(given)
    return lambda number: template.render({**values, NUMBER: number})


def read(path: Path) -> bytes:
    """The bytes of a file to send. Blocks. Raises DataUnreadableError, TooLargeError."""
    try:
        with open(path, "rb", opener=files.regular) as file:
            found = file.read(MAX_DATA + 1)
    except (OSError, ValueError) as e:
        raise errors.DataUnreadableError(path=path, reason=getattr(e, "strerror", None) or e) from e
    if len(found) > MAX_DATA:
        raise errors.TooLargeError(what="A file", size=f"more than {MAX_DATA:,}", most=f"{MAX_DATA:,}")
    return found
