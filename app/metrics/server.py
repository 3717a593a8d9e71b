"""Serves ``/metrics`` and ``/healthz`` on a port of its own, which is not captured.

A resource of ours, because that of prometheus_client is WSGI in a thread pool of the global reactor.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry
from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.web import resource, server

from app.errors import PostError
from app.metrics.collector import PostCollector
from app.metrics.errors import MetricsUnavailableError
from app.metrics.health import problems
from app.post import Post
from app.services import address
from app.services.hosts import Hosts

CONNECTIONS = 32
"""At the same time."""

LONGEST = 15
"""Seconds that a connection may last: to ask once, and to take the answer."""

WORDS = b"text/plain; charset=utf-8"


class _Page(resource.Resource):
    """A page that is read: GET and HEAD, by a name that is ours."""

    isLeaf = True

    def __init__(self, post: Post, hosts: Hosts | None) -> None:
        super().__init__()
        self._post, self._hosts = post, hosts

    def getChild(self, path: bytes, request: server.Request) -> resource.Resource:
        return self

    def render(self, request: server.Request) -> Any:
        request.setHeader(b"connection", b"close")
        request.setHeader(b"cache-control", b"no-store")
        request.setHeader(b"x-content-type-options", b"nosniff")
        request.setHeader(b"content-type", WORDS)
        named = request.getHeader(b"host") or b""
        if self._hosts is not None and (name := self._hosts.refuse(named.decode("latin-1"))):
            return _say(request, 403, f"The name {name} does not belong to this server. Use 127.0.0.1 or localhost.")
        if request.method not in (b"GET", b"HEAD"):
            request.setHeader(b"allow", b"GET, HEAD")
            return _say(request, 405, "Only GET and HEAD.")
        return self.answer(request)

    def answer(self, request: server.Request) -> bytes:
        return _say(request, 404, "There are /metrics and /healthz.")


class _Metrics(_Page):
    def __init__(self, post: Post, hosts: Hosts | None) -> None:
        super().__init__(post, hosts)
        self._registry = CollectorRegistry()
        self._registry.register(PostCollector(post))

    def answer(self, request: server.Request) -> bytes:
        try:
            encode, kind = choose_encoder((request.getHeader(b"accept") or b"").decode("latin-1"))
            found = encode(self._registry)
        except Exception:  # it asks for a version that is none, in one way or another
            encode, kind = choose_encoder("")
            found = encode(self._registry)
        request.setHeader(b"content-type", kind.encode("latin-1"))
        return found


class _Health(_Page):
    def answer(self, request: server.Request) -> bytes:
        wrong = problems(self._post)
        return _say(request, 503 if wrong else 200, "\n".join(wrong) or "ok")


def _say(request: server.Request, status: int, words: str) -> bytes:
    request.setResponseCode(status)
    return f"{words}\n".encode()


class _Root(_Page):
    isLeaf = False

    def __init__(self, post: Post, hosts: Hosts | None) -> None:
        super().__init__(post, hosts)
        self.putChild(b"metrics", _Metrics(post, hosts))
        self.putChild(b"healthz", _Health(post, hosts))


class _Request(server.Request):
    """One that keeps nothing of its body, which Twisted would put into memory or onto the disk, however long it is;
    and the only one of its connection."""

    def gotLength(self, length: int | None) -> None:
        self.content = BytesIO()
        self.channel.persistent = False

    def handleContentChunk(self, data: bytes) -> None:
        """Nobody reads it."""


class _Site(server.Site):
    displayTracebacks = False
    requestFactory = _Request

    def _updateLogDateTime(self) -> None:
        """Run no timer for a log that is not written: it would wake an idle program each second."""

    def log(self, request: Any) -> None:
        """Write no access log."""


class _Wrapper(ProtocolWrapper):
    """A connection that ends in time, whatever its peer does: who sends byte by byte, or does not read, may not take
    the place of who asks."""

    _overdue: Any = None

    def connectionMade(self) -> None:
        self._overdue = self.factory.clock.callLater(LONGEST, self.abortConnection)
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:  # type: ignore[override]
        if self._overdue.active():
            self._overdue.cancel()
        super().connectionLost(reason)


class _Limited(WrappingFactory):
    noisy = False
    protocol = _Wrapper

    def __init__(self, site: _Site, clock: Any) -> None:
        super().__init__(site)
        self.clock = clock

    def buildProtocol(self, addr: IAddress | None) -> ProtocolWrapper | None:  # type: ignore[override]
        if len(self.protocols) >= CONNECTIONS:
            return None
        return super().buildProtocol(addr)


def site(reactor: Any, post: Post, *, exposed: bool) -> Any:
    """The factory of the server. Unless it is ``exposed``, it answers to names of this machine only: the page of
    somebody else in a browser could read it under a name of its own (DNS rebinding)."""
    found = _Site(_Root(post, None if exposed else Hosts(())), reactor=reactor, timeout=None)
    return _Limited(found, reactor)


async def serve(reactor: Any, post: Post, where: str) -> IListeningPort:
    """Listen on ``where``, as ``127.0.0.1:9464``. Raises MetricsUnavailableError."""

    def in_thread(call: Any, *args: Any) -> Deferred[Any]:
        return threads.deferToThreadPool(reactor, reactor.getThreadPool(), call, *args)

    try:
        host, port = address.parse(where)
        exposed = address.is_exposed(host)
        number = host if address.is_number(host) else await in_thread(address.look_up, host)
        try:
            listening: IListeningPort = reactor.listenTCP(port, site(reactor, post, exposed=exposed), interface=number)
        except (CannotListenError, OSError) as e:
            raise await in_thread(address.why_not, e, host, port, "tcp") from e
    except PostError as e:
        raise MetricsUnavailableError(reason=e) from e
    return listening
