"""Counts, for the writer, what a batch adds to its connections and to the groups of failures."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from typing import Any

from app import events

ADD = (
    "UPDATE connection SET received = received + ?, sent = sent + ?, messages_received = messages_received + ?,"
    " messages_sent = messages_sent + ?, failures = failures + ? WHERE id = ?"
)

_RECEIVED = (events.DATA_RECEIVED, events.DATAGRAM_RECEIVED)
_SENT = (events.DATA_SENT, events.DATAGRAM_SENT)

Added = tuple[int, int, int, int, int, int | None]
"""Bytes received and sent, messages received and sent, failures, and the connection's id; None: of no connection."""


def added(
    kinds: Sequence[int], conns: Sequence[int | None], sizes: Sequence[int | None], payloads: Sequence[bytes | None]
) -> list[Added]:
    """The values for ``ADD``, one tuple for each connection with data or failures.

    One may be of no connection, which is for the rollup alone.
    """
    received: defaultdict[int | None, list[int]] = defaultdict(list)
    sent: defaultdict[int | None, list[int]] = defaultdict(list)
    of: dict[int, defaultdict[int | None, list[int]]] = {
        **dict.fromkeys(_RECEIVED, received), **dict.fromkeys(_SENT, sent),
    }  # fmt: skip
    for kind, conn, size, payload in zip(kinds, conns, sizes, payloads, strict=True):
        if kind in of:
            of[kind][conn].append(size or len(payload or b""))
    failed: Counter[int | None] = Counter()
    if events.FAILURE in kinds:
        failed.update(conn for kind, conn in zip(kinds, conns, strict=True) if kind == events.FAILURE)
    nothing: list[int] = []
    rows = []
    for conn in received.keys() | sent.keys() | failed.keys():
        came, went = received.get(conn, nothing), sent.get(conn, nothing)
        rows.append((sum(came), sum(went), len(came), len(went), failed[conn], conn))
    return rows


def failures(first: int, columns: Sequence[Sequence[Any]]) -> list[tuple[int, str, int | None, int | None]]:
    """Rows for the table ``failure``; ``first`` is the id of the batch's first event."""
    rows = []
    for number, (kind, service, conn, detail) in enumerate(zip(*columns[1:4], columns[7], strict=True), first):
        if kind in events.FAILURES and (group := _group(detail)):
            rows.append((number, group, service, conn))
    return rows


def resolutions(
    first: int, columns: Sequence[Sequence[Any]], far: Set[int | None] = frozenset()
) -> list[tuple[str, int, bool]]:
    """Rows for the table ``resolution``; ``first`` is the id of the batch's first event.

    What was said of ``far`` services, those of outposts, is of their failures there.
    """
    rows = []
    for number, (kind, service, detail) in enumerate(zip(*columns[1:3], columns[7], strict=True), first):
        if kind == events.FAILURE_RESOLVED and service not in far and (group := _group(detail)):
            rows.append((group, number, bool(json.loads(detail).get("reopened"))))
    return rows


def upstream(detail: str) -> str | None:
    """The upstream that serves a connection, from the detail of the line of the log that says so."""
    found = json.loads(detail).get("upstream")
    return found if isinstance(found, str) else None


def _group(detail: str | None) -> str | None:
    group = json.loads(detail).get("group") if detail else None
    return group if isinstance(group, str) else None
