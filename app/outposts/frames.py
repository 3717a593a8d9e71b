"""Requests and answers as bytes.

A frame is a length of four bytes, big-endian, and as many bytes of MessagePack
(https://github.com/msgpack/msgpack/blob/master/spec.md). The console sends ``{"id": N, "ask": {"do": NAME, …}}``.
The outpost answers ``{"to": N, "answer": {…}}``, or ``{"to": N, "refused": WORDS}``, in any order; ``{"changed":
NAME}`` is a hint that it sends unasked, and that may be lost. The first request is ``hello``.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from app.outposts import protocol as p
from app.outposts.errors import RefusedError


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A frame from the console."""

    id: p.Id
    ask: p.AnyRequest


MOST_WORDS: Final = 10_000
"""Characters of why a request was refused."""


class Answered(msgspec.Struct, frozen=True, omit_defaults=True):
    """A frame from the outpost: the answer to a request, why it was refused, or a hint that something has changed."""

    to: p.Id = 0
    answer: msgspec.Raw = msgspec.Raw(b"")
    refused: Annotated[str, Meta(max_length=MOST_WORDS)] = ""
    changed: p.Name = ""


SERVICES_CHANGED: Final = "services"
"""The hint that services have changed."""

NOT_UNDERSTOOD: Final = "The request is wrong"
"""So begins the refusal of a request that an outpost does not know, or not with what it says."""


def refusal(words: str, to: int = 0) -> Answered:
    """Why the request of that number was refused, or the link itself. What is too long for an answer is cut."""
    return Answered(to, refused=words if len(words) <= MOST_WORDS else f"{words[: MOST_WORDS - 1]}…")


class _Numbered(msgspec.Struct):
    id: p.Id = 0


encode = msgspec.msgpack.Encoder().encode
_ASKED = msgspec.msgpack.Decoder(Asked)
_ANSWERED = msgspec.msgpack.Decoder(Answered)
_NUMBERED = msgspec.msgpack.Decoder(_Numbered)


def asked(frame: bytes) -> Asked | Answered:
    """The request in a frame, or the answer to one that is wrong. Raises RefusedError where nobody can be answered."""
    try:
        return _ASKED.decode(frame)
    except msgspec.DecodeError as e:
        words = f"{NOT_UNDERSTOOD}: {e}. This outpost knows {', '.join(map(p.name_of, p.REQUESTS))}"
        try:
            return refusal(words, _NUMBERED.decode(frame).id)
        except msgspec.DecodeError:
            raise RefusedError(reason=words) from e


def answered(frame: bytes) -> Answered:
    """What an outpost sent. Raises RefusedError."""
    try:
        return _ANSWERED.decode(frame)
    except msgspec.DecodeError as e:
        raise RefusedError(reason=f"The answer is wrong: {e}") from e


def answer_to(request: p.Request, answered: Answered) -> Any:
    """The answer to ``request``, of the type that it declares. Raises RefusedError."""
    if answered.refused or not bytes(answered.answer):
        raise RefusedError(reason=answered.refused.removesuffix(".") or "There was no answer")
    try:
        return msgspec.msgpack.decode(answered.answer, type=request.answer)
    except msgspec.DecodeError as e:
        raise RefusedError(reason=f"The answer to {p.name_of(type(request))} is wrong: {e}") from e
