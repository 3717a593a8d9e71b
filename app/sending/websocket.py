"""Sends WebSocket messages, by autobahn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from autobahn.twisted.websocket import WebSocketClientFactory, WebSocketClientProtocol
from autobahn.websocket.compress import (
    PerMessageDeflateOffer,
    PerMessageDeflateResponse,
    PerMessageDeflateResponseAccept,
)
from autobahn.websocket.types import ConnectingRequest, ConnectionResponse
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

from app import __version__, events
from app.sending import errors, reasons
from app.sending.conversation import Conversation, WriteGate
from app.sending.request import Request
from app.sending.url import URL
from app.services import address
from app.services.tap.tap import Tap
from app.services.websocket.autobahn_setup import prepare
from app.text.escapes import PREVIEW, escape, preview
from app.websocket import handshake_answer
from app.websocket.close_codes import NO_STATUS
from app.websocket.fragments import Fragments
from app.websocket.gathering import Gathering

MAX_MESSAGE = 16 << 20
"""Most bytes of a frame or message, decompressed. For a larger one, the peer gets close code 1009."""

NORMAL, GOING_AWAY = 1000, 1001
"""Close codes that stand for no error (RFC 6455 section 7.4.1)."""

_HANDSHAKE_HEADERS = (
    "host",
    "upgrade",
    "connection",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-extensions",
)


class Client(Fragments, Gathering, WebSocketClientProtocol):  # type: ignore[misc]
    """Overrides inner hooks of autobahn, to check the answer to the handshake before autobahn does.

    Attributes:
        opened: whether the handshake is complete.
        refused: what is wrong with the server's answer to it; "" for nothing.
    """

    def __init__(self, conversation: WebSocketConversation) -> None:
        super().__init__()
        self._conversation = conversation
        self.opened, self.refused = False, ""

    @property
    def tap(self) -> Tap:
        return cast(Tap, self.transport)

    def onConnecting(self, transport_details: Any) -> ConnectingRequest:
        return _handshake(self._conversation.request)

    def connectionMade(self) -> None:
        super().connectionMade()
        self._conversation.on_made(self)

    def processHandshake(self) -> None:
        if wrong := handshake_answer.problem(self.data):
            self.refused = wrong
            self.failHandshake(wrong)
        else:
            super().processHandshake()

    def failHandshake(self, reason: str) -> None:
        parts = self.data.partition(b"\r\n")[0].split(b" ", 1)
        if parts[0].startswith(b"HTTP/") and len(parts) == 2 and not parts[1].startswith(b"101"):
            self.refused = f"answered {escape(parts[1][:80])}"
        else:
            self.refused = self.refused or "answered something else"
        super().failHandshake(reason)

    def onConnect(self, response: ConnectionResponse) -> None:
        self.tap.record(
            events.WS_OPENED,
            f"{events.ARROWS['sent']} {self._conversation.url.target}",
            {
                "target": self._conversation.url.target,
                "offered": list(self.factory.protocols),
                "subprotocol": response.protocol,
                "extensions": [str(e) for e in response.extensions],
                "fields": list(response.headers.items()),
                "outgoing": True,
            },
        )

    def onOpen(self) -> None:
        self.opened = True
        self._conversation.on_open(self.websocket_protocol_in_use)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._note("binary" if isBinary else "text", "received", payload)
        self._conversation.on_message(payload, is_text=not isBinary)

    def sendMessage(self, payload: bytes, isBinary: bool = False, *args: Any, **kwargs: Any) -> None:
        super().sendMessage(payload, isBinary, *args, **kwargs)
        self._note("binary" if isBinary else "text", "sent", payload)

    def onPing(self, payload: bytes) -> None:
        self._note("ping", "received", payload)
        super().onPing(payload)

    def onPong(self, payload: bytes) -> None:
        self._note("pong", "received", payload)

    def _note(self, opcode: str, direction: str, payload: bytes) -> None:
        arrow = events.ARROWS[direction]
        summary = f"{arrow} {opcode}  {preview(payload[:PREVIEW], len(payload))}"
        self.tap.record(events.WS_MESSAGE, summary, {"opcode": opcode, "direction": direction}, payload=payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        if not self.opened:
            return
        self.tap.record(events.WS_CLOSED, *self.closed(wasClean))

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        # autobahn would log TLS errors.
        known = reason.check(ConnectionDone, ConnectionLost)
        super().connectionLost(reason if known else Failure(ConnectionLost()))
        self._conversation.on_lost(reason)


class WebSocketConversation(Conversation):
    """One WebSocket connection."""

    messages = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._gate = WriteGate(self._stop_waiting)
        self._protocol: Any = None
        self._opening: Deferred[None] = Deferred(lambda _: self._abort())

    async def _connect(self) -> None:
        handshake = _handshake(self.request)  # raises for a wrong header before there is a connection
        prepare(self._reactor)
        # autobahn compares the subprotocol in the answer with those of the factory.
        factory = WebSocketClientFactory(_for_autobahn(self.url), protocols=handshake.protocols, reactor=self._reactor)
        factory.protocol = cast(Any, lambda: Client(self))
        factory.setProtocolOptions(
            maxFramePayloadSize=MAX_MESSAGE,
            maxMessagePayloadSize=MAX_MESSAGE,
            openHandshakeTimeout=self._sender.timeout,
            closeHandshakeTimeout=2,
            echoCloseCodeReason=True,
            failByDrop=False,
            perMessageCompressionOffers=[PerMessageDeflateOffer()],
            perMessageCompressionAccept=_accept_compression,
        )
        await self._reach(factory)
        await self._opening

    def _send(self, data: bytes, binary: bool) -> None:
        if len(data) > MAX_MESSAGE:
            raise errors.TooLargeError(size=f"{len(data):,}", what="A message", most=f"{MAX_MESSAGE:,}")
        self._protocol.sendMessage(data, binary or not _is_utf8(data))
        if not self._gate.shut:
            self._stop_waiting()

    def _after_writes(self, call: Callable[[], None]) -> None:
        self._protocol.tap.after_writes(call)

    def _finish(self) -> None:
        self._protocol.unregisterProducer()
        self._protocol.sendClose(NORMAL)

    def _abort(self) -> None:
        if self._protocol is not None:
            self._protocol.tap.abortConnection()

    # -- called by the protocol

    def on_made(self, protocol: Client) -> None:
        self._protocol = protocol

    def on_open(self, subprotocol: str | None) -> None:
        self._protocol.registerProducer(self._gate, True)
        self._opened(f"subprotocol {escape(subprotocol.encode())}" if subprotocol else "")
        self._opening.callback(None)

    def on_message(self, payload: bytes, *, is_text: bool) -> None:
        self.received_text = is_text
        self.received.emit(payload)

    def on_lost(self, reason: Failure) -> None:
        protocol, self._protocol = self._protocol, None
        if protocol.opened and reasons.by_fault(protocol.tap):
            self._lost(reason, protocol.tap)
        elif not protocol.opened:
            self._on_never_opened(protocol, reason)
        elif self._closed_by_us or protocol.their_close is None:
            self._lost(reason, protocol.tap)
        else:
            code, why = protocol.their_close
            wrong = bool(protocol.broken_close)
            rest = ", which breaks the rules of WebSocket" if wrong else f": {escape(why)}" if why else ""
            text = f"Closed by {self.url.address} {_code(code)}{rest}."
            self._close(text, failed=wrong or code not in (NORMAL, GOING_AWAY, NO_STATUS))

    def _on_never_opened(self, protocol: Client, reason: Failure) -> None:
        if protocol.wasOpenHandshakeTimeout:
            protocol.refused = f"did not answer the handshake within {self._sender.timeout:g} s"
        if by_fault := reasons.by_fault(protocol.tap):
            error: errors.SendError = errors.FaultError(what=by_fault.partition(" ")[0])
        elif protocol.refused:
            error = errors.NoWebSocketError(address=self.url.address, reason=protocol.refused)
        else:
            lost = reasons.lost(reason, self.url, protocol.tap)
            error = lost or errors.NoWebSocketError(address=self.url.address, reason="hung up")
        if not self._opening.called:
            self._opening.errback(error)


def _handshake(request: Request) -> ConnectingRequest:
    """What autobahn sends as the handshake for ``request``. Raises FieldError."""
    url, origin, protocols, useragent = request.url, None, [], f"Listening-Post/{__version__}"
    headers: dict[str, str] = {}
    for name, value in request.fields:
        lower = name.lower()
        if lower in _HANDSHAKE_HEADERS:
            raise errors.FieldError(text=name, reason="the handshake has it already")
        if lower == "origin":
            origin = value
        elif lower == "user-agent":
            useragent = value
        elif lower == "sec-websocket-protocol":
            protocols += [offered.strip() for offered in value.split(",") if offered.strip()]
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    host = address.join(url.host, 0)[:-2]
    return ConnectingRequest(host, url.port, url.target, headers, useragent, origin, protocols)


def _for_autobahn(url: URL) -> str:
    return f"{url.scheme}://{address.join(url.host, url.port)}{url.target}"


def _accept_compression(response: Any) -> Any:
    return PerMessageDeflateResponseAccept(response) if isinstance(response, PerMessageDeflateResponse) else None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _code(code: int) -> str:
    return "without a code" if code == NO_STATUS else f"with code {code}"


CONVERSATION = WebSocketConversation
