"""When a watch is checked. Times are those of the reactor, in seconds."""

from __future__ import annotations

import hashlib
import math

SOON = 5.0
"""Seconds after it begins within which a watch is checked for the first time."""


def share(name: str) -> float:
    """The part of its period, from 0 to below 1, after which a watch of this name is checked: the same each time."""
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "replace")).digest()[:6]) / 2**48


def first(name: str, every: float, now: float) -> float:
    """When a watch that begins now is checked for the first time."""
    return now + share(name) * min(every, SOON)


def following(name: str, every: float, began: float, now: float) -> float:
    """When it is checked next, if all began at ``began``; turns that were missed are not made up for."""
    offset = began + share(name) * every
    turn = max(0, math.floor((now - offset) / every) + 1)
    due = offset + turn * every
    return due if due > now else due + every  # what floating point has rounded away
