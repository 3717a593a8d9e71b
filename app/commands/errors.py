"""Errors of the command line."""

from __future__ import annotations

from app.errors import PostError


class UnknownFormatError(PostError):
    """The name {output} does not tell the export format. Use --format with one of {known}."""


class OutputError(PostError):
    """Cannot write standard output: {reason}."""


class SendUsageError(PostError):
    """{reason}."""


class UnknownFaultError(PostError):
    """There is no fault {name} in the workspace. {known}."""


class AnswerNotKeptError(PostError):
    """Your answer cannot be written to {path}: {reason}. Nothing else is trusted than before."""


class FolderNotTrustableError(PostError):
    """The folder {path} cannot be trusted: other users can write into it. Remove that permission (chmod o-w), or
    trust the file alone, without --folder."""


class UnknownSeriesError(PostError):
    """There is no series {name}. Use one of {known}."""


class TooManySeriesError(PostError):
    """A chart has at most {most} series of your own. Leave some out."""


class TooManyPointsError(PostError):
    """With {step} s per point, there would be more than {most} points. Give a longer --step."""
