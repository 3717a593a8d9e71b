"""Failure groups: all failures with one fingerprint, and whether they are resolved."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from app import events
from app.capture.filters.sql import Filter, of_kind
from app.capture.reading import values as read
from app.capture.reading.store import NAME, Store
from app.failures.fingerprint import called_frame, fingerprint, generalised, own_frames
from app.failures.origins import short
from app.failures.record import BLOCKED, FailureRecord, from_json

MAX_GROUPS = 500
"""Groups that are read: those with the newest failures."""

NEWEST = 2_000
"""Newest failures that are read for the peers of groups; in captures without a table of failures, for all of it."""

NAMED = 5
"""Peers that a group names."""

MAX_EXAMPLE = 300
"""Characters of a message."""

State = Literal["open", "resolved", "reopened"]

_IS_THERE = "SELECT count(*) FROM sqlite_master WHERE name = 'failure' AND type = 'table'"

_MARK = "SELECT (SELECT min(event) FROM failure), (SELECT max(event) FROM failure), (SELECT max(event) FROM resolution)"
_MARK_OF_EVENTS = "SELECT (SELECT min(id) FROM event WHERE kind = 18), (SELECT max(id) FROM event WHERE kind = 18)"

_GROUPS = """
SELECT json_group_array(json_array(g.fingerprint, g.count, a.time, z.time, z.id, z.detail, r.event, r.reopened))
FROM (
    SELECT fingerprint, count(*) AS count, min(event) AS first, max(event) AS last
    FROM failure GROUP BY fingerprint ORDER BY last DESC LIMIT ?
) g
JOIN event a ON a.id = g.first JOIN event z ON z.id = g.last
LEFT JOIN resolution r ON r.fingerprint = g.fingerprint
"""

_SERVICES = f"""
SELECT json_group_array(json_array(f.fingerprint, {NAME.format("s.name")}))
FROM (SELECT DISTINCT fingerprint, service FROM failure) f JOIN service s ON s.id = f.service
"""  # noqa: S608

_PEERS = f"""
SELECT json_group_array(json_array(f.fingerprint, {NAME.format("c.peer")}))
FROM (SELECT fingerprint, conn FROM failure ORDER BY event DESC LIMIT ?) f JOIN connection c ON c.id = f.conn
"""  # noqa: S608

_OF_GROUP = "EXISTS (SELECT 1 FROM failure f WHERE f.event = event.id AND f.fingerprint = ?)"

_DETAILS = f"""
SELECT json_group_array(json_array(e.id, e.time, {NAME.format("s.name")}, {NAME.format("c.peer")}, e.detail))
FROM (SELECT * FROM event WHERE kind = 18 ORDER BY id DESC LIMIT ?) e
LEFT JOIN service s ON s.id = e.service LEFT JOIN connection c ON c.id = e.conn
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Group:
    """Failures with one fingerprint: the same mistake.

    Attributes:
        message: the generalised message, with placeholders for the parts that differ.
        example: the first line of the newest failure's message.
        where: ``file:line function`` of the innermost frame of the user's own code; ``""`` without any.
        first, last: ns since 1970 UTC.
        newest: id of the newest failure's event.
        services: their names.
        peers: addresses without ports, the newest first, at most ``NAMED``.
        filter: matches the events of the group.
    """

    fingerprint: str
    type: str
    message: str
    example: str
    where: str
    count: int
    first: int
    last: int
    newest: int
    services: tuple[str, ...]
    peers: tuple[str, ...]
    state: State
    filter: Filter

    @property
    def summary(self) -> str:
        return f"{self.type}: {self.message}" if self.message else self.type


Mark = tuple[int | None, ...]
"""Identifies a state of the groups of a capture: as long as it is equal, the groups are."""


def groups(store: Store, known: Mark = ()) -> tuple[Mark, list[Group]] | None:
    """The groups of a capture, the one with the newest failure first; None if their mark is still ``known``."""
    table = bool(store.one(_IS_THERE)[0])
    mark: Mark = tuple(store.one(_MARK if table else _MARK_OF_EVENTS))
    if mark == known:
        return None
    return mark, _from_table(store) if table else _from_details(store)


def record_of(detail: dict[str, Any]) -> FailureRecord:
    """The failure that an event's detail holds; only its type and message where the rest is not ours."""
    try:
        return from_json(detail)
    except (KeyError, TypeError, ValueError, AttributeError):
        # A capture from elsewhere may hold anything.
        return FailureRecord(str(detail.get("type", "?")), str(detail.get("message", "")))


def _from_table(store: Store) -> list[Group]:
    services = _lists((group, read.words(name) or "") for group, name in store.listed(_SERVICES))
    peers = _lists((group, _address(read.words(peer) or "")) for group, peer in store.listed(_PEERS, (NEWEST,)))
    found = []
    for group, count, first, last, newest, detail, event, reopened in store.listed(_GROUPS, (MAX_GROUPS,)):
        where = of_kind(*events.FAILURES) & Filter(_OF_GROUP, (group,))
        state: State = "open" if event is None else "resolved" if event > newest and not reopened else "reopened"
        record = record_of(read.detail(events.FAILURE, detail))
        about = (*_words(record), count, read.number(first) or 0, read.number(last) or 0, newest)
        found.append(Group(str(group), *about, tuple(services[group]), tuple(peers[group][:NAMED]), state, where))
    return sorted(found, key=lambda group: -group.newest)


def _from_details(store: Store) -> list[Group]:
    """Groups of the newest failures, for a capture without a table of failures: each event has to be read."""
    among: defaultdict[str, list[tuple[int, int, str, str, FailureRecord]]] = defaultdict(list)
    for id, time, service, peer, detail in store.listed(_DETAILS, (NEWEST,)):
        record = record_of(read.detail(events.FAILURE, detail))
        words = read.words(service) or "", read.words(peer) or ""
        among[fingerprint(record)].append((id, read.number(time) or 0, *words, record))
    found = []
    for group, members in among.items():
        ids, times, services, peers, records = zip(*sorted(members, key=lambda m: -m[0]), strict=True)
        where = Filter("id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))
        record = records[0]
        about = (*_words(record), len(ids), times[-1], times[0], ids[0])
        named = tuple(dict.fromkeys(_address(peer) for peer in peers if peer))[:NAMED]
        found.append(Group(group, *about, tuple(dict.fromkeys(filter(None, services))), named, "open", where))
    return sorted(found, key=lambda group: -group.newest)


def _lists(pairs: Iterable[tuple[str, str]]) -> defaultdict[str, list[str]]:
    """The names of each group without repetitions, in the order in which they came."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for group, name in pairs:
        found[group][name] = None
    return defaultdict(list, {group: list(names) for group, names in found.items()})


def _address(peer: str) -> str:
    return peer.rpartition(":")[0]


def _words(record: FailureRecord) -> tuple[str, str, str, str]:
    """Type, message, example and where."""
    frame = called_frame(record) if record.type == BLOCKED else next(iter(own_frames(record)[-1:]), None)
    where = f"{short(frame.file)}:{frame.line} {frame.function}" if frame else ""
    if record.type == BLOCKED:  # says where and how long: nothing in it stands for what differs
        return record.type, record.message, record.message[:MAX_EXAMPLE], where
    return record.type, generalised(record.message), record.message.partition("\n")[0][:MAX_EXAMPLE], where
