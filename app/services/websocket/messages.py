"""Messages as they are sent and recorded, made once for all clients that get the same."""

from __future__ import annotations

import json

from app.events import ARROWS
from app.text.escapes import PREVIEW, preview
from app.websocket.frames import BINARY, TEXT, frame

DETAILS = {
    (opcode, direction): json.dumps({"opcode": opcode, "direction": direction})
    for opcode in ("text", "binary", "ping", "pong")
    for direction in ("received", "sent")
}
"""The details of events ``ws.message``, as JSON."""


class Messages:
    """The last messages of one service."""

    def __init__(self) -> None:
        self._framed: tuple[bytes, bool, bytes, str] | None = None
        self._previewed: tuple[bytes, str] | None = None

    def forget(self) -> None:
        """Keep no payload in memory."""
        self._framed = self._previewed = None

    def framed(self, payload: bytes, binary: bool) -> tuple[bytes, str]:
        """A message in its frame, and the summary of its event. The frame is the same object for each client
        that gets the same payload, so that the capture keeps it once."""
        known = self._framed
        if known is None or known[0] is not payload or known[1] is not binary:
            opcode = "binary" if binary else "text"
            known = self._framed = (
                payload,
                binary,
                frame(BINARY if binary else TEXT, payload),
                self.summary(opcode, "sent", payload),
            )
        return known[2], known[3]

    def summary(self, opcode: str, direction: str, payload: bytes) -> str:
        """The line of the log for a message."""
        known = self._previewed
        if known is None or known[0] is not payload:
            known = self._previewed = payload, preview(payload[:PREVIEW], len(payload))
        return f"{ARROWS[direction]} {opcode}  {known[1]}"
