"""Files that a workspace names, which must be inside the workspace's folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from app.files import beneath, errors

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
    raise OSError(0, "it is not a file")


def named(folder: Path, name: str) -> Path:
    """The path of the file or folder called ``name`` in a workspace in ``folder``: ``~`` is the user's home.

    Raises RuntimeError for the home of an unknown user.
    """
    return folder / Path(name).expanduser()


def leads_out(folder: Path, name: str) -> Path | None:
    """The real path of ``name`` if it is outside ``folder``, else None. Blocks.

    What cannot be resolved, as a loop of links, is outside.
    """
    try:
        path = named(folder, name).resolve()
        return None if path.is_relative_to(folder.resolve()) else path
    except (OSError, ValueError, RuntimeError):
        return folder / name


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
    try:
        with _opened(folder, name) as file:
            content = file.read(max_bytes + 1)
    except beneath.OutsideError as e:
        raise errors.OutsideFolderError(name=name) from e
    except FileNotFoundError as e:
        raise errors.UnreadableFileError(name=name, reason="there is no such file") from e
    except OSError as e:
        raise errors.UnreadableFileError(name=name, reason=e.strerror or e) from e
    if len(content) > max_bytes:
        raise errors.UnreadableFileError(name=name, reason=f"it is larger than {max_bytes >> 20} MiB")
    return content


def _opened(folder: Path, name: str) -> BinaryIO:
    """The regular file ``name``, open. Between the look at its path and the opening nothing can be swapped."""
    root = folder.resolve()
    path = inside(root, name)
    with beneath.folder(root) as opened, opened.open(path.relative_to(root).parts) as found:
        if not stat.S_ISREG(found.status.st_mode):
            raise OSError(0, "it is not a file")
        return found.file()


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
