"""Errors of capture files."""

from __future__ import annotations

from app.errors import PostError


class CaptureError(PostError):
    """{path}: {reason}."""


class CaptureMissingError(CaptureError):
    """There is no capture at {path}. Check the name."""


class NotACaptureError(CaptureError):
    """{path} is not a capture of Listening Post. Choose a file that ends in .lpost."""


class NotAFileError(CaptureError):
    """{path} is {what}. Capture into a file."""


class DamagedCaptureError(CaptureError):
    """{path} is damaged or cut short ({reason}). Copy it, then try sqlite3's .recover on the copy."""


class TakenAwayError(CaptureError):
    """{path} was deleted or moved. The capture is being written there again; if its folder is gone, restore
    the folder."""


class LogTakenAwayError(TakenAwayError):
    """The log of {path} (-wal or -shm) was deleted or moved. The capture is being written again."""


class LogDamagedError(CaptureError):
    """Another program has written into the log of {path} (-wal). Close that program."""


class NewerCaptureError(CaptureError):
    """{path} was written by a newer Listening Post (format {found}; this one writes {known}).
    It can be read here, but not extended. Choose another file to capture into."""


class UnreadableCaptureError(CaptureError):
    """Cannot open {path}: {reason}."""
