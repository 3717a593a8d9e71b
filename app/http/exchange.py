"""One HTTP exchange: a request with its response and both bodies."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.events import Event
from app.http.body import Body

MAX_FAULTS = 100
"""Events of faults that are kept of a connection at once."""


@dataclass
class Exchange:
    """One request, with its response if there was one.

    Attributes:
        request: the event ``http.request``, or ``ws.opened`` of a WebSocket. Of what was refused before it
            was read, one with the id of the response, and with ``refused`` in its detail.
        response: None where there was none.
        request_body, response_body: None where they are not known. Those of a WebSocket have only their heads, those
            of HTTP/2 have none.
        messages: the events ``ws.message`` of a WebSocket; ``messages_cut``: whether some are left out.
        secure: whether it came over TLS.
        outgoing: whether the request was ours.
        first, last: ids of the events between which it passed.
        until: when the last of it happened, in ns since 1970.
        ended: why the connection ended, where that came first; empty where it is not known.
        faults: the events ``fault.applied`` of its connection, or of its stream, while it passed; those after the
            first ``MAX_FAULTS`` are left out.
    """

    request: Event
    response: Event | None = None
    request_body: Body | None = None
    response_body: Body | None = None
    messages: list[Event] = field(default_factory=list)
    messages_cut: bool = False
    secure: bool = False
    outgoing: bool = False
    first: int = 0
    last: int = 0
    until: int = 0
    ended: str = ""
    faults: list[Event] = field(default_factory=list)
