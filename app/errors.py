"""The base class of the errors that users read, and the system's words for its own errors.

An error is a subclass of ``PostError`` in the ``errors`` module of the package that raises it.
``docs/errors.md`` lists them all.
"""

from __future__ import annotations

import inspect
import os


class PostError(Exception):
    """Something went wrong."""

    said_elsewhere = False
    """Whether the user reads it where it belongs, so that the log needs no line for it."""

    # The docstring of a subclass is its text: what happened, then what to do. Names in braces are
    # replaced by the keyword arguments of the constructor, which are kept in ``fields``.

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join(inspect.cleandoc(self.__doc__ or "").split()).format(**fields))


def system_words(e: BaseException | None) -> str:
    """What the operating system calls the error ``e``, without a full stop."""
    number = getattr(e, "osError", None)  # on errors of Twisted, whose text repeats the number
    known = os.strerror(number) if isinstance(number, int) else getattr(e, "strerror", None)
    return (known or str(e) or type(e).__name__).rstrip(".")
