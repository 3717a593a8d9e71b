"""Errors of the command line."""

from __future__ import annotations

from app.errors import PostError


class UnknownFormatError(PostError):
    """{output} tells no format to export to. Use --format with one of {known}."""


class OutputError(PostError):
    """Cannot write standard output: {reason}."""


class SendUsageError(PostError):
    """{reason}."""


class AnswerNotKeptError(PostError):
    """Your answer cannot be written to {path}: {reason}. Nothing is trusted that was not before."""


class FolderNotTrustableError(PostError):
    """The folder {path} is not trusted: others than you can put files there. Take that right away (chmod o-w), or
    trust the file alone, without --folder."""
