"""The errors of ``app.sending.errors`` for what Twisted reports of a connection."""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from twisted.internet import error
from twisted.python.failure import Failure

from app.errors import system_words
from app.faults.targets import ENDED
from app.sending import errors
from app.services.tls import explain

if TYPE_CHECKING:
    from app.sending.url import URL
    from app.services.tap.tap import Tap

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.ENETDOWN)


def not_connected(e: BaseException, url: URL) -> errors.SendError:
    """The error for ``e``, with which connecting failed."""
    if isinstance(e, error.DNSLookupError | socket.gaierror | UnicodeError):
        return errors.UnknownPeerError(host=url.host)
    number = getattr(e, "osError", None) or getattr(e, "errno", None)
    if isinstance(e, error.ConnectionRefusedError | ConnectionRefusedError) or number == errno.ECONNREFUSED:
        return errors.RefusedError(address=url.address)
    if isinstance(e, error.TimeoutError | error.TCPTimedOutError | TimeoutError):
        return errors.NotAnsweredError(address=url.address)
    if isinstance(e, error.NoRouteError) or number in _UNREACHABLE:
        return errors.UnreachableError(address=url.address)
    return errors.ConnectError(address=url.address, reason=system_words(e))


def lost(reason: Failure, url: URL, tap: Tap) -> errors.SendError | None:
    """The error for ``reason``, with which a connection was lost; None where the peer closed it without an error."""
    e = reason.value
    if tap.ended_by.startswith("TLS "):
        return tls_problem(tap.ended_by, url)
    if isinstance(e, error.ConnectionDone):
        return None
    if isinstance(e, error.TimeoutError | error.TCPTimedOutError):
        return errors.SilentError(address=url.address)
    if isinstance(e, error.ConnectionLost):
        return errors.ResetError(address=url.address)
    return errors.LostError(address=url.address, reason=system_words(e))


def by_fault(tap: Tap) -> str:
    """How a fault has ended the connection, as a sentence; empty where none has."""
    return str(errors.FaultError(what=tap.ended_by.split()[0].capitalize())) if tap.ended_by.endswith(ENDED) else ""


def tls_problem(text: str, url: URL) -> errors.SendError:
    """The error for the text of a Tap about TLS, as ``"TLS handshake failed: the server's certificate …"``."""
    reason = text.partition(": ")[2].replace("is for another name", f"is for another name than {url.host}")
    if reason.startswith("the server's certificate "):
        return errors.CertificateError(address=url.address, reason=reason)
    if reason == explain.WANTED:
        return errors.CertificateWantedError(address=url.address)
    if "not TLS" in reason:
        return errors.NoTLSError(address=url.address, reason=reason.removeprefix("not TLS at all: "))
    return errors.TLSError(address=url.address, reason=reason)
