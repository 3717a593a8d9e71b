"""How a WebSocket connection is closed: the close frames of both sides, and what is recorded of them.

RFC 6455 sections 5.5.1 and 7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from autobahn.websocket.protocol import WebSocketProtocol

from app.text.escapes import escape
from app.websocket.close_codes import ABNORMAL, INVALID_PAYLOAD, NO_STATUS, PROTOCOL_ERROR, may_be_sent

Close = tuple[int, bytes]
"""Code and reason of a close frame; the code is ``NO_STATUS`` for a frame without one."""

LOST = "the connection was lost without a close frame"

MOST_REASON = 123
"""Bytes of the longest reason (RFC 6455 section 5.5)."""

# For the type checker the mixin is what it is mixed into.
_Base = WebSocketProtocol if TYPE_CHECKING else object


class Closing(_Base):  # type: ignore[misc,valid-type]
    """Mixed in before a protocol class of autobahn: keeps the close frames, and closes after one that breaks the rules.

    WORKAROUND: autobahn takes a close frame that breaks the rules for a good one. It forgets an invalid code and
    reports 1000, says that the connection was closed cleanly, and ignores a code of one byte.
    The code in autobahn is ``WebSocketProtocol.onCloseFrame`` in autobahn/websocket/protocol.py.

    Attributes:
        their_close, our_close: the first close frame of each side; None if it sent none.
        broken_close: what was wrong with the peer's; "" for nothing.
    """

    their_close: Close | None = None
    our_close: Close | None = None
    _fault: str = ""  # what is wrong with the frame that is being read
    broken_close: str = ""

    def _protocol_violation(self, reason: str) -> bool:
        self._fault = self._fault or reason
        return bool(super()._protocol_violation(reason))

    def onFrameEnd(self) -> bool | None:
        ended: bool | None = super().onFrameEnd()
        self._fault = ""
        return ended

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> bool | None:
        reason = reasonRaw or b""
        if self.their_close is None:
            self.their_close = NO_STATUS if code is None else code, reason
        if self._fault:
            wrong, answer = self._fault, PROTOCOL_ERROR
        elif code is not None and not may_be_sent(code):
            wrong, answer = f"invalid close code {code}", PROTOCOL_ERROR
        elif not _is_utf8(reason):
            wrong, answer = "the reason of the close frame is not UTF-8", INVALID_PAYLOAD
        else:
            taken: bool | None = super().onCloseFrame(code, reasonRaw)
            return taken
        self.broken_close = wrong
        self.failedByMe = True
        if self.state == self.STATE_OPEN:
            # As a reply, because no other close frame is to be waited for.
            self.sendCloseFrame(answer, wrong.encode()[:MOST_REASON], isReply=True)
        self.wasClean, self.wasNotCleanReason = False, wrong
        self.dropConnection(abort=False)
        return True

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        if self.state == self.STATE_OPEN:
            self.our_close = NO_STATUS if code is None else code, reasonUtf8 or b""
        super().sendCloseFrame(code, reasonUtf8, isReply)

    def _connectionLost(self, reason: Any) -> None:
        # autobahn does not cancel it, and it keeps the protocol of a closed connection in memory.
        protocol = cast(Any, self)
        waiting, protocol.closeHandshakeTimeoutCall = protocol.closeHandshakeTimeoutCall, None
        if waiting is not None:
            waiting.cancel()
        super()._connectionLost(reason)

    def closed(self, clean: bool) -> tuple[str, dict[str, Any]]:
        """Summary and detail of the event ``ws.closed``.

        The code is that of the peer's close frame, else of ours, else ``ABNORMAL``.
        """
        theirs, ours = self.their_close, self.our_close
        code, reason = theirs or ours or (ABNORMAL, str(self.wasNotCleanReason or LOST).encode())
        said = escape(self.broken_close.encode() or reason)
        answered = f", answered with {ours[0]}" if theirs and ours and theirs[0] != ours[0] else ""
        detail = {
            "clean": clean,
            "code": code,
            "reason": said or None,
            "their_code": theirs and theirs[0],
            "their_reason": (theirs and escape(theirs[1])) or None,
            "our_code": ours and ours[0],
            "our_reason": (ours and escape(ours[1])) or None,
        }
        return f"{code}{answered}  {said}".rstrip(), detail


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
