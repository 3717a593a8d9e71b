"""A fault as it is written on a command line: ``kind=reset, nth=2, match="PAY, twice"``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app import faults
from app.commands.errors import SendUsageError
from app.faults.tables import options_of, problems
from app.options import Option, Options

_PART = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^",]*)\s*(,|$)')
"""A name, what follows the equals sign, and what ends it."""

_NUMBERS = {int: "a whole number", float: "a number"}


def tables(texts: Sequence[str], protocol: str) -> tuple[Options, ...]:
    """The tables of faults for connections that we open by ``protocol``. Raises SendUsageError."""
    # To a fault, a client of HTTP or WebSocket is one of TCP: it has no answers and no messages of its own.
    level = "udp" if protocol == "udp" else "tcp"
    found = [_table(text, level) for text in texts]
    for index, key, wrong in problems(found, level, tls=False):
        raise _wrong(texts[index], f"{key} {wrong}")
    return tuple(found)


def _table(text: str, protocol: str) -> Options:
    parts = dict(_parts(text))
    kind = faults.find(parts.get("kind", ""))
    if kind is None or protocol not in kind.protocols:
        return parts  # ``problems`` says which there are
    declared = {option.name: option for option in options_of(kind, protocol)}
    table = {}
    for name, value in parts.items():
        if name not in declared:
            raise _wrong(text, f"{name} is unknown. {kind.name} has {', '.join(declared)}")
        table[name] = _value(text, declared[name], value)
    if kind.tls:
        raise _wrong(text, f"{kind.name} is for services: it acts on the TLS of a server")
    if kind.shuts is not None and kind.shuts({o.name: table.get(o.name, o.default) for o in kind.options}, protocol):
        but = "" if protocol == "udp" else "; how=reset is for clients, too"
        raise _wrong(text, f"{kind.name} is for services: it acts on their port{but}")
    return table


def _parts(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text) or not place:
        part = _PART.match(text, place)
        if part is None:
            rest = text[place:].strip() or "it"
            raise _wrong(text, f'{rest} is no NAME=VALUE. Separate them by commas; a value with a comma stands in "…"')
        name, value, _ = part.groups()
        yield name, value[1:-1].replace('\\"', '"') if value.startswith('"') else value.strip()
        place = part.end()


def _value(text: str, option: Option, value: str) -> Any:
    if option.type is list:
        return value.split()
    if option.type is bool:
        if value not in ("true", "false"):
            raise _wrong(text, f"{option.name} must be true or false")
        return value == "true"
    if option.type is str:
        return value
    try:
        return option.type(value)
    except ValueError:
        raise _wrong(text, f"{option.name} must be {_NUMBERS[option.type]}") from None


def _wrong(text: str, reason: str) -> SendUsageError:
    return SendUsageError(reason=f"--fault {text}: {reason.removesuffix('.')}")
