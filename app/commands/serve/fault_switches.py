"""What ``listening-post serve --fault NAME=on`` changes in a workspace, for one run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.commands import errors
from app.faults.tables import named
from app.workspace.reading import Workspace

Switch = tuple[str, bool]
"""The name of a fault, or SERVICE/NAME, and whether it acts from the start."""


def switched(workspace: Workspace, switches: Iterable[Switch]) -> Workspace:
    """The workspace with these faults on or off from the start; of two words about one fault, the last one counts.

    A name means the faults of that name in all services. Raises UnknownFaultError.
    """
    services = workspace.services
    names = [[name for name, _ in named(service.faults)] for service in services]
    wanted: dict[tuple[int, int], bool] = {}
    for text, on in switches:
        meant = [
            (i, j)
            for i, service in enumerate(services)
            for j, name in enumerate(names[i])
            if text in (name, f"{service.name}/{name}")
        ]
        if not meant:
            raise errors.UnknownFaultError(name=text, known=_known(workspace, names))
        wanted |= dict.fromkeys(meant, on)
    changed = []
    for i, service in enumerate(services):
        tables = tuple(
            {**table, "enabled": wanted[i, j]} if (i, j) in wanted else table for j, table in enumerate(service.faults)
        )
        changed.append(replace(service, faults=tables))
    return replace(workspace, services=tuple(changed))


def _known(workspace: Workspace, names: list[list[str]]) -> str:
    found = [f"{service.name}/{name}" for service, own in zip(workspace.services, names, strict=True) for name in own]
    return f"It has {', '.join(found)}" if found else "It has none: they are tables [[service.fault]]"
