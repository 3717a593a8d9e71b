"""Errors of sending: wrong URLs and messages, connections that fail or are lost."""

from __future__ import annotations

from app.errors import PostError


class SendError(PostError):
    """The message was not sent."""


class URLError(SendError):
    """{text} is not a URL to send to: {reason}. Write it as tcp://127.0.0.1:9007 or https://localhost:8443/orders."""


class FieldError(SendError):
    """The header {text} cannot be sent: {reason}."""


class DataUnreadableError(SendError):
    """Cannot read {path}: {reason}. Check the name."""


class TooLargeError(SendError):
    """{what} of {size} bytes cannot be sent: the limit is {most} bytes. Send less at once."""


class ConnectError(SendError):
    """Cannot connect to {address}: {reason}."""


class RefusedError(ConnectError):
    """{address} refused the connection: nothing listens there. Start the server or check the port."""


class UnknownPeerError(ConnectError):
    """No address is known for the name {host}. Check its spelling, or that the network is up."""


class NotAnsweredError(ConnectError):
    """{address} does not answer. Check the address, and whether a firewall is in the way."""


class UnreachableError(ConnectError):
    """There is no route to {address}. Check the address, and that the network is up."""


class ResetError(SendError):
    """{address} reset the connection. Its own log may say why."""


class FaultError(SendError):
    """{what} on purpose, by a fault."""


class SilentError(SendError):
    """{address} has been silent for too long, and the connection was closed. Check that the server still runs."""


class LostError(SendError):
    """The connection to {address} was lost: {reason}. Send again."""


class CertificateError(SendError):
    """{address} is not trusted: {reason}. To send anyway, turn off the check of certificates (--insecure)."""


class CertificateWantedError(SendError):
    """{address} requires a client certificate. Name a file with one that it trusts, and its key (--certificate)."""


class FaultsWrongError(SendError):
    """Fault {number} of this message cannot be used: {reason}."""


class NoTLSError(SendError):
    """{address} does not speak TLS: {reason}. Use the scheme without it: tcp, http or ws."""


class TLSError(SendError):
    """The TLS handshake with {address} failed: {reason}."""


class NoHTTPError(SendError):
    """{address} does not speak HTTP: its answer breaks the rules. Try tcp:// to see what it sends."""


class HeadTooLargeError(SendError):
    """The answer of {address} cannot be read: {reason}. Try tcp:// to see what it sends."""


class NoAnswerError(SendError):
    """{address} closed the connection before it answered. Its own log may say why."""


class CutShortError(SendError):
    """{address} closed the connection in the middle of its answer, after {size} bytes. Its own log may say why."""


class NoWebSocketError(SendError):
    """{address} did not open a WebSocket: it {reason}. Check the path."""
