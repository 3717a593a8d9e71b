"""One request of an HTTP/2 connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from twisted.web._http2 import H2Stream
from twisted.web.http_headers import Headers

from app.limits import Reached
from app.services.http import rules as http_rules
from app.services.http.http2_faulted import Exchange2
from app.services.http.request import RecordedRequest
from app.services.tap.tap import Tap
from app.text.escapes import escape

SLICE = 64 << 10
"""Bytes of a response that are copied at once."""

SMALL = 4 << 10
"""Bytes of a piece of a body up to which it is kept together with the next, where the body is held back."""

_HOP_BY_HOP = (b"Connection", b"Keep-Alive", b"Proxy-Connection", b"Transfer-Encoding", b"Upgrade")
"""Fields about the connection, which HTTP/2 does not allow (RFC 9113 section 8.2.2)."""


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

    def abortRequest(self, streamID: int) -> None: ...

    def reset_after(self, stream: RecordedStream, code: int) -> None: ...

    def go_away(self, stream: RecordedStream, code: int) -> None: ...

    def refuse(self, stream: RecordedStream, status: int, why: str | Reached) -> None: ...

    def send_interim(self, number: int, code: int, fields: Headers) -> None: ...

    def openStreamWindow(self, streamID: int, increment: int) -> None: ...


class RecordedStream(H2Stream):
    """One stream; the request has it for its channel.

    Attributes:
        refused: whether the request was refused before it was complete, because it breaks a rule.
        unsent: bytes of the response that wait here.
        gathered: bytes of the request's body that are kept.
        complete: whether the whole request has come.
        gone: whether either side has reset the stream.
        cut: whether it was us.
    """

    refused = complete = gone = cut = False
    unsent = 0
    gathered = 0
    _refusal: tuple[int, str | Reached] | None = None
    _waits_for_100 = False
    _target: bytes | None = None
    _conn: Connection

    @property
    def tap(self) -> Tap:
        return self._conn.tap

    @property
    def number(self) -> int:
        return int(self.streamID)

    @property
    def request(self) -> RecordedRequest:
        return cast(RecordedRequest, self._request)

    def _convertHeaders(self, headers: list[tuple[bytes, bytes]]) -> None:
        pseudo = {name: value for name, value in headers if name.startswith(b":")}
        if b":authority" in pseudo:
            # :authority takes the place of HTTP/1's Host (RFC 9113 section 8.3.1).
            headers = [field for field in headers if field[0] != b"host"]
        names = {b":authority": b"host"}
        self.request.fields = [
            (names.get(name, name), value) for name, value in headers if not name.startswith(b":") or name in names
        ]
        self.command, self._target = pseudo.get(b":method"), pseudo.get(b":path")
        if wrong := _problem(pseudo, headers):
            self.refuse(400, wrong)
            return
        super()._convertHeaders(headers)
        if self.path is None:  # CONNECT has none
            self.path = pseudo.get(b":authority", b"")

    # -- called by the connection

    def known(self) -> dict[str, str]:
        """Method, target and version of the request, unless they are recorded already."""
        if self.request.is_recorded:
            return {}
        found = {"method": self.command, "target": self._target}
        return {"version": "HTTP/2"} | {name: escape(part) for name, part in found.items() if part}

    def admit(self) -> None:
        """The connection has the stream in its table now: refuse it, or pass the request on."""
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
        elif self.producing or not self._keep_with_last(data, flowControlledLength):
            super().receiveDataChunk(data, flowControlledLength)

    def _keep_with_last(self, data: bytes, length: int) -> bool:
        """Keep a small piece of a body that is held back with the piece before it, if that is small, too.

        The peer's window counts bytes, not pieces, and for an empty one (CVE-2019-9518) nothing at all.
        """
        if not length:
            return True
        if not self._inboundDataBuffer or len(data) > SMALL:
            return False
        before, held = self._inboundDataBuffer[-1]
        if not isinstance(before, bytes) or len(before) > SMALL:
            return False
        self._inboundDataBuffer[-1] = before + data, held + length
        return True

    def requestComplete(self) -> None:
        if not self.refused:
            super().requestComplete()

    # -- called by the request

    def refuse(self, status: int, why: str | Reached) -> None:
        """Answer ``status``, and read no more of this request. ``why``: in words, or the limit that was reached."""
        if self.refused:
            return
        self.refused, self._refusal = True, (status, why)
        if self.streamID in self._conn.streams:
            self._conn.refuse(self, *self._refusal)

    def answering(self, request: RecordedRequest) -> None:
        for name in _HOP_BY_HOP:
            request.responseHeaders.removeHeader(name)

    def requestDone(self, request: RecordedRequest) -> None:
        if request.body is not None:
            request.body.drop()
        super().requestDone(request)

    def abort(self) -> None:
        self.abortConnection()

    def reset_after(self, code: int) -> None:
        """Send RST_STREAM with ``code`` when what was written has left, and not in this turn of the reactor."""
        self._conn.reset_after(self, code)

    def go_away(self, code: int) -> None:
        """Send GOAWAY with ``code``: this request, and those after it, are not looked at."""
        self._conn.go_away(self, code)

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(400, "the request breaks the rules of HTTP")

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            super().write(data[start : start + SLICE])

    def send_interim(self, code: int, fields: Headers) -> None:
        """Send an interim response (RFC 9110 section 15.2), if the response has not begun."""
        if not (self.request.startedWriting or self.refused):
            self._conn.send_interim(self.number, code, fields)

    def _send100Continue(self) -> None:
        if self.request.body is not None:
            self._waits_for_100 = True
        elif not self.refused:
            super()._send100Continue()

    def send_continue(self) -> None:
        if self._waits_for_100:
            self._waits_for_100 = False
            super()._send100Continue()

    def failing(self, request: RecordedRequest) -> Exchange2:
        """What is to have the place of this stream for ``request``, whose service has faults."""
        return Exchange2(request, self)

    def hold_body(self) -> None:
        self.pauseProducing()

    def release_body(self) -> None:
        if not self.producing:
            self.resumeProducing()

    @property
    def kept(self) -> int:
        """Bytes of request and response that are kept for it."""
        return self.gathered + self.unsent + self.request.held

    @property
    def waits_for_us(self) -> bool:
        """Whether the peer can do nothing now: it has sent everything or is held back, and has nothing to read."""
        return not self.unsent and bool(self.request.finished or self.complete or not self.producing)


def _problem(pseudo: dict[bytes, bytes], headers: list[tuple[bytes, bytes]]) -> str:
    """What is wrong with a request that h2 accepts and HTTP/1 would not; empty: nothing."""
    lengths = [value for name, value in headers if name == b"content-length"]
    if len(lengths) > 1 or not all(value.isdigit() for value in lengths):
        return "Content-Length is not one number"
    if any(len(value) > http_rules.DIGITS for value in lengths):
        return f"Content-Length has more than {http_rules.DIGITS} digits"
    for name, _ in headers:
        if not name.startswith(b":") and (wrong := http_rules.of_name(name)):
            return wrong
    if wrong := http_rules.of_method(pseudo.get(b":method", b"")):
        return wrong
    if wrong := http_rules.of_target(pseudo.get(b":path", pseudo.get(b":authority", b"")), pseudo[b":method"]):
        return wrong
    hosts = [value for name, value in headers if name in (b"host", b":authority")]
    return next(filter(None, (http_rules.of_authority(host, "the authority") for host in hosts)), "")
