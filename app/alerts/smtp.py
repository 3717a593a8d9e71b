"""Sends one mail by Twisted's client for ESMTP, with bounds on what the server says.

Importing Twisted's module looks up this machine's name, which may block: ``send`` has that done in a thread.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError
from twisted.internet.task import deferLater
from twisted.python.failure import Failure

from app.alerts import errors
from app.alerts.mail import IMPLICIT, PORTS, STARTTLS, Mail
from app.errors import PostError
from app.sending import reasons
from app.sending.url import parse
from app.services.tls.client import ClientTLS
from app.text.escapes import one_line

if TYPE_CHECKING:
    from app.alerts.means import Means

CONNECTING, ANSWERING = 10.0, 30.0
"""Seconds to connect, and for each answer of the server."""

MAX_SAID = 256 << 10
"""Bytes that a server may say in all."""

_REFUSED = range(500, 600)


class _TLS(ClientTLS):
    """TLS that knows its one connection, which knows what is wrong with the server's certificate."""

    protocol: Any = None

    def clientConnectionForTLS(self, protocol: Any) -> Any:
        self.protocol = protocol
        return super().clientConnectionForTLS(protocol)


async def send(mail: Mail, password: str, to: str, content: bytes, means: Means) -> None:
    """Send ``content`` to one address. Raises MailRefusedError, MailDelayedError or UnreachedError."""
    factory_class = await means.sender.in_thread(_factory)
    tls = _TLS(mail.server, means.sender.data, True, (), None, None) if mail.tls in (STARTTLS, IMPLICIT) else None
    if tls is not None:
        await means.sender.in_thread(tls.load)
    result: Deferred[Any] = Deferred()
    factory = factory_class(
        mail.user.encode() or None,
        password.encode() or None,
        mail.sender,
        to,
        BytesIO(content.replace(b"\r\n", b"\n")),
        result,
        retries=0,
        timeout=ANSWERING,
        contextFactory=tls if mail.tls == STARTTLS else None,
        heloFallback=True,
        requireAuthentication=bool(mail.user),
        requireTransportSecurity=mail.tls == STARTTLS,
    )
    factory.called = means.called
    connected = await _connect(mail, tls if mail.tls == IMPLICIT else None, factory, means)
    try:
        await result
    except Exception as e:
        raise _error(e, mail, tls) from e
    finally:
        factory.sendFinished = True
        # Not in the turn in which the server's words came: TLS is still busy with them.
        await deferLater(means.reactor, 0, lambda: None)
        if not (factory.sent or factory.lost):
            connected.transport.abortConnection()


async def _connect(mail: Mail, tls: ClientTLS | None, factory: Any, means: Means) -> Any:
    port = mail.port or PORTS[mail.tls]
    endpoint: Any = HostnameEndpoint(means.reactor, mail.server, port, timeout=CONNECTING)
    if tls is not None:
        endpoint = wrapClientTLS(tls, endpoint)
    try:
        return await endpoint.connect(factory)
    except (ConnectError, OSError, UnicodeError, PostError) as e:
        url = parse(f"tcp://{mail.address}")
        raise errors.UnreachedError(reason=str(reasons.not_connected(e, url))) from e


@cache
def _factory() -> Any:
    """The factory's class. Blocks when it is called first."""
    smtp = import_module("twisted.mail.smtp")

    class Sender(smtp.ESMTPSender):  # type: ignore[misc,name-defined]
        """One connection."""

        debug = False  # what is logged has the password in it, and becomes part of errors
        _said = 0

        def connectionMade(self) -> None:
            here = self.transport.getHost()
            self.factory.called((here.port, self.transport.getPeer().port))
            # An address in place of a name (RFC 5321 section 4.1.3): what this machine is called is nobody's business.
            self.identity = f"[{'IPv6:' if ':' in here.host else ''}{here.host.partition('%')[0]}]".encode()
            super().connectionMade()

        def dataReceived(self, data: bytes) -> None:
            self._said += len(data)
            if self._said > MAX_SAID:
                self.sendError(smtp.SMTPProtocolError(-1, b"it says too much"))
                self.transport.abortConnection()
                return
            super().dataReceived(data)

        def lineLengthExceeded(self, line: bytes) -> None:
            self.sendError(smtp.SMTPProtocolError(-1, b"it breaks the rules of SMTP: its lines are too long"))

        def esmtpState_starttls(self, code: int, resp: bytes) -> None:
            if self._buffer:
                # Somebody between may have put in what is to be taken for the server's word behind TLS.
                self.sendError(smtp.TLSError(-1, b"it said more before TLS began"))
                self.transport.abortConnection()
                return
            super().esmtpState_starttls(code, resp)

        def sendError(self, exc: Any) -> None:
            if not self.factory.sendFinished:
                self.factory.sendFinished = True
                self.factory.result.errback(exc)
            self.transport.loseConnection()

        def sentMail(self, code: int, resp: Any, *rest: Any) -> None:
            self.factory.sent = code in smtp.SUCCESS
            super().sentMail(code, resp, *rest)

        def connectionLost(self, reason: Failure = smtp.protocol.connectionDone) -> None:
            super().connectionLost(reason)
            self.factory.lost = True
            if not self.factory.sendFinished:
                self.factory.sendFinished = True
                self.factory.result.errback(reason)

    class Factory(smtp.ESMTPSenderFactory):  # type: ignore[misc,name-defined]
        protocol = Sender
        noisy = False
        sent = lost = False

    return Factory


def _error(e: Exception, mail: Mail, tls: _TLS | None) -> errors.AlertError:
    code = getattr(e, "code", None)
    said = getattr(e, "resp", b"")
    if isinstance(code, int):
        if refused := [one for one in getattr(e, "addresses", None) or () if one[1] >= 400]:
            _, code, said = refused[0]
        words = one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said))[:300].rstrip(".")
        if code in _REFUSED:
            return errors.MailRefusedError(address=mail.address, reason=f"{code} {words}")
        words = f"{code} {words}" if code > 0 else words or "it breaks the rules of SMTP"
        return errors.MailDelayedError(address=mail.address, reason=words)
    return errors.UnreachedError(reason=_lost(e, mail, tls))


def _lost(e: Exception, mail: Mail, tls: _TLS | None) -> str:
    """Why the connection ended before the mail was taken."""
    if isinstance(e, CancelledError):
        return f"{mail.address} does not answer in time."
    if (found := getattr(tls and tls.protocol, "wrong_certificate", None)) is not None:
        subject = one_line(found[1])
        return f"{mail.address} is not trusted: its certificate ({subject}) is of no authority that we trust."
    if type(e).__name__ == "VerificationError":
        return f"{mail.address} is not trusted: its certificate is for another name."
    return f"{mail.address} closed the connection before it took the mail: {one_line(str(e))[:200]}"
