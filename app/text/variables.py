"""The variables of a workspace, and texts in which ``{{name}}`` stands for the value of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from app.text import errors
from app.text.template_functions import FUNCTIONS
from app.text.templates import Template

Variables = Mapping[str, str]

NONE: Variables = MappingProxyType({})

PREFIX = "var."
"""What a variable's name may have before it. In templates of rules it must, where other values have names, too."""

MAX_VARIABLES = 200
"""Most variables of a workspace."""

MAX_NAME, MAX_VALUE = 60, 10_000
"""Most characters of a variable's name, and of its value."""

NUMBER = "number"
"""The value that counts the messages that are sent; no variable can have its name."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def name_problem(name: str) -> str | None:
    """What is wrong with the name of a variable, or None."""
    if not _NAME.fullmatch(name):
        return "is not a valid name: use letters, digits, _ and -, with a letter or _ at the beginning"
    if len(name) > MAX_NAME:
        return f"is too long: a name has at most {MAX_NAME} characters"
    if name in FUNCTIONS or name == NUMBER:
        return "is taken: {{" + name + "}} has a meaning of its own. Choose another name"
    return None


def value_problem(value: str) -> str | None:
    """What is wrong with the value of a variable, or None."""
    return f"is too long: a value has at most {MAX_VALUE:,} characters" if len(value) > MAX_VALUE else None


def prefixed(variables: Variables) -> dict[str, str]:
    """The variables as templates of rules name them: ``{"var.base": …}``."""
    return {f"{PREFIX}{name}": value for name, value in variables.items()}


def unknown(names: Iterable[str], variables: Variables) -> str | None:
    """What is wrong with the first of ``names`` that begins with ``var.`` and is no variable; None if none is."""
    for name in sorted(names):
        if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in variables:
            known = f"It has {', '.join(prefixed(variables))}" if variables else "It has none yet"
            return f"the workspace has no variable {name.removeprefix(PREFIX)[:MAX_NAME]}. {known}"
    return None


def check(template: Template, variables: Variables, more: Iterable[str] = ()) -> None:
    """Raise UnknownVariableError if ``template`` names a value that is neither a variable nor in ``more``."""
    unknown = sorted(template.names - set(variables) - set(prefixed(variables)) - set(more))
    if unknown:
        known = f"known are {', '.join([*more, *variables])}" if variables or more else "there are none yet"
        raise errors.UnknownVariableError(name=unknown[0], known=known)


def filled(text: str, variables: Variables) -> str:
    r"""``text`` with the value of each ``{{name}}`` in its place; ``\{{`` stands for ``{{``.

    Functions and filters of templates work, too. Raises UnknownVariableError, TemplateError.
    """
    if "{{" not in text:
        return text
    template = Template(text, escapes=False)
    check(template, variables)
    return template.render(both(variables)).decode("utf-8", "surrogateescape")


def both(variables: Variables) -> dict[str, str]:
    """The variables by both of their names, ``base`` and ``var.base``."""
    return {**variables, **prefixed(variables)}


def literally(text: str) -> str:
    """``text``, which is not to be filled in, as ``filled`` gives it back."""
    return text.replace("{{", "\\{{")
