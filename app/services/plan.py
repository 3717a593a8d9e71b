"""What is to be done with services when a workspace is changed into another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.services.config import ServiceConfig


@dataclass(frozen=True)
class Plan:
    """What is to be done with services, by the names that they have now.

    Attributes:
        gone: are there no more.
        kept: are there, perhaps under another name, with the configurations that they get.
        regrouped: of these, those that serve as before: only what the window shows of them has changed.
        changed: of these, those that serve otherwise.
        moved: of these, those that get another address.
    """

    gone: tuple[str, ...]
    kept: Mapping[str, ServiceConfig]
    regrouped: tuple[str, ...]
    changed: tuple[str, ...]
    moved: tuple[str, ...]


def plan(now: Iterable[ServiceConfig], wanted: Sequence[ServiceConfig], renamed: Mapping[str, str]) -> Plan:
    """Compare services with those that are ``wanted``; ``renamed`` has the new names by the old ones."""
    there = {config.name: config for config in now}
    names = {renamed.get(name, name): name for name in there}
    kept = {names[config.name]: config for config in wanted if config.name in names}
    others = [name for name, config in kept.items() if config != there[name]]
    regrouped = tuple(name for name in others if kept[name].serves_as(there[name]))
    changed = tuple(name for name in others if name not in regrouped)
    return Plan(
        gone=tuple(name for name in there if name not in kept),
        kept=kept,
        regrouped=regrouped,
        changed=changed,
        moved=tuple(name for name in changed if _place(there[name]) != _place(kept[name])),
    )


def _place(config: ServiceConfig) -> tuple[str, str]:
    return config.protocol, config.listen
