"""The messages of one WebSocket connection, where faults can act on them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from app.faults import HANDSHAKES, MESSAGES, PONGS, RECEIVED, SENT
from app.faults.lane import LEAST, MOST, Lane, Piece, mark
from app.faults.live import Faults
from app.faults.targets import Told
from app.services.tap.bounded import BY_LAYER
from app.services.tap.tap import Tap
from app.websocket.frames import BINARY, TEXT, frame

NO_UTF8 = "text that is not UTF-8"


class Message(Piece):
    """One message, with its payload as its data."""

    __slots__ = ("binary",)

    def __init__(self, payload: bytes, deliver: Callable[[bytes], None], binary: bool) -> None:
        super().__init__(payload, deliver, whole=True)
        self.binary = binary


class FaultyMessages:
    """What waits between frames and responder; a target of faults, whose bytes have lanes of their own in the Tap.

    Control frames do not wait: they overtake messages, except the closing handshake, which comes last.

    Attributes:
        incoming, outgoing: messages that wait.
    """

    protocol_name = "websocket"

    def __init__(self, tap: Tap, protocol: Any) -> None:
        """``tap`` is one that fails on purpose; ``protocol`` is autobahn's behind it."""
        self._tap: Any = tap
        self._protocol = protocol
        self._faults = cast(Faults, tap.factory.faults)
        self._course = self._tap.course
        self.incoming = Lane(self._faults.clock, self._on_size)
        self.outgoing = Lane(self._faults.clock, self._on_size)
        self.incoming.blocked = tap.paused
        self._leaving = False
        self._subprotocol = ""
        self._course.within[cast(Any, self)] = None
        self._course.messages = cast(Any, self)

    # -- called by the protocol

    def take(self, payload: bytes, binary: bool) -> None:
        """A message has come, and was recorded."""
        piece = Message(payload, partial(self._pass_to_responder, payload, binary), binary)
        self._faults.strike(self._course, RECEIVED, MESSAGES, piece, self.incoming, self)
        self.incoming.put(piece)

    def _pass_to_responder(self, came: bytes, binary: bool, payload: bytes) -> None:
        if payload is not came and not binary and not _is_utf8(payload):
            # As if it had come so.
            self._protocol._invalid_payload(NO_UTF8)
        else:
            self._protocol.answer(payload, binary)

    def give(self, payload: bytes, binary: bool, send: Callable[[bytes], None]) -> None:
        """The responder sends a message: nothing, after its close."""
        if self._leaving:
            return

        def write(changed: bytes) -> None:
            if self._tap.sends:
                send(changed)

        piece = Message(payload, write, binary)
        self._faults.strike(self._course, SENT, MESSAGES, piece, self.outgoing, self)
        self.outgoing.put(piece)

    def when_sent(self, record: Callable[[], None]) -> None:
        """Call ``record`` when what was written has left."""
        if self._tap.sends and not self._tap.outgoing.hanging:
            self._tap.outgoing.after(record)

    def answers(self, ping: bytes) -> bool:
        """Whether this ping is answered."""
        if self.incoming.hanging or self.outgoing.hanging:
            return False
        piece = mark(ping)
        self._faults.strike(self._course, SENT, PONGS, piece, self.outgoing, self)
        return not piece.gone

    def handshake(self, answer: Any) -> Any:
        """The client's handshake is right, and ``answer`` is what autobahn is to answer. Returns what it answers."""
        asked = self._protocol.http_request_data or b""
        piece = mark(asked)
        self._faults.strike(self._course, SENT, HANDSHAKES, piece, self.outgoing, self)
        if not self._subprotocol:
            return answer
        # autobahn takes only one that was asked for; any other field is the responder's affair.
        fields = answer[1] if isinstance(answer, tuple) and len(answer) > 1 else {}
        return None, {**fields, "Sec-WebSocket-Protocol": self._subprotocol}

    @property
    def waits(self) -> bool:
        """Whether a message waits, or would be lost."""
        return any(len(lane) or lane.hanging for lane in (self.incoming, self.outgoing))

    def after(self, call: Callable[[], None]) -> None:
        """Call ``call`` when no message waits, and no fault swallows them."""

        def pass_incoming() -> None:
            self.incoming.after(pass_outgoing)

        def pass_outgoing() -> None:
            self.outgoing.after_lift(lambda: self.outgoing.after(call))

        self.incoming.after_lift(pass_incoming)

    def leave(self, send: Callable[[], None]) -> None:
        """Send our close frame after what was sent."""
        if self._leaving:
            return
        if self.outgoing.hanging or len(self.outgoing):
            self._leaving = True
            self.outgoing.after_lift(lambda: self.outgoing.after(send))
        else:
            send()

    def _on_size(self, size: int) -> None:
        size = self.incoming.size + self.outgoing.size
        if size > MOST:
            self._tap.hold(BY_LAYER)
        elif size < LEAST:
            self._tap.release(BY_LAYER)

    # -- target

    def close(self) -> None:
        """Close TCP in good order, without a close frame."""
        self._tap.close()

    def reset(self) -> None:
        self._tap.reset()

    def half_close(self) -> None:
        self._tap.half_close()

    def close_slowly(self, seconds: float, fault: Any = None) -> None:
        self._tap.close_slowly(seconds, fault)

    def freeze(self, fault: Any) -> None:
        self._tap.freeze(fault)

    def thaw(self, fault: Any) -> None:
        self._tap.thaw(fault)

    def cut(self, piece: Piece, lane: Lane, size: int, part: float, *, reset: bool, told: Told | None = None) -> None:
        """Send the header of the whole frame and the beginning of its payload."""
        message = cast(Message, piece)
        whole = frame(BINARY if message.binary else TEXT, message.data)
        kept = min(round(len(message.data) * part) if part else size, len(message.data))
        self._send_instead(message, whole[: len(whole) - len(message.data) + kept], partial(self._end, reset=reset))

    def garble(self, piece: Piece, noise: bytes) -> None:
        self._send_instead(piece, noise, partial(self._end, reset=False))

    def _end(self, *, reset: bool) -> None:
        self._tap.end(reset=reset)

    def _send_instead(self, piece: Piece, raw: bytes, then: Callable[[], None]) -> None:
        def write(data: bytes) -> None:
            if self._tap.sends and self._protocol.state == self._protocol.STATE_OPEN:
                self._tap.write(raw)
                then()

        piece.deliver = write

    # -- what only WebSocket can do wrong

    def send_as(self, piece: Piece, raw: bytes, payload: bytes) -> None:
        """Have ``piece`` leave in the frames ``raw``, with this ``payload``."""
        binary = cast(Message, piece).binary
        self._send_instead(piece, raw, lambda: self._protocol.record_sent(payload, binary))

    def send_close(self, code: int) -> None:
        """Begin the closing handshake; ``code`` 0: without one."""
        if self._protocol.state == self._protocol.STATE_OPEN:
            self._protocol.close_now(code or None)

    def accept_wrongly(self) -> None:
        """Answer the handshake with a Sec-WebSocket-Accept that is made of another key (RFC 6455 section 4.2.2)."""
        self._protocol._wskey = b64encode(b"the key of another").decode()

    def answer_with(self, subprotocol: str) -> None:
        """Answer the handshake with this subprotocol, whatever was asked for."""
        self._subprotocol = subprotocol


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
