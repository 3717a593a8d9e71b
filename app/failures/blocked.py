"""A turn of the reactor that took long, as a record among the failures.

The stack is that of a thread that looked on, or a text that :mod:`faulthandler` wrote because no thread could.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import blake2b

from app.failures.fingerprint import called_frame
from app.failures.origins import short
from app.failures.record import BLOCKED, MAX_FRAMES, FailureRecord, Frame, source_of

STILL = " and had not ended"

_REACTORS = ("app/reactor.py", "ui/reactor.py", "twisted/internet/base.py")
"""What runs a turn: the frames below it are those of the turn."""


@dataclass(frozen=True, slots=True)
class Block:
    """A turn that took long.

    Attributes:
        seconds: its length; so far, if it is ``unfinished``.
        frames: the stack that ran when it had lasted too long, outermost first; empty if it was over then.
    """

    seconds: float
    frames: tuple[Frame, ...]
    unfinished: bool = False


def of_turn(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """The frames of a stack that are below the reactor's; all if it has none."""
    at = max((at for at, frame in enumerate(frames, 1) if short(frame.file) in _REACTORS), default=0)
    return frames[at:]


def described(block: Block, kept: str = "every service") -> tuple[str, str]:
    """Summary and detail of the event ``loop.blocked``; ``kept`` is what it kept waiting.

    Blocks are of one group when the reactor called the same function of the user's own code: which line of a loop was
    met, and in what it calls, is chance.
    """
    called = called_frame(FailureRecord(BLOCKED, "", block.frames))
    where = f"{short(called.file)}:{called.line}" if called else "something that ended before it could be seen"
    has = "has blocked" if block.unfinished else "blocked"
    whom = f"{kept} for {block.seconds:,.1f} s"
    end = STILL if block.unfinished else ""
    place = f"{short(called.file)}\0{called.function}" if called else ""
    group = blake2b(f"{BLOCKED}\0{place}".encode("utf-8", "replace"), digest_size=8).hexdigest()
    record = FailureRecord(BLOCKED, f"{whom}, in {where}{end}" if called else f"{whom}{end}", block.frames)
    more = {"unfinished": True} if block.unfinished else {}
    detail = {"group": group, **record.as_json(), "seconds": round(block.seconds, 3), **more}
    return f"{where} {has} {whom}{end}", json.dumps(detail)


_STEP = re.compile(r'^  File "(.*)", line (\d+) in (.*)$', re.MULTILINE)
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def dumped(text: str) -> tuple[Frame, ...]:
    """The stack of the first thread of the program, of a text that ``faulthandler`` wrote, below the reactor.

    It lists threads from the newest to the oldest, and in each the innermost frame first.
    """
    steps = _STEP.findall(text.rpartition("Thread 0x")[2])[:MAX_FRAMES]
    found = [(_unescaped(file), int(line), _unescaped(function)) for file, line, function in reversed(steps)]
    return of_turn(tuple(Frame(file, line, name, source_of(file, line)) for file, line, name in found))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1] or found[2] or found[3], 16)), text)
