"""Changes of the faults of services, as steps that can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PyQt5.QtCore import QObject

from app.faults import presets
from app.faults.presets import Preset
from app.faults.tables import problems
from app.options import Options
from app.programs import port_faults
from app.programs.programs import Programs
from app.services.config import ServiceConfig
from ui.edits import Edits
from ui.looks.declared import in_words


class FaultChanges(QObject):
    """Changes what the workspace has. Switches, and faults by hand, are of the running service, and no changes.

    Those of the port of a hosted program are the program's, ``app.programs.port_faults``.
    """

    def __init__(self, edits: Edits, parent: QObject, programs: Programs) -> None:
        super().__init__(parent)
        self._edits, self._programs = edits, programs

    def config(self, service: str) -> ServiceConfig | None:
        """What the workspace has of a service; of the port of a program, what that has."""
        port = self._programs.port(service)
        if port is not None:
            tables = next((one.faults for one in self._edits.state.programs if one.name == port.config.group), ())
            return replace(port.config, faults=port_faults.of_port(tables, port.short, port.config.protocol))
        return next((config for config in self._edits.state.services if config.name == service), None)

    def _put(self, config: ServiceConfig, words: str, merge: str = "") -> None:
        port = self._programs.port(config.name)
        if port is None:
            self._edits.replace(config.name, config, words, merge)
            return
        programs = [
            replace(one, faults=port_faults.put(one.faults, port.short, config.protocol, config.faults, port.lasting))
            if one.name == config.group
            else one
            for one in self._edits.state.programs
        ]
        self._edits.set_programs(programs, words, merge)

    def set_figure(self, service: str, at: int, name: str, value: Any) -> str:
        """Give an option of the fault number ``at``, from 0, another value. Returns why not; "": it has it."""
        config = self.config(service)
        if config is None or at >= len(config.faults):
            return ""
        tables = list(config.faults)
        tables[at] = {**tables[at], name: value}
        if wrong := problem(tables, config, at):
            return wrong
        words = self.tr("{option} of a fault of “{name}”").format(option=name, name=service)
        merge = f"{service} fault {at} {name}"
        self._put(replace(config, faults=tuple(tables)), words, merge)
        return ""

    def put(self, service: str, tables: Sequence[Options]) -> None:
        """Give a service, or a port, these faults, which must be right."""
        config = self.config(service)
        if config is not None and tuple(config.faults) != tuple(tables):
            self._put(replace(config, faults=tuple(tables)), self.tr("faults of “{name}”").format(name=service))

    def put_preset(self, service: str, preset: Preset | None) -> str:
        """Give a service the faults of a network in the place of another's. Returns why not; "": it has them."""
        config = self.config(service)
        if config is None:
            return ""
        tables = presets.replaced(config.faults, preset, config.protocol)
        if wrong := problem(tables, config):
            return wrong
        words = self.tr("network of “{name}”").format(name=service)
        if preset is not None:
            words = self.tr("network {network} for “{name}”").format(network=in_words(preset.name), name=service)
        self._put(replace(config, faults=tables), words)
        return ""

    def set_seed(self, service: str, seed: int) -> bool:
        """Have a service draw by this seed; it starts again. False where it does already, or is gone."""
        config = self.config(service)
        if config is None or config.seed == seed or self._programs.port(service) is not None:
            return False
        words = self.tr("seed of “{name}”").format(name=service)
        self._put(replace(config, seed=seed), words)
        return True


def problem(tables: Sequence[Options], config: ServiceConfig, at: int | None = None) -> str:
    """What is wrong with the faults of a service, or with the one number ``at``; "": nothing."""
    found = problems(tables, config.protocol, tls=config.tls is not None)
    return next((f"{key} {text}".strip() for index, key, text in found if at in (None, index)), "")
