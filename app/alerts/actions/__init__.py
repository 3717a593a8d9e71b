"""What an alert can do. Each action is one file of this folder, named as in the workspace, with its ``ACTION``."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from app.alerts import errors
from app.trust.asks import Ask

if TYPE_CHECKING:
    from app.alerts.mail import Mail
    from app.alerts.means import Means
    from app.alerts.told import Told


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that an alert can do.

    Attributes:
        name: as a workspace says it.
        help: one line for the form and the docs.
        act: given what to tell, the text behind the name and the means, tells it; returns in words what was done.
            Raises a PostError in the place of that; with ``again`` set, it is tried later. A test is to have no effect
            but to tell that it is one.
        argument: what stands behind the name, as "URL"; empty: nothing does.
        example: such an argument.
        check: what is wrong with the argument, or None.
        asks: given the argument and the mail of the workspace, what it asks for that nobody should do because a file
            says so; without the name of the alert.
        resolves: whether it also tells when the alert is resolved.
        stops: whether the argument is the service that it stops.
        far: whether it connects to others: few do at once, and none for long.
    """

    name: str
    help: str
    act: Callable[[Told, str, Means], Coroutine[Any, Any, str]]
    argument: str = ""
    example: str = ""
    check: Callable[[str], str | None] = lambda argument: None
    asks: Callable[[str, Mail | None], Iterable[Ask]] = lambda argument, mail: ()
    resolves: bool = False
    stops: bool = False
    far: bool = False


@cache
def all_actions() -> dict[str, Action]:
    """The actions by name, sorted."""
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    found: list[Action] = [module.ACTION for module in modules]
    return {action.name: action for action in sorted(found, key=lambda action: action.name)}


def parsed(text: str) -> tuple[Action, str]:
    """The action that ``text`` names, and its argument. Raises UnknownActionError."""
    name, _, argument = text.strip().partition(" ")
    action = all_actions().get(name)
    if action is None:
        known = ", ".join(" ".join(filter(None, (one.name, one.argument))) for one in all_actions().values())
        raise errors.UnknownActionError(text=text.strip() or "Nothing", known=known)
    return action, argument.strip()


def problem(text: str) -> str | None:
    """What is wrong with the words for an action, or None."""
    try:
        action, argument = parsed(text)
    except errors.UnknownActionError as e:
        return f"{e.fields['text']} is nothing that an alert can do. Use one of {e.fields['known']}"
    if argument and not action.argument:
        return f"{action.name} takes nothing after it"
    if action.argument and not argument:
        return f"{action.name} needs {action.argument} after it, as in {action.name} {action.example}"
    wrong = action.check(argument)
    return f"{action.name} {wrong}" if wrong else None


def asks_of(text: str, mail: Mail | None) -> list[Ask]:
    """What an action asks for that nobody should do because a file says so."""
    try:
        action, argument = parsed(text)
    except errors.UnknownActionError:
        return []
    return list(action.asks(argument, mail))


def brief(text: str) -> str:
    """An action as events name it: of a URL, which may hold a secret, only where it leads."""
    action, argument = parsed(text)
    scheme, mark, rest = argument.partition("://")
    shown = f"{scheme}{mark}{rest.partition('/')[0].partition('?')[0]}" if mark else argument
    return f"{action.name} {shown}".strip()
