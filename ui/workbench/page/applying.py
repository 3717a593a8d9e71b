"""What of a changed configuration a running service takes at once, and what needs a restart. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from app import responders
from app.faults import tables
from app.options import Mistake, Option, mistakes
from app.services import settings
from app.services.config import ServiceConfig
from app.services.protocols import options_of

SECTIONS = tuple(settings.SECTIONS)


def unknown(config: ServiceConfig) -> bool:
    """Whether the options cannot be checked, because the plugin with the responder is not loaded."""
    found = responders.find(config.responder)
    return found is None or found.missing is not None


def mistakes_of(config: ServiceConfig) -> dict[str, tuple[Mistake, ...]]:
    """All that is wrong, by section: ``options``, and those of ``settings.SECTIONS``."""
    found: dict[str, tuple[Mistake, ...]] = {}
    if not unknown(config):
        declared = options_of(responders.find(config.responder), config.protocol)
        found["options"] = tuple(mistakes(declared, config.options))
    for section in SECTIONS:
        given = getattr(config, section)
        if given is not None:
            found[section] = tuple(mistakes(settings.declared(section, config.protocol), given))
    return found


def fault_mistakes(config: ServiceConfig) -> list[tuple[int, str, str]]:
    """What is wrong with its faults: index, option ("" for the fault as a whole), text."""
    return list(tables.problems(config.faults, config.protocol, tls=config.tls is not None))


def live_part(served: ServiceConfig, wanted: ServiceConfig) -> ServiceConfig:
    """``served`` with what of ``wanted`` a running service takes without a restart."""
    part = replace(served, autostart=wanted.autostart, faults=wanted.faults, restart=wanted.restart)
    if (served.protocol, served.responder) != (wanted.protocol, wanted.responder):
        return part
    declared = options_of(responders.find(served.responder), served.protocol)
    limits = settings.declared("limits", served.protocol)
    return replace(
        part,
        options=_with_live(declared, served.options, wanted.options),
        limits=_with_live(limits, served.limits, wanted.limits),
    )


def _with_live(declared: Iterable[Option], old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    live = {option.name for option in declared if option.live}
    kept = {name: value for name, value in old.items() if name not in live}
    return kept | {name: value for name, value in new.items() if name in live}
