"""One request of HTTP/2, which takes it for its channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from twisted.web._http2 import H2Stream

from app.limits import Reached
from app.services.http import rules as http_rules
from app.services.http.request import NotedRequest
from app.services.tap.tap import Tap

SLICE = 64 << 10
"""Bytes of an answer that are copied at once."""

_HOP_BY_HOP = (b"Connection", b"Keep-Alive", b"Proxy-Connection", b"Transfer-Encoding", b"Upgrade")
"""Fields of a connection, which HTTP/2 does not have (RFC 9113 section 8.2.2)."""


class Connection(Protocol):
    """The HTTP/2 connection of a stream, as far as the stream needs it.

    Attributes:
        tap: what records the connection.
        streams: the open streams by their number.
    """

    @property
    def tap(self) -> Tap: ...

    @property
    def streams(self) -> Mapping[int, Any]: ...

    def no_room(self) -> Reached | None: ...

    def refuse(self, stream: NotingStream, status: int, why: str | Reached) -> None: ...

    def openStreamWindow(self, streamID: int, increment: int) -> None: ...


class NotingStream(H2Stream):
    """One request of a connection, which it takes for its channel.

    Attributes:
        refused: whether it was answered before its request was complete, for breaking the rules.
        unsent: bytes of its answer that wait here.
        gathered: bytes of its body that were kept.
        complete: whether all of its request has come.
        gone: whether either side has reset it.
    """

    refused = complete = gone = False
    unsent = 0
    gathered = 0
    _refusal: tuple[int, str | Reached] | None = None
    _waits_for_100 = False
    _conn: Connection

    @property
    def tap(self) -> Tap:
        return self._conn.tap

    @property
    def number(self) -> int:
        return int(self.streamID)

    @property
    def request(self) -> NotedRequest:
        return cast(NotedRequest, self._request)

    def _convertHeaders(self, headers: list[tuple[bytes, bytes]]) -> None:
        pseudo = {name: value for name, value in headers if name.startswith(b":")}
        if b":authority" in pseudo:
            # It stands for Host, as which clients send it to HTTP/1 (RFC 9113 section 8.3.1).
            headers = [field for field in headers if field[0] != b"host"]
        names = {b":authority": b"host"}
        self.request.fields = [
            (names.get(name, name), value) for name, value in headers if not name.startswith(b":") or name in names
        ]
        self.command = pseudo.get(b":method")
        if wrong := _problem(pseudo, headers):
            self.refuse(400, wrong)
            return
        super()._convertHeaders(headers)
        if self.path is None:  # CONNECT has none
            self.path = pseudo.get(b":authority", b"")

    # -- called by the connection

    def admit(self) -> None:
        """It is known to the connection now."""
        if self._refusal is not None:
            self._conn.refuse(self, *self._refusal)
        elif self.request.body is not None:
            self.request.requestReceived(cast(bytes, self.command), cast(bytes, self.path), b"HTTP/2")

    def receiveDataChunk(self, data: bytes, flowControlledLength: int) -> None:
        if self.request.body is None:
            self.gathered += len(data)
            if full := self._conn.no_room():
                self.refuse(503, full)
        if self.refused:
            self._conn.openStreamWindow(self.streamID, flowControlledLength)
        else:
            super().receiveDataChunk(data, flowControlledLength)

    def requestComplete(self) -> None:
        if not self.refused:
            super().requestComplete()

    # -- called by the request

    def refuse(self, status: int, why: str | Reached) -> None:
        """Answer ``status``, and have the client send no more of this request."""
        if self.refused:
            return
        self.refused, self._refusal = True, (status, why)
        if self.streamID in self._conn.streams:
            self._conn.refuse(self, *self._refusal)

    def answering(self, request: NotedRequest) -> None:
        for name in _HOP_BY_HOP:
            request.responseHeaders.removeHeader(name)

    def requestDone(self, request: NotedRequest) -> None:
        if request.body is not None:
            request.body.drop()
        super().requestDone(request)

    def abort(self) -> None:
        self.abortConnection()

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(400, "the request breaks the rules of HTTP")

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            super().write(data[start : start + SLICE])

    def _send100Continue(self) -> None:
        if self.request.body is not None:
            self._waits_for_100 = True
        elif not self.refused:
            super()._send100Continue()

    def send_continue(self) -> None:
        if self._waits_for_100:
            self._waits_for_100 = False
            super()._send100Continue()

    def hold_body(self) -> None:
        self.pauseProducing()

    def release_body(self) -> None:
        if not self.producing:
            self.resumeProducing()

    @property
    def waits_for_us(self) -> bool:
        """Whether the peer can do nothing now: it has sent all, or is held, and we have nothing for it."""
        return not self.unsent and bool(self.request.finished or self.complete or not self.producing)


def _problem(pseudo: dict[bytes, bytes], headers: list[tuple[bytes, bytes]]) -> str:
    """What h2 lets through and HTTP/1 would not."""
    lengths = [value for name, value in headers if name == b"content-length"]
    if len(lengths) > 1 or not all(value.isdigit() for value in lengths):
        return "Content-Length is not one number"
    if wrong := http_rules.of_method(pseudo.get(b":method", b"")):
        return wrong
    if wrong := http_rules.of_target(pseudo.get(b":path", pseudo.get(b":authority", b""))):
        return wrong
    hosts = [value for name, value in headers if name in (b"host", b":authority")]
    return next(filter(None, (http_rules.of_authority(host, "the authority") for host in hosts)), "")
