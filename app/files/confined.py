"""Files that a workspace names."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.files import errors

MAX_SENT = 16 << 20
"""Bytes of a file that is sent in one piece."""


def regular(path: str, flags: int) -> int:
    """For ``open``, as its ``opener``: opens files alone, new ones for their owner alone.

    A pipe would have us wait for its other end. Raises OSError.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(0, "it is no file")


def inside(folder: Path, name: str) -> Path:
    """The file called ``name``, relative to ``folder``, with links followed. Blocks.

    Raises OutsideFolderError for one that is not in ``folder``: workspaces are shared, and
    one that came from elsewhere must reach no other files.
    """
    root = folder.resolve()
    try:
        found = (root / name).resolve()
    except (OSError, ValueError, RuntimeError) as e:  # a loop of links, a null character
        raise errors.OutsideFolderError(name=name) from e
    if not found.is_relative_to(root):
        raise errors.OutsideFolderError(name=name)
    return found


def read(folder: Path, name: str, most: int = MAX_SENT) -> bytes:
    """What the file holds, at most ``most`` bytes. Blocks. Raises OutsideFolderError, UnreadableFileError."""
    path = inside(folder, name)
    try:
        if not path.is_file():  # to open a pipe is to wait for its other end
            reason = "it is no file" if path.exists() else "there is no such file"
            raise errors.UnreadableFileError(name=name, reason=reason)
        with open(path, "rb") as file:
            content = file.read(most + 1)
    except OSError as e:
        raise errors.UnreadableFileError(name=name, reason=e.strerror or e) from e
    if len(content) > most:
        raise errors.UnreadableFileError(name=name, reason=f"it is larger than {most >> 20} MiB")
    return content


# -- for Option.missing


def outside(name: str, folder: Path) -> str | None:
    """What to say of a file that is not in ``folder``. Blocks."""
    try:
        inside(folder, name)
    except errors.OutsideFolderError:
        return f'names a file that is not in the workspace\'s folder: "{name}"'
    return None


def unreadable(name: str, folder: Path) -> str | None:
    """What to say of a file that could not be sent. Blocks."""
    try:
        read(folder, name)
    except errors.OutsideFolderError:
        return outside(name, folder)
    except errors.UnreadableFileError as e:
        return f'names a file that cannot be read: "{name}" ({e.fields["reason"]})'
    return None
