"""What can go wrong, in the words that the user reads.

The docstring of each class is its text: what happened, then what to do. Fields in braces
are filled from the keyword arguments of the constructor and stay readable on ``fields``.
"""

from __future__ import annotations

import inspect


class PostError(Exception):
    """Something went wrong."""

    def __init__(self, **fields: object) -> None:
        self.fields = fields
        super().__init__(" ".join(inspect.cleandoc(self.__doc__ or "").split()).format(**fields))


# -- listening


class ListenError(PostError):
    """Cannot listen on {address}: {reason}. Choose another address or port."""


class AddressInUseError(ListenError):
    """Port {port} is in use by {owner}. Stop it or choose another port."""


class AddressInUseByOtherError(ListenError):
    """Port {port} is in use by another program. Stop it or choose another port."""


class PrivilegedPortError(ListenError):
    """Port {port} is reserved for administrators. Choose one from 1024 up."""


class AddressNotHereError(ListenError):
    """{host} is not an address of this machine. Use 127.0.0.1, 0.0.0.0 or one of its own."""


class UnknownHostError(ListenError):
    """No address is known for the name {host}. Check its spelling or use a number like 127.0.0.1."""


class InvalidAddressError(PostError):
    """{text} is not an address to listen on. Write host:port, as in 127.0.0.1:9007 or [::1]:9007."""


class ResponderBrokenError(PostError):
    """The responder {responder} could not be set up: {reason}. See the Failures pane."""


class TLSSetupError(PostError):
    """{reason}."""


# -- workspace


class WorkspaceError(PostError):
    """{problems}"""


class WorkspaceUnreadableError(PostError):
    """Cannot read the workspace {path}: {reason}."""


class WorkspaceUnwritableError(PostError):
    """Cannot save the workspace to {path}: {reason}. Save it somewhere else."""


# -- capture


class CaptureError(PostError):
    """{path}: {reason}."""


class CaptureMissingError(CaptureError):
    """There is no capture at {path}. Check the name."""


class NotACaptureError(CaptureError):
    """{path} is not a capture of Listening Post. Choose a file that ends in .lpost."""


class DamagedCaptureError(CaptureError):
    """{path} is damaged or cut short ({reason}). Copy it, then try sqlite3's .recover on the copy."""


class NewerCaptureError(CaptureError):
    """{path} was written by a newer Listening Post (format {found}; this one writes {known}).
    It can be read here, but not added to: choose another file to capture into."""


class UnreadableCaptureError(CaptureError):
    """Cannot open {path}: {reason}."""


# -- what the user types


class EscapeError(PostError):
    """{text} cannot be sent: {reason}."""
