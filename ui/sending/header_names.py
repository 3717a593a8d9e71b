"""Headers of requests that are offered while one types, and values of some of them."""

NAMES = (
    "Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Authorization", "Cache-Control",
    "Content-Encoding", "Content-Language", "Content-Type", "Cookie", "Date", "Forwarded", "From", "Host", "If-Match",
    "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Origin", "Prefer", "Range", "Referer",
    "Sec-WebSocket-Protocol", "Traceparent", "User-Agent", "X-API-Key", "X-Correlation-ID", "X-Forwarded-For",
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-Requested-With", "X-Request-ID",
)  # fmt: skip

_MEDIA = (
    "application/json", "application/x-www-form-urlencoded", "application/xml", "application/octet-stream",
    "text/plain; charset=utf-8", "text/html", "text/csv", "image/png",
)  # fmt: skip

VALUES = {
    "accept": (*_MEDIA, "*/*", "text/event-stream"),
    "accept-encoding": ("gzip", "br", "gzip, deflate, br", "identity"),
    "authorization": ("Bearer ", "Basic "),
    "cache-control": ("no-cache", "no-store", "max-age=0"),
    "content-encoding": ("gzip", "br", "deflate"),
    "content-type": _MEDIA,
    "prefer": ("return=minimal", "return=representation", "respond-async"),
    "range": ("bytes=0-99",),
    "x-requested-with": ("XMLHttpRequest",),
}
