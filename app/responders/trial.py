"""Trying rules without a socket: which rule takes a request or message, why each earlier one does not, and the answer.

``try_rules`` blocks, because rules name files and a body may be long: call it in a thread, or use ``Service.trial``.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from app import responders
from app.options import Options
from app.responders.errors import NoRulesError, TrialTooLongError
from app.text.variables import NONE, Variables

MAX_SECONDS = 5.0
"""Seconds after which a trial is given up. A service of the same rules would be that slow, too."""


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request to try.

    Attributes:
        target: path and query as sent, as ``/users/7?full=1``.
        headers: name and value of each, in order; latin-1 stands for bytes.
        body: without its transfer coding.
    """

    method: str = "GET"
    target: str = "/"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to try, or what else a script has rules for.

    Attributes:
        data: the message as a rule sees it: on a stream without its delimiter or length.
        when: ``"message"``, ``"connected"`` or ``"idle"``.
        nth: its number on the connection, from 1; of ``connected``, that of the connection in the service: 0 for
            the next one; of ``idle``, that of the silence.
        seconds: of silence, for ``idle``.
        peer: what the value ``{{peer}}`` is.
    """

    data: bytes = b""
    when: str = "message"
    nth: int = 1
    seconds: float = 0.0
    peer: str = "127.0.0.1:50000"


class Count(NamedTuple):
    """How often one rule has been met so far.

    Attributes:
        calls: how often all its conditions held, but for those on the number of the request.
        hits: how often it applied.
    """

    calls: int = 0
    hits: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of HTTP: ``body`` is what would be sent, ``headers`` those of the rule, the type and the length."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a script that would be done.

    Attributes:
        rule: the index of its rule.
        text: what it does, as ``send OK 7``.
        sends: the bytes that would leave, with the framing; None for a step that sends nothing.
    """

    rule: int
    text: str
    sends: bytes | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What would happen.

    Attributes:
        rule: the index of the first rule that takes it; None: none does.
        why: for each rule before that one, why it does not take it; where none does, for all of them.
        answer: of HTTP; None where the connection is dropped instead.
        steps: of a script, in their order; rules that ``continue`` are followed by those of the next one.
        notes: what else happens, each as a sentence: a delay, parts, a dropped connection.
        logged: the line that would be written to the log; empty: none.
        problem: why the rule cannot do what it should, as a file that is not there; empty: it can.
    """

    rule: int | None
    why: tuple[str, ...]
    answer: Answer | None = None
    steps: tuple[Step, ...] = ()
    notes: tuple[str, ...] = ()
    logged: str = ""
    problem: str = ""


class Deadline:
    """The end of the time that one trial may take."""

    def __init__(self, seconds: float = MAX_SECONDS) -> None:
        self._seconds, self._end = seconds, time.monotonic() + seconds

    def check(self) -> None:
        """Raise TrialTooLongError if the time is over."""
        if time.monotonic() > self._end:
            raise TrialTooLongError(seconds=f"{self._seconds:g}")


def can_try(responder: str, protocol: str) -> bool:
    """Whether the responder has rules on ``protocol`` that can be tried."""
    found = responders.find(responder)
    return found is not None and found.rulebook is not None and protocol in found.rulebook.protocols


def try_rules(
    responder: str,
    protocol: str,
    options: Options,
    asked: Request | Message,
    folder: Path,
    counts: Sequence[Count] = (),
    connections: int = 0,
    variables: Variables = NONE,
) -> Trial:
    """Try ``asked`` against the rules in ``options``, which must be valid. Blocks.

    ``counts`` are those of the rules so far, ``connections`` those that the service has had; ``folder`` and
    ``variables`` are the workspace's. Raises NoRulesError, TrialTooLongError.
    """
    found = responders.find(responder)
    if found is None or found.rulebook is None or protocol not in found.rulebook.protocols:
        raise NoRulesError(responder=responder, protocol=protocol)
    filled = found.with_defaults(options)
    counts = [*counts, *(Count() for _ in filled["rules"])][: len(filled["rules"])]
    return found.rulebook.attempt(protocol, filled, asked, folder, counts, connections, variables)


def request_of(raw: bytes) -> Request:
    """The request that ``raw`` is: HTTP/1 as it stands on the wire, or as somebody types it.

    Lines may end with LF alone, and the version may be missing, as in ``POST /pay`` or ``/users/7``.
    Raises ValueError, in words.
    """
    head, found, body = _split(raw.lstrip(b"\r\n"))
    first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
    words = first.decode("latin-1").split()
    if words and words[-1].startswith("HTTP/"):
        words.pop()
    if len(words) == 1 and words[0].startswith("/"):
        words.insert(0, "GET")
    if len(words) != 2:
        raise ValueError("must begin with a method and a path, as in GET /users/7")
    headers = []
    for number, line in enumerate(lines, 2):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name.strip():
            raise ValueError(f"line {number} must be a header, as in Accept: text/html, or empty before the body")
        headers.append((name.strip(), value.strip()))
    return Request(words[0].upper(), words[1], tuple(headers), body if found else b"")


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    """What is before the first empty line, that line, and what is behind it."""
    ends = [(at, end) for end in (b"\r\n\r\n", b"\n\n") if (at := raw.find(end)) >= 0]
    if not ends:
        return raw.rstrip(b"\r\n"), b"", b""
    at, end = min(ends)
    return raw[:at], end, raw[at + len(end) :]
