"""Finds the file for the path of a request. Functions that access the disk block: call them in a thread.

A path is decoded once, each of its names is checked, and the file is opened beneath the root's descriptor
(``app.files.beneath``), symbolic links followed only while they stay inside. Comparing paths as texts is not
enough: that left CVE-2025-59049 open, and its first fix as well. Comparing resolved paths and opening them
then is not either: a folder can be swapped for a link in between.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from threading import Lock
from typing import Any, BinaryIO
from urllib.parse import unquote_to_bytes

from app.files import beneath
from app.files.beneath import Opened
from app.http.media_types import type_of

SMALL = 64 << 10
"""A file of at most this many bytes is read when it is found."""

LISTED = 10_000
"""Entries in the listing of a folder, at most."""

_LISTS_DESCRIPTORS = os.scandir in os.supports_fd


class FileChangedError(Exception):
    """The file changed after its size was sent in the headers."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file to send: an open file, or the content of a small one.

    Attributes:
        size: bytes.
        modified: ns since 1970.
        type: media type.
        content: the content of a small file, whose ``file`` is None.
    """

    size: int
    modified: int
    type: str
    content: bytes | None = None
    file: BinaryIO | None = None
    _lock: Lock = field(default_factory=Lock)

    def read(self, start: int, count: int) -> bytes:
        """Read exactly ``count`` bytes. Blocks. Raises FileChangedError."""
        if self.content is not None:
            return self.content[start : start + count]
        assert self.file is not None
        with self._lock:
            self.file.seek(start)
            data = self.file.read(count)
            now = os.fstat(self.file.fileno())
        # A file that has only grown, as a log does, still has the bytes that Content-Length announced.
        if len(data) < count or (now.st_mtime_ns != self.modified and now.st_size <= self.size):
            raise FileChangedError
        return data

    def close(self) -> None:
        """Close the file, once no read is in progress. Blocks."""
        if self.file is not None:
            with self._lock:
                self.file.close()


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder in a listing; ``size`` in bytes, None for a folder; ``modified`` in s since 1970."""

    name: str
    size: int | None
    modified: float


@dataclass(frozen=True, slots=True)
class Listing:
    """The entries of a folder: folders first, by name; ``cut`` if there are more than ``LISTED``."""

    entries: tuple[Entry, ...]
    cut: bool


class Moved:
    """The path is a folder, and lacks the slash at its end."""


class Forbidden:
    """The program may not read the file or folder."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to serve.

    Attributes:
        index: the file that is sent for a folder; empty: none.
        listing: whether folders without an index file are listed.
        hidden: whether names that begin with a dot are served.
        within: the real path of a folder that the root must be in, too, whatever links lead to it; None: anywhere.
    """

    root: Path
    index: str
    listing: bool
    hidden: bool
    within: Path | None = None

    def names(self, path: bytes) -> list[str] | None:
        """The names in the path of a request, decoded; None if one of them must not be served."""
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
        """The file or folder at this path; ``slash`` tells whether the path ends with a slash. Blocks.

        Returns None if nothing may be served from there.
        """
        try:
            with beneath.folder(self.root) as root:
                if self.within is not None and not root.path.is_relative_to(self.within):
                    return None
                return self._found(root, names, slash)
        except PermissionError:
            return Forbidden()
        except (OSError, ValueError, RuntimeError):  # a name too long, a null character, a loop of links
            return None

    def _found(self, root: beneath.Folder, names: Sequence[str], slash: bool) -> Found | Listing | Moved | None:
        with self._served(root, names) as opened:
            if not stat.S_ISDIR(opened.status.st_mode):
                return None if slash else _content(opened)
            if names and not slash:
                return Moved()
            if self.index:
                try:
                    found = self._found(root, [*names, self.index], False)
                except PermissionError:
                    raise
                except OSError:
                    found = None
                if found is not None:
                    return found if isinstance(found, Found) else None
            return self._listed(root, opened) if self.listing else None

    def _served(self, root: beneath.Folder, names: Sequence[str]) -> Opened:
        """What is at this path, open. Raises OSError; FileNotFoundError if its real path has a hidden name."""
        try:
            opened = root.open(names)
        except PermissionError as e:
            try:  # a folder that may be entered, though its entries may not be read
                opened = root.open(names, beneath.FOLDER_ONLY)
            except OSError:
                raise e from None
        if not all(map(self._shown, opened.names)):
            opened.close()
            raise FileNotFoundError
        return opened

    def _shown(self, name: str) -> bool:
        return self.hidden or not name.startswith(".") or name == ".well-known"

    def _listed(self, root: beneath.Folder, folder: Opened) -> Listing:
        entries: list[Entry] = []
        cut = False
        with root.open(folder.names) as readable, self._scanned(root, readable) as found:
            for entry in found:
                if not self._shown(entry.name):
                    continue
                if len(entries) == LISTED:
                    cut = True
                    break
                try:
                    status = self._status(root, folder, entry)
                except (OSError, RuntimeError):  # a broken link, a loop of links, or one that leads out
                    continue
                is_folder = stat.S_ISDIR(status.st_mode)
                if is_folder or stat.S_ISREG(status.st_mode):
                    entries.append(Entry(entry.name, None if is_folder else status.st_size, status.st_mtime))
        entries.sort(key=lambda entry: (entry.size is not None, entry.name.casefold(), entry.name))
        return Listing(tuple(entries), cut)

    def _scanned(self, root: beneath.Folder, opened: Opened) -> Any:
        return os.scandir(opened.descriptor if _LISTS_DESCRIPTORS else root.path.joinpath(*opened.names))

    def _status(self, root: beneath.Folder, folder: Opened, entry: os.DirEntry[str]) -> os.stat_result:
        """Of a link that leads out of the root, not even the target's size may be shown: OutsideError."""
        if not entry.is_symlink():
            return entry.stat(follow_symlinks=False)
        with self._served(root, [*folder.names, entry.name]) as target:
            return target.status


def _is_special(name: str) -> bool:
    """Whether Windows treats the name as a drive, a stream or a device, or strips its last character."""
    return ":" in name or name[-1] in " ." or PureWindowsPath(name).is_reserved()


def _content(opened: Opened) -> Found | None:
    """The open file, which takes the descriptor over if it is large."""
    status = opened.status
    if not stat.S_ISREG(status.st_mode):
        return None
    kind = type_of(opened.names[-1])
    if status.st_size > SMALL:
        return Found(status.st_size, status.st_mtime_ns, kind, None, opened.file())
    with opened.file() as file:
        content = file.read(SMALL)
    return Found(len(content), status.st_mtime_ns, kind, content)
