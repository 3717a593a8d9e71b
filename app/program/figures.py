"""Figures of the running program: what it takes from the system, and what waits in it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        title: for people.
        unit: ``"B"`` for bytes, ``""`` for a number.
        least: growth from which a trend is worth a word.
    """

    name: str
    title: str
    least: int
    unit: str = ""


FIGURES = (
    Figure("memory", "Memory", 20_000_000, "B"),
    Figure("blocks", "Blocks of Python's memory", 200_000),
    Figure("connections", "Connections", 0),
    Figure("descriptors", "Other file descriptors", 30),
    Figure("threads", "Threads", 10),
    Figure("delayed", "Delayed calls", 200),
)
"""Of ``connections`` no trend is told: how many there are is up to their other ends."""

BY_NAME = {figure.name: figure for figure in FIGURES}

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Figures:
    """Reads the figures. Any thread may do so."""

    def __init__(self, reactor: Any, connections: Callable[[], int]) -> None:
        """``connections``: how many are open."""
        self._reactor, self._connections = reactor, connections

    def read(self) -> dict[str, int]:
        """The figures now, by name; without those that this system does not tell."""
        connections = self._connections()
        found = {
            "memory": _memory(),
            "blocks": sys.getallocatedblocks(),
            "descriptors": _descriptors(connections),
            "threads": threading.active_count(),
            "connections": connections,
            "delayed": len(self._reactor.getDelayedCalls()),
        }
        return {name: number for name, number in found.items() if number is not None}


def _memory() -> int | None:
    """Bytes that are in memory."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read(200).split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


def _descriptors(connections: int) -> int | None:
    try:
        return max(0, len(os.listdir("/proc/self/fd")) - 1 - connections)  # one is that of the listing
    except OSError:
        return None


def written(name: str, number: int, *, change: bool = False) -> str:
    """A figure, or its ``change``, for people: ``84.2 MB``, ``+1,204``."""
    sign = "+" if change and number > 0 else ""
    if BY_NAME[name].unit == "B":
        return f"{sign}{number / 1e6:,.1f} MB"
    return f"{sign}{number:,}"
