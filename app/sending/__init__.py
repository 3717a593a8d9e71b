"""The sending side: one small module for each client, found by the scheme of a URL.

A module holds ``CONVERSATION``, a subclass of ``app.sending.conversation.Conversation``.
Modules are loaded when something is first sent through them: HTTP and WebSocket take a while.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.sending.conversation import Conversation, Request
    from app.sending.sender import Sender


@dataclass(frozen=True, slots=True)
class Client:
    """What stands behind one scheme.

    Attributes:
        module: of this package.
        protocol: the service's that it is for.
        tls: whether it speaks TLS.
        port: where a URL names none; 0: it must.
        http: whether a URL has a path, and what is sent has fields.
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
    """The scheme that reaches a service of this protocol, if we have a client for it."""
    return next((c.scheme for c in CLIENTS.values() if c.protocol == protocol and c.tls == tls), None)


def open_conversation(request: Request, sender: Sender) -> Conversation:
    """A conversation that is about to connect: ``await`` its ``connect()``."""
    module = import_module(f"{__name__}.{request.url.client.module}")
    conversation: Conversation = module.CONVERSATION(request, sender)
    return conversation
