"""From what a workspace says to the address that is connected to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from app.sending.clients import scheme_for
from app.sending.url import URL, parse
from app.services import address
from app.services.service import Service
from app.status import Failed, Held, Listening
from app.watch.config import WatchConfig


@dataclass(frozen=True, slots=True)
class Idle:
    """There is nothing to check now, and nothing wrong with that: the user has stopped it."""

    words: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It cannot be well, which is known without a connection."""

    words: str


def find(watch: WatchConfig, services: Mapping[str, Service]) -> URL | Idle | Dead:
    """Where to connect to. A service is reached only at the port that this program has bound. Raises URLError."""
    if (url := watch.url) is not None:
        return url
    service = services.get(watch.target)
    if service is None:
        return Idle(f"there is no service {watch.target}")
    status = service.status
    if isinstance(status, Failed):
        return Dead(f"{watch.target} does not run: {status.reason}")
    if not isinstance(status, Listening):
        return Idle(f"{watch.target} waits to be trusted" if isinstance(status, Held) else f"{watch.target} is stopped")
    scheme = scheme_for(service.config.protocol, tls=service.config.tls is not None)
    if scheme is None:
        return Idle(f"there is no client for {service.config.protocol}")
    return parse(f"{scheme}://{_reachable(status.host)}")


def _reachable(place: str) -> str:
    """``place`` with an address of this machine where it stands for all of them."""
    host, port = address.parse(place)
    if address.is_number(host) and (number := ip_address(host)).is_unspecified:
        host = "127.0.0.1" if number.version == 4 else "::1"
    return address.join(host, port)
