"""The files of ours in a folder where somebody may have put others."""

from __future__ import annotations

import contextlib
import stat
from pathlib import Path


def newest(folder: Path, pattern: str) -> list[Path]:
    """The regular files in ``folder`` whose names match ``pattern``, the newest first. Blocks; raises nothing.

    Links and pipes are none of ours: to read a pipe waits for who writes. A file that is gone meanwhile hides no other.
    """
    found = []
    with contextlib.suppress(OSError):
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode):
                    found.append((facts.st_mtime_ns, path))
    return [path for _, path in sorted(found, reverse=True)]
