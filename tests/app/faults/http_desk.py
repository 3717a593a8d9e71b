"""HTTP services that fail, for tests on every wire, and what answers in them."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.app.faults.http_peers import HTTP1, HTTP2, Got, ask
from tests.app.services.helpers import Desk, address

BODY = b"".join(b"%09d\n" % number for number in range(100))


class Root(Resource):
    """Answers with ``BODY``, on /chunks without a length, on /echo with the body of the request."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def render(self, request: Any) -> Any:
        self.asked.append(request.uri)
        if request.path == b"/chunks":
            for start in range(0, len(BODY), 250):
                request.write(BODY[start : start + 250])
            request.finish()
            return NOT_DONE_YET
        if request.path == b"/echo":
            return request.content.read()
        if request.path == b"/nothing":
            request.setResponseCode(204)
            return b""
        request.setHeader(b"X-Mine", b"yes")
        request.setHeader(b"ETag", b'"1"')
        return BODY


async def turns(seconds: float) -> None:
    """Let the reactor run for so long."""
    from twisted.internet import reactor

    await deferLater(reactor, seconds, lambda: None)


async def started(desk: Desk, wire: str, *tables: dict[str, Any], root: Any = None, **more: Any) -> Any:
    root = root or Root()
    tls = {} if wire == HTTP1 else {"tls": {}}
    return await desk.start("http", "inspector", lambda: root, faults=tables, seed=7, **tls, **more)


async def asked(
    service: Any,
    wire: str,
    path: str = "/",
    method: str = "GET",
    body: bytes = b"",
    **more: Any,
) -> Got:
    """One request in a thread; see ``ask1``. Of HTTP/2, the end of the stream is waited for unless it ``hangs``."""
    return await deferToThread(ask, address(service), wire, path, method, body, **more)


def expected(end: str, wire: str, of_stream: str) -> str:
    return of_stream if wire == HTTP2 else end
