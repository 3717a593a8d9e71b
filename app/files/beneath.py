"""Opens files beneath a folder, whatever happens to the names on the way meanwhile.

To resolve a path, compare it and then open it leaves a gap in which a folder can be swapped for a link.
Here each name is opened in the folder that the name before it gave, and no link is followed by the
system: it is read and its names are walked in the same way. So nothing outside the folder is ever opened,
as with Linux's ``openat2(RESOLVE_BENEATH)``; but also on other systems, through absolute links that stay inside
and with the true names at hand.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAX_LINKS = 40
"""Links on the way to one file, as for Linux."""

FOLDER_ONLY = getattr(os, "O_PATH", os.O_RDONLY) | getattr(os, "O_DIRECTORY", 0)
"""Flags to open a folder that may be entered, on Linux even if it may not be read."""

WALKS = os.open in os.supports_dir_fd and os.readlink in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether the system opens names in an open folder. Windows does not; there, what was opened is compared."""

_COMMON = sum(getattr(os, name, 0) for name in ("O_CLOEXEC", "O_BINARY", "O_NONBLOCK"))
_FOLDER = _COMMON | FOLDER_ONLY
_IS_LINK = (errno.ELOOP, errno.EMLINK, errno.ENOTDIR)
"""What systems say of a link that they may not follow; ENOTDIR where a folder was asked for."""


class OutsideError(OSError):
    """The path leads out of the folder."""

    def __init__(self) -> None:
        super().__init__(errno.EXDEV, "it leads out of the folder")


class Opened:
    """An open file or folder. Who asked for it closes it, unless ``file`` took it over.

    Attributes:
        descriptor: -1 once it is closed or taken over.
        names: from the folder to it, with all links resolved.
    """

    __slots__ = ("descriptor", "names")

    def __init__(self, descriptor: int, names: Sequence[str]) -> None:
        self.descriptor, self.names = descriptor, tuple(names)

    @property
    def status(self) -> os.stat_result:
        return os.fstat(self.descriptor)

    def file(self, mode: str = "rb") -> BinaryIO:
        """A file object that owns the descriptor from now on."""
        descriptor, self.descriptor = self.descriptor, -1
        made: BinaryIO = os.fdopen(descriptor, mode)  # type: ignore[assignment]
        return made

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __enter__(self) -> Opened:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def folder(path: Path, *, follow: bool = True) -> Iterator[Folder]:
    """The folder at ``path``, open. Links on the way to it are followed, or with ``follow`` false refused.

    Raises OSError.
    """
    real = Path(os.path.realpath(path, strict=True)) if follow else path
    if not WALKS:
        yield Folder(real, -1)
        return
    # Each name of the real path is opened by itself: one that was swapped for a link meanwhile is refused.
    descriptor = os.open(real.anchor, _FOLDER)
    try:
        for name in real.parts[1:]:
            inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
            if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        yield Folder(real, descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Folder:
    """An open folder; ``path`` is its real path. Made by ``folder``."""

    path: Path
    descriptor: int

    def open(self, names: Sequence[str], flags: int = os.O_RDONLY, mode: int = 0o600) -> Opened:
        """Open the file or folder at these names; ``flags`` and ``mode`` are those of ``os.open``. Blocks.

        Opening does not wait, as for the other end of a pipe. Raises OutsideError, OSError.
        """
        flags |= _COMMON
        if not WALKS:
            return self._compared(names, flags, mode)
        try:
            return _Walk(self, flags, mode).to(names)
        except OutsideError:
            # A link may lead out and in again. Where that ends is walked to by its real names, or not at all.
            real = Path(os.path.realpath(self.path.joinpath(*names)))
            if not real.is_relative_to(self.path):
                raise
            return _Walk(self, flags, mode).to(real.relative_to(self.path).parts)

    def _compared(self, names: Sequence[str], flags: int, mode: int) -> Opened:
        """The way of a system that cannot walk: open it, then look whether that is what is inside."""
        path = Path(os.path.realpath(self.path.joinpath(*names)))
        if not path.is_relative_to(self.path):
            raise OutsideError
        descriptor = os.open(path, flags, mode)
        try:
            there = Path(os.path.realpath(path, strict=True))
            if not there.is_relative_to(self.path) or not os.path.samestat(os.fstat(descriptor), there.stat()):
                raise OutsideError
        except BaseException:
            os.close(descriptor)
            raise
        return Opened(descriptor, path.relative_to(self.path).parts)


class _Walk:
    """The way from a folder to a file: the open folders on it, their names, and the names still to come."""

    def __init__(self, root: Folder, flags: int, mode: int) -> None:
        self._root, self._flags, self._mode = root, flags, mode
        self._folders: list[int] = []
        self._names: list[str] = []
        self._links = 0

    def to(self, names: Sequence[str]) -> Opened:
        ahead = deque(names)
        try:
            while ahead:
                name = ahead.popleft()
                if name in ("", "."):
                    continue
                if name == "..":
                    self._up()
                    continue
                try:
                    descriptor = self._open(name, last=not ahead)
                except OSError as e:
                    if e.errno not in _IS_LINK:
                        raise
                    ahead.extendleft(reversed(self._behind_link(name, e)))
                    continue
                if not ahead:
                    return Opened(descriptor, (*self._names, name))
                self._folders.append(descriptor)
                self._names.append(name)
            return Opened(os.open(".", self._flags, dir_fd=self._here), tuple(self._names))
        finally:
            self._leave()

    @property
    def _here(self) -> int:
        return self._folders[-1] if self._folders else self._root.descriptor

    def _open(self, name: str, *, last: bool) -> int:
        if last:
            return os.open(name, self._flags | os.O_NOFOLLOW, self._mode, dir_fd=self._here)
        descriptor = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._here)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)  # O_PATH opens the link itself
        raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))

    def _up(self) -> None:
        if not self._folders:
            raise OutsideError
        os.close(self._folders.pop())
        self._names.pop()

    def _behind_link(self, name: str, why: OSError) -> list[str]:
        """The names that a link stands for. Raises ``why`` if it is no link."""
        try:
            target = os.readlink(name, dir_fd=self._here)
        except OSError:
            raise why from None
        self._links += 1
        if self._links > MAX_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        if not os.path.isabs(target):
            return target.split("/")
        parts = Path(target).parts
        if parts[: len(self._root.path.parts)] != self._root.path.parts:
            raise OutsideError
        self._leave()
        return list(parts[len(self._root.path.parts) :])

    def _leave(self) -> None:
        while self._folders:
            os.close(self._folders.pop())
        self._names.clear()
