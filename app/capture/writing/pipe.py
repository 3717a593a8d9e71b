"""The pipe to the writer process."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.python.failure import Failure

SIZE = 1 << 20
"""Bytes of the pipe's buffer in the kernel, where it can be set: a batch should fit in one write."""

GATHERS = hasattr(os, "writev")
"""Whether this system has ``writev``; on Windows, Twisted's own pipe is used."""

_PARTS = 256
"""Parts passed to one ``writev``; the kernel allows 1,024 (``IOV_MAX``)."""


class Pipe(FileDescriptor):
    """Our end of a pipe. It writes each part without copying it.

    Twisted's own class joins the waiting parts before it writes, which takes longer than the writing if
    payloads are large. The sender bounds how much is waiting.

    Attributes:
        reading: the other end, for the process to be started; ``started`` closes it.
    """

    connected = True

    def __init__(self, reactor: Any, on_lost: Callable[[], None]) -> None:
        super().__init__(reactor)
        self.reading, self._file = os.pipe()
        os.set_blocking(self._file, False)
        self._on_lost = on_lost
        self._parts: deque[bytes | memoryview] = deque()
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import fcntl

            fcntl.fcntl(self._file, fcntl.F_SETPIPE_SZ, SIZE)

    def started(self) -> None:
        """Close our copy of the reading end, so that writing fails once the process has ended."""
        os.close(self.reading)

    def fileno(self) -> int:
        return self._file

    def send(self, parts: Sequence[bytes]) -> None:
        """Queue these parts after the earlier ones."""
        if self.connected:
            self._parts.extend(parts)
            self.startWriting()

    def doWrite(self) -> Any:
        try:
            if self._parts:
                self._drop(os.writev(self._file, list(islice(self._parts, _PARTS))))
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_LOST
        if self._parts:
            return None
        self.stopWriting()
        return CONNECTION_DONE if self.disconnecting else None

    def _drop(self, written: int) -> None:
        parts = self._parts
        while written:
            part = parts.popleft()
            if len(part) > written:
                parts.appendleft(memoryview(part)[written:])
                return
            written -= len(part)

    def abortConnection(self) -> None:
        """Close it now, and drop what is waiting."""
        if self.connected:
            self.connectionLost(Failure(CONNECTION_DONE))

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self._parts.clear()
        os.close(self._file)
        self._file = -1
        self._on_lost()
