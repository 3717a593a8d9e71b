"""Errors of the command line."""

from __future__ import annotations

from app.errors import PostError


class UnknownFormatError(PostError):
    """{output} tells no format to export to. Use --format with one of {known}."""


class OutputError(PostError):
    """Cannot write standard output: {reason}."""


class SendUsageError(PostError):
    """{reason}."""
