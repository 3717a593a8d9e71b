"""What can be wrong with the parts of a service: its name, group, address, responder, options and sections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from app import options, responders
from app.plugin_loader.table import TABLE, installed
from app.services import address, settings
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS, options_of

MAX_NAME = 60
"""Most characters of the name of a service or a group."""


def taken_by(protocol: str, host: str, port: int, others: Iterable[ServiceConfig]) -> ServiceConfig | None:
    """The one of ``others`` that listens on the same transport, host and port, so that no other server can."""
    transport = PROTOCOLS[protocol].transport
    for other in others:
        same = port and other.port == port and PROTOCOLS[other.protocol].transport == transport
        if same and _clash(other.host, host):
            return other
    return None


def _clash(one: str, other: str) -> bool:
    """Whether two servers on the same port cannot listen on ``one`` and ``other`` at the same time."""
    if not (address.is_number(one) and address.is_number(other)):
        return one.lower() == other.lower()
    a, b = sorted(map(ip_address, (one, other)), key=lambda host: (host.is_unspecified, host.version))
    # 0.0.0.0 is every IPv4 address, :: every IPv4 and IPv6 address.
    return a == b or (b.is_unspecified and b.version in (a.version, 6))


def name_problem(name: str) -> str | None:
    """What is wrong with a service's name, or None."""
    if not name.strip():
        return "is missing"
    return _text_problem(name)


def group_problem(group: object) -> str | None:
    """What is wrong with the name of a service's group, or None. An empty name is valid: it means no group."""
    if not isinstance(group, str):
        return 'must be text, as in group = "Bench"'
    if group != group.strip():
        return f"must be one line of at most {MAX_NAME} characters, without spaces around it"
    return _text_problem(group)


def _text_problem(text: str) -> str | None:
    if len(text) > MAX_NAME or "\n" in text:
        return f"must be one line of at most {MAX_NAME} characters"
    hidden = next((at for at, character in enumerate(text) if not character.isprintable()), None)
    if hidden is not None:
        return f"must not have a control or invisible character: number {hidden + 1} is U+{ord(text[hidden]):04X}"
    return None


def responder_problem(name: object, protocol: str) -> str | None:
    """What is wrong with the responder called ``name`` on this protocol, or None."""
    able = [r.name for r in responders.serving(protocol)]
    if name not in able and find_installed():
        able = [r.name for r in responders.serving(protocol)]
    if name in able:
        return None
    offer = f"For {protocol} use one of {', '.join(able)}"
    if isinstance(name, str) and responders.find(name):
        return f'"{name}" does not serve {protocol}. {offer}'
    return f'"{name}" is unknown. {offer}' if isinstance(name, str) else f"must be text. {offer}"


def find_installed() -> bool:
    """Look for the plugins of installed packages, if nobody has yet. Whether that was done."""
    if TABLE.complete:
        return False
    TABLE.take_installed(installed())
    return True


def option_mistakes(responder: str, protocol: str, given: Mapping[str, Any]) -> Iterator[options.Mistake]:
    """What is wrong with the options of the responder on ``protocol``, and where."""
    found = responders.find(responder)
    if found is not None and found.missing:
        return  # its options are known when its plugin is loaded; the service checks them then
    declared = options_of(found, protocol)
    names = [option.name for option in declared]
    elsewhere: dict[str, list[str]] = {}
    for other in found.builders if found else ():
        for option in options_of(found, other):
            elsewhere.setdefault(option.name, []).append(other)
    for mistake in options.mistakes(declared, given):
        key = mistake.option
        if key in names:
            yield mistake
            continue
        known = f"It has {', '.join(names)}" if names else "It has none"
        if key in elsewhere:
            where = " and ".join(elsewhere[key])
            text = f'is an option of "{responder}" for {where}, not for {protocol}. {known} there'
        else:
            text = f'is not an option of "{responder}" for {protocol}. {known}'
        yield options.Mistake(key, text)


def section_problems(section: str, protocol: str, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and text for each setting of ``tls``, ``limits`` or ``socket`` that is wrong for ``protocol``."""
    known = settings.declared(section, protocol)
    if known:
        yield from options.problems(known, given)
    else:
        yield "", f"[service.{section}] is not for {protocol}"
