"""A file of TLS session keys in the format of NSS, with which Wireshark decrypts what it has captured.

https://www.ietf.org/archive/id/draft-ietf-tls-keylogfile-02.html
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet import threads
from twisted.python.failure import Failure

from app.files import beneath
from app.services.tls import errors

_LINE = re.compile(rb"[A-Z0-9_]+ [0-9A-Fa-f]+ [0-9A-Fa-f]+$")
_HEAD = 4096
"""Bytes in which a file of session keys has its first line, after comments."""


class KeyLog:
    """Appends lines to a file, in a thread. Only the owner can read the file.

    A file that holds anything else is left alone, and links that appear on the way to the file are not followed.
    """

    def __init__(self, path: Path) -> None:
        """Blocks: call it in a thread. Raises KeyLogError."""
        self._path = path
        self._real = Path(os.path.realpath(path))
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
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        with beneath.folder(self._real.parent, follow=False) as folder, folder.open([self._real.name], flags) as opened:
            if not stat.S_ISREG(opened.status.st_mode):
                raise OSError(0, "it is not a file")
            if not _is_key_log(os.read(opened.descriptor, _HEAD)):
                raise OSError(0, "it holds something else than session keys")
            if hasattr(os, "fchmod"):  # the file may be older, and open to others
                os.fchmod(opened.descriptor, 0o600)
            with opened.file("ab") as file:
                file.write(content)


def _is_key_log(head: bytes) -> bool:
    """Whether a file that begins so holds session keys, or only comments so far."""
    lines = (line.strip() for line in head.splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), None)
    return len(head) < _HEAD if first is None else bool(_LINE.match(first))
