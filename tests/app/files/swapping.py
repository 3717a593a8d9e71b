"""A folder in which a name is a folder now, and a link in the next moment."""

from __future__ import annotations

import os
import threading
from pathlib import Path


class swapping:  # noqa: N801 - used as a function
    """The names ``real`` and ``link`` in a folder take turns in being ``now``, until the end."""

    def __init__(self, root: Path) -> None:
        self._root, self._end = root, threading.Event()
        self._thread = threading.Thread(target=self._swap)

    def _swap(self) -> None:
        while not self._end.is_set():
            for name in ("real", "link"):
                os.rename(self._root / name, self._root / "now")
                os.rename(self._root / "now", self._root / name)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
