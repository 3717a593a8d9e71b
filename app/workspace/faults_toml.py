"""Faults of a service as text, to be copied and pasted: tables of TOML, as a workspace has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.faults.tables import problems
from app.options import Options
from app.text.escapes import amount
from app.workspace import errors, toml_lines
from app.workspace.rules_toml import MAX_PROBLEMS, MAX_SIZE, tables_to_toml

HEADER = "[[service.fault]]"


def faults_to_toml(faults: Sequence[Options]) -> str:
    """The faults as tables ``[[service.fault]]``, with the keys that they have."""
    return tables_to_toml(HEADER, faults)


def faults_from_toml(source: str, protocol: str) -> tuple[dict[str, Any], ...]:
    """The faults in a text, checked for a service of ``protocol``.

    They may be tables ``[[service.fault]]``, ``[[fault]]``, all of a workspace, or the keys of one fault alone.
    Raises FaultsUnreadableError.
    """
    if len(source) > MAX_SIZE:
        raise errors.FaultsUnreadableError(problems=f"The text is larger than {amount(MAX_SIZE)}.")
    try:
        data = toml_lines.loads(source)
    except toml_lines.NotTOMLError as e:
        raise errors.FaultsUnreadableError(problems=f"Line {e.line}: {e}.") from e
    found = _faults(data)
    if not found or not all(isinstance(table, dict) for table in found):
        raise errors.FaultsUnreadableError(problems=f"There are none in the text: write {HEADER} before each.")
    wrong = [
        f"Number {index + 1}: {f'{key} {text}'.strip().rstrip('.')}."
        for index, key, text in problems(found, protocol, tls=True)
    ]
    if wrong:
        raise errors.FaultsUnreadableError(problems=" ".join(wrong[:MAX_PROBLEMS]))
    return tuple(found)


def _faults(data: dict[str, Any]) -> list[Any]:
    if "kind" in data:
        return [data]
    services = data.get("service", [])
    services = services if isinstance(services, list) else [services]
    owners = [data, *(service for service in services if isinstance(service, dict))]
    return [table for owner in owners for table in _listed(owner.get("fault", []))]


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]
