"""The tables ``[[service.fault]]`` of a workspace: what they may hold, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from app import faults
from app.faults.when import CONDITIONS, contradictions
from app.options import Mistake, Option, Options, mistakes, with_defaults

MAX_FAULTS = 100
"""Faults of one service."""

NAME = Option("name", str, "", "What events, commands and the window call it; empty: its kind")


def options_of(kind: faults.FaultKind, protocol: str) -> tuple[Option, ...]:
    """What a table of this kind may hold, for a service of ``protocol``."""
    fixed = (
        NAME,
        Option("kind", str, kind.name, "What it does", required=True, choices=faults.names()),
        Option("on", str, kind.sides[0], "Which side it acts on", choices=kind.sides),
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


def problems(tables: Sequence[Options], protocol: str, *, tls: bool) -> Iterator[tuple[int, str, str]]:
    """Index, key ("" for the table) and text of each thing that is wrong."""
    if len(tables) > MAX_FAULTS:
        yield MAX_FAULTS, "", f"is one too many: a service has {MAX_FAULTS} faults at most"
        return
    names: dict[str, int] = {}
    for index, table in enumerate(tables):
        for mistake in _mistakes(table, protocol, tls=tls):
            yield index, mistake.option, str(mistake)
        name = table.get("name")
        if isinstance(name, str) and name:
            if name in names:
                yield index, "name", f'"{name}" is the name of fault number {names[name] + 1}, too'
            names.setdefault(name, index)


def _mistakes(table: Options, protocol: str, *, tls: bool) -> Iterator[Mistake]:
    kind = table.get("kind")
    known = ", ".join(kind.name for kind in faults.fitting(protocol))
    if not isinstance(kind, str):
        wrong = "must be text" if "kind" in table else "is missing"
        yield Mistake("kind", f"{wrong}. Use one of {known}")
        return
    found = faults.find(kind)
    if found is None:
        yield Mistake("kind", f'"{kind}" is unknown. Use one of {known}')
        return
    if protocol not in found.protocols:
        yield Mistake("kind", f'"{kind}" is not for {protocol}. Use one of {known}')
        return
    if found.tls and not tls:
        yield Mistake("kind", f'"{kind}" needs TLS, which this service does not have: add [service.tls]')
    declared = options_of(found, protocol)
    right = True
    for mistake in mistakes(declared, table):
        right = False
        yield mistake
    if right:
        values = with_defaults(declared, table)
        yield from contradictions(values, values["on"])
        if found.check is not None:
            yield from found.check(values, protocol, values["on"])
