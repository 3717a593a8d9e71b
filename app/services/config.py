"""What a workspace says of one service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.services import address


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """One ``[[service]]`` of a workspace, checked."""

    name: str
    protocol: str
    host: str
    port: int
    responder: str
    autostart: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def listen(self) -> str:
        return address.join(self.host, self.port)

    @property
    def exposed(self) -> bool:
        """Whether others than this machine can reach it."""
        return address.is_exposed(self.host)
