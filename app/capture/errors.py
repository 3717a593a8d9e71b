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
    """{path} was taken away. It is being made anew; if its folder is gone, bring it back."""


class LogTakenAwayError(TakenAwayError):
    """The log of {path} was taken away (-wal or -shm). The capture is being made anew."""


class LogDamagedError(CaptureError):
    """Something else was written into the log of {path} (-wal)."""


class NewerCaptureError(CaptureError):
    """{path} was written by a newer Listening Post (format {found}; this one writes {known}).
    It can be read here, but not added to: choose another file to capture into."""


class UnreadableCaptureError(CaptureError):
    """Cannot open {path}: {reason}."""
