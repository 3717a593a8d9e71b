"""What differs between two workspace files, by the names of services."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.services.protocols import PROTOCOLS
from app.workspace import toml_lines


@dataclass(frozen=True, slots=True)
class Differences:
    """Names of services and programs, and whether anything else differs: saved messages, the order."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    others: bool = False


def differences(before: str, after: str) -> Differences:
    """What ``after`` has of its own. A text that is not TOML has nothing."""
    old, new = _read(before), _read(after)
    services, wanted = _services(old), _services(new)
    rest, others = (
        {key: value for key, value in one.items() if key not in ("service", "program", "version")} for one in (old, new)
    )
    kept = [name for name in wanted if name in services]
    return Differences(
        tuple(name for name in wanted if name not in services),
        tuple(name for name in services if name not in wanted),
        tuple(name for name in kept if services[name] != wanted[name]),
        rest != others or kept != [name for name in services if name in wanted],
    )


def _read(text: str) -> Mapping[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        return toml_lines.loads(text)
    return {}


def _services(file: Mapping[str, Any]) -> dict[str, Any]:
    """Services and programs, which have names of their own, as ``[[service]]`` and ``[[program]]`` have them."""
    tables = [*_tables(file, "service"), *_tables(file, "program")]
    return {str(table.get("name", "")): _filled(table) for table in tables}


def _tables(file: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    tables = file.get(key, [])
    return [table for table in tables if isinstance(table, dict)] if isinstance(tables, list) else []


def _filled(table: Mapping[str, Any]) -> dict[str, Any]:
    """With the defaults that authors leave out, and without tables that say nothing."""
    protocol = table.get("protocol")
    known = PROTOCOLS.get(protocol) if isinstance(protocol, str) else None
    defaults = {"autostart": False, "responder": known.default if known else ""}
    return defaults | {key: value for key, value in table.items() if value != {} or key == "tls"}
