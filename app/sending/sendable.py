"""Which events can be sent again."""

from __future__ import annotations

from app import events
from app.events import Event

_HTTP = (events.HTTP_REQUEST, events.HTTP_RESPONSE)
_BYTES = (
    events.DATA_RECEIVED, events.DATA_SENT, events.DATAGRAM_RECEIVED, events.DATAGRAM_SENT, events.FAILURE,
)  # fmt: skip
_OPCODES = ("text", "binary")


def can_be_sent(event: Event) -> bool:
    """Whether ``app.sending.captured`` may find what was sent in this event."""
    if event.kind in _HTTP:
        return True
    if event.payload is None or event.conn is None:
        return False
    return event.kind in _BYTES or (event.kind == events.WS_MESSAGE and event.detail.get("opcode") in _OPCODES)
