"""The names that a template of a mock can use, offered while one types."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PyQt5.QtCore import QT_TRANSLATE_NOOP

from app.capture.filters.completion import Suggestion
from app.text.template_filters import FILTERS
from app.text.template_functions import FUNCTIONS
from ui.workbench.arrangement import translated

_VALUES = {
    "query.": QT_TRANSLATE_NOOP("Workbench", "a value of the query, as query.page"),
    "json.": QT_TRANSLATE_NOOP("Workbench", "a member of the JSON body, as json.user.name"),
    "field.": QT_TRANSLATE_NOOP("Workbench", "a header, as field.User-Agent"),
    "json": QT_TRANSLATE_NOOP("Workbench", "the JSON body"),
    "body": QT_TRANSLATE_NOOP("Workbench", "the body as it came"),
    "method": QT_TRANSLATE_NOOP("Workbench", "the method of the request"),
    "path": QT_TRANSLATE_NOOP("Workbench", "the path of the request"),
    "call": QT_TRANSLATE_NOOP("Workbench", "how many requests the rule took, this one included"),
}

_HELP = {
    "now": QT_TRANSLATE_NOOP("Workbench", "the time, in UTC"),
    "unix": QT_TRANSLATE_NOOP("Workbench", "seconds since 1970"),
    "unix_ms": QT_TRANSLATE_NOOP("Workbench", "milliseconds since 1970"),
    "uuid": QT_TRANSLATE_NOOP("Workbench", "a random UUID"),
    "counter": QT_TRANSLATE_NOOP("Workbench", "1, 2, 3 and so on"),
    "random": QT_TRANSLATE_NOOP("Workbench", "a random number, as random 1 6"),
    "pick": QT_TRANSLATE_NOOP("Workbench", "one of the words, as pick red green"),
    "default": QT_TRANSLATE_NOOP("Workbench", "in place of nothing, as default Ada"),
    "json|": QT_TRANSLATE_NOOP("Workbench", "escaped for a string of JSON"),
}

_NAMED = re.compile(r"\{(\w+)\*?\}")
_GROUP = re.compile(r"\(\?P<(\w+)>")


def suggestions(begun: str, *, filter: bool, path: str = "") -> tuple[Suggestion, ...]:
    """The names that begin with ``begun``: of filters, or of values and functions. ``path`` is the rule's."""
    offered = _filters() if filter else _values(path)
    found = tuple(Suggestion(0, name, help) for name, help in offered if name.startswith(begun) and name != begun)
    return found


def _filters() -> Iterator[tuple[str, str]]:
    for name in FILTERS:
        yield name, translated(_HELP.get(f"{name}|", _HELP.get(name, "")))


def _values(path: str) -> Iterator[tuple[str, str]]:
    names = (_GROUP if path.startswith("~") else _NAMED).findall(path)
    for name in names:
        yield f"path.{name}", translated(QT_TRANSLATE_NOOP("Workbench", "this part of the path"))
    for name, help in _VALUES.items():
        yield name, translated(help)
    for name in FUNCTIONS:
        yield name, translated(_HELP.get(name, ""))
