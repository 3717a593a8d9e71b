"""The configuration of one service, as a workspace has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.options import with_defaults
from app.services import address, settings
from app.services.protocols import PROTOCOLS


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """One ``[[service]]`` of a workspace, after it was checked.

    The tables hold only what the workspace says; ``settings`` adds the defaults.

    Attributes:
        faults: the tables ``[[service.fault]]``, see ``app.faults.tables``.
        seed: of the draws of its faults; 0: that of the run.
        group: the heading under which the window lists it; empty: none.
        tls: None without TLS.
        restart: None where it stays down when it has failed.
        limits, socket: see ``app.services.settings``.
    """

    name: str
    protocol: str
    host: str
    port: int
    responder: str
    autostart: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    tls: Mapping[str, Any] | None = None
    restart: Mapping[str, Any] | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    socket: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    faults: tuple[Mapping[str, Any], ...] = ()
    seed: int = 0

    def settings(self, section: str) -> dict[str, Any]:
        """A section of ``settings.SECTIONS``, or the protocol's ``options``, with its defaults filled in."""
        if section == "options":
            return with_defaults(PROTOCOLS[self.protocol].options, self.options)
        return settings.filled(section, self.protocol, getattr(self, section) or {})

    def serves_as(self, other: ServiceConfig) -> bool:
        """Whether a service with this configuration serves as one with ``other``: it may be in another group."""
        return replace(self, group=other.group) == other

    @property
    def listen(self) -> str:
        return address.join(self.host, self.port)

    @property
    def exposed(self) -> bool:
        """Whether other machines can reach the service."""
        return address.is_exposed(self.host)
