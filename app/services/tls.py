"""TLS of a service: its certificate, what it asks of clients, and what their handshakes say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twisted.internet.interfaces import IProtocolFactory

from app.services.config import ServiceConfig
from app.services.context import Surroundings

if TYPE_CHECKING:
    from app.services.service import Service


class ServerTLS:
    """What a port speaks TLS with."""

    def wrap(self, factory: IProtocolFactory, service: Service) -> IProtocolFactory:
        """A factory for the port that puts TLS before ``factory``, which sees plaintext."""
        raise NotImplementedError


def prepare(config: ServiceConfig, surroundings: Surroundings) -> ServerTLS:
    """Read or make what ``config.tls`` asks for. Blocks: call it in a thread.

    Raises TLSSetupError.
    """
    raise NotImplementedError
