"""A client for HTTP responders without a socket: twisted.web on a StringTransport, read by http.client."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import Any, NamedTuple

from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.server import Request, Site

from tests.app.responders.context import BareContext, build


class Reply(NamedTuple):
    status: int
    fields: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        """The detail of a problem (RFC 9457)."""
        assert self.fields["Content-Type"] == "application/problem+json", self
        problem = self.json
        assert problem["status"] == self.status
        assert problem["title"]
        return str(problem["detail"])


class _Socket:
    """Stands for the socket that http.client reads from."""

    def __init__(self, stream: io.BytesIO) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> io.BytesIO:
        return self._stream


class _Request(Request):
    """Leaves the target ``*`` to the resource, as our services do."""

    def _handleStar(self) -> None:
        self.render(self.site.getResourceFor(self))


class Line:
    """One connection."""

    def __init__(self, resource: Any, clock: Any) -> None:
        site: Any = Site(resource, _Request, reactor=clock, parsePOSTFormSubmission=False)
        site.log = lambda request: None
        self.transport = StringTransport()
        self.channel = site.buildProtocol(None)
        self.channel.makeConnection(self.transport)

    def send(self, method: str, target: str, body: bytes = b"", fields: Mapping[str, str] | None = None) -> None:
        given = {"Host": "localhost", **(fields or {})}
        if body:
            given.setdefault("Content-Length", str(len(body)))
        lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        self.channel.dataReceived(f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body)

    def replies(self, *methods: str) -> list[Reply]:
        """Parse the received data as responses to requests of these methods. No data may be left."""
        stream = io.BytesIO(self.transport.value())
        # http.client closes what it has read to the end.
        stream.close = lambda: None  # type: ignore[method-assign]
        found = []
        for method in methods:
            response = HTTPResponse(_Socket(stream), method=method)  # type: ignore[arg-type]
            response.begin()
            found.append(Reply(response.status, response.headers, response.read()))
        assert stream.read() == b""
        self.transport.clear()
        return found

    def leave(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))


class Client:
    """Sends requests to a responder, each on a new connection."""

    def __init__(self, name: str, options: Mapping[str, Any] | None = None, context: BareContext | None = None) -> None:
        self.context = context or BareContext()
        self.resource = build(name, "http", options or {}, self.context)

    def line(self) -> Line:
        return Line(self.resource, self.context.reactor)

    def ask(self, method: str, target: str, body: Any = b"", **fields: str) -> Reply:
        """Send ``body``, as JSON if it is not bytes, and ``fields`` as headers; underscores become hyphens."""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields.setdefault("Content_Type", "application/json")
        line = self.line()
        line.send(method, target, body, {name.replace("_", "-"): value for name, value in fields.items()})
        (reply,) = line.replies(method)
        return reply
