"""Certificates that are wrong on purpose, for the fault ``tls``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from OpenSSL import SSL
from twisted.internet.defer import Deferred, succeed
from twisted.internet.threads import deferToThreadPool

from app.faults.kinds import tls
from app.options import Options
from app.services.tls import authority
from app.services.tls.authority import Authority
from app.services.tls.certificates import Identity

WRONG_NAMES = ("wrong.invalid",)
"""No client asks for this name, and the local authority may sign for it."""

WRONG_PROTOCOL = b"wrong"
"""No client offers this application protocol."""

_DAY = timedelta(days=1)


def flaws_of(tables: Iterable[Options]) -> set[str]:
    """What these tables ``[[service.fault]]`` have OpenSSL show that is wrong."""
    kind = tls.KIND.name
    return {table.get("how", tls.EXPIRED) for table in tables if table.get("kind") == kind} & {*tls.SHOWN}


def wrong(flaw: str, signer: Authority, names: Iterable[str]) -> Identity:
    """A certificate with this flaw and no other, for ``names``. Takes up to a second. Raises ForeignNameError."""
    now = datetime.now(UTC)
    if flaw == tls.EXPIRED:
        return Identity(*signer.sign(names, begin=now - 31 * _DAY, lifetime=30 * _DAY))
    if flaw == tls.NOT_YET_VALID:
        return Identity(*signer.sign(names, begin=now + 365 * _DAY))
    if flaw == tls.WRONG_NAME:
        return Identity(*signer.sign(WRONG_NAMES))
    if flaw == tls.UNKNOWN_AUTHORITY:
        unknown = authority.throw_away("Listening Post unknown authority")
        return Identity(*unknown.sign(names), (unknown.certificate,))
    if flaw == tls.MISSING_INTERMEDIATE:
        return Identity(*signer.sign_authority("Listening Post intermediate authority").sign(names))
    if flaw == tls.SELF_SIGNED:
        return Identity(*authority.self_signed(names))
    assert flaw == tls.WEAK_KEY, flaw
    return Identity(*signer.sign(names, key=rsa.generate_private_key(65_537, 1_024)))


class Flawed:
    """What OpenSSL shows on connections that a fault has hit: one context for each flaw, made in a thread and kept."""

    def __init__(self, make: Callable[[str], SSL.Context], flaws: Iterable[str] = ()) -> None:
        """``make`` makes the context with a flaw, and blocks. Those with ``flaws`` are made now.

        Raises TLSSetupError.
        """
        self._make = make
        self._made = {flaw: make(flaw) for flaw in flaws}
        self._awaited: dict[str, list[Deferred[SSL.Context]]] = {}

    def dress(self, reactor: Any, dress: Callable[[SSL.Context], None]) -> None:
        """Do to each context what is done to that without a flaw, before it is used."""
        self._reactor, self._dress = reactor, dress
        for flaw, context in self._made.items():
            self._finish(flaw, context)

    def _finish(self, flaw: str, context: SSL.Context) -> None:
        self._dress(context)
        if flaw == tls.WRONG_ALPN:
            context.set_alpn_select_callback(lambda connection, theirs: WRONG_PROTOCOL)

    def get(self, flaw: str) -> Deferred[SSL.Context]:
        """The context with ``flaw``. Fails with a PostError."""
        if flaw in self._made:
            return succeed(self._made[flaw])
        wanted: Deferred[SSL.Context] = Deferred()
        if flaw in self._awaited:
            self._awaited[flaw].append(wanted)
            return wanted
        self._awaited[flaw] = [wanted]
        making = deferToThreadPool(self._reactor, self._reactor.getThreadPool(), self._make, flaw)
        making.addCallback(self._on_made, flaw).addErrback(self._on_failed, flaw)
        return wanted

    def _on_made(self, context: SSL.Context, flaw: str) -> None:
        self._finish(flaw, context)
        self._made[flaw] = context
        for wanted in self._awaited.pop(flaw):
            wanted.callback(context)

    def _on_failed(self, failure: Any, flaw: str) -> None:
        for wanted in self._awaited.pop(flaw, ()):
            wanted.errback(failure)
