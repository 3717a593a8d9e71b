"""Sends HTTP requests, one after the other over one connection, and receives the responses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from io import BytesIO
from time import perf_counter
from typing import Any, cast

from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol
from twisted.internet.task import Cooperator
from twisted.python.failure import Failure
from twisted.web._newclient import ParseError, Request
from twisted.web.client import FileBodyProducer, RequestTransmissionFailed, ResponseFailed, ResponseNeverReceived
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import IResponse
from zope.interface import implementer

from app import __version__, events
from app.http.client import BoundedClient, HeadTooLargeError
from app.sending import errors, reasons
from app.sending.answer import Answer
from app.sending.conversation import Conversation
from app.services.tap.tap import Tap
from app.text.escapes import escape

CHUNK = 1 << 16
"""Bytes of a request's body that are written at once."""

Fields = list[tuple[str, str]]
"""Headers: name and value."""


@implementer(IHandshakeListener)
class Client(BoundedClient):
    """An HTTP/1.1 client that tells its conversation what happens.

    ``twisted.web.client.Agent`` does not do: it opens connections as it likes, and a conversation is one.

    Attributes:
        fields: the headers of the response, in the order in which they came.
    """

    def __init__(self, conversation: HTTPConversation) -> None:
        super().__init__()
        self._conversation = conversation
        self.fields: Fields = []

    def connectionMade(self) -> None:
        super().connectionMade()
        self._conversation.on_made(cast(Tap, self.transport))

    def handshakeCompleted(self) -> None:
        self._conversation.on_secured()

    def request(self, request: Request) -> Any:
        responding = super().request(request)
        if self._parser is not None:  # it is new for each request
            self._keep_fields(self._parser)
        return responding

    def _keep_fields(self, parser: Any) -> None:
        """Keep the headers as they come: Twisted sorts them by name, and takes apart those that frame the body."""
        on_status, on_field = parser.statusReceived, parser.headerReceived

        def status_received(status: bytes) -> None:
            self.fields = []  # each answer 1xx has its own
            on_status(status)

        def header_received(name: bytes, value: bytes) -> None:
            self.fields.append((name.decode("latin-1"), value.decode("latin-1")))
            on_field(name, value)

        parser.statusReceived, parser.headerReceived = status_received, header_received

    def dataReceived(self, data: bytes) -> None:
        self._conversation.on_data()
        super().dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        super().connectionLost(reason)
        self._conversation.on_lost(reason)


class AsTyped(Headers):
    """Headers that go out in their order, with their names as they were typed. Twisted sorts and capitalises them."""

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        self._fields = [(name.encode(), value.encode("utf-8", "replace")) for name, value in fields]
        for name, value in self._fields:
            self.addRawHeader(name, value)

    def getAllRawHeaders(self) -> Iterator[tuple[bytes, list[bytes]]]:
        return ((name, [value]) for name, value in self._fields)


class Body(Protocol):
    """Receives the body of one response."""

    def __init__(self, conversation: HTTPConversation) -> None:
        self._conversation = conversation

    def dataReceived(self, data: bytes) -> None:
        self._conversation.on_body(data)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self._conversation.on_answered(reason)


class HTTPConversation(Conversation):
    """Requests over one connection; each message is the body of a request.

    Attributes:
        answering: whether the headers of a response were received, and its body is being received.
        code: the status of the last response; 0 before the first.
    """

    answers = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.code = 0
        self.answering = self._answered = self._persistent = False
        self._protocol: Client | None = None
        self._tap: Tap | None = None
        self._error: errors.SendError | None = None
        self._response: dict[str, Any] = {}
        self._asked = "", ""
        self._version = ""
        self._began = self._first = 0.0
        self._timeout: Any = None

    async def _connect(self) -> None:
        self._protocol = await self._reach(lambda: Client(self))
        await self._secured()
        self._opened()

    def _send(self, data: bytes, binary: bool) -> None:
        assert self._protocol is not None
        assert self._tap is not None
        method = self.request.method or ("POST" if data else "GET")
        fields = self._fields()
        body = None
        if data:
            cooperator = Cooperator(scheduler=partial(self._reactor.callLater, 0))
            body = FileBodyProducer(BytesIO(data), cooperator, CHUNK)
        target = self.request.url.target
        self._note_request(method, target, fields, len(data))
        self._answered, self._began, self._first = False, perf_counter(), 0.0
        self._asked = method, target
        request = Request(method.encode(), target.encode(), AsTyped(fields), body, persistent=True)
        self._timeout = self._reactor.callLater(self.patience, self._on_silence)
        self._protocol.request(request).addCallbacks(self._on_response, self._on_no_response)

    def _fields(self) -> Fields:
        fields = list(self.request.fields)
        names = {name.lower() for name, _ in fields}
        defaults = (
            ("Host", self.request.url.authority),
            ("User-Agent", f"Listening-Post/{__version__}"),
            ("Accept", "*/*"),
        )
        return [(name, value) for name, value in defaults if name.lower() not in names] + fields

    def _finish(self) -> None:
        if self._tap is not None:
            self._tap.loseConnection()

    def _abort(self) -> None:
        self._give_up()

    # -- called by the protocol

    def on_data(self) -> None:
        self._first = self._first or perf_counter()
        if self._timeout is not None:
            self._timeout.reset(self.patience)

    def _on_silence(self) -> None:
        self._timeout = None
        self._error = errors.SilentError(address=self.url.address)
        self._give_up()

    def _give_up(self) -> None:
        if self._tap is not None:
            self._tap.abortConnection()

    def _stop_waiting(self) -> None:
        timeout, self._timeout = self._timeout, None
        if timeout is not None:
            timeout.cancel()
        super()._stop_waiting()

    def on_made(self, tap: Tap) -> None:
        self._tap = tap

    def _on_response(self, response: IResponse) -> None:
        assert self._protocol is not None
        self.answering = True
        self.code = response.code
        phrase = response.phrase.decode("latin-1")
        fields = self._protocol.fields
        self._persistent = response.version[1:] >= (1, 1)
        self._response = {"status": self.code, "reason": phrase, "fields": fields, "body": 0}
        self._version = escape(b"%s/%d.%d" % response.version)
        self.noted.emit(f"{self._version} {self.code} {escape(phrase.encode('latin-1'))}")
        for name, value in fields:
            self.noted.emit(escape(f"{name}: {value}".encode("latin-1")))
        response.deliverBody(Body(self))

    def on_body(self, data: bytes) -> None:
        self._response["body"] += len(data)
        self.received.emit(data)

    def on_answered(self, reason: Failure) -> None:
        """The body has ended: by its length or framing, or because the connection was closed."""
        self.answering, self._answered = False, True
        if reason.check(ResponseFailed):
            self._error = self._error or errors.CutShortError(
                address=self.url.address, size=f"{self._response['body']:,}"
            )
        elif reason.check(PotentialDataLoss):
            self.noted.emit("the answer ends where the connection does: it may be cut short")
        self._note_response()
        self.answered.emit(self._answer(whole=not reason.check(ResponseFailed)))
        if self._tap is not None and not self._persistent:  # HTTP/1.0 closes without announcing it
            self._tap.loseConnection()
        # Whether Twisted keeps the connection open shows only after this call.
        self._reactor.callLater(0, self._after_answer)

    def _answer(self, *, whole: bool) -> Answer:
        found, (method, target) = self._response, self._asked
        return Answer(
            method, target, self._version, self.code, found["reason"], tuple(found["fields"]), found["body"],
            self._first - self._began, perf_counter() - self._began, whole,
        )  # fmt: skip

    def _after_answer(self) -> None:
        if self._error is None and self._tap is not None and not self._tap.disconnecting:
            self._stop_waiting()

    def _on_no_response(self, reason: Failure) -> None:
        self._error = self._error or self._error_for(reason)
        self._give_up()

    def _error_for(self, reason: Failure) -> errors.SendError:
        causes = getattr(reason.value, "reasons", [])
        if large := next(filter(None, (cause.check(HeadTooLargeError) and cause for cause in (reason, *causes))), None):
            return errors.HeadTooLargeError(address=self.url.address, reason=str(large.value))
        if any(cause.check(ParseError, ValueError) for cause in causes):
            return errors.NoHTTPError(address=self.url.address)
        if self._tap is not None and self._tap.ended_by.startswith("TLS "):
            return reasons.tls_problem(self._tap.ended_by, self.url)
        if reason.check(ResponseNeverReceived, ResponseFailed, RequestTransmissionFailed):
            return errors.NoAnswerError(address=self.url.address)
        return errors.LostError(address=self.url.address, reason=reason.getErrorMessage())

    def on_lost(self, reason: Failure) -> None:
        tap, self._tap = self._tap, None
        if tap is not None and reasons.by_fault(tap):
            self._lost(reason, tap)
        elif self._error is not None and not self._closed_by_us:
            self._close(str(self._error), failed=True)
        elif self._answered and not self._closed_by_us:
            self._close(f"Closed by {self.url.address}.", failed=False)
        else:
            assert tap is not None
            self._lost(reason, tap)

    # -- events for the capture, in addition to the bytes

    def _note_request(self, method: str, target: str, fields: Fields, size: int) -> None:
        assert self._tap is not None
        # As in the events of requests that came: latin-1 stands for bytes.
        pairs = [(name, value.encode("utf-8", "replace").decode("latin-1")) for name, value in fields]
        detail = {"method": method, "target": target, "version": "HTTP/1.1", "fields": pairs, "body": size}
        self._tap.record(
            events.HTTP_REQUEST,
            f"{events.ARROWS['sent']} {method} {target}",
            json.dumps(detail | {"outgoing": True}),
            size=size,
        )

    def _note_response(self) -> None:
        if self._tap is None:
            return
        seconds = perf_counter() - self._began
        size = self._response["body"]
        summary = f"{events.ARROWS['received']} {self.code} {self._response['reason']}  {seconds * 1000:.1f} ms"
        detail = self._response | {"seconds": seconds, "outgoing": True}
        self._tap.record(events.HTTP_RESPONSE, summary, json.dumps(detail), size=size)


CONVERSATION = HTTPConversation
