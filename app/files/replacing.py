"""Writes a file completely or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A temporary file to write to. It replaces ``path`` when the block ends without an exception.

    ``mode`` is for a new file; an existing file keeps its mode. Raises OSError.
    """
    target = Path(os.path.realpath(path))  # replaces the target of a link, not the link
    if target.exists() and not target.is_file():  # a pipe, or /dev/null
        with open(target, "wb") as out:
            yield out
        return
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(descriptor, "wb") as out:
            yield out
            out.flush()
            os.fsync(descriptor)
        with contextlib.suppress(OSError):
            os.chmod(temporary, target.stat().st_mode & 0o777 if target.exists() else mode)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
