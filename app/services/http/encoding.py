"""Compresses responses with br or gzip, as clients accept them (RFC 9110 sections 8.4 and 12.5.3)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from typing import Any, Protocol

SMALL = 512
"""Bytes of a response below which compression gains nothing."""

IN_THREAD = 128 << 10
"""Bytes of a response from which it is compressed in a thread."""

_COMPRESSIBLE = re.compile(
    rb"text/|[^;]*[/+](json|xml|yaml)\b|application/(javascript|ecmascript|graphql|wasm|x-ndjson|x-yaml|toml|sql"
    rb"|x-www-form-urlencoded|vnd\.ms-fontobject|x-sh)\b|font/(otf|ttf)\b|image/(bmp|x-icon|vnd\.microsoft\.icon)\b",
    re.IGNORECASE,
)

_CODED = (b"Content-Encoding", b"Content-Range")


class Encoder(Protocol):
    """Compresses a body piece by piece; each piece can be decoded as soon as it was returned."""

    def encode(self, data: bytes) -> bytes: ...

    def finish(self) -> bytes: ...

    def whole(self, data: bytes) -> bytes:
        """Compress a whole body at once, instead of calling the other two."""


class Gzip:
    def __init__(self) -> None:
        self._coder = zlib.compressobj(6, wbits=zlib.MAX_WBITS + 16)

    def encode(self, data: bytes) -> bytes:
        return self._coder.compress(data) + self._coder.flush(zlib.Z_SYNC_FLUSH) if data else b""

    def finish(self) -> bytes:
        return self._coder.flush()

    def whole(self, data: bytes) -> bytes:
        return self._coder.compress(data) + self._coder.flush()


class Brotli:
    def __init__(self) -> None:
        import brotli

        self._coder = brotli.Compressor(quality=4)

    def encode(self, data: bytes) -> bytes:
        return bytes(self._coder.process(data) + self._coder.flush()) if data else b""

    def finish(self) -> bytes:
        return bytes(self._coder.finish())

    def whole(self, data: bytes) -> bytes:
        return bytes(self._coder.process(data) + self._coder.finish())


ENCODERS: dict[bytes, type[Encoder]] = {b"br": Brotli, b"gzip": Gzip}
"""By the name of the coding; the first are preferred."""


def choose(accepted: Iterable[bytes]) -> bytes | None:
    """The coding to use for a client with these values of ``Accept-Encoding``; None for none."""
    weights = dict(_weights(b",".join(accepted)))
    if b"x-gzip" in weights:
        weights.setdefault(b"gzip", weights[b"x-gzip"])
    others = weights.get(b"*", 0.0)
    best, weight = None, weights.get(b"identity", 0.0)
    for name in ENCODERS:
        its = weights.get(name, others)
        if its > 0 and (its > weight or (best is None and its == weight)):
            best, weight = name, its
    return best


def _weights(text: bytes) -> Iterable[tuple[bytes, float]]:
    for part in text.split(b","):
        name, _, rest = part.partition(b";")
        found = re.fullmatch(rb"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*", rest, re.IGNORECASE)
        if name.strip():
            yield name.strip().lower(), min(float(found[1]), 1.0) if found else 1.0 if not rest.strip() else 0.0


def worthwhile(request: Any, length: int | None) -> bool:
    """Whether an answer of ``length`` bytes (None: not known) may and should be compressed, or to HEAD would be."""
    fields = request.responseHeaders
    if request.code in (204, 206, 304) or request.code < 200:
        return False
    if any(fields.hasHeader(name) for name in _CODED) or (length is not None and length < SMALL):
        return False
    if any(b"no-transform" in value for value in fields.getRawHeaders(b"Cache-Control", ())):
        return False
    kind = fields.getRawHeaders(b"Content-Type", (request.defaultContentType or b"",))[0]
    return bool(_COMPRESSIBLE.match(kind))


def weaken(request: Any) -> None:
    """Make the ETag a weak one: it was made for other bytes than those that are sent (RFC 9110 section 8.8.1)."""
    if request.etag and not request.etag.startswith(b"W/"):
        request.etag = b"W/" + request.etag
    (tag,) = request.responseHeaders.getRawHeaders(b"ETag", (b"",))[:1]
    if tag and not tag.startswith(b"W/"):
        request.responseHeaders.setRawHeaders(b"ETag", [b"W/" + tag])
