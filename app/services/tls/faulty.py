"""TLS that goes wrong on purpose: what the fault ``tls`` does below a Tap."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from OpenSSL import SSL
from twisted.internet.interfaces import IProtocolFactory
from twisted.python.failure import Failure

from app.errors import PostError
from app.faults.hits import Hit
from app.faults.kinds import tls
from app.services.interfaces import Secured
from app.services.tls.client_hello import parse
from app.services.tls.explain import Terms
from app.services.tls.flawed import Flawed
from app.services.tls.transport import TLSFactory, TLSTransport

MOST = 64 << 10
"""Bytes of a client that are kept while its handshake stalls; then it is read no more."""

NOISE = 1_024
"""Bytes of noise in the place of a ServerHello."""

_ALERT, _WARNING, _FATAL = 21, 1, 2


class FaultyTransport(TLSTransport):
    """The transport of a Tap that faults act on."""

    factory: FaultyFactory

    def __init__(self, factory: FaultyFactory, tap: Secured) -> None:
        super().__init__(factory, tap)
        self._stalled_by: dict[Any, Any] = {}  # each with its timer, or None
        self._waiting = bytearray()  # what came meanwhile
        self._answer: Callable[[], None] | None = None  # what the whole ClientHello gets
        self._hello: bytearray | None = None  # of ours, while what follows it is not to leave
        self._after_hello: Callable[[], None] | None = None
        self._withheld = bytearray()
        self._over = False
        self._silent = False

    def spoil(self, hit: Hit) -> None:
        """Do what the fault ``tls`` says. Called before the handshake begins."""
        how, options = hit.options["how"], hit.options
        end = partial(self._end, reset=options["then"] == tls.RESET)
        if how in tls.SHOWN:
            self._stalled_by[self] = None
            self.factory.flawed.get(how).addCallbacks(self._show, self._on_nothing_to_show)
        elif how == tls.STALL_BEFORE:
            self._stall(hit)
        elif how == tls.STALL_WITHIN:
            self._hello, self._after_hello = bytearray(), partial(self._stall, hit)
        elif how == tls.CUT_HELLO:
            self._answer = end
        elif how == tls.CUT_SERVER_HELLO:
            self._hello, self._after_hello = bytearray(), end
        elif how == tls.GARBAGE:
            self._answer = partial(self._end_with, hit.draws.noise(NOISE))
        elif how == tls.ALERT:
            code = options["code"]
            level = _FATAL if code else _WARNING  # 0 is close_notify
            self._answer = partial(self._end_with, bytes((_ALERT, 3, 3, 0, 2, level, code)))
        else:
            self._silent = True

    # -- what is shown

    def _show(self, context: SSL.Context) -> None:
        if not self.connected:
            return
        # Another connection of OpenSSL's rather than this with another context: else a client could resume a session
        # in which it has seen the right certificate.
        connection = SSL.Connection(context, None)
        connection.set_accept_state()
        connection.set_app_data(self)
        self._tlsConnection = connection
        self.thaw(self)

    def _on_nothing_to_show(self, failure: Failure) -> None:
        self._stalled_by.pop(self, None)
        if self.connected:
            self._tap.failed(cast(PostError, failure.value), None)
            self._end(reset=True)

    # -- stalling

    def _stall(self, hit: Hit) -> None:
        milliseconds = hit.options["ms"]
        timer = hit.clock.callLater(milliseconds / 1000, self.thaw, hit.fault) if milliseconds else None
        self._stalled_by[hit.fault] = timer

    def thaw(self, fault: Any) -> None:
        """``fault`` holds the handshake back no longer."""
        if fault not in self._stalled_by:
            return
        _cancel(self._stalled_by.pop(fault))
        if self._stalled_by or self._over or not self.connected:
            return
        if self._withheld:
            withheld, self._withheld = bytes(self._withheld), bytearray()
            self.transport.write(withheld)
        if self._waiting:
            waiting, self._waiting = bytes(self._waiting), bytearray()
            self._first.clear()
            if len(waiting) >= MOST and not self._tap.held:
                self.transport.resumeProducing()
            self.dataReceived(waiting)

    def _excused(self) -> bool:
        return super()._excused() or bool(self._stalled_by)

    # -- what passes

    def dataReceived(self, data: bytes) -> None:
        if self._over:
            return
        if self._answer is None and not self._stalled_by:
            super().dataReceived(data)
            return
        self._first += data
        self._waiting += data
        if self._stalled_by:
            if len(self._waiting) >= MOST:
                self.transport.pauseProducing()
            return
        hello = parse(bytes(self._waiting))
        if hello is not None and not hello.whole and len(self._waiting) < MOST:
            return
        answer, self._answer = self._answer, None
        if hello is not None and answer is not None:
            answer()
            return
        waiting, self._waiting = bytes(self._waiting), bytearray()
        self._first.clear()
        super().dataReceived(waiting)  # no TLS

    def _flushSendBIO(self) -> None:
        if self._hello is None and not self._withheld:
            super()._flushSendBIO()
            return
        try:
            data = self._tlsConnection.bio_read(1 << 15)
        except SSL.WantReadError:
            return
        if self._hello is None:
            self._withheld += data
            return
        self._hello += data
        size = 5 + int.from_bytes(self._hello[3:5])
        if len(self._hello) < size:
            return
        # OpenSSL has each message of a handshake in a record of its own.
        self.transport.write(bytes(self._hello[:size]))
        self._withheld += self._hello[size:]
        then, self._hello, self._after_hello = self._after_hello, None, None
        if then is not None:
            then()

    # -- the end

    def _end(self, *, reset: bool) -> None:
        self._over = True
        self._tap.ended("reset by a fault" if reset else "closed by a fault")
        if not reset:
            self.transport.loseConnection()
        elif self.connected and self.encrypted():
            # RST would drop what has not reached the kernel.
            self.factory.clock.callLater(0, self._end, reset=True)
        else:
            self.transport.abortConnection()

    def _end_with(self, data: bytes) -> None:
        self.transport.write(data)
        self._end(reset=False)

    def _shutdownTLS(self) -> None:
        if not self._silent or not self.connected:
            super()._shutdownTLS()
        elif not self._peer_finished():
            self._flushSendBIO()
            if self._writeDisconnected and not self.disconnecting:
                self.transport.loseWriteConnection()
            else:
                self.transport.loseConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if self._stalled_by and not self._tap.ended_by:
            self._found = "the client gave up while a fault held the handshake back"
        while self._stalled_by:
            _cancel(self._stalled_by.popitem()[1])
        self._hello, self._over = None, True
        super().connectionLost(reason)


def _cancel(timer: Any) -> None:
    if timer is not None and timer.active():
        timer.cancel()


class FaultyFactory(TLSFactory):
    """Puts TLS before the Taps of a service, which may fail on purpose.

    Attributes:
        flawed: what is shown on connections that are to see something wrong.
    """

    def __init__(self, creator: Any, wrapped: IProtocolFactory, clock: Any, terms: Terms, flawed: Flawed) -> None:
        super().__init__(creator, wrapped, clock, terms)
        self.flawed = flawed

    def _transport_for(self, tap: Secured) -> TLSTransport:
        fails = bool(getattr(self.wrappedFactory, "faults", None))
        return FaultyTransport(self, tap) if fails else super()._transport_for(tap)
