"""Memory that the recorder shares with the writer process: large payloads lie in it until they are stored."""

from __future__ import annotations

import mmap
import os

SIZE = 48 << 20
"""Bytes. Peers are held back before it is full; what finds no room goes through the pipe."""

SHARES = hasattr(os, "memfd_create")
"""Whether there is such memory here; so far on Linux only."""


class Arena:
    """A ring of bytes: what was put first is released first.

    Attributes:
        file: the descriptor that another process maps.
    """

    def __init__(self, size: int = SIZE) -> None:
        self.file = os.memfd_create("listening-post-capture")
        os.ftruncate(self.file, size)
        self._memory, self._size = mmap.mmap(self.file, size), size
        self._put = self._released = 0  # counted on and on; the place is what is left of a multiple of the size

    @property
    def mark(self) -> int:
        """Behind all that was put so far: for ``release``."""
        return self._put

    def put(self, payload: bytes) -> int | None:
        """Copy ``payload`` into it. Returns the place; None where there is no room now."""
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
        """All that was put before ``mark`` is needed no more."""
        self._released = mark
        if self._put == mark:  # begin anew: little traffic then touches little memory
            self._put = self._released = 0

    def close(self) -> None:
        """Let go of it. Closing again does nothing."""
        if not self._memory.closed:
            self._memory.close()
            os.close(self.file)


def shared(file: int) -> mmap.mmap:
    """The memory of another process' Arena, to read."""
    return mmap.mmap(file, 0, access=mmap.ACCESS_READ)
