"""Limits of a service: who is refused, and when a connection has had its share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IAddress

if TYPE_CHECKING:
    from app.services.service import Service


class Limits:
    """What a service's port lets in; see ``app.services.settings.LIMITS``."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings = service.config.settings("limits")

    def refusal(self, address: IAddress) -> str | None:
        """Why a connection from ``address`` is refused; None if it is let in."""
        if len(self._service.connections) >= self._settings["connections"]:
            return f"refused: {self._settings['connections']:,} connections are open"
        return None
