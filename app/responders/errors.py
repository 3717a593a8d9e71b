"""Errors of trying rules."""

from __future__ import annotations

from app.errors import PostError


class TrialTooLongError(PostError):
    """Trying the rules takes longer than {seconds} s, and so would the service. Use fewer or simpler rules."""


class NoRulesError(PostError):
    """{responder} has no rules on {protocol} to try."""
