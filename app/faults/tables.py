"""The tables ``[[service.fault]]`` of a workspace: what they may hold, and what is wrong with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from app import faults, options
from app.faults.when import CONDITIONS, contradictions
from app.options import Mistake, Option, Options, with_defaults

MAX_FAULTS = 100
"""Faults of one service."""

FAULT = "fault"
"""The key of a service under which a workspace has its faults: ``[[service.fault]]``."""

MAX_NAME = 60
"""Most characters of the name of a fault, which stands in each of its events."""


def _name_problem(name: str) -> str | None:
    if len(name) > MAX_NAME or not name.isprintable() or name != name.strip():
        return f"must be one line of at most {MAX_NAME} characters, without spaces around it"
    return None


NAME = Option(
    "name", str, "", "Name in events, commands and the window; empty: the kind of the fault", check=_name_problem
)


def options_of(kind: faults.FaultKind, protocol: str) -> tuple[Option, ...]:
    """What a table of this kind may hold, for a service of ``protocol``."""
    fixed = (
        NAME,
        Option("kind", str, kind.name, "Kind of the fault", required=True, choices=faults.names()),
        Option(
            "on",
            str,
            kind.sides[0],
            "Where the fault acts: on what is received, on what is sent, or when a client connects",
            choices=kind.sides,
        ),
    )
    own = (*kind.options, *CONDITIONS)
    fitting = (option for option in own if not option.protocols or protocol in option.protocols)
    return (*fixed, *(replace(option, live=True) for option in fitting))


def named(tables: Iterable[Options]) -> list[tuple[str, Options]]:
    """Each table with its fault's name: that of the kind for one that has none, with a number from the second on."""
    found: list[tuple[str, Options]] = []
    taken = {table["name"] for table in tables if table.get("name")}
    for table in tables:
        name = table.get("name") or table["kind"]
        number = 1
        while not table.get("name") and name in taken:
            number += 1
            name = f"{table['kind']} {number}"
        taken.add(name)
        found.append((name, table))
    return found


def identities(tables: Iterable[Options]) -> list[str]:
    """What the draws of each fault depend on beside the seed: its name, else what it does and when.

    So that no other fault, added before it or taken away, changes them. Only exact twins are told apart by a number.
    """
    found, counts = [], Counter[str]()
    for table in tables:
        identity = table.get("name") or _content(table)
        counts[identity] += 1
        found.append(identity if counts[identity] == 1 else f"{identity}\0{counts[identity]}")
    return found


_SWITCHES = ("kind", "enabled", "ttl_seconds", "seed")
"""What says neither what a fault does nor when, or is told apart otherwise."""


def _content(table: Options) -> str:
    """Whatever the order and the type of its figures, and whether defaults are written out."""
    kind = faults.find(table["kind"])
    declared = (*kind.options, *CONDITIONS) if kind is not None else CONDITIONS
    neutral: dict[str, Any] = {option.name: option.default for option in declared}
    if kind is not None:
        neutral["on"] = kind.sides[0]
    own = {
        key: int(value) if isinstance(value, float) and value.is_integer() else value
        for key, value in table.items()
        if key not in _SWITCHES and not (key in neutral and value == neutral[key])
    }
    return f"{table['kind']}\0{json.dumps(own, sort_keys=True, default=str)}"


def problems(tables: Sequence[Options], protocol: str, *, tls: bool) -> Iterator[tuple[int, str, str]]:
    """Index, key ("" for the table) and text of each thing that is wrong."""
    for mistake in mistakes(tables, protocol, tls=tls):
        yield mistake.table or 0, mistake.key, mistake.text


def mistakes(tables: Sequence[Options], protocol: str, *, tls: bool) -> Iterator[Mistake]:
    """All that is wrong with the option ``fault``, a list of tables, each with its place."""
    if len(tables) > MAX_FAULTS:
        yield Mistake(FAULT, f"is one too many: a service has {MAX_FAULTS} faults at most", MAX_FAULTS)
        return
    names: dict[str, int] = {}
    for index, table in enumerate(tables):
        for mistake in _mistakes(table, protocol, tls=tls):
            yield Mistake(FAULT, mistake.text, index, mistake.option, mistake.item)
        name = table.get("name")
        if isinstance(name, str) and name:
            if name in names:
                yield Mistake(FAULT, f'"{name}" is already the name of fault number {names[name] + 1}', index, "name")
            names.setdefault(name, index)


def _mistakes(table: Options, protocol: str, *, tls: bool) -> Iterator[Mistake]:
    kind = table.get("kind")
    if not faults.fitting(protocol):
        yield Mistake("kind", f"is not for {protocol}, whose services have no faults")
        return
    known = ", ".join(kind.name for kind in faults.fitting(protocol))
    if not isinstance(kind, str):
        wrong = "must be text" if "kind" in table else "is missing"
        yield Mistake("kind", f"{wrong}. Use one of {known}")
        return
    found = faults.find(kind)
    if found is None:
        yield Mistake("kind", f'"{kind[:MAX_NAME]}" is unknown. Use one of {known}')
        return
    if protocol not in found.protocols:
        yield Mistake("kind", f'"{kind}" is not for {protocol}. Use one of {known}')
        return
    if found.missing:
        return  # its options are known when its plugin is loaded; the service checks them then
    if found.tls and not tls:
        yield Mistake("kind", f'"{kind}" needs TLS, which this service does not have: add [service.tls]')
    declared = options_of(found, protocol)
    names = {option.name for option in declared}
    wrong_keys = False
    for mistake in options.mistakes(declared, table):
        wrong_keys = True
        if mistake.option == "on" and table.get("on") in (faults.CONNECT, faults.RECEIVED, faults.SENT):
            text = f'"{table["on"]}" is not for "{kind}". Use {" or ".join(found.sides)}'
            yield Mistake("on", text)
        else:
            known_key = mistake.option in names
            yield mistake if known_key else Mistake(mistake.option, _unknown(mistake.option, found, protocol))
    if not wrong_keys:
        values = with_defaults(declared, table)
        yield from contradictions(values, values["on"])
        yield from _contradictions_of(found, values, protocol)


def _contradictions_of(kind: faults.FaultKind, values: Options, protocol: str) -> Iterator[Mistake]:
    try:
        yield from kind.check(values, protocol, values["on"]) if kind.check is not None else ()
    except Exception as e:  # of a plugin
        yield Mistake("kind", f'"{kind.name}" cannot check its options: {type(e).__name__}: {e}')


def _unknown(key: str, kind: faults.FaultKind, protocol: str) -> str:
    """What is said of a key that this kind does not have on ``protocol``."""
    everywhere = (*kind.options, *CONDITIONS)
    elsewhere = next((option.protocols for option in everywhere if option.name == key), ())
    if elsewhere:
        return f"is for {' and '.join(elsewhere)}, not for {protocol}"
    own = ", ".join(option.name for option in kind.options if not option.protocols or protocol in option.protocols)
    has = f"{own}; and, as every fault, " if own else ""
    others = [name for name in faults.names() if _has(faults.find(name), key)]
    of = f"is an option of {', '.join(others)}, not" if others else "is not an option"
    common = ", ".join(
        option.name for option in (NAME, *CONDITIONS) if not option.protocols or protocol in option.protocols
    )
    return f'{of} of "{kind.name}". It has {has}on, {common}'


def _has(kind: faults.FaultKind | None, key: str) -> bool:
    return kind is not None and any(option.name == key for option in kind.options)
