"""Requests of HTTP/1: their heads, framings and bodies."""

from __future__ import annotations

from functools import cache
from random import Random

from tests.fuzz.engine import Target
from tests.fuzz.memory import Desk

_RULES = {
    "rules": [
        {"method": "POST", "path": "/a/*", "body_json": ["$.x"], "status": 201, "body": "{{json.x}} {{path.1}}"},
        {"path": "/b", "fields": ["X-A: 1"], "body": "b"},
    ]
}

SEEDS = [
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"POST /a/1?x=1&y=%20 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"
    b'{"x":1}GET /b HTTP/1.0\r\nX-A: 1\r\n\r\n',
    b"PUT /things/1 HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
    b'4;a="b"\r\n{"a"\r\n3\r\n:1}\r\n0\r\nX-T: 1\r\n\r\n',
    b"POST /f HTTP/1.1\r\nHost: [::1]:80\r\nContent-Type: multipart/form-data; boundary=abc\r\n"
    b"Content-Length: 66\r\n\r\n"
    b'--abc\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--abc--\r\n\r\n\r\n',
    b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
    b"PATCH /things/1 HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
    b"Content-Type: application/merge-patch+json\r\nIf-Match: *\r\nCookie: a=b; c=d\r\n\r\n{}",
    b"HEAD http://localhost/things?limit=2&sort=-a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Range: bytes=0-3,5-\r\nAccept-Encoding: gzip;q=0.5, *\r\nAuthorization: Basic YTpi\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABk\r\n\r\n",
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
]

WORDS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b" ", b"\t", b"\0", b"\xff", b"%", b"%00", b"%ff", b"/../", b"//",
    b";", b",", b"=",
    b"Host: ", b"Host: x\r\n", b"Content-Length: 5\r\n", b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n",
    b"ffffffffffffffff\r\n", b"5;x=y\r\n",
    b"Expect: 100-continue\r\n", b"Connection: keep-alive\r\n", b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
    b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\n",
    b"Content-Type: application/x-www-form-urlencoded\r\n", b"Content-Type: text/plain; charset=idna\r\n",
    b"Content-Encoding: gzip\r\n",
    b"Content-Type: multipart/form-data\r\n", b"If-None-Match: \"",
    b"If-Modified-Since: Mon, 99 Foo 99999 00:00:00 GMT\r\n", b"X" * 9000, b"A: b\r\n" * 300,
]  # fmt: skip


@cache
def _desks() -> list[Desk]:
    return [Desk("http", "inspector"), Desk("http", "rest"), Desk("http", "mock", options=_RULES), Desk("http", "sse")]


def check(data: bytes, random: Random) -> None:
    random.choice(_desks()).talk(data, random)


TARGETS = [Target("http/1 requests", SEEDS, check, WORDS)]
