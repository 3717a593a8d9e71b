"""The schemes of URLs that can be sent to, and the module that sends for each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """The client for one scheme.

    Attributes:
        module: the module of this package that sends.
        protocol: the protocol of the services that it reaches.
        tls: whether it uses TLS.
        port: the port of a URL that names none; 0: a URL must name one.
        http: whether a URL has a path, and a request has headers.
    """

    scheme: str
    module: str
    protocol: str
    tls: bool = False
    port: int = 0
    http: bool = False


CLIENTS = {
    client.scheme: client
    for client in (
        Client("tcp", "tcp", "tcp"),
        Client("tls", "tcp", "tcp", tls=True),
        Client("udp", "udp", "udp"),
        Client("http", "http", "http", port=80, http=True),
        Client("https", "http", "http", tls=True, port=443, http=True),
        Client("ws", "websocket", "websocket", port=80, http=True),
        Client("wss", "websocket", "websocket", tls=True, port=443, http=True),
    )
}


def scheme_for(protocol: str, *, tls: bool) -> str | None:
    """The scheme that reaches a service of this protocol, or None where there is no client for it."""
    return next((c.scheme for c in CLIENTS.values() if c.protocol == protocol and c.tls == tls), None)
