"""Checks of a service's settings, and suggestions for a new service. No Qt."""

from __future__ import annotations

from collections.abc import Collection
from itertools import count

from PyQt5.QtCore import QCoreApplication

from app.faults import tables
from app.options import Options
from app.services import address, errors, settings
from app.services.config import ServiceConfig
from app.services.protocols import PROTOCOLS
from app.workspace import service_checks

HOSTS = ("127.0.0.1", "::1", "0.0.0.0", "::", "localhost")
"""The addresses that the form offers."""

FIRST_PORTS = {"tcp": 9007, "udp": 9008, "http": 9080, "websocket": 9081, "ssh": 9022}

TRIES = 500
"""Ports that are tried until one is found that no program has."""

FIRST_OPTIONS = {"manhole": {"password": "auto"}}
"""Initial options for a responder that would not start with its defaults, if there are safe ones."""


def suggested_name(protocol: str, responder: str, others: Collection[ServiceConfig]) -> str:
    """``tcp-echo``; ``tcp-echo-2`` and so on if that is taken."""
    name, taken = f"{PROTOCOLS[protocol].label.lower()}-{responder}", {other.name for other in others}
    return next(text for n in count(1) if (text := name if n == 1 else f"{name}-{n}") not in taken)


def free_name(name: str, others: Collection[ServiceConfig]) -> str:
    """``name`` with a number behind it, that none of ``others`` has."""
    taken = {other.name for other in others}
    endings = (f"-{number}" for number in count(2))
    return next(new for end in endings if (new := name[: service_checks.MAX_NAME - len(end)] + end) not in taken)


def suggested_port(protocol: str, others: Collection[ServiceConfig]) -> int:
    """A port that no other service has, not even one with another transport, which would be confusing."""
    taken = {other.port for other in others}
    return next(port for port in count(FIRST_PORTS.get(protocol, 9000)) if port not in taken)


def free_port(config: ServiceConfig, others: Collection[ServiceConfig]) -> int:
    """As ``suggested_port``, for a service like ``config``: one that no other program of this machine has, either."""
    taken, transport = {other.port for other in others}, PROTOCOLS[config.protocol].transport
    first = suggested_port(config.protocol, others)
    ports = (port for port in range(first, min(first + TRIES, 65_536)) if port not in taken)
    return next((port for port in ports if not address.is_taken(config.host, port, transport)), first)


def name_problem(name: str, others: Collection[ServiceConfig]) -> str | None:
    if problem := service_checks.name_problem(name):
        return QCoreApplication.translate("ServiceChecks", "The name {problem}").format(problem=problem)
    if any(other.name == name for other in others):
        return QCoreApplication.translate("ServiceChecks", "“{name}” is taken. Give each service its own name").format(
            name=name
        )
    return None


def host_problem(host: str) -> str | None:
    try:
        address.parse(address.join(host, 0))
    except errors.InvalidAddressError:
        if not host:
            return QCoreApplication.translate(
                "ServiceChecks", "Enter an address: a number like 127.0.0.1 or ::1, or a name like localhost"
            )
        return QCoreApplication.translate(
            "ServiceChecks", "“{host}” is not an address. Use a number like 127.0.0.1 or ::1, or a name like localhost"
        ).format(host=host)
    return None


def port_problem(port: str) -> str | None:
    try:
        address.parse(f"127.0.0.1:{port}")
    except errors.InvalidAddressError:
        return QCoreApplication.translate(
            "ServiceChecks", "The port must be a number from 1 to 65535, or 0 for any free one"
        )
    return None


def tls_of(config: ServiceConfig) -> bool | None:
    """Whether the service speaks TLS; None if its protocol cannot."""
    return config.tls is not None if settings.declared("tls", config.protocol) else None


def kept_faults(config: ServiceConfig) -> tuple[Options, ...]:
    """Its faults, without those that its protocol does not allow, or that need TLS which it has not."""
    wrong = {at for at, _, _ in tables.problems(config.faults, config.protocol, tls=config.tls is not None)}
    return tuple(table for at, table in enumerate(config.faults) if at not in wrong)


def place_problem(protocol: str, host: str, port: int, others: Collection[ServiceConfig]) -> str | None:
    """Names the service that has this address already, or None. Opening a workspace checks the same."""
    other = service_checks.taken_by(protocol, host, port, others)
    if other is None:
        return None
    words = QCoreApplication.translate("ServiceChecks", "{address} is taken by “{name}”. Choose another port")
    return words.format(address=other.listen, name=other.name)
