"""Whose code a source file is: the user's, a responder's, or a library's."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import PurePosixPath

import app

_HOUSE = PurePosixPath(app.__file__.replace("\\", "/")).parent.parent
_PACKAGES = re.compile(r".*/(?:site|dist)-packages/(?:listening_post/(?=(?:app|ui)/))?(.+)")
"""An installation has our own packages inside listening_post."""
_STANDARD = re.compile(r".*/lib/(?:python3[^/]*|pypy3[^/]*)/(.+)|.*/Python3\d+/Lib/(.+)", re.IGNORECASE)
_WHOLE = re.compile(r"/|[A-Za-z]:|<")
_FROZEN = re.compile(r"<frozen (.+)>")

_RESPONDERS = "app/responders/"


@lru_cache(4096)
def library(file: str) -> str | None:
    """The package that a source file belongs to, or None for code of the user and of responders.

    Responders are what a failure is about even when they are ours: they stay in sight.
    """
    path = file.replace("\\", "/")
    inside = _inside(path)
    if inside is None:
        return None
    if inside.startswith(_RESPONDERS):
        return None
    first = inside.split("/", 1)[0]
    return first.removesuffix(".py")


def _inside(path: str) -> str | None:
    """The path below the place where libraries are kept; None outside of all such places."""
    for pattern in (_PACKAGES, _STANDARD, _FROZEN):
        if match := pattern.fullmatch(path):
            return next(group for group in match.groups() if group)
    if path.startswith((f"{_HOUSE}/app/", f"{_HOUSE}/ui/")):
        return path.removeprefix(f"{_HOUSE}/")
    # A packaged program compiles all its modules under relative names; what users add has a whole path.
    return None if _WHOLE.match(path) else path


@lru_cache(4096)
def short(file: str) -> str:
    """Enough of a path to tell which file it is: below its library, or its last two parts."""
    path = file.replace("\\", "/")
    return _inside(path) or "/".join(path.split("/")[-2:])
