"""Puts a Tap before every protocol that a factory builds."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.interfaces import IAddress, IProtocolFactory, IProtocolNegotiationFactory
from zope.interface import implementer

from app import events
from app.faults.live import Faults
from app.limits import Reached
from app.services.address import written
from app.services.admission import Admission
from app.services.interfaces import Owner
from app.services.tap.faulted import convert, faulted
from app.services.tap.lookout import Lookout
from app.services.tap.tap import Tap
from app.services.tap.valve import Kept


@implementer(IProtocolFactory, IProtocolNegotiationFactory)
class TapFactory:
    """Puts a Tap before each protocol that ``wrapped`` builds, for one port or one outgoing connection.

    ``acceptableProtocols`` passes through what the wrapped factory offers for ALPN.

    Attributes:
        kept: the bytes that its peers have not read yet.
        faults: those that act on its connections; None: none ever do.
        lookout: for peers that leave while a fault keeps us from noticing.
        host: the ``address:port`` that it listens on, once it does.
    """

    noisy = False

    def __init__(
        self,
        wrapped: IProtocolFactory,
        owner: Owner,
        tap: type[Tap] = Tap,
        *,
        outgoing: bool = False,
        admission: Admission | None = None,
        faults: Faults | None = None,
    ) -> None:
        """``faults``: those of these connections; None: those of the owner."""
        self.wrapped, self.owner, self._tap, self.outgoing, self._admission = wrapped, owner, tap, outgoing, admission
        self.faults = faults if faults is not None else owner.faults_of(outgoing=outgoing)
        self.protocols: dict[Any, bool] = {}
        self.kept = Kept()
        self.lookout = Lookout(self.faults.clock if self.faults is not None else None)
        self.host = ""
        self._started = False

    def doStart(self) -> None:
        """Start the wrapped factory, once, though the port asks again. Raises ResponderBrokenError."""
        if not self._started:
            with self.owner.setting_up():
                self.wrapped.doStart()
            self._started = True

    def doStop(self) -> None:
        if self._started:
            self._started = False
            if self._admission is not None:
                self._admission.stop()
            self._stop(self.wrapped)

    def _stop(self, factory: IProtocolFactory) -> None:
        try:
            factory.doStop()
        except Exception as e:
            self.owner.recorder.record_failure(e, self.owner.number)

    def swap(self, wrapped: IProtocolFactory) -> None:
        """Have new connections answered by ``wrapped``. Raises ResponderBrokenError, and changes nothing then."""
        with self.owner.setting_up():
            wrapped.doStart()
        old, self.wrapped = self.wrapped, wrapped
        self._stop(old)

    def buildProtocol(self, addr: IAddress) -> Tap | None:
        if self._admission is not None and (reached := self._admission.refusal(addr)):
            return self._refuse(self._admission, addr, reached)
        try:
            protocol = self.wrapped.buildProtocol(addr)
        except BaseException as e:
            self._turn_away(addr, "closed after a failure", e)
            return None
        if protocol is None:
            self._turn_away(addr, "refused by the responder")
            return None
        made: Tap = (faulted(self._tap) if self.faults else self._tap)(self, protocol)
        return made

    def fail(self) -> None:
        """Have the faults act on the connections that are open, too."""
        for tap in self.protocols:
            convert(tap)

    def _refuse(self, admission: Admission, addr: IAddress, reached: Reached) -> Tap | None:
        if admission.is_recorded(reached):
            if words := admission.response_to(reached):
                return Tap(self, words)
            self._turn_away(addr, reached.text, reached=reached)
        return None

    def _turn_away(
        self, addr: IAddress, why: str, error: BaseException | None = None, reached: Reached | None = None
    ) -> None:
        """Record a connection for which there is no protocol; Twisted closes it."""
        owner, record, peer = self.owner, self.owner.recorder.record, written(addr)
        conn = owner.recorder.add_connection()
        owner.opened += 1
        opened = {"peer": peer, "host": self.host}
        if watch := owner.check_of("tcp", peer):
            opened["watch"] = watch
        record(events.CONNECTION_OPENED, owner.number, conn, None, f"accepted from {peer}", json.dumps(opened))
        if error is not None:
            owner.recorder.record_failure(error, owner.number, conn)
        if reached is not None:
            owner.recorder.record_limit(reached, owner.number, conn)
        closed = {"reason": why, "received": 0, "sent": 0, "unsent": 0, "seconds": 0.0}
        record(events.CONNECTION_CLOSED, owner.number, conn, None, why, json.dumps(closed))

    def acceptableProtocols(self) -> list[bytes]:
        if IProtocolNegotiationFactory.providedBy(self.wrapped):
            return list(self.wrapped.acceptableProtocols())
        return []

    # ProtocolWrapper calls these two when its connection opens and closes.
    def registerProtocol(self, p: Any) -> None:
        admission = self._admission
        counts = self.protocols[p] = admission is not None and admission.counts(p.wrappedProtocol)
        if admission is not None and counts:
            admission.opened(p)

    def unregisterProtocol(self, p: Any) -> None:
        if self.protocols.pop(p, False) and self._admission is not None:
            self._admission.closed(p)
