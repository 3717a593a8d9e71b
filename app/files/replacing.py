"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of ``path`` when the block ends without an exception.

    ``mode`` is for a new file; one that is replaced keeps its own. Raises OSError.
    """
    target = Path(os.path.realpath(path))  # of a link, what it links to
    if target.exists() and not target.is_file():  # a pipe, or /dev/null
        with open(target, "wb") as out:
            yield out
        return
    number, spare = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with open(number, "wb") as out:
            yield out
            out.flush()
            os.fsync(number)
        with contextlib.suppress(OSError):
            os.chmod(spare, target.stat().st_mode & 0o777 if target.exists() else mode)
        os.replace(spare, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(spare)
        raise
