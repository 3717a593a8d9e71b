"""JSONPath (RFC 9535): queries that come from workspaces, over documents that come from peers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonpath.exceptions import JSONPathError

from app.responders.mock.bounded_path import Environment, TooMuchError

MAX_STEPS = 16
"""Segments of a query."""

MAX_LENGTH = 2000
"""Characters of a query."""


class Query:
    """One query, read. Not for several threads at once."""

    def __init__(self, text: str) -> None:
        """Raises ValueError, in words, with the place in ``text``."""
        if len(text) > MAX_LENGTH:
            raise ValueError(f"is longer than {MAX_LENGTH:,} characters")
        self._environment = Environment()
        try:
            path = self._environment.compile(text)
        except RecursionError as e:  # the library's own, too
            raise ValueError("has brackets, parentheses or ! too deep in each other") from e
        except JSONPathError as e:
            raise ValueError(_problem(text, e)) from e
        if len(path.segments) > MAX_STEPS:
            raise ValueError(f"goes more than {MAX_STEPS} steps into it")
        self._path = path

    def values(self, document: Any) -> Iterator[Any]:
        """The values at the path, one after the other; ends early where they are too much to look for."""
        self._environment.begin()
        try:
            for node in self._path.finditer(document):
                yield node.obj
        except (TooMuchError, RecursionError):
            return


def _problem(text: str, error: JSONPathError) -> str:
    token, why = error.token, str(error.args[0]) if error.args else ""
    # Some messages name the library's own tokens, which say nothing to a user.
    why = "" if "TOKEN_" in why or why.startswith("unexpected token") else why
    if token is None:
        return f"cannot be read: {why}" if why else "cannot be read"
    at = len(text) if token.index < 0 else token.index
    rest = text[at : at + 20] or "the end"
    return f"cannot be read from character {at + 1} on: {rest}" + (f" ({why})" if why else "")
