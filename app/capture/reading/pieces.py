"""What a stream is made of: bytes, messages, requests and responses, each one piece."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import events
from app.events import Event

if TYPE_CHECKING:
    from app.http.body import Body
    from app.http.exchange import Exchange

UNREAD = "(what could not be read)"
"""In the place of a request line."""

_RECEIVED = events.RAW & events.INBOUND
_DATAGRAMS = (events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT)


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a stream.

    Attributes:
        time: ns since 1970.
        received: its direction; None for a remark of ours.
        title: what it is, in one line; empty for bytes that continue those before.
        head: lines before the data; the headers of an HTTP message.
        data: the payload, with content codings undone.
        left: bytes of the payload that are not in ``data``.
        event: the id of the event that it is; 0 for a remark.
    """

    time: int
    received: bool | None
    title: str = ""
    head: str = ""
    data: bytes = b""
    left: int = 0
    event: int = 0

    @property
    def size(self) -> int:
        return len(self.title) + len(self.head) + len(self.data)


def of_event(event: Event) -> Piece:
    """The piece that an event of raw data, or of a WebSocket, is."""
    data, kind = event.payload or b"", event.kind
    if kind == events.WS_MESSAGE:
        direction, opcode = event.detail.get("direction"), str(event.detail.get("opcode", "message"))
        return Piece(event.time, direction == "received", opcode, "", data, event=event.id)
    if kind in (events.WS_OPENED, events.WS_CLOSED):
        word = "opened" if kind == events.WS_OPENED else "closed"
        return Piece(event.time, None, f"{word}  {event.summary}")
    title = "datagram" if kind in _DATAGRAMS else ""
    return Piece(event.time, kind in _RECEIVED, title, "", data, event=event.id)


def of_exchange(exchange: Exchange) -> Iterator[Piece]:
    """The pieces that an exchange is: its request and its response, or a remark in their place."""
    request, response = exchange.request, exchange.response
    if request.kind != events.HTTP_REQUEST:
        yield Piece(request.time, None, request.summary)
        return
    outgoing, detail = bool(request.detail.get("outgoing")), request.detail
    line = f"{detail.get('method', '')} {detail.get('target', '')} {detail.get('version', '')}".strip()
    yield _message(request, line or UNREAD, exchange.request_body, received=not outgoing)
    if response is None:
        yield Piece(request.time, None, "no answer")
        return
    detail = response.detail
    line = f"{detail.get('status', '')} {detail.get('reason') or detail.get('refused') or ''}".strip()
    yield _message(response, line, exchange.response_body, received=outgoing)


def _message(event: Event, line: str, body: Body | None, *, received: bool) -> Piece:
    from app.http.contents import of_body

    fields = event.detail.get("fields") or []
    head = "\n".join(f"{name}: {value}" for name, value in fields)
    if body is None:
        return Piece(event.time, received, line, head, b"", event.size or 0, event.id)
    content = of_body(body, fields)
    return Piece(event.time, received, line, head, content.data, max(0, body.size - len(body.data)), event.id)


class Parser:
    """Makes pieces of a connection's events in the form of HTTP exchanges."""

    def __init__(self) -> None:
        from app.http.pairing import Exchanges  # it needs h11, which a start does not

        self._exchanges = Exchanges()

    def take(self, event: Event) -> list[Piece]:
        """The pieces that are whole with this event; events have to come in their order."""
        return [piece for exchange in self._exchanges.take(event) for piece in of_exchange(exchange)]
