"""Unsaved changes of a workspace, kept in the data folder until they are saved, so that they survive a crash.

A draft is a workspace file whose first line, a comment, says what it is a draft of. Beside it is a file that the
program which writes it keeps locked: a draft without that lock was left behind. Everything here blocks.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from app.errors import PostError
from app.files.locks import Held, hold
from app.files.newest import newest
from app.files.replacing import replacing
from app.workspace import reading
from app.workspace.differences import Differences, differences
from app.workspace.problems import Problem
from app.workspace.reading import Workspace
from app.workspace.saving import as_text

_HEAD = "# Unsaved changes of "

MAX_LEFT = 50
"""Drafts that are looked at; the newest are."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a draft is of.

    Attributes:
        path: the workspace's file; None if it has none.
        title: what the window calls it.
        template: the folder where its relative paths begin, if it has no file.
    """

    path: Path | None
    title: str
    template: Path | None = None


class DraftFile:
    """The draft of one window. Methods raise OSError."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._lock: Held | None = None

    def write(self, state: Workspace, origin: Origin, *, last: bool = False) -> None:
        """Write the draft, whole or not at all. ``last``: the program ends in order, and leaves it behind."""
        if self._path is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{secrets.token_hex(8)}.toml"
            self._lock = hold(_lock_of(path))
            self._path = path
        with replacing(self._path, 0o600) as out:
            out.write(_head(origin, last=last).encode() + as_text(state))

    def remove(self) -> None:
        """There are no unsaved changes."""
        if self._path is not None:
            path, self._path = self._path, None
            path.unlink(missing_ok=True)
            self._let_go(path)

    def leave(self) -> None:
        """Leave the draft behind, for the next start."""
        if self._lock is not None:
            self._lock.release()

    def _let_go(self, path: Path) -> None:
        if self._lock is not None:
            self._lock.release()
        _lock_of(path).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Left:
    """A draft that a run of the program left behind. No other start finds it until it is let go.

    Attributes:
        written: seconds since 1970.
        in_order: whether the run ended in order, as when the desktop's session ended.
        differences: from its file as that is now.
    """

    path: Path
    origin: Origin
    written: float
    text: str
    differences: Differences
    lock: Held
    in_order: bool = False

    def read(self) -> tuple[Workspace, list[Problem]]:
        """What of it can be read, and what is wrong with the rest."""
        state, problems = reading.parse(self.text)
        return state, problems

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        self.let_go()
        _lock_of(self.path).unlink(missing_ok=True)

    def let_go(self) -> None:
        self.lock.release()


def left_behind(folder: Path) -> list[Left]:
    """The drafts that no running program writes, the newest first."""
    found = []
    for path in newest(folder, "*.toml")[:MAX_LEFT]:
        with contextlib.suppress(OSError, PostError):
            lock = hold(_lock_of(path))
            if lock is None:
                continue
            try:
                found.append(_left(path, lock))
            except BaseException:
                lock.release()
                raise
    return found


def _left(path: Path, lock: Held) -> Left:
    text = reading.text_of(path)
    told = _told(text.partition("\n")[0])
    origin = _origin(told)
    changes = differences(_text_of_origin(origin), text)
    return Left(path, origin, path.stat().st_mtime, text, changes, lock, told.get("last") is True)


def _text_of_origin(origin: Origin) -> str:
    with contextlib.suppress(OSError, PostError):
        if origin.path is not None and origin.path.is_file():
            return reading.text_of(origin.path)
    return ""


def _head(origin: Origin, *, last: bool) -> str:
    told = {
        "title": origin.title,
        "path": str(origin.path.absolute()) if origin.path else None,
        "template": str(origin.template) if origin.template else None,
        "last": last,
    }
    return f"{_HEAD}{json.dumps(told)}\n"


def _told(line: str) -> dict[str, object]:
    """What the first line says."""
    told: object = None
    with contextlib.suppress(ValueError, RecursionError):
        told = json.loads(line.removeprefix(_HEAD))
    return told if isinstance(told, dict) else {}


def _origin(told: dict[str, object]) -> Origin:
    """What the draft is of; one whose first line says nothing has no file."""
    title, path, template = (told.get(key) for key in ("title", "path", "template"))
    return Origin(_path(path), title if isinstance(title, str) else "", _path(template))


def _path(text: object) -> Path | None:
    if not isinstance(text, str) or "\0" in text or not Path(text).is_absolute():
        return None
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # half of a character: no file is called so
        return None
    return Path(text)


def _lock_of(path: Path) -> Path:
    return path.with_suffix(".lock")
