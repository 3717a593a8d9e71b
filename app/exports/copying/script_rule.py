"""A message and its answers as a rule of the responder ``script``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.errors import PostError
from app.options import Options
from app.text import framing
from app.text.escapes import amount, escape

MAX_SENT = 64 << 10
"""Bytes of answers that a rule takes over."""

MAX_HEX = 1000
"""Bytes of a message that a rule compares as hex digits."""


def as_script_rule(
    came: bytes | str, answers: Sequence[bytes | str], protocol: str, options: Options | None = None
) -> tuple[dict[str, Any], list[str]]:
    """The rule of the responder ``script`` that answers this message so, and what it leaves out, as sentences.

    Args:
        came: what came: of TCP the bytes on the wire, else one message. Of WebSocket, a text message is text.
        answers: what went, in the same way.
        options: those of the service, with the defaults: on TCP its framing says where messages end.
    """
    left: list[str] = []
    message = _bytes(came)
    if protocol == "tcp" and options is not None:
        message = _first(message, options, left)
    if sum(map(len, answers)) > MAX_SENT:
        left.append(f"The answer is larger than {amount(MAX_SENT)}: save it, and name the file in a step send-file.")
        answers = ()
    steps = [_step("send", answer, binary=protocol == "websocket") for answer in answers]
    if answers and protocol == "tcp" and options is not None:
        steps = _framed(b"".join(map(_bytes, answers)), options)
    return {**_when(message), "then": steps}, left


def _first(data: bytes, options: Options, left: list[str]) -> bytes:
    """The first message in what came on a stream."""
    framer = framing.maker(options)()
    messages = [*framer.feed(data), *framer.flush()]
    if not messages:
        left.append("What was received is not a whole message in the framing of the service.")
        return data
    if len(messages) > 1:
        left.append(f"{len(messages):,} messages came at once: the rule is for the first.")
    return messages[0]


def _framed(data: bytes, options: Options) -> list[str]:
    """The steps that put these bytes on a stream."""
    framer = framing.maker(options)()
    messages = [*framer.feed(data), *framer.flush()]
    try:
        if b"".join(map(framer.frame, messages)) == data:
            return [_step("send", message) for message in messages]
    except PostError:
        pass  # of what the service would not send so
    return [_step("raw", data)]


def _when(message: bytes) -> dict[str, str]:
    if _is_text(message) or len(message) > MAX_HEX:
        return {"when": "text", "match": escape(message)}
    return {"when": "bytes", "match": message.hex(" ")}


def _step(verb: str, message: bytes | str, *, binary: bool = False) -> str:
    """``binary``: whether bytes must go as a binary message, also where they are text."""
    data = _bytes(message)
    if verb == "send" and data and isinstance(message, bytes) and (binary or not _is_text(data)):
        return f"send-hex {data.hex(' ')}"
    return f"{verb} {escape(data)}".replace("{{", r"\{{")


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in "\r\n\t" for character in text)


def _bytes(message: bytes | str) -> bytes:
    return message if isinstance(message, bytes) else message.encode("utf-8", "replace")
