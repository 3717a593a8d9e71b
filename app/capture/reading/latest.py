"""What reached a service last: to be tried again."""

from __future__ import annotations

from app.capture.filters.language import Filter, of_service
from app.capture.reading.store import CHUNK, Store
from app.events import DATA_RECEIVED, DATAGRAM_RECEIVED, HTTP_REQUEST, WS_MESSAGE, Event

KINDS = {"http": HTTP_REQUEST, "websocket": WS_MESSAGE, "udp": DATAGRAM_RECEIVED, "tcp": DATA_RECEIVED}
"""The kind of event that is one message, by protocol; of TCP, what came at once."""


def latest(store: Store, service: str, protocol: str, count: int) -> list[Event]:
    """The last ``count`` messages that a service received, the newest first.

    Only the newest ``CHUNK`` events are looked at.
    """
    if protocol not in KINDS:
        return []
    _, last = store.range()
    asked, received = of_service(service), Filter("1")
    if protocol == "websocket":
        received = Filter("json_extract(detail, '$.direction') = ?", ("received",))
    elif protocol == "http":
        received = Filter("json_extract(detail, '$.outgoing') IS NULL")
    ids = store.listed(
        "SELECT json_group_array(id) FROM (SELECT id FROM event WHERE id > ? AND kind = ?"  # noqa: S608
        f" AND {asked.sql} AND {received.sql} ORDER BY id DESC LIMIT ?)",
        (last - CHUNK, KINDS[protocol], *asked.values, *received.values, count),
    )
    return sorted(store.these(ids), key=lambda event: -event.id)
