"""Tells whether a source file belongs to the user, a responder, or a library."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath

import app

_ROOT = PurePosixPath(app.__file__.replace("\\", "/")).parent.parent
_PACKAGES = re.compile(r".*/(?:site|dist)-packages/(?:listening_post/(?=(?:app|ui)/))?(.+)")
"""An installation has our own packages inside listening_post."""
_STANDARD = re.compile(r".*/lib/(?:python3[^/]*|pypy3[^/]*)/(.+)|.*/Python3\d+/Lib/(.+)", re.IGNORECASE)
_ABSOLUTE = re.compile(r"/|[A-Za-z]:|<")
_FROZEN = re.compile(r"<frozen (.+)>")

_RESPONDERS = "app/responders/"


@lru_cache(4096)
def library(file: str) -> str | None:
    """The package that a source file belongs to; None for code of the user and of responders.

    Built-in responders do not count as a library: failures are mostly about their code.
    """
    path = file.replace("\\", "/")
    relative = _relative(path)
    if relative is None:
        return None
    if relative.startswith(_RESPONDERS):
        return None
    first = relative.split("/", 1)[0]
    return first.removesuffix(".py")


def _relative(path: str) -> str | None:
    """The path relative to the folder of libraries that contains it; None outside of all such folders."""
    for pattern in (_PACKAGES, _STANDARD, _FROZEN):
        if match := pattern.fullmatch(path):
            return next(group for group in match.groups() if group)
    if path.startswith((f"{_ROOT}/app/", f"{_ROOT}/ui/")):
        return path.removeprefix(f"{_ROOT}/")
    # In the packaged program, modules have relative paths; the user's files have absolute ones.
    return None if _ABSOLUTE.match(path) else path


@lru_cache(4096)
def short(file: str) -> str:
    """A short path that still tells which file it is: relative to its library, or its last two parts."""
    path = file.replace("\\", "/")
    return _relative(path) or "/".join(path.split("/")[-2:])
