"""The formats that a capture can be exported to: one small module for each, found by its name.

A module holds ``EXPORTER``. Its ``write`` takes events, oldest first, and a binary file; it
keeps nothing of events that are over, so that memory does not grow with the capture.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import BinaryIO

from app.events import Event


@dataclass(frozen=True, slots=True)
class Exporter:
    """One format.

    Attributes:
        name: as on the command line, and the module's.
        title: as people say it.
        suffix: of the file, with its dot.
        help: one line.
    """

    name: str
    title: str
    suffix: str
    help: str
    write: Callable[[Iterable[Event], BinaryIO], None]


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
