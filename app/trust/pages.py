"""Which web pages a service lets in that are not this machine's, as its options say.

A page of any site reaches loopback with the help of the browser that shows it. What keeps it from what a service holds
or passes on are its options ``hosts``, ``cors`` and ``origins``, and headers that are added to answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from app.options import Option, Options
from app.responders import Responder
from app.services import hosts
from app.services.config import ServiceConfig
from app.services.protocols import options_of

_SHOWN = 5
"""Sites that are named."""


def let_in(service: ServiceConfig, responder: Responder | None) -> list[str]:
    """The sites whose pages may read what the service answers, sorted; ``*`` are all. None that are this machine's.

    Empty for a service that neither holds data nor passes any on, and reads no files: there is nothing to read.
    """
    if responder is None or not (responder.guarded or _reads_files(options_of(responder, service.protocol), service)):
        return []
    return sorted(set(_foreign(service, guarded=responder.guarded)))


def in_words(sites: Iterable[str]) -> str:
    """What follows the service's name."""
    some = list(sites)
    if "*" in some:
        return "lets web pages of any site read what it answers"
    more = f" and {len(some) - _SHOWN:,} more" if len(some) > _SHOWN else ""
    return f"lets web pages of {', '.join(some[:_SHOWN])}{more} read what it answers"


def _foreign(service: ServiceConfig, *, guarded: bool) -> Iterator[str]:
    given = service.options
    if guarded:  # others answer to any name
        yield from (name for name in _texts(given, "hosts") if name.lower() != hosts.LOCAL and not _is_local(name))
    if service.protocol == "websocket":
        yield from (origin for origin in _texts(given, "origins") if not _is_local(_host_of(origin)))
    if service.protocol == "http":
        yield from (origin for origin in _texts(given, "cors") if not _is_local(_host_of(origin)))
        for field in _texts(given, "fields"):
            name, _, value = field.partition(":")
            if name.strip().lower() == "access-control-allow-origin" and not _is_local(_host_of(value.strip())):
                yield value.strip()


def _texts(given: Options, name: str) -> list[str]:
    value = given.get(name, [])
    return [text.strip() for text in value if isinstance(text, str)] if isinstance(value, list | tuple) else []


def _host_of(origin: str) -> str:
    """The host of an origin, or of a pattern of origins, in which * matches anything, as another host, too."""
    try:
        authority = urlsplit(origin).netloc
    except ValueError:
        return origin
    host, colon, port = authority.rpartition(":")
    if "*" in port and (not colon or port != "*" or not host):
        return origin
    if colon and (port.isdigit() or port == "*"):
        authority = host
    return authority.strip("[]") or origin


def _is_local(host: str) -> bool:
    name = host.rstrip(".").lower()
    if name == "localhost" or (name.endswith(".localhost") and "*" not in name):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _reads_files(declared: Iterable[Option], service: ServiceConfig) -> bool:
    return any(_names_file(option, service.options) for option in declared)


def _names_file(option: Option, given: Options) -> bool:
    value = given.get(option.name, option.default)
    if option.of:
        return any(_names_file(part, table) for table in value for part in option.of)
    return bool(option.path and value)
