"""A word about the program for its writer, who stores it if the program ends without having taken it back.

A program whose reactor is blocked for ever can record nothing any more; a thread of it can still write here.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

from app import events
from app.failures.blocked import Block, described, dumped

MAX_SIZE = 1 << 20
"""Bytes."""

STUCK = 2.0
"""Seconds after which :mod:`faulthandler` writes the stacks there, if no thread of the program can run any more."""

IS_THERE = hasattr(os, "memfd_create")
"""Whether this system has such memory; so far only Linux."""


class LastWord:
    """Memory that the program shares with its writer, with one event in it, or none. Any thread may use it.

    Attributes:
        file: the descriptor that the other process reads.
    """

    def __init__(self) -> None:
        self.file = os.memfd_create("listening-post-last-word")

    def say(self, kind: int, summary: str, detail: str) -> None:
        """Leave this event, instead of what was left before. One that is too large is left out."""
        written = json.dumps([kind, summary, detail]).encode()
        self.take_back()
        if len(written) <= MAX_SIZE and self.file >= 0:
            os.pwrite(self.file, written, 0)

    def take_back(self) -> None:
        """Leave nothing."""
        if self.file >= 0:
            os.ftruncate(self.file, 0)
            os.lseek(self.file, 0, os.SEEK_SET)

    def close(self) -> None:
        """Free the memory. Closing again does nothing."""
        file, self.file = self.file, -1
        if file >= 0:
            os.close(file)


def left(file: int) -> list[Any]:
    """The fields of the event that was left in ``file``, as in a batch; empty where there is none."""
    try:
        said = os.pread(file, MAX_SIZE, 0)
        kind, summary, detail = _of_stacks(file, said) if said.startswith(b"Timeout") else json.loads(said)
        json.loads(detail)
    except (OSError, ValueError, TypeError):
        return []
    return [time.time_ns(), kind, 0, 0, None, None, summary, detail]


def _of_stacks(file: int, said: bytes) -> tuple[int, str, str]:
    seconds = time.time() - os.fstat(file).st_mtime + STUCK
    frames = dumped(said.decode("ascii", "replace"))
    return (events.LOOP_BLOCKED, *described(Block(seconds, frames, unfinished=True)))
