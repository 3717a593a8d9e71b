"""The formats that a capture can be exported to: one small module for each, found by its name.

A module holds ``EXPORTER``. Its ``write`` takes events, oldest first, and a binary file; it
keeps nothing of events that are over, so that memory does not grow with the capture.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

from app.events import Event

if TYPE_CHECKING:
    from app.http.exchange import Exchange


def _every(_: Exchange) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an exporter is told beside the events.

    Attributes:
        wants: whether an exchange is to be written; others are read because they share its connection.
        twins: connections that the program opened to one of its own services, with the same connection as
            that service has it. Both hold the same bytes between the same addresses.
    """

    wants: Callable[[Exchange], bool] = _every
    twins: Mapping[int, int] = field(default_factory=dict)


ALL = Chosen()


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format.

    Attributes:
        name: as on the command line, and the module's.
        title: as people say it.
        suffix: of the file, with its dot.
        help: one line.
        write: given events, oldest first, and the file. Returns how many units it has written.
        unit, units: what the file consists of: one, and several.
        exchanges: whether it writes exchanges; it is given all events of their connections then.
        one_side: whether it wants to know which connections it is given twice.
    """

    name: str
    title: str
    suffix: str
    help: str
    write: Callable[[Iterable[Event], BinaryIO, Chosen], int]
    unit: str
    units: str
    exchanges: bool = False
    one_side: bool = False


@cache
def names() -> tuple[str, ...]:
    """The names of all formats, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find(name: str) -> Exporter | None:
    """The exporter of that name, or None."""
    if name not in names():
        return None
    exporter: Exporter = import_module(f"{__name__}.{name}").EXPORTER
    return exporter


def for_suffix(suffix: str) -> Exporter | None:
    """The exporter whose files end in ``suffix``, or None."""
    return next((e for name in names() if (e := find(name)) and e.suffix == suffix.lower()), None)
