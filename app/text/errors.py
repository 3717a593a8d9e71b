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
    """A message of {length} bytes is too long: the length before it counts up to {most}.
    Choose more prefix_bytes."""


class ShortFrameError(PostError):
    """A message of {length} bytes is too short: it must have at least {least}, because the bytes before
    the length are a part of it."""
