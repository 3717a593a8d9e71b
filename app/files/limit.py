"""How many files, sockets and pipes this process may have open at once."""

from __future__ import annotations

import contextlib
import os

from app.files import errors

NEEDED = 32
"""Descriptors that must be free when the program starts: for the reactor, the capture, its writer and the first
services. Each connection takes one more."""


def raise_file_limit() -> None:
    """Raise the soft limit on open files to the hard limit. Raises TooFewFilesError where that is not enough."""
    try:
        import resource
    except ImportError:
        return  # on Windows, which has no such limit
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    _disinherit_from(hard)
    opened: list[int] = []
    try:
        # How many are open already is not known otherwise: a shell may have left us some.
        while len(opened) < NEEDED:
            opened.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as e:
        raise errors.TooFewFilesError(limit=file_limit(), needed=NEEDED) from e
    finally:
        for number in opened:
            os.close(number)


def file_limit() -> int | None:
    """How many files this process may have open at once; None where the system has no such limit."""
    try:
        import resource
    except ImportError:
        return None
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _disinherit_from(limit: int) -> None:
    """Keep descriptors above the limit, which a shell has left us, from the processes that we start.

    The system refuses to start a process for which it would have to close such a one.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc/self/fd"):
            if int(name) >= limit >= 0:
                with contextlib.suppress(OSError):
                    os.set_inheritable(int(name), False)
