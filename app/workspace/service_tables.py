"""Reads the tables ``[[service]]`` of a workspace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app import faults
from app.faults import tables as fault_tables
from app.services import address
from app.services.config import ServiceConfig
from app.services.errors import InvalidAddressError
from app.services.protocols import PROTOCOLS
from app.services.settings import OPTIONAL, SECTIONS
from app.workspace import readiness, service_checks
from app.workspace.problems import Problems

_KEYS = ("name", "protocol", "listen", "responder", "autostart", "group", "seed", "options", "fault", *SECTIONS)


def _with_pings_among_limits(service: dict[str, Any]) -> dict[str, Any]:
    """The table of a service; earlier builds had the pings of WebSocket among its options."""
    given, limits = service.get("options"), service.get("limits", {})
    if service.get("protocol") != "websocket" or not isinstance(given, dict) or not isinstance(limits, dict):
        return service
    moved = {key: value for key, value in given.items() if key in ("ping_seconds", "ping_timeout")}
    if not moved:
        return service
    rest = {key: value for key, value in given.items() if key not in moved}
    return {**service, "options": rest, "limits": {**moved, **limits}}


class ServiceTables:
    """Reads one table after the other, and reports what is wrong.

    Args:
        folder: the folder of the file; None: whether what a service needs is there is not looked at.
    """

    def __init__(self, problems: Problems, folder: Path | None) -> None:
        self._problems, self._folder = problems, folder

    def read(self, i: int, table: dict[str, Any]) -> ServiceConfig | None:
        """The service number ``i``, from 0; None where something of it is wrong."""
        before = len(self._problems.found)
        table = _with_pings_among_limits(table)
        for key in table:
            if key not in _KEYS:
                self._problems.add(i, key, f"is unknown. A service has {', '.join(_KEYS)}")
        name = self._text(i, table, "name", "tcp-echo")
        protocol = self._text(i, table, "protocol", "tcp")
        listen = self._text(i, table, "listen", "127.0.0.1:9007")
        if name is not None and (problem := service_checks.name_problem(name)):
            self._problems.add(i, "name", problem)
        if protocol is not None and protocol not in PROTOCOLS:
            self._problems.add(i, "protocol", f'"{protocol}" is unknown. Use one of {", ".join(PROTOCOLS)}')
            protocol = None
        host, port = "", 0
        if listen is not None:
            try:
                host, port = address.parse(listen)
            except InvalidAddressError as e:
                self._problems.add(i, "listen", str(e))
        autostart = table.get("autostart", False)
        if not isinstance(autostart, bool):
            self._problems.add(i, "autostart", "must be true or false")
        group = table.get("group", "")
        if problem := service_checks.group_problem(group):
            self._problems.add(i, "group", problem)
        responder = self._responder(i, table, protocol)
        given = self._options(i, table, responder, protocol)
        seed = table.get("seed", 0)
        if type(seed) is not int or seed < 0:
            self._problems.add(i, "seed", "must be a whole number from 0, as in seed = 7")
        failing = self._faults(i, table, protocol)
        sections = {section: self._section(i, table, section, protocol) for section in SECTIONS}
        if len(self._problems.found) > before or name is None or protocol is None or responder is None:
            return None
        service = ServiceConfig(
            name, protocol, host, port, responder, autostart, given, **sections, group=group, faults=failing, seed=seed
        )
        if self._folder is not None:
            for section, key, text in readiness.missing(service, self._folder):
                self._problems.add(i, key, text, section)
        return service

    def _text(self, i: int, table: dict[str, Any], key: str, example: str) -> str | None:
        value = table.get(key)
        if isinstance(value, str) and value.strip():
            return value
        wrong = "is missing: write" if key not in table else "must be text, as in"
        self._problems.add(i, key, f'{wrong} {key} = "{example}"')
        return None

    def _responder(self, i: int, table: dict[str, Any], protocol: str | None) -> str | None:
        if protocol is None:
            return None
        name = table.get("responder", PROTOCOLS[protocol].default)
        problem = service_checks.responder_problem(name, protocol)
        if problem:
            self._problems.add(i, "responder", problem)
            return None
        return str(name)

    def _options(self, i: int, table: dict[str, Any], responder: str | None, protocol: str | None) -> dict[str, Any]:
        given = table.get("options", {})
        if not isinstance(given, dict):
            self._problems.add(i, "options", "must be a table: [service.options]")
            return {}
        if responder is None or protocol is None:
            return given
        for mistake in service_checks.option_mistakes(responder, protocol, given):
            self._problems.mistake(i, mistake, "options")
        return given

    def _faults(self, i: int, table: dict[str, Any], protocol: str | None) -> tuple[dict[str, Any], ...]:
        given = table.get("fault", [])
        if not isinstance(given, list) or not all(isinstance(fault, dict) for fault in given):
            self._problems.add(i, "fault", "must be tables that begin with [[service.fault]]")
            return ()
        if protocol is None:
            return tuple(given)
        if any(isinstance(name := fault.get("kind"), str) and faults.find(name) is None for fault in given):
            service_checks.find_installed()
        for mistake in fault_tables.mistakes(given, protocol, tls=table.get("tls") is not None):
            self._problems.mistake(i, mistake)
        return tuple(given)

    def _section(self, i: int, table: dict[str, Any], section: str, protocol: str | None) -> Any:
        given = table.get(section)
        if given is None:
            return None if section in OPTIONAL else {}
        if not isinstance(given, dict):
            self._problems.add(i, section, f"must be a table: [service.{section}]")
            return {}
        if protocol is not None:
            for key, text in service_checks.section_problems(section, protocol, given):
                self._problems.add(i, key, text, section=section if key else "")
        return given

    def check_together(self, services: list[tuple[int, ServiceConfig]]) -> None:
        """Report names and addresses that two services have in common."""
        names: dict[str, int] = {}
        places: dict[tuple[str, int], list[ServiceConfig]] = {}
        for i, service in services:
            if service.name in names:
                first = self._problems.line(names[service.name], "name")
                self._problems.add(i, "name", f'"{service.name}" is taken in line {first}. Give each service its own')
            else:
                names[service.name] = i
            others = places.setdefault((PROTOCOLS[service.protocol].transport, service.port), [])
            taken = service_checks.taken_by(service.protocol, service.host, service.port, others)
            if taken:
                self._problems.add(i, "listen", f'{service.listen} is taken by "{taken.name}". Choose another port')
            others.append(service)
