"""Errors of the relay: wrong upstream addresses, and upstream servers that cannot be reached."""

from __future__ import annotations

from app.errors import PostError


class InvalidUpstreamError(PostError):
    """{text} is not an address to relay to. Write host:port, as in 127.0.0.1:9000 or [::1]:9000, or outpost/service."""


class InvalidUpstreamURLError(PostError):
    """{text} is not a URL to relay to. Write {scheme}://host:port, as in {scheme}://127.0.0.1:9000/path, or
    outpost/service.
    """


class UpstreamError(PostError):
    """The connection to {address} failed: {reason}."""


class UpstreamRefusedError(UpstreamError):
    """{address} refused the connection. Start the server there, or correct its address."""


class UpstreamAwayError(UpstreamError):
    """{address} is not reachable: {reason}. It is skipped until the outpost says that the service listens."""


class UpstreamUnknownError(UpstreamError):
    """No address is known for {address}. Check the spelling of its name."""


class UpstreamTimeoutError(UpstreamError):
    """{address} did not answer within {seconds} s. Check that it can be reached from here."""


class UpstreamNotTrustedError(UpstreamError):
    """{address} is not trusted: {reason}. Have this system trust its authority, or set the option verify to false."""


class UpstreamItselfError(UpstreamError):
    """{address} leads back to this relay. Set another server as upstream."""


class UpstreamHandshakeError(UpstreamError):
    """{address} closed the connection during the TLS handshake. Check that it speaks TLS."""


class NoUpstreamError(UpstreamError):
    """None of the upstreams can be reached: {reasons}. Start one of the servers, or correct the option upstreams."""


class UpstreamSilentError(UpstreamError):
    """{count} connections to {address} have no answer: further ones are refused. Check that the upstream does
    not lead back here."""
