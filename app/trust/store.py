"""The user's answers: which workspaces and plugins may do what they ask for. In a file of the data folder."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from app.files import confined

Answer = Literal["load", "never"]

MAX_SIZE = 4_000_000
"""Bytes above which the file holds no answers of ours."""

MAX_CONTENTS = 2_000
"""Contents of workspaces that are remembered; the oldest are forgotten."""

FOLDER = "plugins"
"""The folder in a trusted folder whose plugins are trusted, too."""

OLD = "plugins.json"
"""Where answers about plugins were before, by path."""

_EMPTY: dict[str, Any] = {"version": 1, "contents": {}, "folders": [], "plugins": {}}


class Trust:
    """Answers for contents of workspaces, for folders, and for plugins.

    What another start of the program answers is seen here, too: the file is read again when it has changed.

    Attributes:
        everything: whether all may be done until the program ends, except what the user refused.
        every_plugin: the same, of plugins alone.
        trouble: why the file's answers are not taken, in words; empty if they are.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.everything = False
        self.every_plugin = False
        self.trouble = ""
        self._stamp: object = ""
        self._saved: dict[str, Any] = _EMPTY
        self._answers: dict[str, Any] = _EMPTY
        self._pending: list[tuple[str, str, str]] = []
        self._saving = Lock()

    # -- what may be done

    def content(self, fingerprint: str) -> bool:
        """Whether this content, with paths that lead where they led then, was trusted. See ``asks.fingerprint``."""
        return self.everything or fingerprint in self._current()["contents"]

    def folder(self, folder: Path) -> bool:
        """Whether everything in this folder, but not in those below it, is trusted. Blocks.

        A folder into which others can put files never is.
        """
        if self.everything:
            return True
        real = os.path.realpath(folder)
        return real in self._current()["folders"] and not others_can_write(Path(real))

    def file_in_folder(self, path: Path) -> bool:
        """Whether the file at ``path`` is in a trusted folder, and so is what it is a link to. Blocks."""
        return self.folder(path.parent) and self.folder(Path(os.path.realpath(path)).parent)

    def plugin(self, path: Path, digest: str, *, linked: bool = False) -> Answer | None:
        """The answer for the plugin at this real path, with this content; None if the user must be asked.

        A trusted folder's are those that lie in its ``plugins/``, and in that of the data folder. ``linked``: whether
        it was found through a link that leads out of such a folder; no folder's answer holds for it then: it is
        whoever made the link that wants it to run.
        """
        answer = self._current()["plugins"].get(str(path))
        if answer in ("load", "never"):
            return "load" if answer == "load" else "never"
        if self.everything or self.every_plugin or answer == digest:
            return "load"
        if linked:
            return None
        beside = path.parent.name == FOLDER and self.folder(path.parent.parent)
        own = str(path.parent) == os.path.realpath(self.file.parent / FOLDER) and self.folder(path.parent)
        return "load" if beside or own else None

    # -- what the user answered; ``save`` writes it

    def trust_content(self, fingerprint: str, path: Path) -> None:
        """This content may do what it asks for; ``path`` is remembered for whoever reads the file."""
        self._change("contents", fingerprint, str(path))

    def trust_folder(self, folder: Path) -> None:
        """Whatever stands in this folder may do what it asks for, now and later. Blocks."""
        self._change("folders", os.path.realpath(folder), "")

    def set_plugin(self, path: Path, answer: str) -> None:
        """``"load"`` and ``"never"`` hold whatever is in the plugin; the digest of its content, for that alone."""
        self._change("plugins", str(path), answer)

    def forget(self, path: Path) -> None:
        """Take back what was answered about a workspace's file and its folder. Blocks."""
        self._change("forget", os.path.realpath(path), str(path))

    def save(self) -> None:
        """Write the answers to the file, which only its owner can read (0600). Blocks. Raises OSError."""
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._saving, _alone(self.file.with_suffix(".lock")):
            pending = list(self._pending)
            answers = deepcopy(self._read())  # another program may have answered meanwhile
            for change in pending:
                _apply(answers, *change)
            spare = self.file.with_suffix(".new")
            with contextlib.suppress(FileNotFoundError):
                spare.unlink()
            with os.fdopen(os.open(spare, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                json.dump(answers, file, indent=1)
            os.replace(spare, self.file)
            del self._pending[: len(pending)]
            self._stamp = ""

    # -- the file

    def _change(self, kind: str, key: str, value: str) -> None:
        self._current()
        self._pending.append((kind, key, value))
        answers = deepcopy(self._answers)
        _apply(answers, kind, key, value)
        self._answers = answers

    def _current(self) -> dict[str, Any]:
        """The file's answers, and those that are not saved yet."""
        stamp = _stamp(self.file)
        if stamp != self._stamp:
            self._stamp = stamp
            answers = deepcopy(self._read())
            for change in self._pending:
                _apply(answers, *change)
            self._answers = answers
        return self._answers

    def _read(self) -> dict[str, Any]:
        self.trouble = ""
        try:
            return _checked(_content(self.file))
        except FileNotFoundError:
            return self._before()
        except OSError as e:
            reason = e.strerror or str(e)
        except (ValueError, RecursionError):
            reason = "it is damaged"
        self.trouble = f"Your answers about trust in {self.file} are not used: {reason}. You are asked again."
        return _EMPTY

    def _before(self) -> dict[str, Any]:
        """The answers about plugins of the version that had no others."""
        with contextlib.suppress(OSError, ValueError, RecursionError, AttributeError):
            old = json.loads(_content(self.file.with_name(OLD)))
            return _EMPTY | {"plugins": {path: a for path, a in old.items() if a in ("load", "never")}}
        return _EMPTY


def others_can_write(path: Path) -> bool:
    """Whether other users can put files into a folder, or change a file. Blocks."""
    try:
        return os.name == "posix" and bool(path.stat().st_mode & stat.S_IWOTH)
    except OSError:
        return True


def _stamp(file: Path) -> object:
    try:
        facts = file.stat()
    except OSError as e:
        return e.errno
    return facts.st_mtime_ns, facts.st_size, facts.st_ino, facts.st_mode


def _content(file: Path) -> bytes:
    with open(file, "rb", opener=confined.regular) as opened:
        facts = os.fstat(opened.fileno())
        if os.name == "posix" and facts.st_uid != os.geteuid():
            raise OSError(0, "another user owns the file")
        if os.name == "posix" and facts.st_mode & (stat.S_IWOTH | stat.S_IWGRP):
            raise OSError(0, "other users can change the file. Remove that permission: chmod go-w")
        content = opened.read(MAX_SIZE + 1)
    if len(content) > MAX_SIZE:
        raise OSError(0, "the file is too large")
    return content


def _checked(content: bytes) -> dict[str, Any]:
    """The answers in a file. Raises ValueError where it is none of ours."""
    read = json.loads(content)
    if not isinstance(read, dict) or read.get("version") != 1:
        raise ValueError
    answers = _EMPTY | {key: read[key] for key in _EMPTY if key in read}
    for key in ("contents", "plugins"):
        table = answers[key]
        if not isinstance(table, dict) or not all(isinstance(value, str) for value in table.values()):
            raise ValueError
    if not isinstance(answers["folders"], list) or not all(isinstance(one, str) for one in answers["folders"]):
        raise ValueError
    return answers


def _apply(answers: dict[str, Any], kind: str, key: str, value: str) -> None:
    if kind == "folders":
        if key not in answers["folders"]:
            answers["folders"].append(key)
    elif kind == "forget":
        paths = {key, value}
        answers["contents"] = {mark: path for mark, path in answers["contents"].items() if path not in paths}
        folders = {os.path.dirname(path) for path in paths}
        answers["folders"] = [folder for folder in answers["folders"] if folder not in folders]
        beside = {os.path.join(folder, FOLDER) for folder in folders}
        plugins = answers["plugins"].items()
        answers["plugins"] = {path: answer for path, answer in plugins if os.path.dirname(path) not in beside}
    else:
        answers[kind].pop(key, None)  # so that it comes last, as the newest
        answers[kind][key] = value
        while len(answers["contents"]) > MAX_CONTENTS:
            answers["contents"].pop(next(iter(answers["contents"])))


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """No other program writes answers inside this, where the system has locks on files."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with open(file, "wb", opener=confined.regular) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
