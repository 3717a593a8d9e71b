"""TLS below a Tap: Twisted's, with a time limit for handshakes, half-closed connections, and failures in words."""

from __future__ import annotations

from typing import Any, cast

from OpenSSL import SSL
from service_identity import VerificationError
from twisted.internet import error
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IProtocolFactory
from twisted.protocols.tls import BufferingTLSTransport, TLSMemoryBIOFactory
from twisted.python.failure import Failure

from app import events, limits
from app.services.interfaces import Secured
from app.services.tls import explain as tls_words
from app.services.tls.client_hello import parse
from app.services.tls.explain import Ending, Terms

HANDSHAKE_SECONDS = 20.0
"""Time in which a handshake must be finished."""

CLOSING_SECONDS = 5.0
"""Time in which the peer may answer our close_notify. After it we close without an answer."""

FIRST = 4096
"""Bytes of a connection's beginning that are kept until the handshake is finished."""

_PLAIN_HTTP = b"This port speaks TLS. Use https:// or wss://.\n"
_BAD_REQUEST = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
    % (len(_PLAIN_HTTP), _PLAIN_HTTP)
)


class NoCommonProtocol(SSL.Error):
    """The client offered application protocols, and none of ours (RFC 7301, section 3.2)."""

    def __init__(self) -> None:
        super().__init__([("", "", "no application protocol")])


class _PeerFinished(Exception):  # noqa: N818 - nothing went wrong
    """The peer has sent its close_notify, and the responder may go on answering."""


class TLSTransport(BufferingTLSTransport):
    """The transport of a Tap on TLS.

    Attributes:
        wrong_certificate: what is wrong with the peer's certificate: OpenSSL's number, and the subject.
    """

    factory: TLSFactory
    transport: Any
    wrong_certificate: tuple[int, str] | None = None

    def __init__(self, factory: TLSFactory, tap: Secured) -> None:
        super().__init__(factory, cast(Any, tap))
        self._tap = tap
        self._first = bytearray()
        self._shaking = True
        self._found = ""  # what we found wrong ourselves, in words
        self._overdue: Any = None
        self._closing: Any = None
        self._writeDisconnected = False
        self._read_to_end = False

    # -- the handshake

    def makeConnection(self, transport: Any) -> None:
        self._overdue = self.factory.clock.callLater(HANDSHAKE_SECONDS, self._on_overdue)
        super().makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        if self._shaking:
            if self._found:
                return
            self._first += data[: FIRST - len(self._first)]
            if not self.factory.terms.client and tls_words.HTTP_REQUEST.match(self._first):
                self._found = "plain HTTP on a TLS port"
                self.transport.write(_BAD_REQUEST)
                self.transport.loseConnection()
                return
        super().dataReceived(data)

    def on_handshake(self) -> tuple[str, dict[str, Any]]:
        """The handshake is finished. Returns what was agreed on: a line, and the detail of an event."""
        self._shaking = False
        self._first.clear()
        self._overdue.cancel()
        self._end_writes()
        return agreed(self._tlsConnection, client=self.factory.terms.client)

    def _on_overdue(self) -> None:
        if self._excused():
            self._overdue = self.factory.clock.callLater(HANDSHAKE_SECONDS, self._on_overdue)
            return
        self._found = f"the handshake was not finished within {HANDSHAKE_SECONDS:g} s"
        self._tap.record_limit(limits.HANDSHAKE_SECONDS.reached(HANDSHAKE_SECONDS, "tls"))
        self.transport.abortConnection()

    def _excused(self) -> bool:
        """Whether the client cannot be blamed, because we do not read."""
        return self._tap.held

    # -- the end

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        for call in (self._overdue, self._closing):
            if call is not None and call.active():
                call.cancel()
        problem = self._reason or reason
        ours = bool(self._tap.ended_by)
        if self._found or problem.check(SSL.Error, VerificationError) or (self._shaking and not ours):
            self._tell(problem)
        elif reason.check(error.ConnectionDone) and not self._heard_close():
            # Twisted would call it lost, as after a reset; but all that was sent has come.
            self._reason = reason
            if not ours:
                self._tap.ended("closed by the peer, without close_notify")
        super().connectionLost(reason)

    def _heard_close(self) -> bool:
        return bool(self._tlsConnection.get_shutdown() & SSL.RECEIVED_SHUTDOWN)

    def _tell(self, problem: Failure) -> None:
        """Record why there is no TLS, or no more."""
        first, terms, said = bytes(self._first), self.factory.terms, _said(problem.value)
        ending = Ending(
            said,
            first,
            self.wrong_certificate,
            problem.check(VerificationError) is not None,
            problem.check(error.ConnectionLost) is not None,
        )
        words = self._found or tls_words.words(terms, ending)
        detail: dict[str, Any] = {"reason": words, "openssl": list(said)}
        hello = None if terms.client else parse(first)
        if hello is not None:
            detail |= hello.detail()
        self._tap.record(events.TLS_FAILED, words, detail, payload=first or None)
        self._tap.ended(f"TLS {'handshake ' if self._shaking else ''}failed: {words}")

    def _shutdownTLS(self) -> None:
        if self._tlsConnection is None or self._peer_finished():
            return
        super()._shutdownTLS()
        if self._closing is None and self.connected and (self.disconnecting or not self._writeDisconnected):
            # Otherwise a peer that never answers would keep the connection open for ever.
            self._closing = self.factory.clock.callLater(CLOSING_SECONDS, self.transport.loseConnection)

    # -- closing one side (RFC 8446, section 6.1), of which Twisted's TLS knows nothing

    def loseWriteConnection(self) -> None:
        """Send close_notify after what was written, and go on reading."""
        if self.connected and not self._writeDisconnected:
            self._aggregator.flush()
            self._writeDisconnected = True
            self._end_writes()

    def _unbufferPendingWrites(self) -> None:
        super()._unbufferPendingWrites()
        self._end_writes()

    def _end_writes(self) -> None:
        if self._writeDisconnected and not (self._shaking or self._appSendBuffer):
            self._shutdownTLS()

    def _peer_finished(self) -> bool:
        """Whether only the peer has closed its side, and TLS and responder allow that."""
        connection = self._tlsConnection
        return (
            not self._shaking
            and not self.disconnecting
            and connection.get_shutdown() == SSL.RECEIVED_SHUTDOWN
            and connection.get_protocol_version() >= SSL.TLS1_3_VERSION  # before it, both sides had to go
            and IHalfCloseableProtocol.providedBy(self._tap)
        )

    def _tlsShutdownFinished(self, reason: Failure | None) -> None:
        if reason is None and self._peer_finished():
            raise _PeerFinished
        super()._tlsShutdownFinished(reason)

    def _flushReceiveBIO(self) -> None:
        if not self._read_to_end:
            try:
                super()._flushReceiveBIO()
            except _PeerFinished:
                self._read_to_end = True
                self._tap.readConnectionLost()
        self._flushSendBIO()

    # -- for the Tap

    def unsent(self) -> int:
        """Bytes that were written and have not reached the kernel, most of them already encrypted."""
        gathered = getattr(self._aggregator, "_buffer", ())
        return self.encrypted() + sum(map(len, self._appSendBuffer)) + sum(map(len, gathered))

    def encrypted(self) -> int:
        """Those of them that are on their way: encrypted bytes, and what belongs to TLS itself."""
        wire: Any = self.transport
        return int(len(wire.dataBuffer) - wire.offset + wire._tempDataLen)


class TLSFactory(TLSMemoryBIOFactory):
    """Puts TLS before the Taps of a factory.

    Attributes:
        terms: what our side asks for.
        clock: for timers.
    """

    protocol = TLSTransport

    def __init__(self, creator: Any, wrapped: IProtocolFactory, clock: Any, terms: Terms) -> None:
        super().__init__(creator, terms.client, wrapped, clock)
        self.clock, self.terms = clock, terms

    def buildProtocol(self, addr: IAddress | None) -> TLSTransport | None:  # type: ignore[override]
        tap = self.wrappedFactory.buildProtocol(addr)
        # WORKAROUND: Twisted's own factory wraps None, too, when the connection was refused.
        return None if tap is None else self._transport_for(cast(Secured, tap))

    def _transport_for(self, tap: Secured) -> TLSTransport:
        return TLSTransport(self, tap)


def agreed(connection: SSL.Connection, *, client: bool) -> tuple[str, dict[str, Any]]:
    """What both sides agreed on, as one line and as the detail of an event."""
    certificate = connection.get_peer_certificate(as_cryptography=True)
    subject = None if certificate is None else certificate.subject.rfc4514_string()
    name = connection.get_servername()
    detail = {
        "version": connection.get_protocol_version_name().replace("TLSv", "TLS "),
        "cipher": connection.get_cipher_name(),
        "bits": connection.get_cipher_bits(),
        "alpn": connection.get_alpn_proto_negotiated().decode("ascii", "backslashreplace") or None,
        "sni": name.decode("ascii", "backslashreplace") if name else None,
        "server" if client else "client": subject,
        # WORKAROUND: pyOpenSSL has no word for it (https://github.com/pyca/pyopenssl/issues/866).
        "resumed": bool(SSL._lib.SSL_session_reused(connection._ssl)),  # type: ignore[attr-defined]
    }
    parts = [detail["version"], detail["cipher"], detail["alpn"]]
    if name:
        parts.append(f"for {detail['sni']}")
    if subject and not client:
        parts.append(f"client {subject}")
    if detail["resumed"]:
        parts.append("resumed")
    return ", ".join(str(part) for part in parts if part), detail


def _said(problem: BaseException | None) -> tuple[str, ...]:
    """OpenSSL's reasons in an exception of pyOpenSSL's."""
    if not isinstance(problem, SSL.Error) or not problem.args or not isinstance(problem.args[0], list):
        return ()
    return tuple(str(entry[-1]) for entry in problem.args[0])
