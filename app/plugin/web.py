"""Handlers on HTTP: a request in, a response out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from app.plugin.handling import Connection, Handler, written
from app.responders import Context, Options

if TYPE_CHECKING:
    from twisted.web.resource import IResource


@dataclass(frozen=True)
class Request:
    """One request, whole.

    Attributes:
        target: as it came, ``/orders/7?x=1``; ``path`` is its part before ``?``, decoded.
        query: the values of each name.
        fields: by name in lower case; several of one name are joined by commas.
    """

    method: str
    target: str
    fields: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """A response: what ``answer_of`` makes of what a handler returned."""

    status: int
    fields: Mapping[str, str]
    body: bytes


def answer_of(value: Any) -> Answer:
    """``None``: 204; bytes, text or JSON: 200; ``(status, fields, body)``: that. Raises TypeError for anything else."""
    if isinstance(value, tuple):
        status, fields, body = value
        plain = answer_of(body)
        return Answer(status, {**plain.fields, **fields}, plain.body)
    if value is None:
        return Answer(204, {}, b"")
    if isinstance(value, bytes):
        return Answer(200, {"Content-Type": "application/octet-stream"}, value)
    if isinstance(value, str):
        return Answer(200, {"Content-Type": "text/plain; charset=utf-8"}, value.encode())
    if isinstance(value, dict | list | bool | int | float):
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(value).encode())
    raise TypeError(f"an answer must be bytes, str, JSON or (status, fields, body), not {type(value).__name__}")


def resource(handler: Handler, options: Options, context: Context) -> IResource:
    """A resource that answers every request below it with ``handler``."""
    from twisted.web.resource import Resource
    from twisted.web.server import NOT_DONE_YET

    class Handled(Resource):
        isLeaf = True
        parses_forms = False  # the handler gets the body whole

        def render(self, request: Any) -> int:
            answering = Deferred.fromCoroutine(_answer(request, handler, options, context))
            answering.addErrback(_failed, request)
            if not answering.called:
                request.notifyFinish().addErrback(lambda _: answering.cancel())
            return NOT_DONE_YET

    return Handled()


async def _answer(request: Any, handler: Handler, options: Options, context: Context) -> None:
    fields = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    peer = written(request.getClientAddress())
    asked = Request(
        request.method.decode("latin-1"), request.uri.decode("latin-1"), fields, request.content.read(), peer
    )
    connection = Connection(peer, request.write, request.loseConnection)
    answer = answer_of(await handler.answer(asked, connection, options, context))
    request.setResponseCode(answer.status)
    for name, value in answer.fields.items():
        request.setHeader(name, value)
    if answer.status not in (204, 304):
        request.setHeader("Content-Length", str(len(answer.body)))
        if request.method != b"HEAD":
            request.write(answer.body)
    request.finish()


def _failed(failure: Failure, request: Any) -> None:
    if not request._disconnected:
        # It records the failure with the request's bytes, and answers 500.
        request.processingFailed(failure)
