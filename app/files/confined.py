"""Files that a workspace names, which must be inside the workspace's folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from app.files import errors

MAX_SENT = 16 << 20
"""Bytes of a file that is sent as one message."""


def regular(path: str, flags: int) -> int:
    """An ``opener`` for ``open`` that opens regular files only. New files belong to their owner alone (0600).

    Opening a pipe would wait for its other end. Raises OSError.
    """
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0), 0o600)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(0, "it is no file")


def inside(folder: Path, name: str) -> Path:
    """The resolved path of the file called ``name``, relative to ``folder``. Blocks.

    Raises OutsideFolderError for a path outside ``folder``: people share workspaces, and a workspace
    from somebody else must not read other files.
    """
    root = folder.resolve()
    try:
        path = (root / name).resolve()
    except (OSError, ValueError, RuntimeError) as e:  # a loop of links, a null character
        raise errors.OutsideFolderError(name=name) from e
    if not path.is_relative_to(root):
        raise errors.OutsideFolderError(name=name)
    return path


def read(folder: Path, name: str, max_bytes: int = MAX_SENT) -> bytes:
    """The content of a file of at most ``max_bytes``. Blocks. Raises OutsideFolderError, UnreadableFileError."""
    path = inside(folder, name)
    try:
        if not path.is_file():  # opening a pipe would wait for its other end
            reason = "it is no file" if path.exists() else "there is no such file"
            raise errors.UnreadableFileError(name=name, reason=reason)
        with open(path, "rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as e:
        raise errors.UnreadableFileError(name=name, reason=e.strerror or e) from e
    if len(content) > max_bytes:
        raise errors.UnreadableFileError(name=name, reason=f"it is larger than {max_bytes >> 20} MiB")
    return content


# -- for Option.missing: what is wrong with a file, or None


def outside(name: str, folder: Path) -> str | None:
    """The problem of a file that is not in ``folder``. Blocks."""
    try:
        inside(folder, name)
    except errors.OutsideFolderError:
        return f'names a file that is not in the workspace\'s folder: "{name}"'
    return None


def unreadable(name: str, folder: Path) -> str | None:
    """The problem of a file that cannot be read. Blocks."""
    try:
        read(folder, name)
    except errors.OutsideFolderError:
        return outside(name, folder)
    except errors.UnreadableFileError as e:
        return f'names a file that cannot be read: "{name}" ({e.fields["reason"]})'
    return None
