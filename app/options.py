"""Declarations of options: the settings of a responder, a protocol, TLS or limits, and their valid values.

Workspaces are checked against them, and the window's forms are made from them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

Options = Mapping[str, Any]

Wrong = tuple[str, int | None, str]
"""The option of a table ("" for the table as a whole), the index in its list or None, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong, and where.

    Attributes:
        option: the name of the option.
        text: what is wrong, in words that follow a name, as "must be at least 1".
        table: for a list of tables, the index of the table; None: the list as a whole.
        key: the option of that table; empty: the table as a whole.
        item: for a list of texts, the index of the wrong one, where that can be said.
    """

    option: str
    text: str
    table: int | None = None
    key: str = ""
    item: int | None = None

    def __str__(self) -> str:
        """The words that follow the name of the option."""
        if self.table is None:
            return self.text
        return (
            f"number {self.table + 1}: {self.key} {self.text}" if self.key else f"number {self.table + 1}: {self.text}"
        )


@dataclass(frozen=True, slots=True)
class Option:
    """One setting.

    Attributes:
        type: ``str``, ``int``, ``float``, ``bool``, ``list`` (of strings, or of tables, see ``of``), or ``dict`` (of
            strings by their names).
        help: one line for the form and the docs.
        minimum, maximum: limits of a number, inclusive.
        protocols: the protocols that the option applies to; empty: all that the responder serves.
        check: returns what is wrong with a value, or None. The value has the right type and is within the limits.
        missing: given a value and the workspace's folder, returns what is wrong with the file that the
            value names, or None. May block.
        choices: the valid values of a text; empty: any.
        choice_words: what a form says for each of them; empty: the values themselves.
        helps: what each of the choices means, in their order; empty: their names say it.
        of: for a list of tables, the options of each table.
        each: for a list of tables, given one with its defaults, what is wrong between its options; those that are
            wrong by themselves have their defaults.
        live: whether a running service takes a change of it without a restart.
        required: whether a workspace or form must set the option; the default is not valid then.
        instead: the name of another option that takes the place of this one; only one of the two may be set.
        secret: whether a form hides what is typed.
        path: for a text that names a file or folder: ``"file"``, ``"folder"`` or ``"new file"`` (which is
            written, and need not exist yet). The form offers a button to choose one. One that is outside the
            workspace's folder is part of what the user is asked before a workspace is trusted.
        confined: whether what ``path`` names is refused outside the workspace's folder, so that nobody need be asked.
        admits: whether what is in the file that ``path`` names says who may log in: a workspace is trusted with that
            content.
        address: for a text, or a list of texts, that names a server to connect to, returns the host and port of one.
            Raises PostError.
        outpost: for such a text that may name the service of an outpost instead, returns the names of outpost and
            service; None where it does not.
        multiline: whether a text may have several lines; the form's field is larger then.
        when: the name of another option, and the values of that option for which this option applies.
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
    missing: Callable[[Any, Path], str | None] | None = None
    choices: tuple[str, ...] = ()
    choice_words: tuple[str, ...] = ()
    helps: tuple[str, ...] = ()
    of: tuple[Option, ...] = ()
    each: Callable[[Options], Iterable[Wrong]] | None = None
    live: bool = False
    required: bool = False
    instead: str = ""
    secret: bool = False
    path: str = ""
    confined: bool = False
    admits: bool = False
    address: Callable[[str], tuple[str, int]] | None = None
    outpost: Callable[[str], tuple[str, str] | None] | None = None
    multiline: bool = False
    when: tuple[str, tuple[object, ...]] | None = None

    def problem(self, value: object) -> str | None:
        """What is wrong with ``value``, and what would be valid; None if it is valid."""
        if not self._fits(value):
            return f"must be {self._kind()}, as in {_toml(self.default)}" if not self.of else f"must be {self._kind()}"
        if self.of:
            return next((str(mistake) for mistake in self._mistakes_in(value)), None)
        if self.choices and value not in self.choices:
            return f'"{value}" is unknown. Use one of {", ".join(self.choices)}'
        if isinstance(value, int | float) and not isinstance(value, bool):
            if isinstance(value, float) and not math.isfinite(value):
                return "must be a finite number"
            if self.minimum is not None and value < self.minimum:
                return f"must be at least {self.minimum:.15g}"
            if self.maximum is not None and value > self.maximum:
                return f"must be at most {self.maximum:.15g}"
        return self.check(value) if self.check else None

    def help_of(self, value: object) -> str:
        """What the option is; with ``helps``, what this choice means."""
        known = dict(zip(self.choices, self.helps, strict=True)) if self.helps else {}
        return known.get(str(value), self.help)

    def filled(self, value: Any) -> Any:
        """``value``; if it is a list of tables, with the default for each key that a table lacks."""
        return [with_defaults(self.of, table) for table in value] if self.of else value

    def matters(self, values: Options) -> bool:
        """Whether this option applies, given the ``values`` of the other options (see ``when``)."""
        if self.when is None:
            return True
        name, wanted = self.when
        return name not in values or values[name] in wanted

    def _fits(self, value: object) -> bool:
        if isinstance(value, bool) or self.type is bool:
            return isinstance(value, bool) and self.type is bool
        if self.type is float:
            return isinstance(value, int | float)
        if self.type is list:
            kind = dict if self.of else str
            return isinstance(value, list) and all(isinstance(item, kind) for item in value)
        if self.type is dict:
            return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())
        return isinstance(value, self.type)

    def _kind(self) -> str:
        if self.of:
            return f"tables that hold {', '.join(option.name for option in self.of)}"
        kinds = {
            str: "text",
            int: "a whole number",
            float: "a number",
            bool: "true or false",
            list: "a list of texts",
            dict: "a table of texts",
        }
        return kinds[self.type]

    def mistakes(self, value: Any) -> Iterator[Mistake]:
        """All that is wrong with ``value``, each with its place."""
        if self.of and self._fits(value):
            yield from self._mistakes_in(value)
        elif problem := self.problem(value):
            yield Mistake(self.name, problem, item=self._first_wrong(value))

    def _mistakes_in(self, tables: Any) -> Iterator[Mistake]:
        right = True
        for index, table in enumerate(tables):
            for mistake in self._mistakes_of(index, table):
                right = False
                yield mistake
        # Made for a value that is right otherwise.
        if right and self.check and (text := self.check(tables)):
            yield Mistake(self.name, text)

    def _mistakes_of(self, index: int, table: Options) -> Iterator[Mistake]:
        wrong = set()
        for mistake in mistakes(self.of, table):
            wrong.add(mistake.option)
            yield Mistake(self.name, mistake.text, index, mistake.option, mistake.item)
        if self.each is not None:
            rest = {key: value for key, value in table.items() if key not in wrong}
            for key, item, text in self.each(with_defaults(self.of, rest)):
                yield Mistake(self.name, text, index, key, item)

    def _first_wrong(self, value: Any) -> int | None:
        """The index of the first item with which a list is wrong, taken from its beginning."""
        if self.check is None or not isinstance(value, list) or not self._fits(value):
            return None
        low, high = 0, len(value)
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.check(value[: middle + 1]) else (middle + 1, high)
        return low if low < len(value) else None


def mistakes(declared: Iterable[Option], given: Options) -> Iterator[Mistake]:
    """All that is wrong with ``given``, each with its place; ``problems`` has one for each option."""
    known = {option.name: option for option in declared}
    for key, value in given.items():
        if key in known:
            yield from known[key].mistakes(value)
        else:
            yield Mistake(key, _unknown(known))
    yield from (Mistake(key, text) for key, text in _missing(known, given))


def problems(declared: Iterable[Option], given: Options) -> Iterator[tuple[str, str]]:
    """Key and text for each option in ``given`` that is unknown or wrong, and each required one that is missing.

    So does one that is set beside the other that it stands for.
    """
    known = {option.name: option for option in declared}
    for key, value in given.items():
        if key not in known:
            yield key, _unknown(known)
        elif problem := known[key].problem(value):
            yield key, problem
    yield from _missing(known, given)


def _unknown(known: Iterable[str]) -> str:
    names = ", ".join(known)
    return f"is unknown. Use one of {names}" if names else "is unknown. There is nothing to set"


def _missing(known: Mapping[str, Option], given: Options) -> Iterator[tuple[str, str]]:
    for option in known.values():
        if given.get(option.instead):
            if not option.required and given.get(option.name):
                yield option.name, f"cannot be set beside {option.instead}: leave out one of the two"
        elif option.required and option.name not in given:
            problem = option.problem(option.default)
            yield option.name, f"is missing: it {problem}" if problem else "is missing"


def with_defaults(declared: Iterable[Option], given: Options) -> dict[str, Any]:
    """``given``, with the declared default for each option that is missing."""
    filled = {option.name: option.default for option in declared} | dict(given)
    for option in declared:
        if option.of:
            filled[option.name] = option.filled(filled[option.name])
    return filled


def without_defaults(declared: Iterable[Option], given: Options) -> dict[str, Any]:
    """``given`` without the values that are the defaults of options which need not be set."""
    defaults = {option.name: option.default for option in declared if not option.required}
    return {key: value for key, value in given.items() if key not in defaults or value != defaults[key]}


def live(*options: Option) -> tuple[Option, ...]:
    """These options, which a running service takes."""
    return tuple(replace(option, live=True) for option in options)


def kept(old: Sequence[Options], new: Sequence[Options]) -> list[int | None]:
    """For each table of ``new`` the index of the table in ``old`` that it was; None for one that is new.

    A table that is the same was moved; one that is not was edited if it stands in the place of one that is gone.
    """
    places: dict[str, list[int]] = {}
    for index, table in reversed(list(enumerate(old))):
        places.setdefault(_written(table), []).append(index)
    found = [here.pop() if (here := places.get(_written(table))) else None for table in new]
    gone = {*range(len(old))} - {*found}
    return [index if index is not None or place not in gone else place for place, index in enumerate(found)]


def _written(table: Options) -> str:
    return json.dumps(table, sort_keys=True)


def _toml(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
