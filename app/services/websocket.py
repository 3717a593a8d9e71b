"""Opens WebSocket services: autobahn behind the Tap, with each message noted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import txaio
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.interfaces import IListeningPort

from app import events
from app.services import tcp
from app.services.service import Service
from app.services.tap import Tap
from app.text import PREVIEW, escape, preview

MAX_MESSAGE = 16 << 20
"""Bytes of a frame or message, decompressed, above which the peer gets close code 1009."""

MAX_HEAD = 64 << 10
"""Bytes of an opening handshake's head; autobahn would keep any number of them."""

GOING_AWAY, INTERNAL_ERROR = 1001, 1011
"""Close codes of RFC 6455 section 7.4.1."""

# For the type checker the mixin is what it is mixed into.
_Base = WebSocketServerProtocol if TYPE_CHECKING else object


class Notes(_Base):  # type: ignore[misc,valid-type]
    """Mixed in before a responder's protocol class: notes what the frames mean.

    Overrides autobahn's inner hooks rather than the public ones, which are the responder's.

    Attributes:
        known: the subprotocols to choose from; empty: all.
    """

    known: Sequence[str] = ()
    _opened = False

    @property
    def _tap(self) -> Tap:
        return cast(Tap, self.transport)

    def processHandshake(self) -> None:
        if len(self.data) > MAX_HEAD and b"\r\n\r\n" not in self.data:
            self.failHandshake(f"more than {MAX_HEAD:,} bytes of fields", 431)
        else:
            super().processHandshake()

    def onConnect(self, request: Any) -> Any:
        try:
            chosen = super().onConnect(request)
        except ConnectionDeny:
            raise  # the responder says no, as it may
        except Exception as e:
            self._tap.failed(e, self.http_request_data)
            raise
        if chosen is not None:
            return chosen
        # RFC 6455 section 4.2.2: one of those offered, or none at all.
        return next((name for name in request.protocols if not self.known or name in self.known), None)

    def _onOpen(self) -> None:
        self._opened = True
        chosen = self.websocket_protocol_in_use
        offered = list(self.websocket_protocols)
        target = escape(self.http_request_uri.encode("latin-1", "replace"))
        self._tap.note(
            events.WS_OPENED,
            f"{target}  subprotocol {chosen}" if chosen else target,
            {
                "target": target,
                "origin": self.http_headers.get("origin"),
                "offered": offered,
                "subprotocol": chosen,
                "extensions": [str(e) for e in self.websocket_extensions_in_use],
                "fields": list(self.http_headers.items()),
            },
        )
        self._guarded(b"", super()._onOpen)

    def _onMessage(self, payload: bytes, isBinary: bool) -> None:
        self._note_message("binary" if isBinary else "text", "received", payload)
        self._guarded(payload, super()._onMessage, payload, isBinary)

    def sendMessage(self, payload: bytes, isBinary: bool = False, *args: Any, **kwargs: Any) -> None:
        super().sendMessage(payload, isBinary, *args, **kwargs)
        if self.state == self.STATE_OPEN:
            self._note_message("binary" if isBinary else "text", "sent", payload)

    def _onPing(self, payload: bytes) -> None:
        if self.failedByMe:
            return  # autobahn tells of a ping that broke the rules too
        self._note_message("ping", "received", payload)
        self._guarded(payload, super()._onPing, payload)

    def _onPong(self, payload: bytes) -> None:
        self._note_message("pong", "received", payload)
        self._guarded(payload, super()._onPong, payload)

    def _onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        protocol = cast(Any, self)
        if protocol.closeHandshakeTimeoutCall is not None:
            # autobahn lets it run on, and keeps the protocol of a connection that is gone.
            protocol.closeHandshakeTimeoutCall.cancel()
            protocol.closeHandshakeTimeoutCall = None
        if self._opened:
            first = self.localCloseCode if self.remoteCloseCode is None else self.remoteCloseCode
            self._tap.note(
                events.WS_CLOSED,
                f"{code if first is None else first}  {_words(reason) or ''}".rstrip(),
                {
                    "clean": wasClean,
                    "code": code,
                    "reason": _words(reason),
                    "their_code": self.remoteCloseCode,
                    "their_reason": _words(self.remoteCloseReason),
                    "our_code": self.localCloseCode,
                    "our_reason": _words(self.localCloseReason),
                },
            )
        self._guarded(b"", super()._onClose, wasClean, code, reason)

    def _note_message(self, opcode: str, direction: str, payload: bytes) -> None:
        arrow = "←" if direction == "received" else "→"
        self._tap.note(
            events.WS_MESSAGE,
            f"{arrow} {opcode}  {preview(payload[:PREVIEW], len(payload))}",
            {"opcode": opcode, "direction": direction},
            payload=payload,
        )

    def _guarded(self, payload: bytes, call: Any, *args: Any) -> None:
        """What the responder lets out is recorded with its message, and ends in close code 1011."""
        try:
            call(*args)
        except Exception as e:
            self._tap.failed(e, payload)
            if self.state == self.STATE_OPEN:
                self.end(INTERNAL_ERROR, "the responder failed")

    def end(self, code: int, reason: str) -> None:
        """Begin the closing handshake; ``sendClose`` takes only the codes of applications."""
        self.sendCloseFrame(code, reason.encode())

    def _closeConnection(self, abort: bool = False) -> None:
        # After their close frame autobahn aborts, which would throw away what was written
        # just before: ours, when theirs broke the rules.
        super()._closeConnection(abort and not self.wasClean)


def _words(reason: str | bytes | None) -> str | None:
    # autobahn keeps some reasons decoded and some not.
    if reason is None:
        return None
    return escape(reason if isinstance(reason, bytes) else reason.encode("utf-8", "surrogatepass"))


class WebSocketTap(Tap):
    """A Tap that speaks WebSocket on the user's side."""

    def send(self, data: bytes) -> None:
        """Send a message: text where ``data`` is UTF-8, else binary."""
        try:
            data.decode()
            binary = False
        except UnicodeDecodeError:
            binary = True
        protocol = cast(Any, self.wrappedProtocol)
        if protocol is None or protocol.state != protocol.STATE_OPEN:
            self.note(events.LOG, "a message was not sent: the WebSocket is not open", {})
            return
        protocol.sendMessage(data, binary)

    def finish(self, why: str = "closed by us") -> None:
        protocol = cast(Any, self.wrappedProtocol)
        if protocol is None or protocol.state != protocol.STATE_OPEN:
            super().finish(why)
            return
        self._ended_by = self._ended_by or why
        protocol.end(GOING_AWAY, "the service is stopping")


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's WebSocket protocol behind the Tap. Raises CannotListenError."""
    responder, settings = service.build(), service.config.settings("options")
    # autobahn asks txaio for timers, which would import the global reactor by itself.
    txaio.use_twisted()
    txaio.config.loop = service.reactor  # type: ignore[attr-defined]
    factory = WebSocketServerFactory(reactor=service.reactor)
    noted = type(f"Noted{responder.__name__}", (Notes, responder), {"known": settings["subprotocols"]})
    factory.protocol = cast(Any, noted)
    factory.setProtocolOptions(
        maxFramePayloadSize=MAX_MESSAGE,
        maxMessagePayloadSize=MAX_MESSAGE,
        openHandshakeTimeout=10,
        closeHandshakeTimeout=2,  # autobahn counts whole seconds of the clock: between 1 and 2
        echoCloseCodeReason=True,
        webStatus=False,
        failByDrop=False,
    )
    return tcp.listen(service, factory, host, port, WebSocketTap)
