"""Errors of saving and redacting a capture."""

from __future__ import annotations

from app.capture.errors import CaptureError
from app.errors import PostError


class CaptureInUseError(CaptureError):
    """{path} is open, here or in another program. Close it, or choose another name."""


class SavedOverItselfError(CaptureError):
    """{path} is the capture that you are saving. Choose another name."""


class PatternError(PostError):
    """The pattern {pattern} {problem}."""
