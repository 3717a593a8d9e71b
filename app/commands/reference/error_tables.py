"""The errors that users read, for ``docs/errors.md``: found in the ``errors`` modules of all packages."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

import app
from app.errors import PostError

_FIELD = re.compile(r"\{(\w+)\}")
"""A place in an error's text that a value fills."""


def modules() -> list[ModuleType]:
    """The modules that hold errors, in alphabetical order."""
    names = (found.name for found in pkgutil.walk_packages(app.__path__, "app."))
    return [import_module(name) for name in sorted(names) if name.endswith(".errors") and name != PostError.__module__]


def errors_of(module: ModuleType) -> list[type[PostError]]:
    """The errors that ``module`` defines, in its order."""
    found = (value for value in vars(module).values() if isinstance(value, type) and issubclass(value, PostError))
    return [kind for kind in found if kind.__module__ == module.__name__]


def tables() -> str:
    """For each module, a table of its errors and their texts. Left out: texts that consist of fields only."""
    found = ((_title(module), list(_rows(module))) for module in modules())
    return "\n\n".join("\n".join([f"## {title}", "", "| | |", "|---|---|", *rows]) for title, rows in found if rows)


def _title(module: ModuleType) -> str:
    """What ``module`` is about: ``TLS`` of "Errors of TLS: certificates, keys."."""
    title = _one_line(module).removeprefix("Errors of ").partition(":")[0].rstrip(".").replace("``", "`")
    return title[:1].upper() + title[1:]


def _rows(module: ModuleType) -> Iterator[str]:
    for kind in errors_of(module):
        text = _one_line(kind).replace("|", "\\|")
        if re.search(r"\w", _FIELD.sub("", text)):
            yield f"| `{kind.__name__}` | {_italic(text)} |"


def _italic(text: str) -> str:
    """``text`` with the names of its fields in italics."""
    return _FIELD.sub(lambda match: f"*{match[1].replace('_', ' ')}*", text)


def _one_line(documented: object) -> str:
    return " ".join((inspect.getdoc(documented) or "").split())
