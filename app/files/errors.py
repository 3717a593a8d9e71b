"""Errors of files and folders."""

from __future__ import annotations

from app.errors import PostError


class UnwritableError(PostError):
    """Cannot write {path}: {reason}. Choose another place."""


class OutsideFolderError(PostError):
    """{name} is not in the workspace's folder. Put the file there, and name it as seen from there."""


class UnreadableFileError(PostError):
    """The file {name} cannot be read: {reason}."""


class TooFewFilesError(PostError):
    """This program may have no more than {limit} files open at once, and {needed} have to be free when it starts.
    Allow more, as with "ulimit -n 4096" in the shell, and start it again."""
