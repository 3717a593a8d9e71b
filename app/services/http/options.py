"""The options of every HTTP service, whatever its responder: authentication, CORS, compression, added fields."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from twisted.internet import threads

from app.options import with_defaults
from app.responders import find
from app.services import settings
from app.services.config import ServiceConfig
from app.services.http import encoding as http_encoding
from app.services.http.request import RecordedRequest
from app.services.protocols import options_of

PREFLIGHT_SECONDS = 600
"""Seconds for which a browser may keep the answer to a preflight request."""

_SAFE = {b"cache-control", b"content-language", b"content-length", b"content-type", b"expires", b"last-modified"}
"""Response fields that pages may always read."""


class Common:
    """The options of one service, ready for use.

    Attributes:
        compression: whether answers are compressed.
    """

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self.compression: bool = options["compression"]
        self._private_network: bool = options["private_network"]
        self._users = [_digest(user.encode()) for user in options["users"]]
        self._tokens = [_digest(token.encode()) for token in options["tokens"]]
        self._origins = [origin.strip().rstrip("/").encode() for origin in options["cors"]]
        realm = re.sub(r'(["\\])', r"\\\1", name).encode("ascii", "replace")
        self._challenges = [b'Basic realm="%s", charset="UTF-8"' % realm] if self._users else []
        self._challenges += [b'Bearer realm="%s"' % realm] if self._tokens else []
        self._fields: dict[bytes, list[bytes]] = {}
        for field in options["fields"]:
            key, _, value = field.partition(":")
            self._fields.setdefault(key.strip().encode().lower(), []).append(value.strip().encode())

    def __bool__(self) -> bool:
        return bool(self.compression or self._challenges or self._origins or self._fields)

    # -- before the responder

    def answer(self, request: OptedRequest) -> bytes | None:
        """The body of the response if the responder is not to be called; None to call it."""
        if self._origins and _is_preflight(request):
            return self._preflight(request)
        if self._challenges and not self._lets_in(request.requestHeaders.getRawHeaders(b"Authorization", ())):
            request.setResponseCode(401)
            request.responseHeaders.setRawHeaders(b"WWW-Authenticate", self._challenges)
            request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
            return b"This service asks for a name and password, or a token.\n"
        return None

    def _lets_in(self, values: Iterable[bytes]) -> bool:
        scheme, _, given = next(iter(values), b"").strip().partition(b" ")
        given = given.strip()
        if scheme.lower() == b"bearer":
            return _is_among(given, self._tokens)
        if scheme.lower() != b"basic":
            return False
        try:
            return _is_among(b64decode(given, validate=True), self._users)
        except NoBase64:
            return False

    def _preflight(self, request: OptedRequest) -> bytes:
        methods = request.requestHeaders.getRawHeaders(b"Access-Control-Request-Method", ())
        request.setResponseCode(204)
        request.responseHeaders.setRawHeaders(
            b"Vary", [b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers"]
        )
        if self._allowed(request):
            request.setHeader(b"Access-Control-Allow-Methods", methods[0])
            if fields := request.requestHeaders.getRawHeaders(b"Access-Control-Request-Headers"):
                request.setHeader(b"Access-Control-Allow-Headers", b", ".join(fields))
            if self._private_network and request.getHeader(b"Access-Control-Request-Private-Network") == b"true":
                request.setHeader(b"Access-Control-Allow-Private-Network", b"true")
            request.setHeader(b"Access-Control-Max-Age", b"%d" % PREFLIGHT_SECONDS)
        return b""

    def _allowed(self, request: OptedRequest) -> bytes | None:
        """The value of ``Access-Control-Allow-Origin``; None if the page may not read the response."""
        (origin,) = request.requestHeaders.getRawHeaders(b"Origin", (b"",))[:1]
        if origin and origin in self._origins:
            return bytes(origin)
        return b"*" if b"*" in self._origins else None

    # -- when the head of the response is complete

    def complete(self, request: OptedRequest) -> None:
        """Add the fields of CORS, compression and ``fields`` to the response."""
        fields = request.responseHeaders
        if self._origins:
            self._share(request)
        if self.compression:
            _vary(request, b"Accept-Encoding")
        for name, values in self._fields.items():
            fields.setRawHeaders(name, values)

    def _share(self, request: OptedRequest) -> None:
        if self._origins != [b"*"]:
            _vary(request, b"Origin")
        origin = self._allowed(request)
        if origin is None:
            return
        request.setHeader(b"Access-Control-Allow-Origin", origin)
        if origin != b"*":
            request.setHeader(b"Access-Control-Allow-Credentials", b"true")
        names = {*(name for name, _ in request.responseHeaders.getAllRawHeaders()), *self._fields}
        if request.etag:
            names.add(b"ETag")
        more = sorted(n for n in names if n.lower() not in _SAFE and not n.lower().startswith(b"access-control-"))
        if more and not _is_preflight(request):
            request.setHeader(b"Access-Control-Expose-Headers", b", ".join(more))


def common_of(config: ServiceConfig) -> Common:
    """The common options of a service of HTTP."""
    offered = options_of(find(config.responder), "http")  # a responder's own may have such a name
    given = {o.name: config.options[o.name] for o in settings.HTTP if o in offered and o.name in config.options}
    return Common(config.name, with_defaults(settings.HTTP, given))


class OptedRequest(RecordedRequest):
    """A request to a service with any of these options; a service without has plain ``RecordedRequest``s."""

    _encoder: http_encoding.Encoder | None  # type: ignore[assignment]
    _completed = False  # whether the head of the response is
    _packing = False
    _ends = False

    @property
    def common(self) -> Common:
        common: Common = self.channel.site.common
        return common

    def answer(self) -> None:
        body = self.common.answer(self)
        if body is None:
            super().answer()
        else:
            self.answer_at_once(body)

    def write(self, data: bytes) -> None:
        if self._completed or self._disconnected:
            if not self._packing:
                super().write(data)
            return
        if not isinstance(data, bytes):
            raise TypeError("Data must be bytes")
        self._completed = True
        common = self.common
        length = _number(self.responseHeaders.getRawHeaders(b"Content-Length"))
        encoder = self._encoder_for(length) if common.compression else None
        common.complete(self)
        if encoder is None or length != len(data):
            self._encoder = encoder
            super().write(data)
        elif length < http_encoding.IN_THREAD:
            self._send(encoder.whole(data))
        else:
            self._packing = True
            reactor = self.channel.site.reactor
            packing = threads.deferToThreadPool(reactor, reactor.getThreadPool(), encoder.whole, data)
            packing.addCallback(self._packed)
            packing.addErrback(self.processingFailed)
            packing.addErrback(lambda _: None)

    def _encoder_for(self, length: int | None) -> http_encoding.Encoder | None:
        if not http_encoding.worthwhile(self, length):
            return None
        name = http_encoding.choose(self.requestHeaders.getRawHeaders(b"Accept-Encoding", ()))
        if name is None:
            return None
        http_encoding.weaken(self)
        self.setHeader(b"Content-Encoding", name)
        self.responseHeaders.removeHeader(b"Content-Length")
        # HEAD has the fields of GET (RFC 9110 section 9.3.2), but for a length that nobody has counted.
        return None if self.method == b"HEAD" else http_encoding.ENCODERS[name]()

    def _send(self, packed: bytes) -> None:
        self.setHeader(b"Content-Length", b"%d" % len(packed))
        super().write(packed)

    def _packed(self, packed: bytes) -> None:
        self._packing = False
        if not self._disconnected:
            self._send(packed)
            if self._ends:
                super().finish()

    def finish(self) -> None:
        if self._packing:
            self._ends = True
        else:
            super().finish()


def _digest(text: bytes) -> bytes:
    return sha256(text).digest()


def _is_among(given: bytes, digests: list[bytes]) -> bool:
    """Whether ``given`` has one of these digests, in a time that does not depend on which."""
    digest, found = _digest(given), False
    for known in digests:
        found |= compare_digest(digest, known)
    return found


def _is_preflight(request: OptedRequest) -> bool:
    has = request.requestHeaders.hasHeader
    return request.method == b"OPTIONS" and has(b"Origin") and has(b"Access-Control-Request-Method")


def _vary(request: OptedRequest, name: bytes) -> None:
    fields = request.responseHeaders
    values = fields.getRawHeaders(b"Vary", ())
    known = {word.strip().lower() for value in values for word in value.split(b",")}
    if not {name.lower(), b"*"} & known:
        fields.addRawHeader(b"Vary", name)


def _number(values: Sequence[bytes] | None) -> int | None:
    return int(values[0]) if values and values[0].isdigit() else None
