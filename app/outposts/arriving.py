"""Events of one outpost's capture, as they are recorded here: under its name, with numbers of our own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from time import time_ns
from typing import Any

from app import events
from app.capture.reading.stored import Stored
from app.capture.recorder import Fields, Recorder
from app.outposts import sound

PROTOCOL = "outpost"
"""Protocol of what an outpost has that is of none of its services."""

MOST_SERVICES = 1_000
"""Services of one outpost that are told apart."""

MOST_CONNECTIONS = 100_000
"""Connections of one outpost whose numbers are kept. An older one that goes on has another number then."""


class FalseError(Exception):
    """An outpost does not keep to the protocol; the text says what it did."""


def unread(outpost: str, last: int) -> tuple[str, dict[str, Any]]:
    """Words and detail of an event ``outpost.gap``: what a capture got after the event ``last`` is not known."""
    words = f"{outpost}: it has begun another capture; what the one before got after event {last:,} was not read"
    return words, {"outpost": outpost, "first": last + 1}


class Arriving:
    """Records the events of one outpost, each once, and what is missing between them.

    Attributes:
        name: of the outpost, here.
        capture: the identity of its capture.
        last: the id there of the last event that was taken.
        clock: by how many ns its clock is ahead of ours.
        own: number of the service for what is of none of its services.
        passed: events that were passed over, because they are of another outpost that it reads itself.
    """

    def __init__(
        self, recorder: Recorder, name: str, capture: str, last: int, clock: int, connections: dict[int, int]
    ) -> None:
        """``connections``: ids in our capture of those that are open, by their numbers there."""
        self._recorder = recorder
        self.name, self.capture, self.last, self.clock = name, capture, last, clock
        # Those of an earlier run have negative numbers: see ``FIELDS`` of ``app.capture.writing.batch``.
        self._connections = {theirs: -ours for theirs, ours in connections.items()}
        self._services: dict[tuple[str | None, str | None], int] = {}
        self.own = recorder.add_service(name, PROTOCOL, name)
        self.passed = 0

    def take(self, found: Iterable[Stored]) -> None:
        """Record events, which must follow each other. Raises FalseError; those before are recorded then."""
        self._recorder.record_elsewhere(self.name, self.capture, self.clock, self._recorded(found))

    def forget_connections(self) -> None:
        """Give each connection a new number from now on: another capture of ours does not know it."""
        self._connections.clear()

    def _recorded(self, found: Iterable[Stored]) -> Iterable[tuple[int, Fields | None]]:
        for event in found:
            if event.id <= self.last:
                raise FalseError(f"it sent event {event.id:,} after event {self.last:,}")
            if event.id >= sound.MAX_ID:
                raise FalseError(f"it sent an event that has no id that can be: {event.id}")
            if not 0 <= event.time < sound.MAX_TIME:
                raise FalseError(f"event {event.id:,} has no time that can be: {event.time}")
            if event.id > self.last + 1:
                yield event.id - 1, self._gap(self.last + 1, event.id - 1)
            self.last = event.id
            if event.outpost:  # else two that read each other would never end
                self.passed += 1
                yield event.id, None
            else:
                yield event.id, self._fields(event)

    def _gap(self, first: int, last: int) -> Fields:
        count = last - first + 1
        words = f"{self.name}: {count:,} events are missing, which it had dropped before they were read"
        detail = {"outpost": self.name, "first": first, "last": last, "count": count}
        return time_ns(), events.OUTPOST_GAP, self.own, 0, None, None, words, json.dumps(detail)

    def _fields(self, event: Stored) -> Fields:
        service = self._service(event.service, event.protocol)
        kind, summary, detail = sound.sound(event)
        size = event.size if event.size is None or 0 <= event.size < sound.MAX_NUMBER else None
        connection = self._connection(event, service) if event.conn else 0
        return event.time, kind, service, connection, size, event.payload, summary, detail

    def _service(self, name: str | None, protocol: str | None) -> int:
        number = self._services.get((name, protocol))
        if number is None:
            if name is None:
                return self.own
            known = f"{self.name}/{sound.name(name)}" if len(self._services) < MOST_SERVICES else f"{self.name}/…"
            number = self._recorder.add_service(known, sound.name(protocol)[:20], self.name)
            if len(self._services) < MOST_SERVICES:
                self._services[name, protocol] = number
        return number

    def _connection(self, event: Stored, service: int) -> int:
        theirs = event.conn or 0
        if not 0 < theirs < sound.MAX_NUMBER:
            return 0
        number = self._connections.get(theirs)
        if number is None:
            if len(self._connections) >= MOST_CONNECTIONS:
                del self._connections[next(iter(self._connections))]
            number = self._connections[theirs] = self._recorder.add_connection_elsewhere(
                self.name, self.capture, theirs, service,
                sound.name(event.peer) or None, sound.name(event.host) or None, event.time,
            )  # fmt: skip
        return number
