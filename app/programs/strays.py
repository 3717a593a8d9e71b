"""Finds what a program has started that has left its process group, as a daemon does, and ends it.

A hosted program has a word of its own in its environment, which all that it starts inherits, whatever session or group
that makes for itself. Only a process that replaces its environment and leaves the group escapes.

It needs nothing but the standard library: the program's own process uses it, too.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator

MARK = "LISTENING_POST_PROGRAM"
"""The variable of the environment."""

_WORD = re.compile(r"[0-9a-f]{32}")

ROUNDS = 5
"""Looks for more, while some are found: they may be starting others."""

PATIENCE = 10.0
"""Seconds that ``ps`` has."""


def word() -> str:
    """One for a new run of a program."""
    return secrets.token_hex(16)


def own_word() -> str:
    """The one of the process that we are in; empty where there is none."""
    found = os.environ.get(MARK, "")
    return found if _WORD.fullmatch(found) else ""


def end(mark: str, number: int = signal.SIGTERM, spared: int = 0) -> int:
    """Send a signal to all that have ``mark``, but to us and to the process ``spared``. Returns to how many. Blocks."""
    if not _WORD.fullmatch(mark):
        return 0
    told: set[int] = set()
    for _ in range(ROUNDS):
        new = [pid for pid in _marked(mark) if pid not in (os.getpid(), spared) and pid not in told]
        told.update(pid for pid in new if _send(pid, mark, number))
        if not new:
            break
    return len(told)


def _marked(mark: str) -> Iterator[int]:
    if sys.platform == "linux":
        for name in os.listdir("/proc"):
            if name.isdigit() and _has(int(name), mark):
                yield int(name)
    elif sys.platform == "darwin":
        # Not tried by us: ps shows the environment of the user's own processes.
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["/bin/ps", "-xEww", "-o", "pid=,command="]
            done = subprocess.run(command, capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
            for line in done.stdout.splitlines():
                pid, _, rest = line.strip().partition(b" ")
                if pid.isdigit() and f"{MARK}={mark}".encode() in rest.split():
                    yield int(pid)
    # Windows has neither, and no groups that a process could leave.


def _has(pid: int, mark: str) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"{MARK}={mark}".encode() in file.read().split(b"\0")
    except OSError:  # it is gone, or is another user's
        return False


def _send(pid: int, mark: str, number: int) -> bool:
    """Whether it was there to be told. Another process that has taken its number meanwhile is left alone."""
    with contextlib.suppress(OSError):
        if sys.platform != "linux":
            os.kill(pid, number)
            return True
        descriptor = os.pidfd_open(pid)
        try:
            if _has(pid, mark):
                signal.pidfd_send_signal(descriptor, number)
                return True
        finally:
            os.close(descriptor)
    return False
