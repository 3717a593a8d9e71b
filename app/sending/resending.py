"""Sends the bytes that caused a failure again, to the same service, over a new connection."""

from __future__ import annotations

import re

from app.sending import open_conversation
from app.sending.delivery import silence
from app.sending.request import Request
from app.sending.sender import Sender
from app.sending.url import parse
from app.text.escapes import amount

WAIT = 1.0
"""Seconds of silence after which no more data is expected."""

_WIRE = {"http": "tcp", "https": "tls", "ws": "tcp", "wss": "tls"}


async def send_again(sender: Sender, url: str, payload: bytes) -> str:
    """Send ``payload`` to the service at ``url`` as it was received. Returns the result as one sentence.

    Raises URLError for a URL that cannot be sent to.
    """
    # The service is one of this program, whatever certificate it has.
    where, data = as_it_came(url, payload)
    request = Request(parse(where), verify=False)
    conversation = open_conversation(request, sender)
    received = 0

    def on_received(data: bytes) -> None:
        nonlocal received
        received += len(data)

    conversation.received.connect(on_received)
    await conversation.connect()
    if conversation.closed is None:
        await conversation.send(data)
        await silence(sender.reactor, conversation, WAIT)
    closed = conversation.closed
    if closed is None:
        conversation.close()
    elif closed.failed and not received:
        return closed.reason
    came = f"{amount(received)} came back" if received else "nothing came back"
    over = f" {closed.reason}" if closed is not None else ""
    return f"Sent {amount(len(data))} to {request.url.address} again: {came}.{over}"


def as_it_came(url: str, payload: bytes) -> tuple[str, bytes]:
    """The URL and the bytes to send. An HTTP request or WebSocket handshake is sent as plain bytes over TCP or TLS."""
    scheme = url.partition("://")[0]
    if scheme not in _WIRE or (scheme in ("ws", "wss") and not payload.startswith(b"GET ")):
        return url, payload
    return f"{_WIRE[scheme]}://{parse(url).address}", _request(payload)


def _request(payload: bytes) -> bytes:
    """An HTTP/1.1 request for the recorded one, whose body was recorded without its transfer coding.

    Content-Length takes the place of Transfer-Encoding (RFC 9112 sections 6.1 and 6.2).
    """
    head, ending, body = payload.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    if not (ending and line.rpartition(b" ")[2].startswith(b"HTTP/")):
        return payload
    line = re.sub(rb" HTTP/2(\.0)?$", b" HTTP/1.1", line)
    kept = [field for field in fields if field.partition(b":")[0].lower() != b"transfer-encoding"]
    if len(kept) < len(fields):
        kept.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([line, *kept]) + ending + body
