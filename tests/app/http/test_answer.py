"""Answers that take a while: what becomes of mistakes, of clients that leave, and of HEAD."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.web.resource import Resource

from app.http.answer import Answer, serve
from app.http.problem_json import Problem
from tests.app.responders.web import Line


def ask(answering: Callable[[Any], Coroutine[Any, Any, Answer | None]], method: str = "GET") -> Line:
    class Page(Resource):
        isLeaf = True

        def render(self, request: Any) -> int:
            return serve(request, answering(request))

    line = Line(Page(), Clock())
    line.send(method, "/")
    return line


def test_a_problem_is_written_as_one() -> None:
    async def answering(request: Any) -> Answer:
        raise Problem(413, "too much", {b"Allow": b"GET"}, most=7)

    (reply,) = ask(answering).replies("GET")
    assert (reply.status, reply.fields["Allow"], reply.json["most"]) == (413, "GET", 7)
    assert (reply.json["title"], reply.detail) == ("Content Too Large", "too much")


def test_a_mistake_is_a_500_and_a_failure(logged_failures: Any) -> None:
    async def answering(request: Any) -> Answer:
        raise ValueError("mine")

    (reply,) = ask(answering).replies("GET")
    assert reply.status == 500
    assert len(logged_failures(ValueError)) == 1


def test_who_leaves_is_no_longer_answered() -> None:
    waiting: Deferred[None] = Deferred()
    ended = []

    async def answering(request: Any) -> Answer:
        try:
            await waiting
        finally:
            ended.append(True)
        return Answer(200)

    line = ask(answering)
    line.leave()
    assert ended
    assert line.transport.value() == b""


@pytest.mark.parametrize("status", [200, 204, 205, 304, 404])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_has_no_body_has_none(method: str, status: int) -> None:
    async def answering(request: Any) -> Answer:
        return Answer(status, b"" if status in (204, 205, 304) else b"body", [(b"A", b"1"), (b"A", b"2")])

    (reply,) = ask(answering, method).replies(method)
    assert (reply.status, reply.fields.get_all("A")) == (status, ["1", "2"])
    assert reply.body == (b"body" if method == "GET" and status in (200, 404) else b"")
