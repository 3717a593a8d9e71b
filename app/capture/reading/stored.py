"""One event as a capture stores it, for another program that keeps a capture of its own."""

from __future__ import annotations

import msgspec


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """One event as it is stored.

    Attributes:
        time: ns since 1970 UTC.
        kind: a code of ``app.events``.
        summary: None for raw data.
        detail: a JSON object, or None.
        left_out: bytes of the payload, if it was too large to be here.
        outpost: which outpost of the outpost the service is of; empty for its own.
    """

    id: int
    time: int
    kind: int
    service: str | None
    protocol: str | None
    conn: int | None
    peer: str | None
    host: str | None
    size: int | None
    summary: str | None
    detail: str | None
    payload: bytes | None
    left_out: int = 0
    outpost: str = ""
