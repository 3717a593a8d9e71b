"""Finds what a workspace asks for that nobody should do because a file says so.

It opens ports to others, lets them run code, reads and writes files outside the workspace's folder, or connects to
other machines. All of it is found from declarations: of responders (``runs``), of options (``path``, ``address``)
and of the service's address. Alerts ask, too (``app/alerts/asks.py``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from app import responders
from app.errors import PostError
from app.files import confined
from app.options import Option, Options
from app.services import address, settings
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS, options_of
from app.text.escapes import one_line
from app.trust import pages

KINDS = ("run", "open", "write", "read", "reach", "stop", "tell")
"""What can be asked for, the most far-reaching first."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a workspace asks for.

    Attributes:
        kind: one of ``KINDS``.
        service: the name of the service that does it; empty for a plugin, a watch or an alert.
        target: the address, the path with all links resolved, or the responder.
        text: in words, after the service's name.
        seal: the digest of the files that say who may log in, which are part of the answer; empty where there are none.
    """

    kind: str
    service: str
    target: str
    text: str
    seal: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What the user's answer is about. The words may be others in the next version."""
        return self.kind, self.service, f"{self.target} {self.seal}" if self.seal else self.target

    def __str__(self) -> str:
        return one_line(f"{self.service}: {self.text}" if self.service else self.text)


def asks_of(services: Sequence[ServiceConfig], folder: Path) -> list[Ask]:
    """What these services ask for; ``folder`` is the workspace's. Blocks, because links are resolved."""
    found = [ask for service in services for ask in of_service(service, services, folder)]
    return sorted(found, key=lambda ask: KINDS.index(ask.kind))


def of_service(service: ServiceConfig, others: Sequence[ServiceConfig], folder: Path) -> Iterator[Ask]:
    """What one of the services ``others`` asks for. Blocks."""
    responder = responders.find(service.responder)
    declared = options_of(responder, service.protocol)
    if responder is not None and responder.runs:
        yield Ask("run", service.name, responder.name, f"whoever {responder.runs}", _seal(service, declared, folder))
    if service.exposed:
        yield replace(_opening(service, others), seal=_seal(service, declared, folder))
    if sites := pages.let_in(service, responder):
        yield Ask("open", service.name, f"pages of {' '.join(sites)}", pages.in_words(sites))
    yield from _paths(service, declared, service.options, folder)
    if service.tls is not None:
        yield from _paths(service, settings.declared("tls", service.protocol), service.tls, folder)
    for host, port in _upstreams(service):
        if address.is_exposed(host) and not _is_any(host):
            place = address.join(host, port)
            yield Ask("reach", service.name, place, f"connects to {place}, which is not this machine")
    for named in _of_outposts(service):
        words = f"connects to {named}, the service of an outpost, wherever that says that it listens"
        yield Ask("reach", service.name, f"outpost {named}", words)


def of_plugin(path: Path, names: Iterable[str]) -> Ask:
    """What a plugin asks for: ``names`` are those of the responders that it seems to bring."""
    some = list(names)
    brings = ", ".join(some[:10]) + (f" and {len(some) - 10:,} more" if len(some) > 10 else "")
    return Ask("run", "", str(path), f"the plugin {path} brings {brings}: its code can do all that you can")


def fingerprint(digest: str, asks: Iterable[Ask]) -> str:
    """What an answer for one content holds for: the file's digest, and where its paths lead to now."""
    keys = sorted(ask.key for ask in asks)
    return hashlib.sha256(json.dumps([digest, keys]).encode()).hexdigest()


def digest_of(content: bytes) -> str:
    """The digest of a file's content."""
    return hashlib.sha256(content).hexdigest()


# -- ports


def _opening(service: ServiceConfig, others: Sequence[ServiceConfig]) -> Ask:
    place = service.listen
    who = "everybody who can reach this machine" if _serves_public(service) else "others on the network"
    words = f"listens on {place}, for {who}"
    for leads_to, hop in _behind(service, others):
        responder = responders.find(leads_to.responder) if leads_to is not None else None
        if leads_to is not None and responder is not None and responder.runs:
            words += f", and leads them to {leads_to.name}: whoever {responder.runs}"
            place += f" > {leads_to.name} {responder.name}"
        else:
            words += f", and passes them on to {hop}, which only this machine can reach"
            place += f" > {hop}"
    return Ask("open", service.name, place, words)


def _serves_public(service: ServiceConfig) -> bool:
    return bool(service.settings("limits").get("allow_public"))


def _behind(service: ServiceConfig, others: Sequence[ServiceConfig]) -> Iterator[tuple[ServiceConfig | None, str]]:
    """What is behind a service that passes on: each last service, or address on this machine, that it leads to."""
    seen, waiting = {service.name}, [service]
    while waiting:
        for host, port in _upstreams(waiting.pop()):
            if address.is_number(host) and address.is_exposed(host) and not _is_any(host):
                continue  # another machine's: named on its own
            transport = PROTOCOLS[service.protocol].transport
            next_ones = [o for o in others if o.port == port and PROTOCOLS[o.protocol].transport == transport]
            if not next_ones and not address.is_exposed(host):
                yield None, address.join(host, port)
            for other in next_ones:
                if other.name in seen:
                    continue
                seen.add(other.name)
                if any(True for _ in _upstreams(other)):
                    waiting.append(other)
                else:
                    yield other, address.join(host, port)


def passes_on_to(service: ServiceConfig) -> Iterator[str]:
    """Where a service passes on what it is sent."""
    yield from (address.join(host, port) for host, port in _upstreams(service))
    yield from _of_outposts(service)


def _upstreams(service: ServiceConfig) -> Iterator[tuple[str, int]]:
    for option, text in _servers(service):
        try:
            assert option.address is not None
            yield option.address(text)
        except PostError:
            continue  # of an outpost; or a plugin's, whose options are checked when it is loaded


def _of_outposts(service: ServiceConfig) -> Iterator[str]:
    """The services of outposts that it connects to, as it names them."""
    for option, text in _servers(service):
        if option.outpost is not None and option.outpost(text) is not None:
            yield text.strip()


def _servers(service: ServiceConfig) -> Iterator[tuple[Option, str]]:
    for option in options_of(responders.find(service.responder), service.protocol):
        value = service.options.get(option.name, option.default)
        if option.address is not None and value:
            yield from ((option, one) for one in (value if isinstance(value, list) else [value]))


def _is_any(host: str) -> bool:
    """Whether connecting to ``host`` reaches this machine, as 0.0.0.0 does."""
    return address.is_number(host) and ip_address(host).is_unspecified


# -- files


def _paths(service: ServiceConfig, declared: Iterable[Option], given: Options, folder: Path) -> Iterator[Ask]:
    for option in declared:
        value = given.get(option.name, option.default)
        if option.of:
            for table in value:
                yield from _paths(service, option.of, table, folder)
        if not option.path or option.confined or not value or value == option.default:
            continue
        outside = confined.leads_out(folder, value)
        if outside is not None:
            kind, verb = ("write", "writes to") if option.path == "new file" else ("read", "reads")
            below = " and all below it" if option.path == "folder" else ""
            yield Ask(kind, service.name, str(outside), f"{verb} {outside}{below} ({option.name})")


MAX_SEALED = 1 << 20
"""Bytes at the beginning of a file that count."""


def _seal(service: ServiceConfig, declared: Iterable[Option], folder: Path) -> str:
    """The digest of what is in the files that say who may log in; empty where the service names none."""
    tls = settings.declared("tls", service.protocol) if service.tls is not None else ()
    named = [
        given[option.name]
        for options, given in ((declared, service.options), (tls, service.tls or {}))
        for option in options
        if option.admits and given.get(option.name)
    ]
    if not named:
        return ""
    digest = hashlib.sha256()
    for name in named:
        try:
            with open(confined.named(folder, name), "rb", opener=confined.regular) as file:
                content = file.read(MAX_SEALED)
        except (OSError, ValueError, RuntimeError):
            content = b""  # the service will not start, or is not joined by anybody, until there is another
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()
