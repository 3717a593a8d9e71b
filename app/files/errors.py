"""Errors of files and folders."""

from __future__ import annotations

from app.errors import PostError


class UnwritableError(PostError):
    """Cannot write {path}: {reason}. Choose another place."""


class OutsideFolderError(PostError):
    """{name} is not in the workspace's folder. Put the file there, and give its path relative to that folder."""


class UnreadableFileError(PostError):
    """The file {name} cannot be read: {reason}."""


class TooFewFilesError(PostError):
    """This program may have only {limit} files open at once, and needs {needed} to start.
    Raise the limit, for example with "ulimit -n 4096" in the shell, and restart the program."""
