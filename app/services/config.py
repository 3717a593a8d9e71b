"""The configuration of one service, as a workspace has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.options import with_defaults
from app.services import address, settings
from app.services.protocols import PROTOCOLS


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """One ``[[service]]`` of a workspace, after it was checked.

    The tables hold only what the workspace says; ``settings`` adds the defaults.

    Attributes:
        tls: None without TLS.
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
    limits: Mapping[str, Any] = field(default_factory=dict)
    socket: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, section: str) -> dict[str, Any]:
        """A section with its defaults filled in: ``tls``, ``limits``, ``socket``, or the protocol's ``options``."""
        if section == "options":
            return with_defaults(PROTOCOLS[self.protocol].options, self.options)
        return settings.filled(section, self.protocol, getattr(self, section) or {})

    @property
    def listen(self) -> str:
        return address.join(self.host, self.port)

    @property
    def exposed(self) -> bool:
        """Whether other machines can reach the service."""
        return address.is_exposed(self.host)
