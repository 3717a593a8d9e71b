"""How a plugin declares a kind of fault: by a decorator of the function that does it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from app.faults import BYTES, CONNECT, MESSAGES, RECEIVED, SENT, STREAMS, FaultKind
from app.faults.hits import Hit
from app.faults.when import CONDITIONS
from app.options import Mistake, Option, Options

MARK = "__fault__"
"""The attribute of a decorated function that holds its ``FaultKind``."""

_TAKEN = {"name", "kind", "on", *(option.name for option in CONDITIONS)}

T = TypeVar("T", bound=Callable[..., "str | None"])


def fault(
    name: str,
    protocols: tuple[str, ...] = ("tcp",),
    *,
    sides: tuple[str, ...] = (SENT, RECEIVED),
    help: str = "",
    options: tuple[Option, ...] = (),
    level: str = MESSAGES,
    ends: bool = False,
    steady: bool = False,
    check: Callable[[Options, str, str], Iterable[Mistake]] | None = None,
) -> Callable[[T], T]:
    """Make a kind of fault of a function. The function itself is not changed.

    It is called with each ``Hit``; its further parameters are options, by name. It returns what it has done, in
    words that follow the fault's name, as "said twice"; None stands for ``help``, "" says that nothing was done.

    Args:
        name: of the kind, as in a workspace: ``kind = "name"``.
        protocols: of services that it fits: ``tcp``, ``udp``, ``http``, ``websocket``.
        sides: what it can act on, ``sent``, ``received`` or ``connect``; the first is the default of ``on``.
        help: one line about it; the first line of the docstring if left out.
        options: what a workspace may set, beside the conditions that every fault has.
        level, ends, steady, check: see ``app.faults.FaultKind``.

    Raises ValueError for a protocol, side or level that there is not, and for an option that has a condition's name.
    """
    given: Any  # an author may well write a text in the place of a tuple
    for what, given, known in (
        ("protocols", protocols, (*STREAMS, "udp")), ("sides", sides, (SENT, RECEIVED, CONNECT)),
        ("level", (level,), (BYTES, MESSAGES)),
    ):  # fmt: skip
        if isinstance(given, str) or not given or not set(given) <= set(known):
            raise ValueError(f"{what} must be of {', '.join(known)}, not {given!r}")
    if taken := {option.name for option in options} & _TAKEN:
        raise ValueError(f"an option cannot be called {', '.join(sorted(taken))}: every fault has a key of that name")

    def decorate(call: T) -> T:
        words = help or (call.__doc__ or name).strip().partition("\n")[0].rstrip(".")
        wanted = _parameters(call, {option.name for option in options})

        def act(hit: Hit) -> str:
            done = call(hit, **{key: hit.options[key] for key in wanted})
            if done is not None and not isinstance(done, str):
                raise TypeError(f"{call.__name__}() must return text, not {type(done).__name__}")
            return words if done is None else done

        kind = FaultKind(
            name, words, act, tuple(protocols), tuple(sides), tuple(options), level, ends, steady, check
        )  # fmt: skip
        setattr(call, MARK, kind)
        return call

    return decorate


def _parameters(call: Callable[..., object], options: set[str]) -> tuple[str, ...]:
    """The options that ``call`` takes by name. Raises TypeError for a parameter that nothing fills."""
    if inspect.iscoroutinefunction(call):
        raise TypeError(f"{call.__name__}() is async: a fault acts at once, see hit.later")
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    further = [p for p in list(inspect.signature(call).parameters.values())[1:] if p.kind in named]
    for parameter in further:
        if parameter.name not in options and parameter.default is parameter.empty:
            raise TypeError(f"{parameter.name!r} of {call.__name__}() is none of its options")
    return tuple(p.name for p in further if p.name in options)
