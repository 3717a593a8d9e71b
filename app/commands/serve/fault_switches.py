"""What ``listening-post serve --fault NAME=on`` changes in a workspace, for one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app.commands import errors
from app.faults.tables import named
from app.programs.config import ProgramConfig
from app.programs.port_faults import PORT
from app.services.config import ServiceConfig
from app.workspace.reading import Workspace

Switch = tuple[str, bool]
"""The name of a fault, or SERVICE/NAME, and whether it acts from the start."""

Words = tuple[str, ...]
"""All that means one fault, the longest last."""


def switched(workspace: Workspace, switches: Iterable[Switch]) -> Workspace:
    """The workspace with these faults on or off from the start; of two words about one fault, the last one counts.

    A name means the faults of that name in all services and programs; PROGRAM/NAME those on all ports of a program,
    and PROGRAM/PORT/NAME the one. Raises UnknownFaultError.
    """
    words = [*map(_of_service, workspace.services), *map(_of_program, workspace.programs)]
    wanted: dict[tuple[int, int], bool] = {}
    for text, on in switches:
        meant = [(i, j) for i, own in enumerate(words) for j, all_words in enumerate(own) if text in all_words]
        if not meant:
            raise errors.UnknownFaultError(name=text, known=_known(words))
        wanted |= dict.fromkeys(meant, on)

    def tables_of(i: int, owner: ServiceConfig | ProgramConfig) -> tuple[Mapping[str, Any], ...]:
        return tuple(
            {**table, "enabled": wanted[i, j]} if (i, j) in wanted else table for j, table in enumerate(owner.faults)
        )

    services = tuple(replace(one, faults=tables_of(i, one)) for i, one in enumerate(workspace.services))
    programs = tuple(replace(one, faults=tables_of(i, one)) for i, one in enumerate(workspace.programs, len(services)))
    return replace(workspace, services=services, programs=programs)


def _of_service(service: ServiceConfig) -> list[Words]:
    return [(name, f"{service.name}/{name}") for name, _ in named(service.faults)]


def _of_program(program: ProgramConfig) -> list[Words]:
    """A fault without a name has one for its port, as when it acts there."""
    ports = [table[PORT] for table in program.faults]
    names = {
        port: iter(named([table for table in program.faults if table[PORT] == port])) for port in dict.fromkeys(ports)
    }
    own = [(port, next(names[port])[0]) for port in ports]
    return [(name, f"{program.name}/{name}", f"{program.name}/{port}/{name}") for port, name in own]


def _known(words: Iterable[Iterable[Words]]) -> str:
    found = [every[-1] for own in words for every in own]
    return f"It has {', '.join(found)}" if found else "It has none: they are tables [[service.fault]]"
