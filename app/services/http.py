"""Opens HTTP services: twisted.web behind the Tap, with each exchange noted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from io import BytesIO
from time import perf_counter
from typing import Any, cast

from twisted.internet.interfaces import IListeningPort, IProtocol
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, _GenericHTTPChannelProtocol
from twisted.web.http import Request as PlainRequest
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from app import events
from app.services import tcp
from app.services.address import written
from app.services.service import Service
from app.services.tap import Tap
from app.text import escape

MAX_BODY = 16 << 20
"""Bytes of a request's body that are kept in memory; a larger one is refused with 413."""

IDLE = 60.0
"""Seconds without a byte after which a connection that owes us a request is closed."""

LINGER = 2.0
"""Seconds in which the rest of a refused request is thrown away. To close with bytes unread
is to reset, and the client would lose the answer that says what was wrong."""

_json = json.JSONEncoder().encode

_TOO_LARGE = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _Gathered(list[bytes]):
    """What is written in the place of a transport, until it leaves as one."""

    write = list.append
    writeSequence = list.extend


class NotedRequest(Request):
    """A request that notes itself and its response in the capture.

    Attributes:
        fields: name and value as received, in order; ``requestHeaders`` has neither order
            nor case. A field folded over several lines (RFC 9112 section 5.2) is one.
        peer: the client's ``address:port``.
    """

    channel: NotingChannel

    def __init__(self, channel: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(channel, *args, **kwargs)
        self.fields: list[tuple[bytes, bytes]] = []
        # The channel lets go of us, and we of it, before a responder has made its last mistake.
        self._tap = cast(Tap, channel.transport)
        self._body = b""
        self._began = perf_counter()

    @property
    def peer(self) -> str:
        return written(self.getClientAddress())

    def gotLength(self, length: int | None) -> None:
        # Twisted would put a long body into a temporary file, from the reactor thread.
        self.content = BytesIO()
        if length is not None and length > MAX_BODY:
            self._refuse_body()

    def handleContentChunk(self, data: bytes) -> None:
        assert self.content is not None
        if self.content.tell() + len(data) > MAX_BODY:
            self._refuse_body()
        else:
            self.content.write(data)

    def _refuse_body(self) -> None:
        self.channel.refuse(_TOO_LARGE, f"a body of more than {MAX_BODY:,} bytes")

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        if self.channel.refused:
            return
        content = cast(BytesIO, self.content)
        body = content.tell()
        if body:
            self._body = content.getvalue()  # shares its memory
        method, target = escape(command), escape(path)
        # Put together by hand: a dict costs twice as much.
        detail = (
            f'{{"method": {_json(method)}, "target": {_json(target)}, "version": {_json(escape(version))}, '
            f'"fields": {_pairs(self.fields)}, "body": {body}}}'
        )
        self._tap.note(events.HTTP_REQUEST, f"{method} {target}", detail, size=body)
        super().requestReceived(command, path, version)

    def _handleStar(self) -> None:
        """Let the responder answer the target ``*`` too, which Twisted would do by itself."""
        try:
            self.render(cast(NotingSite, self.site).getResourceFor(self))
        except BaseException:
            self.processingFailed(Failure())

    def write(self, data: bytes) -> None:
        """Send head and first part of the body as one, later parts as they come."""
        if self.startedWriting or self._disconnected:
            super().write(data)
            return
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")  # as the transport would, but the head is still here
        gathered = self.channel.transport = _Gathered()
        try:
            super().write(data)
        finally:
            self.channel.transport = self._tap
        if gathered:
            self._tap.write(b"".join(gathered))

    def processingFailed(self, reason: Failure) -> Failure:
        """Record the failure with the request that caused it, and answer 500."""
        head = b"%s %s %s\r\n" % (self.method, self.uri, self.clientproto)
        head += b"".join(b"%s: %s\r\n" % field for field in self.fields) + b"\r\n"
        assert reason.value is not None
        self._tap.failed(reason.value, head + self._body)
        if self.finished or self._disconnected:
            return reason  # nobody waits for an answer
        if self.startedWriting:
            # The status is on its way already; only a cut connection tells the client.
            self._tap.abort()
            return reason
        super().processingFailed(reason)
        return reason

    def note_response(self) -> None:
        """Note what was answered, once the last of it was written."""
        seconds = perf_counter() - self._began
        reason = self.code_message.decode("latin-1")
        fields = ((name, value) for name, values in self.responseHeaders.getAllRawHeaders() for value in values)
        detail = (
            f'{{"status": {self.code}, "reason": {_json(reason)}, "fields": {_pairs(fields)}, '
            f'"body": {self.sentLength}, "seconds": {seconds}}}'
        )
        summary = f"{self.code} {reason}  {seconds * 1000:.1f} ms"
        self._tap.note(events.HTTP_RESPONSE, summary, detail, size=self.sentLength)


def _pairs(fields: Iterable[tuple[bytes, bytes]]) -> str:
    """``fields`` as JSON."""
    pairs = [f"[{_json(name.decode('latin-1'))}, {_json(value.decode('latin-1'))}]" for name, value in fields]
    return f"[{', '.join(pairs)}]"


class NotingChannel(HTTPChannel):
    """HTTP/1 with the request's fields kept as they came, and refusals noted.

    Attributes:
        refused: whether this connection is being closed for a request that broke the rules.
    """

    transport: Any
    refused = False

    def headerReceived(self, line: bytes) -> bool:
        good: bool = super().headerReceived(line)
        if good:
            name, _, value = line.partition(b":")
            self.requests[-1].fields.append((name, value.strip(b" \t")))
        return good

    def refuse(self, response: bytes, why: str) -> None:
        """Answer ``response``, read no further and close, once."""
        if self.refused:
            return
        self.refused = True
        tap = cast(Tap, self.transport)
        status = response[9:].partition(b"\r\n")[0].decode()
        tap.note(events.HTTP_RESPONSE, f"{status}  {why}", {"status": int(status[:3]), "refused": why})
        for name in ("dataReceived", "lineReceived", "rawDataReceived"):
            setattr(self, name, _ignore)
        tap.unregisterProducer()
        tap.write(response)
        tap.loseWriteConnection()
        self.setTimeout(LINGER)

    def _respondToBadRequestAndDisconnect(self) -> None:
        self._refuse_bad("the request breaks the rules of HTTP")

    def lineLengthExceeded(self, line: bytes) -> None:
        self._refuse_bad(f"a line of more than {self.MAX_LENGTH:,} bytes")

    def _refuse_bad(self, why: str) -> None:
        self.refuse(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", why)

    def _send100Continue(self) -> None:
        if not self.refused:
            super()._send100Continue()

    def timeoutConnection(self) -> None:
        tap = cast(Tap, self.transport)
        if self.refused:
            tap.finish()
            tap.abort()
            return
        tap.note(events.LIMIT_REACHED, f"nothing received for {IDLE:.0f} s: closing", {"idle": IDLE})
        super().timeoutConnection()


def _ignore(data: bytes) -> None:
    """What comes after a refused request is recorded, and nothing else."""


class NotingSite(Site):
    """A site whose access log is the capture."""

    def __init__(self, resource: IResource, reactor: Any) -> None:
        # For ``request.args``; a resource that does without can take forms that are broken or large.
        forms = getattr(resource, "parses_forms", True)
        super().__init__(
            resource, requestFactory=NotedRequest, parsePOSTFormSubmission=forms, timeout=IDLE, reactor=reactor
        )

    def protocol(self) -> IProtocol:  # type: ignore[override]
        """What stands between HTTP/1 and HTTP/2, beginning with our HTTP/1."""
        return _GenericHTTPChannelProtocol(NotingChannel())

    def _updateLogDateTime(self) -> None:
        """Twisted refreshes a date for its access log each second; nobody reads it here."""

    def log(self, request: PlainRequest) -> None:
        """Note the response; Twisted calls this when it has been written to its end."""
        cast(NotedRequest, request).note_response()


def open_port(service: Service, host: str, port: int) -> IListeningPort:
    """Listen with the service's resource tree behind the Tap. Raises CannotListenError."""
    return tcp.listen(service, NotingSite(service.build(), service.reactor), host, port)
