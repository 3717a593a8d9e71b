"""Faults of connections that we open: which there are, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app import faults
from app.faults.tables import FAULT, mistakes
from app.options import Mistake, Options, with_defaults


def level(protocol: str) -> str:
    """The protocol that faults of a client know: one of HTTP or WebSocket has no answers and no messages of its own."""
    return "udp" if protocol == "udp" else "tcp"


def fits(kind: faults.FaultKind, protocol: str) -> bool:
    """Whether a client of ``protocol`` can fail so."""
    return level(protocol) in kind.protocols and not only_for_services(kind, {}, protocol)


def only_for_services(kind: faults.FaultKind, table: Options, protocol: str) -> str:
    """Why a client cannot fail as ``table`` says; empty: it can."""
    if kind.tls:
        return f"{kind.name} is for services: it acts on the TLS of a server"
    if kind.shuts is not None and kind.shuts(with_defaults(kind.options, table), level(protocol)):
        but = "" if level(protocol) == "udp" else "; how=reset is for clients, too"
        return f"{kind.name} is for services: it acts on their port{but}"
    return ""


def problems(tables: Sequence[Options], protocol: str) -> Iterator[Mistake]:
    """All that is wrong with the faults of a connection by ``protocol``, each with its place."""
    wrong = set()
    for index, table in enumerate(tables):
        kind = faults.find(table["kind"]) if isinstance(table.get("kind"), str) else None
        if kind is not None and level(protocol) in kind.protocols:
            own = {option.name: table[option.name] for option in kind.options if option.name in table}
            if why := only_for_services(kind, own, protocol):
                wrong.add(index)
                yield Mistake(FAULT, why, index, "kind")
    for mistake in mistakes(tables, level(protocol), tls=False):
        if mistake.table not in wrong:
            yield mistake
