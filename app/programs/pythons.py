"""Which Python runs a program: one that was named, that of its command, of the virtual environment, or ours."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from app.programs.errors import NoPythonError

OLDEST = (3, 11)
"""The oldest Python that our part of a program's process runs in."""

PATIENCE = 30.0
"""Seconds that a Python has to say what it is."""

_ASK = """
import json, sys
from importlib.metadata import PackageNotFoundError, version
try:
    twisted = version("twisted")
except PackageNotFoundError:
    twisted = ""
print(json.dumps([list(sys.version_info[:2]), twisted]))
"""


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter that can run programs.

    Attributes:
        path: of its file.
        words: what it is, with its version and Twisted's; empty for ours.
    """

    path: str
    words: str = ""


def wanted(named: str = "") -> str:
    """The Python for a program that names none by itself.

    Args:
        named: what the user named: a file, the folder of a virtual environment, or a command. Empty: that of the
            virtual environment that is active, else ours.
    """
    if named:
        return _in_environment(named) or shutil.which(named) or named
    active = os.environ.get("VIRTUAL_ENV", "")
    if active and (found := _in_environment(active)):
        return found
    return sys.executable  # of the frozen program: itself, with the Python and the Twisted that it comes with


def looked_at(path: str) -> Python:
    """The interpreter ``path``, if it can run programs. Starts it, and blocks. Raises NoPythonError."""
    if not path:
        raise NoPythonError(python="Python", reason="PATH has none")
    if is_ours(path):
        return Python(sys.executable)
    try:
        asked = subprocess.run([path, "-c", _ASK], capture_output=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        version, twisted = json.loads(asked.stdout)
        version = tuple(map(int, version))
    except FileNotFoundError:
        raise NoPythonError(python=path, reason="there is no such file") from None
    except PermissionError:
        raise NoPythonError(python=path, reason="it may not be run, or it is a folder without a Python") from None
    except (OSError, subprocess.TimeoutExpired, ValueError, TypeError):
        raise NoPythonError(python=path, reason="it does not answer as a Python does") from None
    number = ".".join(map(str, version))
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise NoPythonError(python=path, reason=f"it is Python {number}, and programs are looked into from {oldest} on")
    if not twisted:
        raise NoPythonError(python=path, reason=f"it has no Twisted. To install that: {path} -m pip install twisted")
    return Python(path, f"{path} (Python {number}, Twisted {twisted})")


def is_ours(path: str) -> bool:
    """Whether this is the interpreter that runs us. Two environments may link to one file, from two folders."""
    here, ours = Path(path), Path(sys.executable)
    if getattr(sys, "frozen", False) and here.name != ours.name:
        return False  # in the folder of the frozen program, there may be a Python, too
    return os.path.realpath(here.parent) == os.path.realpath(ours.parent)


def of_script(first: bytes, second: bytes) -> str | None:
    """The interpreter that the first two lines of a script name; None if it is no Python script.

    Empty: whichever ``python3`` is first in ``PATH``, and there is none.
    """
    if not first.startswith(b"#!"):
        return None
    try:
        words = shlex.split(os.fsdecode(first[2:]))
    except ValueError:
        return None
    if words and words[0] == "/bin/sh" and (found := _BEHIND_SH.match(second)):
        return os.fsdecode(found[1])  # as pip writes it where the path is long, or has a blank
    if words and os.path.basename(words[0]) == "env":
        words = [shutil.which(word) or "" for word in words[1:] if "python" in word and "=" not in word]
        return words[0] if words else None
    return words[0] if words and "python" in os.path.basename(words[0]) else None


_BEHIND_SH = re.compile(rb"""'''exec' "?([^"]*?python[^"/ ]*)"? """)


def _in_environment(folder: str) -> str:
    """The Python of a virtual environment, or nothing."""
    found = Path(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
    return str(found) if found.is_file() else ""
