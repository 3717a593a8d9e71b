"""Faults of the ports of a hosted program: tables ``[[program.fault]]``, each with the port that it is for.

A program opens its ports itself, so that a table says which of them it means: ``port = "Echo:8000"`` as the list of
services has it, ``"8000"`` or ``"Echo"`` alone, or ``"outgoing"`` for what the program connects to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from app.faults import built_in, find, fitting
from app.faults.tables import FAULT, problems
from app.faults.tables import mistakes as fault_mistakes
from app.options import Mistake, Options, kept

PORT = "port"
"""The key of a table that says which port is meant; all others are those of ``[[service.fault]]``."""

MAX_PORT = 200
"""Characters of that; the path of a UNIX socket has 107."""

MAX_FAULTS = 200
"""Faults of one program."""

Tables = tuple[Mapping[str, Any], ...]


def without_port(table: Options) -> dict[str, Any]:
    """The fault as a service has it."""
    return {key: value for key, value in table.items() if key != PORT}


def _is_for(table: Options, name: str) -> bool:
    factory, _, where = name.partition(":")
    return table[PORT] in (name, factory, where)


def of_port(tables: Sequence[Options], name: str, protocol: str) -> Tables:
    """The faults of the port called ``name``, as a service has them. Those that its protocol cannot have stay out."""
    meant = tuple(without_port(table) for table in tables if _is_for(table, name))
    return tuple(table for table in meant if not any(problems([table], protocol, tls=False)))


def put(tables: Sequence[Options], name: str, protocol: str, wanted: Sequence[Options], lasting: str = "") -> Tables:
    """The tables of a program whose port ``name`` is to have ``wanted``.

    Those that are edited stay for the ports that they were for; what is new is for this port, under the name
    ``lasting``, if it has another one in each run.
    """
    mine = [table for table in tables if _is_for(table, name) and of_port([table], name, protocol)]
    places = kept([without_port(table) for table in mine], wanted)
    new = [
        {PORT: lasting or name if place is None else mine[place][PORT], **table}
        for place, table in zip(places, wanted, strict=True)
    ]
    at = next((n for n, table in enumerate(tables) if table in mine), len(tables))
    before = [table for table in tables[:at] if table not in mine]
    return (*before, *new, *(table for table in tables[at:] if table not in mine))


def mistakes(given: object) -> Iterator[Mistake]:
    """All that is wrong with the tables of a program, each with its place."""
    if not isinstance(given, list | tuple) or not all(isinstance(table, Mapping) for table in given):
        yield Mistake(FAULT, "must be tables that begin with [[program.fault]]")
        return
    if len(given) > MAX_FAULTS:
        yield Mistake(FAULT, f"is one too many: a program has at most {MAX_FAULTS} faults", MAX_FAULTS)
        return
    ports: dict[object, list[int]] = {}
    for index, table in enumerate(given):
        port = table.get(PORT)
        kind = find(str(table.get("kind")))
        if kind is not None and kind.tls:
            text = f'"{kind.name}" works only with services: a program does its own TLS'
            yield Mistake(FAULT, text, index, "kind")
        elif kind is not None and kind.name not in built_in():
            fit = (one.name for one in built_in().values() if not one.tls and {"tcp", "udp"} & {*one.protocols})
            text = f'"{kind.name}" is of a plugin, which no program loads: it acts in services alone. Use one of '
            yield Mistake(FAULT, text + ", ".join(fit), index, "kind")
        elif wrong := _port_problem(table):
            yield Mistake(FAULT, wrong, index, PORT)
        else:
            ports.setdefault(port, []).append(index)
    for places in ports.values():
        of_one = [without_port(given[place]) for place in places]
        for mistake in fault_mistakes(of_one, _protocol_of(of_one), tls=True):
            place = None if mistake.table is None else places[mistake.table]
            yield Mistake(FAULT, mistake.text, place, mistake.key, mistake.item)


def _protocol_of(tables: Sequence[Options]) -> str:
    """The protocol that the port of these faults must have: datagrams where a kind is for them alone."""
    streams = {kind.name for kind in fitting("tcp")}
    datagrams = {kind.name for kind in fitting("udp")}
    kinds = {str(table.get("kind")) for table in tables}
    return "udp" if kinds <= datagrams and not kinds <= streams else "tcp"


def _port_problem(table: Options) -> str | None:
    port = table.get(PORT)
    if port is None:
        return 'is missing. Name the port: port = "Echo:8000", "8000", "Echo" or "outgoing"'
    if not isinstance(port, str) or not port.strip():
        return 'must be text, as in port = "Echo:8000"'
    if len(port) > MAX_PORT or not port.isprintable():
        return f"must be one line of at most {MAX_PORT} characters, none of them invisible"
    return None
