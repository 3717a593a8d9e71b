"""A file of TLS session keys in the format of NSS, with which Wireshark decrypts what it has captured.

https://www.ietf.org/archive/id/draft-ietf-tls-keylogfile-02.html
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import threads
from twisted.python.failure import Failure

from app.files import confined as files
from app.services.tls import errors


class KeyLog:
    """Appends lines to a file, in a thread. Only the owner can read the file."""

    def __init__(self, path: Path) -> None:
        """Blocks: call it in a thread. Raises KeyLogError."""
        self._path = path
        self._waiting: list[bytes] = []
        self._writing = False
        try:
            self._append(b"")
        except OSError as e:
            raise errors.KeyLogError(path=path, reason=e.strerror or e) from e

    def add(self, line: bytes, reactor: Any, failed: Callable[[str], None]) -> None:
        """Write a line soon. If that fails, ``failed`` is called with the reason in words."""
        self._waiting.append(line + b"\n")
        if not self._writing:
            self._write(reactor, failed)

    def _write(self, reactor: Any, failed: Callable[[str], None]) -> None:
        lines, self._waiting = self._waiting, []
        self._writing = True

        def done(result: Any) -> None:
            self._writing = False
            if isinstance(result, Failure):
                failed(f"session keys could not be written to {self._path}: {result.getErrorMessage()}")
            elif self._waiting:
                self._write(reactor, failed)

        threads.deferToThreadPool(reactor, reactor.getThreadPool(), self._append, b"".join(lines)).addBoth(done)

    def _append(self, content: bytes) -> None:
        with open(self._path, "ab", opener=files.regular) as file:
            if hasattr(os, "fchmod"):  # the file may be older, and open to others
                os.fchmod(file.fileno(), 0o600)
            file.write(content)
