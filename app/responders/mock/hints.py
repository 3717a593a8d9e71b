"""What in the rules of a mock is right and probably not meant: ``{{…}}`` that is not filled in, or has no value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.errors import PostError
from app.options import Mistake, Options
from app.responders.mock.exchange import Values
from app.responders.mock.rules import TEMPLATES, plain, texts
from app.text.templates import Template
from app.text.variables import Variables, unknown

SHOWN = 40
"""Characters of a name or an expression that a hint quotes."""

_EXPRESSION = re.compile(r"(?<!\\)\{\{.*?\}\}", re.DOTALL)
_PARAMETER = re.compile(r"\{(\w+)\*?\}")
_GROUP = re.compile(r"\(\?P<(\w+)>")


def hints(options: Options, variables: Variables) -> Iterator[Mistake]:
    """Hints at all rules. ``variables`` are those of the workspace."""
    for index, rule in enumerate(options["rules"]):
        for key in TEMPLATES:
            for item, text in texts(rule[key]):
                words = _of_template(text, rule, variables) if rule["template"] else _of_text(text)
                if words:
                    yield Mistake("rules", words, index, key, item)


def _of_text(text: str) -> str:
    found = _EXPRESSION.search(text)
    if found is None:
        return ""
    shown = found[0] if len(found[0]) <= SHOWN else "{{…}}"
    return f"has {shown}, which is sent as it is: template is off"


def _of_template(text: str, rule: Mapping[str, Any], variables: Variables) -> str:
    if "{{" not in text:
        return ""
    try:
        names = Template(plain(text)).names
    except PostError:  # which is a mistake, and told as one
        return ""
    return next(
        (f"has {{{{{name[:SHOWN]}}}}}: {why}" for name in sorted(names) if (why := _why_not(name, rule, variables))), ""
    )


def _why_not(name: str, rule: Mapping[str, Any], variables: Variables) -> str:
    """Why there is no value of this name, whatever is asked; empty if there may be one."""
    kind, dot, rest = name.partition(".")
    if dot and kind == "var":
        return unknown([name], variables) or ""
    if dot and kind == "path":
        known = path_names(rule)
        has = f"It has {', '.join(f'path.{one}' for one in known)}" if known else "Write it as in /users/{id}"
        return "" if rest in known or rest.isdigit() else f"the path has no {rest[:SHOWN]}. {has}"
    if name in Values.PLAIN or kind == "json" or (dot and kind in ("query", "field")) or name.isdigit():
        return ""
    has = (
        f"Write {{{{var.{name}}}}}"
        if name in variables
        else "Use path.NAME, query.NAME, field.NAME, json.NAME or var.NAME"
    )
    return f"there is no value {name[:SHOWN]} here. {has}"


def path_names(rule: Mapping[str, Any]) -> list[str]:
    """The names that ``path.`` can have before them: those of the path's parameters and of groups of expressions."""
    path = rule["path"]
    conditions = [*rule["query"], *rule["fields"], rule["body_regex"], path if path.startswith("~") else ""]
    named = [] if path.startswith("~") else _PARAMETER.findall(path)
    return list(dict.fromkeys([*named, *(name for text in conditions for name in _GROUP.findall(text))]))
