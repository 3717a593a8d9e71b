"""The names that the templates of a rule can use, offered while one types."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP

from app.capture.filters.completion import Suggestion
from app.options import with_defaults
from app.responders.mock.hints import path_names
from app.responders.mock.rules import RULE
from app.text.escapes import one_line
from app.text.template_filters import FILTERS
from app.text.template_functions import FUNCTIONS
from app.text.variables import NONE, PREFIX, Variables, prefixed
from ui.workbench.rule_form.arrangement import translated

NO_RULE: Mapping[str, Any] = MappingProxyType({})

_VALUES = {
    "query.": QT_TRANSLATE_NOOP("Workbench", "a value of the query, such as query.page"),
    "json.": QT_TRANSLATE_NOOP("Workbench", "a member of the JSON body, such as json.user.name"),
    "field.": QT_TRANSLATE_NOOP("Workbench", "a header, such as field.User-Agent"),
    "json": QT_TRANSLATE_NOOP("Workbench", "the JSON body"),
    "body": QT_TRANSLATE_NOOP("Workbench", "the body as it was received"),
    "method": QT_TRANSLATE_NOOP("Workbench", "the method of the request"),
    "path": QT_TRANSLATE_NOOP("Workbench", "the path of the request"),
    "call": QT_TRANSLATE_NOOP("Workbench", "how many requests the rule has matched, this one included"),
}

_HELP = {
    "now": QT_TRANSLATE_NOOP("Workbench", "the time, in UTC"),
    "unix": QT_TRANSLATE_NOOP("Workbench", "seconds since 1970"),
    "unix_ms": QT_TRANSLATE_NOOP("Workbench", "milliseconds since 1970"),
    "uuid": QT_TRANSLATE_NOOP("Workbench", "a random UUID"),
    "counter": QT_TRANSLATE_NOOP("Workbench", "1, 2, 3 and so on"),
    "random": QT_TRANSLATE_NOOP("Workbench", "a random number, such as random 1 6"),
    "pick": QT_TRANSLATE_NOOP("Workbench", "one of the words, such as pick red green"),
    "default": QT_TRANSLATE_NOOP("Workbench", "text instead of an empty value, such as default Ada"),
    "json|": QT_TRANSLATE_NOOP("Workbench", "escaped for a JSON string"),
}

_OF_SCRIPTS = {
    "message": QT_TRANSLATE_NOOP("Workbench", "the message"),
    "count": QT_TRANSLATE_NOOP("Workbench", "how many messages came, this one included"),
    "peer": QT_TRANSLATE_NOOP("Workbench", "the address of the peer"),
    "conn": QT_TRANSLATE_NOOP("Workbench", "the number of the connection"),
}

_GROUP = re.compile(r"\(\?P<(\w+)>")

MAX_SHOWN = 60
"""Characters of the value of a variable that are shown."""


def suggestions(
    begun: str, *, filter: bool, responder: str = "mock", rule: Mapping[str, Any] = NO_RULE, variables: Variables = NONE
) -> tuple[Suggestion, ...]:
    """The names that begin with ``begun``: of filters, or of values and functions.

    A variable is also offered where only ``var.`` is missing before what was typed.
    """
    offered = _filters() if filter else _values(responder, rule, variables)
    begins = (begun, f"{PREFIX}{begun}" if begun else begun)
    return tuple(Suggestion(0, name, help) for name, help in offered if name.startswith(begins) and name != begun)


def _filters() -> Iterator[tuple[str, str]]:
    for name in FILTERS:
        yield name, translated(_HELP.get(f"{name}|", _HELP.get(name, "")))


def _values(responder: str, rule: Mapping[str, Any], variables: Variables) -> Iterator[tuple[str, str]]:
    if responder == "mock":
        for name in path_names(with_defaults(RULE, rule)):
            yield f"path.{name}", translated(QT_TRANSLATE_NOOP("Workbench", "this part of the path"))
    else:
        for name in _GROUP.findall(str(rule.get("match", ""))):
            yield name, translated(QT_TRANSLATE_NOOP("Workbench", "this part of the message"))
    for name, help in (_VALUES if responder == "mock" else _OF_SCRIPTS).items():
        yield name, translated(help)
    for name, value in prefixed(variables).items():
        yield name, one_line(value[:MAX_SHOWN])
    for name in FUNCTIONS:
        yield name, translated(_HELP.get(name, ""))
