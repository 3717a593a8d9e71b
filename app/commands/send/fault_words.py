"""A fault as it is written on a command line: ``kind=reset, nth=2, match="PAY, twice"``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app import faults
from app.commands.errors import SendUsageError
from app.faults.tables import options_of
from app.options import Option, Options
from app.sending.faults import level, only_for_services, problems

_PART = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^",]*)\s*(,|$)')
"""A name, what follows the equals sign, and what ends it."""

_NUMBERS = {int: "a whole number", float: "a number"}


def tables(texts: Sequence[str], protocol: str) -> tuple[Options, ...]:
    """The tables of faults for connections that we open by ``protocol``. Raises SendUsageError."""
    found = [_table(text, level(protocol)) for text in texts]
    for mistake in problems(found, protocol):
        raise _wrong(texts[mistake.table or 0], f"{mistake.key} {mistake.text}")
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
    own = {option.name: table[option.name] for option in kind.options if option.name in table}
    if why := only_for_services(kind, own, protocol):
        raise _wrong(text, why)
    return table


def _parts(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text) or not place:
        part = _PART.match(text, place)
        if part is None:
            rest = text[place:].strip() or "it"
            raise _wrong(
                text, f'{rest} is not NAME=VALUE. Separate the options by commas; a value with a comma stands in "…"'
            )
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
