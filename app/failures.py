"""From an exception to a frozen record of it that can be stored, shown and compared."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from reprlib import Repr
from types import FrameType, TracebackType
from typing import Any

MAX_FRAMES = 60
MAX_LOCALS = 40
MAX_VALUE = 240
MAX_MESSAGE = 4000
MAX_CAUSES = 8
CONTEXT_LINES = 2

_MARK = "_listening_post_recorded"


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a traceback.

    Attributes:
        file, line, function: where it was.
        source: the lines around it as ``(number, text)``, ``CONTEXT_LINES`` each way.
        locals: the names and the cut ``repr`` of their values, in order of definition.
    """

    file: str
    line: int
    function: str
    source: tuple[tuple[int, str], ...] = ()
    locals: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """One caught exception.

    Attributes:
        type: its class, with the module unless that is ``builtins``.
        frames: outermost first, as Python prints them.
        relation: how ``cause`` led here: ``"cause"`` for ``raise … from``, ``"context"``
            for an exception raised while handling it, ``""`` where there is none.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    notes: tuple[str, ...] = ()
    relation: str = ""
    cause: FailureRecord | None = None

    @property
    def summary(self) -> str:
        """One line: type, message, and the file and line where it was raised."""
        first = self.message.partition("\n")[0]
        text = f"{self.type}: {first}" if first else self.type
        if self.frames:
            last = self.frames[-1]
            text += f"  ({last.file.replace(chr(92), '/').rpartition('/')[2]}:{last.line})"
        return text

    def as_json(self) -> dict[str, Any]:
        """Plain lists, dicts, strings and numbers, for ``json.dumps``."""
        return asdict(self)


def from_json(data: dict[str, Any]) -> FailureRecord:
    """The record that ``as_json`` was made from. Raises KeyError or TypeError on other input."""
    frames = tuple(
        Frame(
            f["file"],
            f["line"],
            f["function"],
            tuple((int(n), str(text)) for n, text in f["source"]),
            tuple((str(name), str(value)) for name, value in f["locals"]),
        )
        for f in data["frames"]
    )
    cause = from_json(data["cause"]) if data["cause"] else None
    return FailureRecord(data["type"], data["message"], frames, tuple(data["notes"]), data["relation"], cause)


def claim(error: BaseException) -> bool:
    """Whether this is the first call for ``error``.

    The same exception reaches us from the Tap, from Twisted's log and as the reason of a
    lost connection; whoever claims it first records it. An exception that takes no
    attribute counts as new each time: better twice than never.
    """
    if getattr(error, _MARK, False):
        return False
    try:
        setattr(error, _MARK, True)
    except Exception:
        return True
    return True


def record(error: BaseException, traceback: TracebackType | None = None) -> FailureRecord:
    """The record of ``error`` with its chain of causes; never raises for what it finds inside.

    ``traceback`` is used where the exception has lost its own, as one that comes out of a
    cleaned ``Failure`` has.
    """
    return _record(error, traceback, MAX_CAUSES)


def _record(error: BaseException, traceback: TracebackType | None, depth: int) -> FailureRecord:
    cause, relation = error.__cause__, "cause"
    if cause is None and not error.__suppress_context__:
        cause, relation = error.__context__, "context"
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return FailureRecord(
        type=name,
        message=_text(error),
        frames=tuple(_frames(error.__traceback__ or traceback)),
        notes=tuple(str(note)[:MAX_MESSAGE] for note in getattr(error, "__notes__", ())),
        relation=relation if cause and depth else "",
        cause=_record(cause, None, depth - 1) if cause and depth else None,
    )


def _text(error: BaseException) -> str:
    try:
        return str(error)[:MAX_MESSAGE]
    except Exception as e:
        return f"<its message cannot be shown: {type(e).__name__}>"


def _frames(traceback: TracebackType | None) -> Iterator[Frame]:
    steps: list[tuple[FrameType, int]] = []
    while traceback is not None:
        steps.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    if len(steps) > MAX_FRAMES:
        # Endless recursion: its beginning and its end tell all there is to tell.
        steps = steps[: MAX_FRAMES // 2] + steps[-MAX_FRAMES // 2 :]
    for frame, line in steps:
        code = frame.f_code
        yield Frame(code.co_filename, line, code.co_name, _source(code.co_filename, line, frame), _locals(frame))


def _source(file: str, line: int, frame: FrameType) -> tuple[tuple[int, str], ...]:
    lines = linecache.getlines(file, frame.f_globals)
    first = max(1, line - CONTEXT_LINES)
    return tuple(
        (number, text.rstrip("\n")[:MAX_VALUE])
        for number, text in enumerate(lines[first - 1 : line + CONTEXT_LINES], first)
    )


class _Repr(Repr):
    """A ``repr`` that is cut at every level and survives objects whose own raises."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = MAX_VALUE
        self.maxlevel = 3

    def repr_bytes(self, value: bytes, level: int) -> str:
        # Cut before the repr: the repr of a 10 MB payload is 40 MB of text.
        if len(value) <= MAX_VALUE:
            return repr(value)[: MAX_VALUE * 2]
        return f"{value[: MAX_VALUE // 2]!r}… ({len(value):,} bytes)"

    repr_bytearray = repr_bytes

    def repr_str(self, x: str, level: int) -> str:
        return repr(x) if len(x) <= MAX_VALUE else f"{x[: MAX_VALUE // 2]!r}… ({len(x):,} characters)"


_repr = _Repr()


def _locals(frame: FrameType) -> tuple[tuple[str, str], ...]:
    found = []
    for name, value in list(frame.f_locals.items())[:MAX_LOCALS]:
        if name.startswith("__"):
            continue
        try:
            text = _repr.repr(value)
        except Exception as e:
            text = f"<{type(value).__name__}: its repr raised {type(e).__name__}>"
        found.append((name, text[: MAX_VALUE * 2]))
    return tuple(found)
