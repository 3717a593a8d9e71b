"""The Taps of a hosted program: they pass on what the program and Twisted ask of factories and protocols."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.interfaces import IAddress, IHandshakeListener, ILoggingContext
from twisted.python.failure import Failure
from zope.interface import alsoProvides, implementer

from app import events
from app.programs.inside.mistakes import OURS
from app.programs.inside.owners import ProgramOwner
from app.services.address import written
from app.services.tap.datagrams import DatagramTap
from app.services.tap.factory import TapFactory
from app.services.tap.faulted import faulted
from app.services.tap.tap import Tap


class _OnlyOurs:
    """A method of the Tap that no transport has: the program is told so, as without us."""

    def __init__(self, method: Any) -> None:
        self._method = method

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, tap: ProgramTap, owner: type) -> Any:
        if not sys._getframe(1).f_code.co_filename.startswith(OURS):
            raise AttributeError(f"'{type(tap._wire).__name__}' object has no attribute '{self._name}'")
        return self._method.__get__(tap, owner)


class ProgramTap(Tap):
    """The Tap of a hosted program. It changes nothing: who reads how much, and what raises, is the program's affair."""

    send: Any = _OnlyOurs(Tap.send)
    finish: Any = _OnlyOurs(Tap.finish)
    abort: Any = _OnlyOurs(Tap.abort)
    _turned = False  # whether who has connected is the server of TLS that began later

    def _open_valve(self) -> None:
        """Twisted alone keeps what a peer does not read; a program that is looked at is to behave as ever."""

    def write(self, data: bytes) -> None:
        self._owner.mistakes.from_thread("transport.write")  # type: ignore[attr-defined]
        super().write(data)

    @property
    def startTLS(self) -> Any:
        """That of the transport, if it has one: from then on the Tap is told when both have agreed."""
        start = self._wire.startTLS  # where there is none, the program is told so by __getattr__

        def begin(context: Any, normal: bool = True) -> Any:
            self._turned = not normal
            alsoProvides(self, IHandshakeListener)
            return start(context, normal)

        return begin

    def handshakeCompleted(self) -> None:
        from app.services.tls.transport import agreed

        self.record(events.TLS_OPENED, *agreed(self._wire.getHandle(), client=self.ours is not self._turned))
        if IHandshakeListener.providedBy(self.wrappedProtocol):
            self.wrappedProtocol.handshakeCompleted()

    def unsent(self) -> int | None:
        return None if self._secured else super().unsent()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if type(reason.value).__module__ == "OpenSSL.SSL":
            words = f"TLS failed: {reason.getErrorMessage()}"
            self.record(events.TLS_FAILED, words, {"reason": words})
            self.ended(words)
        super().connectionLost(reason)


@implementer(ILoggingContext)
class ProgramTapFactory(TapFactory):
    """Passes on what Twisted or the program asks of the factory that was given to the reactor."""

    def __init__(self, wrapped: Any, owner: ProgramOwner, *, outgoing: bool = False) -> None:
        super().__init__(wrapped, owner, ProgramTap, outgoing=outgoing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def doStart(self) -> None:
        self.wrapped.doStart()

    def doStop(self) -> None:
        self.wrapped.doStop()

    def buildProtocol(self, addr: IAddress) -> Tap | None:
        """As Twisted does it: what the program raises is logged there, too."""
        try:
            protocol = self.wrapped.buildProtocol(addr)
        except BaseException as e:
            self._turn_away(addr, "closed after a failure", e)
            raise
        if protocol is None:
            self._turn_away(addr, "refused by the program")
            return None
        return self._tapped(protocol)

    def _tapped(self, protocol: Any) -> Tap:
        made: Tap = (faulted(self._tap) if self.faults else self._tap)(self, protocol)
        return made

    def logPrefix(self) -> str:
        """What the program's log calls it: by the program's own factory."""
        if ILoggingContext.providedBy(self.wrapped):
            return str(self.wrapped.logPrefix())
        return type(self.wrapped).__name__


class ClientTapFactory(ProgramTapFactory):
    """The same for a ``ClientFactory``, which is told how connecting goes."""

    def __init__(self, wrapped: Any, owner: ProgramOwner) -> None:
        super().__init__(wrapped, owner, outgoing=True)

    def startedConnecting(self, connector: Any) -> None:
        self.wrapped.startedConnecting(connector)  # type: ignore[attr-defined]

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        to = connector.getDestination()
        where = written(to) if hasattr(to, "port") else str(getattr(to, "name", to))
        words = f"cannot connect to {where}: {reason.getErrorMessage()}"
        self.owner.recorder.record(events.LOG, self.owner.number, summary=words)
        self.wrapped.clientConnectionFailed(connector, reason)  # type: ignore[attr-defined]

    def clientConnectionLost(self, connector: Any, reason: Failure) -> None:
        self.wrapped.clientConnectionLost(connector, reason)  # type: ignore[attr-defined]


@implementer(ILoggingContext)
class ProgramDatagramTap(DatagramTap):
    """The same for datagrams."""

    noisy = False

    def logPrefix(self) -> str:
        return type(self.wrapped).__name__
