"""Errors of escapes, templates and framing."""

from __future__ import annotations

from app.errors import PostError


class EscapeError(PostError):
    """{text} cannot be sent: {reason}."""


class TemplateError(PostError):
    """At character {position}: {reason}."""


class UnknownVariableError(PostError):
    """There is no variable {name}: {known}. Correct the name, or add the variable to the workspace."""


class FrameError(PostError):
    """A message of {length} bytes does not fit: the length in front of it counts up to {most}.
    Choose a longer prefix."""


class ShortFrameError(PostError):
    """A message of {length} bytes is too short for its length: it must have at least {least}.
    What stands before the length is a part of the message."""
