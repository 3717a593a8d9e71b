"""Errors of the command line."""

from __future__ import annotations

from app.errors import PostError


class UnknownFormatError(PostError):
    """{output} does not end like an export format. Use --format with one of {known}."""


class OutputError(PostError):
    """Cannot write standard output: {reason}."""


class SendUsageError(PostError):
    """{reason}."""


class UnknownFaultError(PostError):
    """There is no fault {name} in the workspace. {known}."""


class AnswerNotKeptError(PostError):
    """Your answer cannot be written to {path}: {reason}. Nothing more is trusted than before."""


class FolderNotTrustableError(PostError):
    """The folder {path} cannot be trusted: other users can write into it. Remove that permission (chmod o-w), or
    trust the file alone, without --folder."""


class UnknownSeriesError(PostError):
    """There is no series {name}. There are {known}."""


class TooManySeriesError(PostError):
    """There can be {most} series of your own."""


class TooManyPointsError(PostError):
    """With {step} s a point there would be more than {most} points. Give a longer --step."""
