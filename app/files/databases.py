"""SQLite files that came from elsewhere: what has to be looked at before SQLite opens one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_MAGIC = bytes.fromhex("d9d505f920a163d7")
"""Ends a journal that belongs to a transaction over several files, behind the name of another journal
(https://sqlite.org/fileformat2.html#the_rollback_journal)."""


def trouble(path: Path) -> str | None:
    """Why SQLite must not open the database ``path`` to write, as an end of a sentence; or None. Blocks.

    SQLite finishes what a journal beside the database says is not finished. One that names
    another file has it read that file and delete it, whichever it is. A pipe would have it wait for ever, and a
    link write elsewhere.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "it is not a file"
        for ending in ("-journal", "-wal", "-shm"):
            beside = path.with_name(path.name + ending)
            try:
                mode = os.lstat(beside).st_mode
            except FileNotFoundError:
                continue
            if not stat.S_ISREG(mode):
                return f"{beside.name} beside it is not a file. Remove that"
            if ending == "-journal" and _names_another(beside):
                return f"{beside.name} beside it names another file, which SQLite would delete. Remove the journal"
    except OSError as e:
        return e.strerror or str(e)
    return None


def _names_another(journal: Path) -> bool:
    with journal.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - len(_MAGIC)))
        return file.read() == _MAGIC
