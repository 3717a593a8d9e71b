"""Makes a frozen record of an exception, which can be stored, shown and compared."""

from __future__ import annotations

import linecache
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass
from itertools import islice
from reprlib import Repr
from types import FrameType, TracebackType
from typing import Any

from app.failures.origins import library

MAX_FRAMES = 60
MAX_LOCALS = 40
"""Local variables of a frame."""
MAX_VALUE = 240
"""Characters of a value's ``repr``, or of a source line."""
MAX_MESSAGE = 4000
"""Characters of a message, or of a note."""
MAX_CAUSES = 8
"""Length of a chain of causes."""
MAX_MEMBERS = 8
"""Exceptions of a group, or notes of an exception."""
CONTEXT_LINES = 2
"""Source lines before and after a frame's line."""

BLOCKED = "blocked"
"""The type of a record that is about no exception: a turn of the reactor took long, and the frames are what ran."""

_MARK = "_listening_post_recorded"
_PLACE = "_listening_post_place"


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a traceback.

    Attributes:
        file, line, function: where execution was.
        source: the lines around it as ``(number, text)``, ``CONTEXT_LINES`` before and after.
        locals: the names of local variables with the shortened ``repr`` of their values, in order of definition.
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
        type: the name of its class, with the module unless that is ``builtins``.
        frames: outermost first, as Python prints them.
        notes: what ``add_note`` has added.
        relation: how ``cause`` is related: ``"cause"`` for ``raise … from``, ``"context"`` if this
            exception was raised while ``cause`` was handled, ``""`` if there is no cause.
        members: the first ``MAX_MEMBERS`` exceptions of a group.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    notes: tuple[str, ...] = ()
    relation: str = ""
    cause: FailureRecord | None = None
    members: tuple[FailureRecord, ...] = ()

    @property
    def summary(self) -> str:
        """One line: type, message, and the file and line where it was raised.

        Of code of the user and of libraries, it is the user's line that called the library.
        """
        first = self.message.partition("\n")[0]
        text = f"{self.type}: {first}" if first else self.type
        if self.frames:
            own = [frame for frame in self.frames if library(frame.file) is None]
            last = (own or self.frames)[-1]
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
    members = tuple(from_json(member) for member in data.get("members", ()))
    return FailureRecord(data["type"], data["message"], frames, tuple(data["notes"]), data["relation"], cause, members)


def claim(error: BaseException) -> bool:
    """Whether this is the first call for ``error``: the caller that gets True records it.

    The same exception arrives from the Tap, from Twisted's log and as the reason of a lost
    connection. An exception on which no attribute can be set is claimed each time: recording it
    twice is better than never.
    """
    if getattr(error, _MARK, False):
        return False
    try:
        setattr(error, _MARK, True)
    except Exception:
        return True
    return True


def place(error: BaseException, frame: Frame) -> None:
    """Have the record of ``error`` show this frame, as that of a script's step, in the place of its traceback.

    ``frame.file`` is no file then: it has a name as ``<rule 3>``.
    """
    setattr(error, _PLACE, frame)


def record(error: BaseException, traceback: TracebackType | None = None) -> FailureRecord:
    """The record of ``error`` with its chain of causes. Does not raise, whatever the exception contains.

    ``traceback`` is used if the exception has none of its own, as after ``Failure.cleanFailure``.
    """
    return _record(error, traceback, MAX_CAUSES)


def _record(error: BaseException, traceback: TracebackType | None, depth: int) -> FailureRecord:
    cause, relation = error.__cause__, "cause"
    if cause is None and not error.__suppress_context__:
        cause, relation = error.__context__, "context"
    placed = _placed(error)
    cause = cause if depth and not placed else None
    members = error.exceptions[:MAX_MEMBERS] if isinstance(error, BaseExceptionGroup) and depth else ()
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return FailureRecord(
        type=name,
        message=_text(error),
        frames=placed or (*_frames(error.__traceback__ or traceback), *_syntax(error)),
        notes=_notes(error),
        # "is None", because an exception may define __len__ and be false.
        relation="" if cause is None else relation,
        cause=None if cause is None else _record(cause, None, depth - 1),
        members=tuple(_record(member, None, depth - 1) for member in members),
    )


def _placed(error: BaseException) -> tuple[Frame, ...]:
    frame = getattr(error, _PLACE, None)
    return (frame,) if isinstance(frame, Frame) else ()


def _text(value: object) -> str:
    try:
        return str(value)[:MAX_MESSAGE]
    except Exception as e:
        return f"<its message cannot be shown: {type(e).__name__}>"


def _notes(error: BaseException) -> tuple[str, ...]:
    notes = getattr(error, "__notes__", ())  # may have been set to anything
    return tuple(map(_text, notes[:MAX_MEMBERS])) if isinstance(notes, list | tuple) else (_text(notes),)


def _frames(traceback: TracebackType | None) -> Iterator[Frame]:
    steps: list[tuple[FrameType, int]] = []
    while traceback is not None:
        # Generated code may have no line number.
        steps.append((traceback.tb_frame, traceback.tb_lineno or traceback.tb_frame.f_code.co_firstlineno))
        traceback = traceback.tb_next
    if len(steps) > MAX_FRAMES:
        # Endless recursion: its first and last frames are enough.
        steps = steps[: MAX_FRAMES // 2] + steps[-MAX_FRAMES // 2 :]
    for frame, line in steps:
        code = frame.f_code
        yield Frame(code.co_filename, line, code.co_name, source_of(code.co_filename, line, frame), _locals(frame))


def _syntax(error: BaseException) -> Iterator[Frame]:
    """A frame for the position of a ``SyntaxError``: its code never ran, so it is in no traceback."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        yield Frame(error.filename, error.lineno, "<module>", source_of(error.filename, error.lineno, None))


def frames_of(frame: FrameType | None) -> tuple[Frame, ...]:
    """The stack that ends in ``frame``, outermost first, without local values: another thread may be running it."""
    steps: list[tuple[str, int, str, FrameType]] = []
    while frame is not None:
        code = frame.f_code
        steps.append((code.co_filename, frame.f_lineno or code.co_firstlineno, code.co_name, frame))
        frame = frame.f_back
    if len(steps) > MAX_FRAMES:
        steps = steps[: MAX_FRAMES // 2] + steps[-MAX_FRAMES // 2 :]
    return tuple(Frame(file, line, name, source_of(file, line, at)) for file, line, name, at in reversed(steps))


def source_of(file: str, line: int, frame: FrameType | None = None) -> tuple[tuple[int, str], ...]:
    """The lines around a line of a file, or of the module that ``frame`` runs; none where they cannot be read."""
    try:
        lines = linecache.getlines(file, frame.f_globals if frame else None)
    except Exception:  # raised by a module's own loader
        return ()
    first = max(1, line - CONTEXT_LINES)
    return tuple(
        (number, text.rstrip("\n")[:MAX_VALUE])
        for number, text in enumerate(lines[first - 1 : line + CONTEXT_LINES], first)
    )


class _Repr(Repr):
    """A ``repr`` that is shortened at every level, and works for objects whose own ``repr`` raises."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = MAX_VALUE
        self.maxlevel = 3

    def repr_instance(self, x: Any, level: int) -> str:
        # The repr of a subclass would show its whole content.
        for base in (bytes, bytearray, str, list, tuple, dict, set, frozenset):
            if isinstance(x, base) and len(x) > MAX_VALUE:
                text: str = getattr(self, f"repr_{base.__name__}")(x, level)
                return f"{type(x).__name__}({text})"
        return super().repr_instance(x, level)

    def repr_dict(self, x: dict[Any, Any], level: int) -> str:
        # reprlib sorts all keys first, and there may be millions.
        if level <= 0 and x:
            return "{…}"
        shown = [f"{self.repr1(k, level - 1)}: {self.repr1(v, level - 1)}" for k, v in islice(x.items(), self.maxdict)]
        return "{" + ", ".join(shown) + (", …" if len(x) > self.maxdict else "") + "}"

    def repr_set(self, x: Set[Any], level: int) -> str:
        if not x:
            return repr(x)
        shown = [self.repr1(item, level - 1) for item in islice(x, self.maxset)] if level > 0 else ["…"]
        text = "{" + ", ".join(shown) + (", …" if len(x) > self.maxset else "") + "}"
        return text if isinstance(x, set) else f"frozenset({text})"

    repr_frozenset = repr_set

    def repr_bytes(self, value: bytes, level: int) -> str:
        # Shorten before the repr: the repr of a 10 MB payload is 40 MB of text.
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
