"""``ws``: what a WebSocket server must not do, or clients do not expect (RFC 6455)."""

from __future__ import annotations

from typing import Any, cast

from app.faults import HANDSHAKES, MESSAGES, PONGS, SENT, FaultKind
from app.faults.hits import Hit
from app.options import Option, Options
from app.websocket.frames import BINARY, TEXT, fragments, frame

CLOSE, NO_PONG, BAD_UTF8, MASKED, RESERVED, FRAGMENTS, WRONG_ACCEPT, SUBPROTOCOL = HOWS = (
    "close", "no-pong", "bad-utf8", "masked", "reserved-bit", "fragments", "wrong-accept", "subprotocol",
)  # fmt: skip

UNASKED = "unasked.example"
"""The subprotocol of an answer to a client that did not ask for it."""

_LEVELS = {NO_PONG: PONGS, WRONG_ACCEPT: HANDSHAKES, SUBPROTOCOL: HANDSHAKES}


def _level(options: Options) -> str:
    return _LEVELS.get(options["how"], MESSAGES)


def _act(hit: Hit) -> str:
    how = hit.options["how"]
    target = cast(Any, hit.target)
    if how == NO_PONG:
        hit.piece.withhold()
        return "no pong"
    if how == WRONG_ACCEPT:
        target.accept_wrongly()
        return "answered with a wrong Sec-WebSocket-Accept"
    if how == SUBPROTOCOL:
        target.answer_with(UNASKED)
        return f"answered with the subprotocol {UNASKED}"
    if how == CLOSE:
        code = hit.options["code"]
        hit.later(0, lambda: target.send_close(code))
        return f"close frame with code {code}" if code else "close frame without a code"
    return _misframe(hit, how, target)


def _misframe(hit: Hit, how: str, target: Any) -> str:
    piece = cast(Any, hit.piece)
    opcode, payload, draws = BINARY if piece.binary else TEXT, piece.data, hit.draws
    if how == BAD_UTF8:
        place = draws.below(len(payload) + 1)
        payload = payload[:place] + b"\xff" + payload[place:]
        target.send_as(piece, frame(TEXT, payload), payload)
        return "text that is not UTF-8"
    if how == MASKED:
        target.send_as(piece, frame(opcode, payload, mask=draws.noise(4)), payload)
        return "in a masked frame"
    if how == RESERVED:
        # Not the first, which says that a message is compressed.
        target.send_as(piece, frame(opcode, payload, reserved=2), payload)
        return "with a reserved bit"
    count = hit.options["count"]
    target.send_as(piece, fragments(opcode, payload, count), payload)
    return f"in {count:,} fragments"


KIND = FaultKind(
    "ws",
    "Does what a WebSocket server must not do, or what clients do not expect",
    _act,
    ("websocket",),
    (SENT,),
    (
        Option("how", str, CLOSE,
            "Send a close frame instead of a message, leave a ping without its pong, send text that is not UTF-8, a "
            "masked frame, a reserved bit, a message in many fragments; answer the handshake with a wrong accept key "
            "or a subprotocol that nobody asked for", choices=HOWS),
        Option("code", int, 1011, "Code of the close frame, right or wrong; 0: none", "", 0, 65_535,
            when=("how", (CLOSE,))),
        Option("count", int, 1_000, "Number of fragments", "", 2, 100_000, when=("how", (FRAGMENTS,))),
    ),
    level_of=_level,
)  # fmt: skip
