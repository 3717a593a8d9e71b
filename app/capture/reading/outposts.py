"""How far the captures of outposts were read into this one, for a console that goes on reading them."""

from __future__ import annotations

from dataclasses import dataclass

from app.capture.reading.store import Store

MOST = 10_000
"""Outposts, and connections of one that are open, which are read."""

_PROGRESS = f"""
SELECT json_group_array(json_array(name, capture, last, clock)) FROM (
    SELECT name, capture, last, clock FROM outpost ORDER BY id DESC LIMIT {MOST})
"""  # noqa: S608

_CONNECTIONS = f"""
SELECT json_group_array(json_array(theirs, connection)) FROM (
    SELECT theirs, connection FROM outpost_connection oc JOIN connection c ON c.id = oc.connection
    WHERE oc.outpost = (SELECT id FROM outpost WHERE name = ? AND capture = ?) AND c.closed IS NULL
    ORDER BY connection DESC LIMIT {MOST})
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Read:
    """How far one capture of an outpost was read.

    Attributes:
        last: the id there of the newest event that is here.
        clock: by how many ns its clock was ahead of ours.
    """

    name: str
    capture: str
    last: int
    clock: int


def progress(store: Store) -> list[Read]:
    """Of every outpost that was ever read into this capture, and each capture that it had, oldest first."""
    return [Read(*values) for values in reversed(store.listed(_PROGRESS, ()))]


def connections(store: Store, outpost: str, capture: str) -> dict[int, int]:
    """The ids here of the connections of an outpost's capture that are open, by their numbers there."""
    return dict(store.listed(_CONNECTIONS, (outpost, capture)))
