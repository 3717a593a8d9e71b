"""From the path of a request to a file. What touches the disk blocks: call it in a thread.

A path is decoded once, each of its names is looked at, and what it leads to, links followed,
must be inside the root: comparing texts is what let CVE-2025-59049 and its mending be passed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from threading import Lock
from typing import BinaryIO
from urllib.parse import unquote_to_bytes

from app.http.media_types import type_of

SMALL = 64 << 10
"""Bytes up to which a file is read when it is found."""

LISTED = 10_000
"""Entries of a folder that are listed."""

_OPENED = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_BINARY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK"))


class FileChangedError(Exception):
    """The file is no longer the one that was announced."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is open, or of which all is here.

    Attributes:
        size: bytes.
        modified: ns since 1970.
        content: all of a small one, which is closed then.
    """

    size: int
    modified: int
    type: str
    content: bytes | None = None
    file: BinaryIO | None = None
    _lock: Lock = field(default_factory=Lock)

    def read(self, start: int, count: int) -> bytes:
        """Exactly ``count`` bytes. Blocks. Raises FileChangedError."""
        if self.content is not None:
            return self.content[start : start + count]
        assert self.file is not None
        with self._lock:
            self.file.seek(start)
            data = self.file.read(count)
            now = os.fstat(self.file.fileno())
        # One that has only grown, as a log does, still holds what was announced.
        if len(data) < count or (now.st_mtime_ns != self.modified and now.st_size <= self.size):
            raise FileChangedError
        return data

    def close(self) -> None:
        """Close it, once nobody reads from it any more. Blocks."""
        if self.file is not None:
            with self._lock:
                self.file.close()


@dataclass(frozen=True, slots=True)
class Entry:
    """What a listing says of one file or folder; ``size`` is None for a folder, ``modified`` in s since 1970."""

    name: str
    size: int | None
    modified: float


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds: folders first, by name; ``cut`` if there is more."""

    entries: tuple[Entry, ...]
    cut: bool


class Moved:
    """A folder that was asked for without the slash at its end."""


class Forbidden:
    """The system does not let us."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to serve.

    Attributes:
        index: what stands for a folder; empty: nothing.
        listing: whether folders without it are listed.
        hidden: whether names that begin with a dot are served.
    """

    root: Path
    index: str
    listing: bool
    hidden: bool

    def names(self, path: bytes) -> list[str] | None:
        """The names in the path of a request; None where one of them is not to be looked for."""
        found = []
        for part in path.split(b"/"):
            name = unquote_to_bytes(part)
            if not name:
                continue
            if name in (b".", b"..") or set(name) & {0, 0x2F, 0x5C} or not self._shown(os.fsdecode(name)):
                return None
            if os.name == "nt" and _is_special(os.fsdecode(name)):
                return None
            found.append(os.fsdecode(name))
        return found

    def find(self, names: Sequence[str], slash: bool) -> Found | Listing | Moved | Forbidden | None:
        """What is there; ``slash`` tells whether a folder was asked for. Blocks."""
        try:
            root = self.root.resolve(strict=True)
            path = root.joinpath(*names).resolve(strict=True)
            if not self._serves(path, root):
                return None
            if not path.is_dir():
                return None if slash else _opened(path)
            if names and not slash:
                return Moved()
            if self.index and (found := self.find([*names, self.index], False)):
                return found if isinstance(found, Found | Forbidden) else None
            return self._listed(path, root) if self.listing else None
        except PermissionError:
            return Forbidden()
        except (OSError, ValueError, RuntimeError):  # too long a name, a null character, a loop of links
            return None

    def _serves(self, path: Path, root: Path) -> bool:
        """Whether ``path``, of which no link is left, may be seen."""
        return path.is_relative_to(root) and all(map(self._shown, path.relative_to(root).parts))

    def _shown(self, name: str) -> bool:
        return self.hidden or not name.startswith(".") or name == ".well-known"

    def _listed(self, path: Path, root: Path) -> Listing:
        entries: list[Entry] = []
        cut = False
        with os.scandir(path) as found:
            for entry in found:
                if not self._shown(entry.name):
                    continue
                if len(entries) == LISTED:
                    cut = True
                    break
                try:
                    # What a link leads to may be nobody's business, not even its size.
                    if entry.is_symlink() and not self._serves(Path(entry.path).resolve(strict=True), root):
                        continue
                    status = entry.stat()
                except (OSError, RuntimeError):  # a link that leads nowhere, or around
                    continue
                folder = stat.S_ISDIR(status.st_mode)
                if folder or stat.S_ISREG(status.st_mode):
                    entries.append(Entry(entry.name, None if folder else status.st_size, status.st_mtime))
        entries.sort(key=lambda entry: (entry.size is not None, entry.name.casefold(), entry.name))
        return Listing(tuple(entries), cut)


def _is_special(name: str) -> bool:
    """Whether Windows takes it for a drive, a stream, a device, or a name without its end."""
    return ":" in name or name[-1] in " ." or PureWindowsPath(name).is_reserved()


def _opened(path: Path) -> Found | None:
    descriptor = os.open(path, _OPENED)
    file = os.fdopen(descriptor, "rb")
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        file.close()
        return None
    if status.st_size > SMALL:
        return Found(status.st_size, status.st_mtime_ns, type_of(path.name), None, file)
    with file:
        content = file.read(SMALL)
    return Found(len(content), status.st_mtime_ns, type_of(path.name), content)
