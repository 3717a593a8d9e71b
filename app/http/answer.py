"""Answers to HTTP requests that may take a while."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.web.server import NOT_DONE_YET

from app.http.problem_json import MEDIA_TYPE, Problem

JSON = (b"Content-Type", b"application/json")


class Answer(NamedTuple):
    """An answer with its whole body. ``fields`` are its headers; Content-Length is added to them."""

    status: int
    body: bytes = b""
    fields: Sequence[tuple[bytes, bytes]] = ()
    reason: bytes | None = None


def serve(request: Any, answering: Coroutine[Any, Any, Answer | None]) -> int:
    """Write the answer that ``answering`` returns, or the ``Problem`` that it raises; for a resource's ``render``.

    ``answering`` returns None where it has written the answer itself. It is cancelled when the client leaves.
    """
    running = Deferred.fromCoroutine(answering)
    if not running.called:
        request.notifyFinish().addErrback(lambda _: running.cancel())
    running.addCallback(partial(_write, request))
    running.addErrback(partial(_failed, request))
    return NOT_DONE_YET


def _write(request: Any, answer: Answer | None) -> None:
    if answer is None:
        return
    request.setResponseCode(answer.status, answer.reason)
    for name, value in answer.fields:
        request.responseHeaders.addRawHeader(name, value)
    if answer.status not in (204, 304):
        request.setHeader(b"Content-Length", b"%d" % len(answer.body))
    request.write(answer.body)
    request.finish()


def _failed(request: Any, reason: Failure) -> None:
    problem = reason.value
    if isinstance(problem, Problem):
        fields = [(b"Content-Type", MEDIA_TYPE), *problem.fields.items()]
        _write(request, Answer(problem.status, problem.body(), fields))
    elif not reason.check(CancelledError):
        request.processingFailed(reason)
