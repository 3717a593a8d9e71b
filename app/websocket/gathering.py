"""Messages of a WebSocket that have not ended: what they take of the program's memory, and what is told of them."""

from __future__ import annotations

from typing import Any, cast

from app.text.escapes import amount
from app.websocket.closing import Closing

TRY_AGAIN_LATER = 1013
"""A close code of IANA's registry."""

FEW = 64 << 10
"""Bytes of a message up to which the Tap counts nothing, and is not asked."""


class Gathering(Closing):
    """Mixed in before a protocol class of autobahn, whose transport is a Tap.

    It has unfinished messages counted, closes when the program has no room for them, and has the events of the end
    say what came of a message without an end.
    """

    _gathered = 0  # bytes of the message that is not finished, decompressed
    _whole: int | None = None  # bytes that came of the handshake and of whole messages

    def _onOpen(self) -> None:
        self._note_whole()
        super()._onOpen()

    def _note_whole(self) -> None:
        self._whole = cast(Any, self).transport.received - len(self.data)

    def _onMessageFrameData(self, payload: bytes) -> None:
        self._gathered += len(payload)
        tap: Any = self.transport
        if self._gathered > FEW and not self.failedByMe and (full := tap.gather(self._gathered)):
            tap.record_limit(full.saying(f"{full.text}: closing"))
            self._fail_connection(TRY_AGAIN_LATER, full.text)
            self._drop_gathered()
        super()._onMessageFrameData(payload)

    def _onMessageEnd(self) -> None:
        if self._gathered > FEW:
            cast(Any, self).transport.gather(0)
        self._gathered = 0
        self._note_whole()
        super()._onMessageEnd()

    def processControlFrame(self) -> bool:
        if not self.inside_message:
            self._note_whole()
        return bool(super().processControlFrame())

    def _drop_gathered(self) -> None:
        """Give memory back now: protocols refer to themselves, and the garbage collector comes late."""
        protocol = cast(Any, self)
        if protocol.transport is not None:
            protocol.transport.gather(0)
        protocol.data, protocol.message_data, protocol.frame_data = b"", [], []

    @property
    def unfinished(self) -> int:
        """Bytes that came of a message or frame which has not ended, with the frames' headers."""
        protocol = cast(Any, self)
        if self._whole is None or self.failedByMe or protocol.transport.waits:
            return 0  # what was not looked at may hold whole messages
        if not (protocol.inside_message or protocol.current_frame or protocol.data):
            return 0
        return max(0, int(protocol.transport.received) - self._whole)

    @property
    def _awaited(self) -> str:
        frame = cast(Any, self).current_frame
        return f"its frame says {frame.length:,}" if frame else ""

    def _connectionLost(self, reason: Any) -> None:
        if size := self.unfinished:
            cast(Any, self).transport.unfinished(size, self._awaited)
        super()._connectionLost(reason)

    def closed(self, clean: bool) -> tuple[str, dict[str, Any]]:
        summary, detail = super().closed(clean)
        if size := self.unfinished:
            awaited = f" ({self._awaited})" if self._awaited else ""
            summary += f", {amount(size)} of a message without an end{awaited}"
            detail["unfinished"] = size
        return summary, detail
