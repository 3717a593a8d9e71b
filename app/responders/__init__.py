"""How a service answers: one small module for each responder, found by its name.

A module holds ``RESPONDER``, with one builder for each protocol that the responder can
serve. A builder gets the options and returns, for

``tcp``        an ``IProtocolFactory``
``udp``        a ``DatagramProtocol``
``http``       an ``IResource``, the root of the site; ``parses_forms = False`` on it spares
               it what Twisted does with the bodies of forms
``websocket``  a subclass of autobahn's ``WebSocketServerProtocol``

Modules import what is heavy inside their builders: listing the names must stay cheap.
"""

from __future__ import annotations

import json
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a responder.

    Attributes:
        type: ``str``, ``int``, ``float``, ``bool`` or ``list`` (of strings).
        help: one line for the form and the docs.
        minimum, maximum: bounds of a number, inclusive.
        protocols: those on which it means something; empty: all that the responder serves.
        check: what is wrong with a value that has the type and keeps the bounds, or None.
    """

    name: str
    type: type
    default: Any
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    protocols: tuple[str, ...] = ()
    check: Callable[[Any], str | None] | None = None

    def problem(self, value: object) -> str | None:
        """What is wrong with ``value``, and what would be right; None where nothing is."""
        kinds = {
            str: "text",
            int: "a whole number",
            float: "a number",
            bool: "true or false",
            list: "a list of texts",
        }
        fits = isinstance(value, self.type) and (self.type is bool or not isinstance(value, bool))
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            fits = True
        if self.type is list and fits:
            fits = all(isinstance(item, str) for item in value)  # type: ignore[attr-defined]
        if not fits:
            return f"must be {kinds[self.type]}, as in {_toml(self.default)}"
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, float) and not math.isfinite(value):
                return "must be a finite number"
            if self.minimum is not None and value < self.minimum:
                return f"must be at least {self.minimum:.15g}"
            if self.maximum is not None and value > self.maximum:
                return f"must be at most {self.maximum:.15g}"
        return self.check(value) if self.check else None


@dataclass(frozen=True, slots=True)
class Responder:
    """One way to answer, with a builder for each protocol it serves."""

    name: str
    help: str
    builders: Mapping[str, Callable[[Options], Any]]
    options: tuple[Option, ...] = field(default=())

    def options_for(self, protocol: str) -> tuple[Option, ...]:
        """The options that mean something on ``protocol``."""
        return tuple(o for o in self.options if not o.protocols or protocol in o.protocols)

    def with_defaults(self, options: Options) -> dict[str, Any]:
        """``options`` filled up with the declared defaults."""
        return {option.name: option.default for option in self.options} | dict(options)


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


@cache
def names() -> tuple[str, ...]:
    """All responders there are, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find(name: str) -> Responder | None:
    """The responder of that name, or None."""
    if name not in names():
        return None
    responder: Responder = import_module(f"{__name__}.{name}").RESPONDER
    return responder


def serving(protocol: str) -> list[Responder]:
    """The responders that can serve ``protocol``, by name."""
    found = [find(name) for name in names()]
    return [responder for responder in found if responder and protocol in responder.builders]


def build(name: str, protocol: str, options: Options) -> Any:
    """What the responder's builder for ``protocol`` makes of ``options`` and its defaults.

    The workspace was checked before, so a missing responder or protocol is a KeyError.
    """
    responder = find(name)
    if responder is None:
        raise KeyError(name)
    return responder.builders[protocol](responder.with_defaults(options))
