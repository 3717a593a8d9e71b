"""Resources that answer with a handler on HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from app.http.problem_json import Problem
from app.plugin.handling import Connection, Handler, address_text
from app.responders import Context, Options

if TYPE_CHECKING:
    from twisted.web.resource import IResource

    from app.http import answer as http_answer


@dataclass(frozen=True)
class Request:
    """One request with its whole body.

    Attributes:
        target: the request target as it was sent, ``/orders/7?x=1``.
        path: the part of ``target`` before ``?``, with percent-encoding decoded.
        query: the parameters after ``?``: a list of values for each name.
        fields: the headers, by name in lower case; the values of one name are joined by commas.
        peer: as ``address:port``.
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
        """The body, parsed as JSON. Raises NoJSONError, which answers 400 unless the handler catches it."""
        try:
            return json.loads(self.body, parse_constant=_refuse)
        except (ValueError, RecursionError) as e:
            raise NoJSONError(e) from e


def _refuse(name: str) -> Any:
    # Python parses NaN and Infinity, which JSON does not have (RFC 8259 section 6).
    raise ValueError(f"it has no numbers like {name}")


class NoJSONError(Problem, ValueError):
    """The body of a request is not JSON."""

    def __init__(self, why: Exception) -> None:
        super().__init__(400, f"The body is not JSON: {why}.")


@dataclass(frozen=True)
class Answer:
    """A response, made by ``answer_of`` from the return value of a handler. ``fields`` are the headers."""

    status: int
    fields: Mapping[str, str]
    body: bytes


def answer_of(value: Any) -> Answer:
    """The response for the return value of a handler.

    ``None`` is answered with status 204; bytes, text or JSON with 200; ``(status, headers, body)`` with
    these. Raises TypeError for anything else, ValueError for a status outside 200 to 599 and for NaN and
    infinity.
    """
    if isinstance(value, tuple):
        status, fields, body = value
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise ValueError(f"the status of an answer must be a whole number from 200 to 599, not {status!r}")
        plain = answer_of(body)
        return Answer(status, {**plain.fields, **fields}, plain.body)
    if value is None:
        return Answer(204, {}, b"")
    if isinstance(value, bytes):
        return Answer(200, {"Content-Type": "application/octet-stream"}, value)
    if isinstance(value, str):
        return Answer(200, {"Content-Type": "text/plain; charset=utf-8"}, value.encode())
    if isinstance(value, dict | list | bool | int | float):
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(value, allow_nan=False).encode())
    raise TypeError(f"an answer must be bytes, str, JSON or (status, fields, body), not {type(value).__name__}")


def resource(handler: Handler, options: Options, context: Context) -> IResource:
    """A resource that answers every request below it with ``handler``."""
    from twisted.web.resource import Resource

    from app.http.answer import serve

    class Handled(Resource):
        isLeaf = True
        parses_forms = False  # the handler gets the whole body

        def render(self, request: Any) -> int:
            return serve(request, _answer(request, handler, options, context))

    return Handled()


async def _answer(request: Any, handler: Handler, options: Options, context: Context) -> http_answer.Answer:
    from app.http import answer as http_answer

    fields = {
        name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    peer = address_text(request.getClientAddress())
    asked = Request(
        request.method.decode("latin-1"), request.uri.decode("latin-1"), fields, request.content.read(), peer
    )
    connection = Connection(peer, request.write, request.loseConnection)
    answer = answer_of(await handler.answer(asked, connection, options, context))
    given = {name.lower(): (name.encode(), value.encode()) for name, value in answer.fields.items()}
    return http_answer.Answer(answer.status, answer.body, [*given.values()])
