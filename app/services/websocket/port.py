"""Opens WebSocket services: autobahn behind the Tap, with each message recorded."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IListeningPort
from twisted.python.failure import Failure

from app import events, limits
from app.services import tcp
from app.services.service import Service
from app.services.tap.holding import BY_RESPONDER
from app.services.tap.tap import Tap
from app.services.tap.valve import AT_MOST, KEPT_FOR_ONE
from app.services.websocket import deflate
from app.services.websocket.autobahn_setup import prepare
from app.services.websocket.faulty import FaultyMessages
from app.services.websocket.handshake import VERSION, Handshake
from app.services.websocket.messages import DETAILS, Messages
from app.text.escapes import amount, escape
from app.websocket.close_codes import NO_STATUS
from app.websocket.fragments import Fragments
from app.websocket.gathering import Gathering
from app.websocket.timers import Timers

GOING_AWAY, POLICY_VIOLATION, INTERNAL_ERROR = 1001, 1008, 1011
"""Close codes of RFC 6455 section 7.4.1."""

UNREAD, UNREAD_BY_ALL = KEPT_FOR_ONE + (1 << 20), AT_MOST
"""Bytes that may wait for one client in addition to one message of the largest size, and for all of a service.

This is more than the valve allows. The valve holds a client back that does not read its own answers, so only
what other clients cause to be sent can exceed it.
"""

MAX_COMPRESSED = 1 << 20
"""Bytes of the largest message that is compressed: compression blocks all other connections."""


class RecordedMessages(Fragments, Gathering, Handshake):
    """Mixed in before a responder's protocol class: records opening, messages and close.

    It overrides autobahn's private hooks; the public ones belong to the responder.
    """

    _messages: Messages
    maxMessagePayloadSize: int
    maxFramePayloadSize: int
    _most: int | None = None  # their value, while a compressed frame comes
    _opened = False
    _slow = False
    rule = 0  # the number of the rule of the responder that sends now; 0: none

    def _onOpen(self) -> None:
        self._opened = True
        self._tap.gather(0, "handshake")
        chosen = self.websocket_protocol_in_use
        offered = list(self.websocket_protocols)
        target = escape(self.http_request_uri.encode("latin-1", "replace"))
        self._tap.record(
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
        self._record_message("binary" if isBinary else "text", "received", payload)
        faulty = cast(WebSocketTap, self.transport).messages
        if faulty is None:
            self.answer(payload, isBinary)
        else:
            faulty.take(payload, isBinary)

    def answer(self, payload: bytes, binary: bool) -> None:
        """Have the responder answer a message."""
        if self.state == self.STATE_OPEN:  # else we are closing, and no answer could be sent
            self._guarded(payload, super()._onMessage, payload, binary)

    def sendMessage(
        self,
        payload: bytes,
        isBinary: bool = False,
        fragmentSize: int | None = None,
        sync: bool = False,
        doNotCompress: bool = False,
    ) -> None:
        if self._slow or (self.state == self.STATE_OPEN and self._reads_too_slowly()):
            return
        faulty = cast(WebSocketTap, self.transport).messages if self.state == self.STATE_OPEN else None
        if faulty is None or type(payload) is not bytes:
            self._send_message(payload, isBinary, fragmentSize, sync, doNotCompress)
            return
        rule = self.rule

        def send(changed: bytes) -> None:
            if self.state == self.STATE_OPEN:
                now, self.rule = self.rule, rule
                self._send_message(changed, isBinary, fragmentSize, sync, doNotCompress)
                self.rule = now

        faulty.give(payload, isBinary, send)

    def _send_message(
        self, payload: bytes, isBinary: bool, fragmentSize: int | None, sync: bool, doNotCompress: bool
    ) -> None:
        plain = doNotCompress or self._perMessageCompress is None or len(payload) > MAX_COMPRESSED
        if plain and fragmentSize is None and not sync and self._may_skip_autobahn(payload):
            self._send_plain(payload, isBinary)
            return
        # autobahn would apply the limit for messages of clients to ours, too.
        most, self.maxMessagePayloadSize = self.maxMessagePayloadSize, 0
        try:
            super().sendMessage(payload, isBinary, fragmentSize, sync, plain)
        finally:
            self.maxMessagePayloadSize = most
        if self.state == self.STATE_OPEN:
            self.record_sent(payload, isBinary)

    def record_sent(self, payload: bytes, binary: bool, summary: str = "") -> None:
        """Record a message that was written."""
        summary = summary or self._messages.summary("binary" if binary else "text", "sent", payload)
        tap = cast(WebSocketTap, self.transport)
        if tap.messages is None:
            tap.record(events.WS_MESSAGE, summary, self._sent_detail(binary), payload=payload)
        else:
            record = partial(tap.record, events.WS_MESSAGE, summary, self._sent_detail(binary), payload=payload)
            tap.messages.when_sent(record)

    def _sent_detail(self, binary: bool) -> str:
        detail = DETAILS["binary" if binary else "text", "sent"]
        return f'{detail[:-1]}, "rule": {self.rule}}}' if self.rule else detail

    def _may_skip_autobahn(self, payload: object) -> bool:
        """Whether a message without compression is written as one frame, and at once.

        autobahn frames a message anew for each client, and formats lines for a log that nobody reads.
        """
        protocol = cast(Any, self)
        return (
            type(payload) is bytes
            and self.state == self.STATE_OPEN
            and not (protocol.send_queue or protocol.autoFragmentSize or protocol.maskServerFrames)
        )

    def _send_plain(self, payload: bytes, binary: bool) -> None:
        framed, summary = self._messages.framed(payload, binary)
        stats, size = self.trafficStats, len(payload)
        stats.outgoingWebSocketMessages += 1
        stats.outgoingWebSocketFrames += 1
        stats.outgoingOctetsAppLevel += size
        stats.outgoingOctetsWebSocketLevel += size
        stats.outgoingOctetsWireLevel += len(framed)
        cast(Tap, self.transport).write(framed)
        self.record_sent(payload, binary, summary)

    def processData(self) -> bool:
        """Take the next piece of what has come; nothing while the client, the capture or the responder is behind.

        One read can hold frames that decompress to a thousand times its size.
        """
        if self._tap.waits and self.state != self.STATE_CLOSED:
            self._tap.after_wait(self.consumeData)
            return False
        return bool(super().processData())

    def _reads_too_slowly(self) -> bool:
        tap = cast(WebSocketTap, self.transport)
        if not tap.backed_up and (tap.messages is None or tap.messages.outgoing.size <= UNREAD):
            return False
        unsent = tap.unsent() or 0
        most = UNREAD + self.maxMessagePayloadSize
        if unsent <= most and (unsent <= UNREAD >> 4 or tap.factory.kept.total <= UNREAD_BY_ALL):
            return False
        self._slow = True
        tap.record_limit(limits.UNREAD_BYTES.reached(most, unread=amount(unsent)))
        self.end(POLICY_VIOLATION, "you read too slowly")
        return True

    def sendPing(self, payload: bytes | None = None) -> None:
        super().sendPing(payload)
        if self.state == self.STATE_OPEN:
            self._record_message("ping", "sent", payload or b"")

    def onAutoPingTimeout(self) -> None:
        self.autoPingTimeoutCall = None
        if self.state == self.STATE_OPEN:
            self._tap.record_limit(limits.PING_TIMEOUT.reached(self.autoPingTimeout))
            self.end(INTERNAL_ERROR, "no pong came in time")

    def _onMessageFrameBegin(self, length: int) -> None:
        if self._isMessageCompressed:
            # Data that does not compress is a little longer on the wire (RFC 1951 section 3.2.4).
            most = self._most = self.maxMessagePayloadSize
            self.maxMessagePayloadSize = self.maxFramePayloadSize = most + (most >> 10) + 64
        super()._onMessageFrameBegin(length)

    def _onMessageFrameEnd(self) -> None:
        if self._most is not None:
            most = self.maxMessagePayloadSize = self.maxFramePayloadSize = self._most
            if self.message_data_total_length > most and not self.failedByMe:
                self._max_message_size_exceeded(self.message_data_total_length, most, "")
            self._most = None
        super()._onMessageFrameEnd()

    def _too_many_fragments(self, most: int) -> None:
        self._tap.record_limit(limits.FRAGMENTS.reached(most))
        super()._too_many_fragments(most)
        self._drop_gathered()

    def _max_message_size_exceeded(self, msg_size: int, max_msg_size: int, reason: str) -> None:
        if self._most is not None:
            max_msg_size, reason = self._most, f"message of more than {self._most} bytes"
        self._tap.record_limit(limits.MESSAGE_BYTES.reached(max_msg_size, "message"))
        super()._max_message_size_exceeded(msg_size, max_msg_size, reason)

    def _onPing(self, payload: bytes) -> None:
        if self.failedByMe:
            return  # autobahn calls this for a ping that broke the rules, too
        self._record_message("ping", "received", payload)
        faulty = cast(WebSocketTap, self.transport).messages
        if faulty is None or faulty.answers(payload):
            self._guarded(payload, super()._onPing, payload)

    def _onPong(self, payload: bytes) -> None:
        self._record_message("pong", "received", payload)
        self._guarded(payload, super()._onPong, payload)

    def _onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self._messages.forget()
        if self._opened:
            self._tap.record(events.WS_CLOSED, *self.closed(wasClean))
        self._guarded(b"", super()._onClose, wasClean, code, reason)

    def _record_message(self, opcode: str, direction: str, payload: bytes) -> None:
        summary = self._messages.summary(opcode, direction, payload)
        self._tap.record(events.WS_MESSAGE, summary, DETAILS[opcode, direction], payload=payload)

    def _guarded(self, payload: bytes, call: Any, *args: Any) -> None:
        """Call the responder: what it raises is recorded with its message, and closes with code 1011."""
        try:
            call(*args)
        except Exception as e:
            self._tap.failed(e, payload)
            if self.state == self.STATE_OPEN:
                self.end(INTERNAL_ERROR, "the responder failed")

    # -- the ends of a connection whose messages wait for a fault

    def succeedHandshake(self, res: Any) -> None:
        faulty = cast(WebSocketTap, self.transport).messages if self.state != self.STATE_CLOSED else None
        super().succeedHandshake(res if faulty is None else faulty.handshake(res))

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        faulty = cast(WebSocketTap, self.transport).messages if self.state == self.STATE_OPEN else None
        send = partial(super().sendCloseFrame, code, reasonUtf8, isReply)
        if faulty is None or isReply:
            send()
        else:
            faulty.leave(send)

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> bool | None:
        faulty = cast(WebSocketTap, self.transport).messages
        if faulty is None or not faulty.waits or self._fault:
            return super().onCloseFrame(code, reasonRaw)
        self.their_close = self.their_close or (NO_STATUS if code is None else code, reasonRaw or b"")
        # What comes behind a close frame means nothing (RFC 6455 section 5.5.1).
        cast(Any, self).dataReceived = lambda data: None
        close = super().onCloseFrame

        def taken() -> None:
            close(code, reasonRaw)

        faulty.after(taken)
        return True

    def close_now(self, code: int | None) -> None:
        """Send a close frame, whatever waits."""
        super().sendCloseFrame(code)

    def end(self, code: int, reason: str) -> None:
        """Begin the closing handshake; autobahn's ``sendClose`` accepts only codes for applications."""
        self.sendCloseFrame(code, reason.encode())

    def connectionLost(self, reason: Failure) -> None:
        # autobahn would log errors of TLS, which are recorded in words already.
        super().connectionLost(Failure(ConnectionLost()) if reason.check("OpenSSL.SSL.Error") else reason)
        self._drop_gathered()

    def _closeConnection(self, abort: bool = False) -> None:
        # autobahn aborts after the peer's close frame, and would drop what was written just before:
        # our own close frame, if the peer's broke the rules.
        super()._closeConnection(abort and not self.wasClean)


class WebSocketTap(Tap):
    """A Tap whose ``send`` and ``finish`` speak WebSocket.

    Attributes:
        messages: its messages, where faults can act on them.
    """

    messages: FaultyMessages | None = None

    def on_faults(self) -> None:
        self.messages = FaultyMessages(self, self.wrappedProtocol)

    def unsent(self) -> int | None:
        unsent = super().unsent()
        return unsent if unsent is None or self.messages is None else unsent + self.messages.outgoing.size

    def hold(self, who: int) -> None:
        super().hold(who)
        if self.messages is not None and who & BY_RESPONDER:
            self.messages.incoming.blocked = True

    def release(self, who: int) -> None:
        super().release(who)
        if self.messages is not None and who & BY_RESPONDER:
            self.messages.incoming.go_on()

    def send(self, data: bytes) -> None:
        """Send a message: text where ``data`` is UTF-8, else binary."""
        try:
            data.decode()
            binary = False
        except UnicodeDecodeError:
            binary = True
        protocol = cast(Any, self.wrappedProtocol)
        if protocol is None or protocol.state != protocol.STATE_OPEN:
            self.record(events.LOG, "a message was not sent: the WebSocket is not open", {})
            return
        protocol.sendMessage(data, binary)

    def finish(self, why: str = "") -> None:
        protocol = cast(Any, self.wrappedProtocol)
        if protocol is None or protocol.state != protocol.STATE_OPEN:
            super().finish(why or "closed by us")
            return
        self._ended_by = self._ended_by or why or "closed by us"
        protocol.end(GOING_AWAY, why or "the service is stopping")


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's WebSocket protocol behind the Tap. Raises CannotListenError."""
    return tcp.listen(service, lambda made: _factory(service, made), host, port, WebSocketTap)


def _factory(service: Service, made: Any) -> WebSocketServerFactory:
    settings, bounds = service.config.settings("options"), service.config.settings("limits")
    prepare(service.reactor)
    own = isinstance(made, WebSocketServerFactory)
    factory = made if own else WebSocketServerFactory(reactor=service.reactor)
    factory._batched_timer = Timers(service.reactor)
    responder: Any = factory.protocol if own else made
    attributes = {
        "known": settings["subprotocols"],
        "origins": settings["origins"],
        "field_bytes": bounds["field_bytes"],
        "hosts": service.hosts(),
    }
    if not issubclass(responder, RecordedMessages):  # it is, if the factory was used before
        attributes["_messages"] = Messages()
        if responder.dataReceived is WebSocketServerProtocol.dataReceived:
            # autobahn's formats a line for a log that nobody reads.
            attributes["dataReceived"] = responder._dataReceived
        responder = type(f"Recorded{responder.__name__}", (RecordedMessages, responder), {})
        factory.protocol = cast(Any, responder)
    for name, value in attributes.items():
        setattr(responder, name, value)
    factory.setProtocolOptions(
        versions=[int(VERSION)],
        maxFramePayloadSize=bounds["message_bytes"],
        maxMessagePayloadSize=bounds["message_bytes"],
        openHandshakeTimeout=10,
        closeHandshakeTimeout=1.5,  # less than a stopping service waits
        echoCloseCodeReason=True,
        webStatus=False,
        failByDrop=False,
        allowNullOrigin=True,  # that of a page opened from a file; ``origins`` decides
        perMessageCompressionAccept=deflate.accept if settings["compression"] else None,
        autoPingInterval=bounds["ping_seconds"] or None,
        autoPingTimeout=bounds["ping_timeout"] if bounds["ping_seconds"] else None,
    )
    return factory
