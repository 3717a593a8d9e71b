"""From what a workspace says to the address that is connected to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Locate
from app.sending.clients import CLIENTS, scheme_for
from app.sending.url import URL, parse
from app.services import address
from app.services.service import Service
from app.status import Failed, Held, Listening, Starting, Stopping, Waiting
from app.watch.config import WatchConfig, on_outpost, unfit

_HERE = "localhost"
_LOOPBACK = (ip_address("127.0.0.1"), ip_address("::1"))


@dataclass(frozen=True, slots=True)
class Idle:
    """There is nothing to check now, and nothing wrong with that: the user has stopped it."""

    words: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It cannot be well, which is known without a connection."""

    words: str


def find(watch: WatchConfig, services: Mapping[str, Service], locate: Locate) -> URL | Idle | Dead | None:
    """Where to connect to; None where that will be known in a moment, because a service is about to start or stop.

    A service is reached only at the port that this program has bound; one of an outpost where that says that it
    listens. Raises URLError.
    """
    if (url := watch.url) is not None:
        return url
    if (named := on_outpost(watch.target, services)) is not None:
        return _away(watch, named, locate)
    service = services.get(watch.target)
    if service is None:
        return Idle(f"there is no service {watch.target}")
    status = service.status
    if isinstance(status, Failed | Waiting):
        return Dead(f"{watch.target} does not run: {status.reason}")
    if isinstance(status, Starting | Stopping):
        return None
    if not isinstance(status, Listening):
        return Idle(f"{watch.target} waits to be trusted" if isinstance(status, Held) else f"{watch.target} is stopped")
    scheme = scheme_for(service.config.protocol, tls=service.config.tls is not None)
    if scheme is None:
        return Idle(f"there is no client for {service.config.protocol}")
    return parse(f"{scheme}://{_reachable(status.host)}")


def _away(watch: WatchConfig, named: tuple[str, str], locate: Locate) -> URL | Dead:
    """As ``find``, for a service of an outpost. Who stopped it there is not known: it is down."""
    try:
        found = locate(*named)
    except UpstreamAwayError as e:
        return Dead(f"{watch.target} is not reachable: {e.fields['reason']}")
    scheme = scheme_for(found.protocol, tls=bool(found.tls))
    if scheme is None:
        return Dead(f"there is no client for {found.protocol}, which {watch.target} speaks")
    for mistake in unfit(watch.as_table(), CLIENTS[scheme]):
        untold = (
            " (an older version runs there, which does not say whether the service uses TLS)"
            if found.tls is None
            else ""
        )
        return Dead(f"{watch.target} speaks {found.protocol}: {mistake.option} {mistake.text}{untold}")
    return parse(f"{scheme}://{address.join(found.host, found.port)}")


def place_of(watch: WatchConfig, services: Mapping[str, Service], locate: Locate) -> tuple[str, int] | None:
    """The host and port that a watch looks at, as ``normal`` has them; None where it is a service that is not there."""
    if (url := watch.url) is not None:
        return normal((url.host, url.port))
    if (named := on_outpost(watch.target, services)) is not None:
        try:
            found = locate(*named)
        except UpstreamAwayError:
            return None
        return normal((found.host, found.port))
    service = services.get(watch.target)
    if service is None:
        return None
    status = service.status
    return normal(address.parse(_reachable(status.host if isinstance(status, Listening) else service.config.listen)))


def normal(place: tuple[str, int]) -> tuple[str, int]:
    """A host and port, written as any other that means the same. Nothing is looked up.

    This machine has one name: who listens on ``localhost`` may be reached by 127.0.0.1, by ::1, or by both.
    """
    host, port = place
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3
        return _HERE, port
    if not address.is_number(host):
        return host, port
    number = ip_address(host)
    mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
    number = mapped or number
    return _HERE if number in _LOOPBACK else str(number), port


def _reachable(place: str) -> str:
    """``place`` with an address of this machine where it stands for all of them."""
    host, port = address.parse(place)
    if address.is_number(host) and (number := ip_address(host)).is_unspecified:
        host = "127.0.0.1" if number.version == 4 else "::1"
    return address.join(host, port)
