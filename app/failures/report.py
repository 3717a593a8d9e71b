"""A report of a failure for a bug tracker, without data of peers and without secrets.

It has types, frames, source, numbers and names. It leaves out text and bytes in local values, parts of
messages that were in the payload, values whose names look like secrets, addresses, and home folders.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import twisted

from app import __version__
from app.failures.fingerprint import generalised
from app.failures.origins import library, short
from app.failures.record import FailureRecord, Frame

MAX_LOCALS = 20
"""Local variables of a frame in a report."""

HIDDEN = "(not shown: it may be a secret)"

_SECRET = re.compile(
    r"pass(?:word|wd|phrase)|pwd|secret|token|key|auth(?!or\b)|cookie|session|credential|bearer|private|signature",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"""[bBrRuU]{0,2}(?:'(?:[^'\\\n]|\\.)*(?:'|$)|"(?:[^"\\\n]|\\.)*(?:"|$))""")
_CUT = re.compile(r"…? \([\d,]+ (?:bytes|characters)\)")
_AT = re.compile(r" at 0x[0-9a-fA-F]+")
_ADDRESS = re.compile(
    r"\[[0-9a-fA-F:.%\w]*:[0-9a-fA-F:.%\w]*\](?::\d+)?"  # [::1]:9007
    r"|(?<![\w:.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.])"
    r"|(?<![\w:])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{1,4}(?![\w:])"
)
_HOME = re.compile(r"^(?:[A-Za-z]:)?/(?:home|Users|Documents and Settings)/[^/]+/|^/root/")
_WORD = re.compile(r"[^\s'\"<>]{4,}")

_RELATIONS = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}


def report(
    record: FailureRecord,
    payload: bytes | None = None,
    *,
    count: int = 1,
    first: int = 0,
    last: int = 0,
    services: Sequence[str] = (),
    missing: str = "",
) -> str:
    """The report of a failure, in Markdown.

    Args:
        payload: the bytes that caused the failure; used to find the parts of a message that came from them.
        count, first, last: how often the failure happened, and when first and last (ns since 1970 UTC).
        services: protocols or names of the services, as the user chose.
        missing: which events around it are not in the capture, as a sentence; empty where all are.
    """
    sent = (payload or b"").decode("utf-8", "replace")
    message = _message(record, sent)
    facts = [
        f"- Seen {count:,} {'time' if count == 1 else 'times'}" + _when(first, last),
        *([f"- Services: {', '.join(services)}"] if services else []),
        *([f"- The capture is not complete around it: {missing}"] if missing else []),
        f"- Listening Post {__version__}, Python {platform.python_version()}, Twisted {twisted.__version__},"
        f" {platform.system()} {platform.machine()}",
    ]
    title = f"{record.type}: {message}" if message else record.type
    trace = "\n".join(_lines(record, sent))
    return f"# {title}\n\n" + "\n".join(facts) + f"\n\n```text\n{_unfenced(trace)}\n```\n"


def place(file: str) -> str:
    """A path for a report: ``~/`` in place of the home folder; for a library, relative to the library."""
    path = file.replace("\\", "/")
    return short(file) if library(file) else _HOME.sub("~/", path)


def _when(first: int, last: int) -> str:
    if not first:
        return ""
    times = [f"{datetime.fromtimestamp(t // 10**9, UTC):%Y-%m-%d %H:%M:%S} UTC" for t in (first, last)]
    return f", at {times[0]}" if times[0] == times[1] else f", from {times[0]} to {times[1]}"


def _lines(record: FailureRecord, sent: str) -> Iterator[str]:
    if record.cause is not None:
        yield from _lines(record.cause, sent)
        yield from ("", _RELATIONS.get(record.relation, ""), "")
    if record.frames:
        yield "Traceback (most recent call last):"
    for frame in record.frames:
        yield from _frame(frame)
    message = _message(record, sent)
    yield f"{record.type}: {message}" if message else record.type
    for note in record.notes:
        yield _clean(note, sent)
    for number, member in enumerate(record.members, 1):
        yield f"  ---- {number} of {len(record.members)} ----"
        yield from (f"  {line}" for line in _lines(member, sent))


def _frame(frame: Frame) -> Iterator[str]:
    yield f'  File "{place(frame.file)}", line {frame.line}, in {frame.function}'
    own = library(frame.file) is None
    for number, text in frame.source:
        if own or number == frame.line:
            # The source code may contain a secret.
            shown = _LITERAL.sub("'…'", text) if _SECRET.search(text) else text
            yield f"  {'>' if number == frame.line else ' '}{number:>6}  {shown}".rstrip()
    if own:
        for name, value in frame.locals[:MAX_LOCALS]:
            yield f"          {name} = {_value(name, value)}"


def _value(name: str, value: str) -> str:
    if _SECRET.search(name) or _SECRET.search(value):
        return HIDDEN
    return _ADDRESS.sub("<address>", _AT.sub("", _CUT.sub("", _LITERAL.sub(_blank, value))))


def _blank(literal: re.Match[str]) -> str:
    return "b'…'" if literal[0][0] in "bB" else "'…'"


def _message(record: FailureRecord, sent: str) -> str:
    return _clean(record.message, sent)


def _clean(text: str, sent: str) -> str:
    """The first line of a message, without addresses, words that were in ``sent``, and variable parts."""
    line = text.partition("\n")[0]
    if _SECRET.search(line):
        return HIDDEN
    hidden = _WORD.sub(lambda word: "…" if word[0] in sent else word[0], _ADDRESS.sub("<address>", line))
    return generalised(hidden)


def _unfenced(text: str) -> str:
    """``text`` without backticks that would end its code block."""
    return text.replace("```", "'''")
