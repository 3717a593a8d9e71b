"""Groups the frames of a traceback by the code that they belong to, and writes a traceback as text. No Qt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.failures.origins import library
from app.failures.record import FailureRecord, Frame

WORDS = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}
"""The lines that Python prints between an exception and the one that follows."""


@dataclass(frozen=True, slots=True)
class Group:
    """Neighbouring frames that are shown or folded together.

    Attributes:
        libraries: the libraries that the frames belong to, in order of appearance; empty for the user's
            own code, which is never folded.
    """

    frames: tuple[Frame, ...]
    libraries: tuple[str, ...] = ()


def groups(frames: Sequence[Frame]) -> list[Group]:
    """The frames in their order, with neighbouring frames of libraries in one group.

    If there is no code of the user, the innermost frame is not folded.
    """
    if frames and all(library(frame.file) for frame in frames):
        return [*_grouped(frames[:-1]), Group((frames[-1],))]
    return list(_grouped(frames))


def _grouped(frames: Sequence[Frame]) -> Iterator[Group]:
    for foreign, run in groupby(frames, lambda frame: library(frame.file) is not None):
        found = tuple(run)
        names = dict.fromkeys(name for frame in found if (name := library(frame.file)))
        yield Group(found, tuple(names) if foreign else ())


def chain(record: FailureRecord) -> list[FailureRecord]:
    """The record and its causes, the first cause first, as Python prints them."""
    found: list[FailureRecord] = []
    step: FailureRecord | None = record
    while step is not None:
        found.append(step)
        step = step.cause
    return found[::-1]


def as_text(record: FailureRecord, with_locals: bool = False) -> str:
    """The whole failure as Python prints it, optionally with local variables."""
    return "\n".join(_lines(record, with_locals)) + "\n"


def _lines(record: FailureRecord, with_locals: bool) -> Iterator[str]:
    for step in chain(record):
        if step.cause is not None:
            yield from ("", WORDS.get(step.relation, ""), "")
        own = _own_lines(step, with_locals)
        yield from _with_members(step, own, with_locals) if step.members else own


def _own_lines(step: FailureRecord, with_locals: bool) -> Iterator[str]:
    if step.frames:
        yield "Traceback (most recent call last):"
    for frame in step.frames:
        yield f'  File "{frame.file}", line {frame.line}, in {frame.function}'
        yield from (f"    {text.strip()}" for number, text in frame.source if number == frame.line and text.strip())
        if with_locals:
            yield from (f"    {name} = {value}" for name, value in frame.locals)
    yield f"{step.type}: {step.message}" if step.message else step.type
    yield from step.notes


def _with_members(step: FailureRecord, own: Iterator[str], with_locals: bool) -> Iterator[str]:
    """A group of exceptions, with bars at the left, as Python prints it."""
    for at, line in enumerate("\n".join(own).split("\n")):
        first = not at and step.frames
        yield f"  + Exception Group {line}" if first else f"  | {line}"
    for number, member in enumerate(step.members, 1):
        yield f"  {'+-+' if number == 1 else '  +'}---------------- {number} ----------------"
        yield from (f"    | {line}" for line in "\n".join(_lines(member, with_locals)).split("\n"))
    yield "    +------------------------------------"


ROW = 16
"""Bytes in a line of hex."""


def hex_lines(data: bytes, rows: int) -> list[tuple[str, str, str]]:
    """Offset, hex digits and ASCII of the first ``rows`` lines of bytes."""
    found = []
    for at in range(0, min(len(data), rows * ROW), ROW):
        piece = data[at : at + ROW]
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in piece)
        left, right = piece[: ROW // 2].hex(" "), piece[ROW // 2 :].hex(" ")
        found.append((f"{at:04x}", f"{left:<23}  {right:<23}", shown))
    return found
