"""What of a traceback is worth reading: whose code a frame is, which frames to fold, the whole as text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

import app
from app.failures import FailureRecord, Frame

WORDS = {
    "cause": "The above exception was the direct cause of the following exception:",
    "context": "During handling of the above exception, another exception occurred:",
}
"""What Python prints between an exception and the one it led to."""

_HOUSE = PurePosixPath(app.__file__.replace("\\", "/")).parent.parent
_PACKAGES = re.compile(r".*/(?:site|dist)-packages/(.+)")
_STANDARD = re.compile(r".*/lib/(?:python3[^/]*|pypy3[^/]*)/(.+)|.*/Python3\d+/Lib/(.+)", re.IGNORECASE)
_FROZEN = re.compile(r"<frozen (.+)>")


@dataclass(frozen=True, slots=True)
class Group:
    """Frames next to each other that are shown, or folded, together.

    Attributes:
        libraries: whose they are, in order of appearance; empty for the user's own code, which
            is never folded.
    """

    frames: tuple[Frame, ...]
    libraries: tuple[str, ...] = ()


def library(file: str) -> str | None:
    """The package that a source file belongs to, or None for code of the user and of responders.

    Responders are what a failure is about even when they are ours: they stay in sight.
    """
    path = file.replace("\\", "/")
    inside = _inside(path)
    if inside is None:
        return None
    if inside.startswith("app/responders/"):
        return None
    first = inside.split("/", 1)[0]
    return first.removesuffix(".py")


def _inside(path: str) -> str | None:
    """The path below the place where libraries are kept; None outside of all such places."""
    for pattern in (_PACKAGES, _STANDARD, _FROZEN):
        if match := pattern.fullmatch(path):
            return next(group for group in match.groups() if group)
    for ours in ("app", "ui"):
        # A packaged program compiles its modules under relative names.
        if path.startswith((f"{_HOUSE}/{ours}/", f"{ours}/")):
            return path.removeprefix(f"{_HOUSE}/")
    return None


def short(file: str) -> str:
    """Enough of a path to tell which file it is: below its library, or its last two parts."""
    path = file.replace("\\", "/")
    return _inside(path) or "/".join(path.split("/")[-2:])


def groups(frames: Sequence[Frame]) -> list[Group]:
    """Frames in their order, those of libraries together.

    Where there is no code of the user at all, the innermost frame stays in sight instead.
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
    """The record and what led to it, the oldest first, as Python prints them."""
    found: list[FailureRecord] = []
    step: FailureRecord | None = record
    while step is not None:
        found.append(step)
        step = step.cause
    return found[::-1]


def as_text(record: FailureRecord, with_locals: bool = False) -> str:
    """The whole as Python itself would print it."""
    parts: list[str] = []
    for step in chain(record):
        if step.cause is not None:
            parts.append(f"\n{WORDS[step.relation]}\n")
        if step.frames:
            parts.append("Traceback (most recent call last):")
        for frame in step.frames:
            parts.append(f'  File "{frame.file}", line {frame.line}, in {frame.function}')
            parts += [f"    {text.strip()}" for number, text in frame.source if number == frame.line and text.strip()]
            if with_locals:
                parts += [f"    {name} = {value}" for name, value in frame.locals]
        parts.append(f"{step.type}: {step.message}" if step.message else step.type)
        parts += step.notes
    return "\n".join(parts) + "\n"
