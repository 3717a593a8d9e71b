"""Memory that the recorder shares with the writer process; it holds large payloads until they are stored."""

from __future__ import annotations

import mmap
import os

SIZE = 48 << 20
"""Size in bytes. Peers are held back before it is full; payloads for which there is no room go through the pipe."""

SHARES = hasattr(os, "memfd_create")
"""Whether this system has such memory; so far only Linux."""


class Arena:
    """A ring buffer: what was put first is released first.

    Attributes:
        file: the descriptor that another process maps.
    """

    def __init__(self, size: int = SIZE) -> None:
        self.file = os.memfd_create("listening-post-capture")
        os.ftruncate(self.file, size)
        self._memory, self._size = mmap.mmap(self.file, size), size
        self._put = self._released = 0  # totals; modulo the size they are places in the memory

    @property
    def mark(self) -> int:
        """The end of all that was put so far, for ``release``."""
        return self._put

    def put(self, payload: bytes) -> int | None:
        """Copy ``payload`` into it. Returns the offset; None if there is no room now."""
        length = len(payload)
        place = self._put % self._size
        before = self._put
        if place + length > self._size:  # it must lie in one piece
            before += self._size - place
            place = 0
        if before + length - self._released > self._size:
            return None
        self._put = before + length
        self._memory[place : place + length] = payload
        return place

    def release(self, mark: int) -> None:
        """Free all that was put before ``mark``."""
        self._released = mark
        if self._put == mark:  # start at 0 again, so that little traffic uses little memory
            self._put = self._released = 0

    def close(self) -> None:
        """Free the memory. Closing again does nothing."""
        if not self._memory.closed:
            self._memory.close()
            os.close(self.file)


def shared(file: int) -> mmap.mmap:
    """The memory of another process's Arena, mapped for reading."""
    return mmap.mmap(file, 0, access=mmap.ACCESS_READ)
