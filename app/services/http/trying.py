"""What the options of every HTTP service do to a request that is tried, whatever its responder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import cast

from twisted.web.http import datetimeToString
from twisted.web.http_headers import Headers
from twisted.web.server import version

from app.http.reason_phrases import phrase
from app.responders.trial import Answer, Request, Trial
from app.services.config import ServiceConfig
from app.services.hosts import Hosts
from app.services.http.options import OptedRequest, common_of
from app.services.http.request import MISDIRECTED, authority_of

BEFORE = "The options of the service answer before any rule is looked at."


class _Exchange:
    """A request and its response, as far as ``Common`` looks at them."""

    etag = None

    def __init__(self, asked: Request) -> None:
        self.method = asked.method.encode("latin-1", "replace")
        self.requestHeaders, self.responseHeaders = Headers(), Headers()
        _add(self.requestHeaders, asked.headers)
        self.setHeader(b"Server", version)
        self.setHeader(b"Date", datetimeToString())
        self.code = 200

    def setResponseCode(self, code: int) -> None:
        self.code = code

    def setHeader(self, name: bytes, value: bytes) -> None:
        self.responseHeaders.setRawHeaders(name, [value])


def around(config: ServiceConfig, hosts: Hosts | None, asked: Request, attempt: Callable[[], Trial]) -> Trial:
    """The trial that ``attempt`` makes, unless the service answers before; with the headers that the service adds."""
    common, made = common_of(config), _Exchange(asked)
    exchange = cast(OptedRequest, made)
    named = authority_of(asked.target.encode("utf-8", "replace"), made.requestHeaders)
    if hosts is not None and (name := hosts.refuse(named)):
        made.code, body = 421, MISDIRECTED.replace(b"%b", name.encode())
        made.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
    elif (answer := common.answer(exchange)) is not None:
        body = answer
    else:
        trial = attempt()
        if trial.answer is None:
            return trial
        _add(made.responseHeaders, trial.answer.headers)
        common.complete(exchange)
        return replace(trial, answer=replace(trial.answer, headers=_all(made.responseHeaders)))
    if made.code != 204:
        made.setHeader(b"Content-Length", b"%d" % len(body))
    common.complete(exchange)
    reason = phrase(made.code).decode()
    return Trial(None, (), Answer(made.code, reason, _all(made.responseHeaders), body), notes=(BEFORE,))


def _add(headers: Headers, fields: Iterable[tuple[str, str]]) -> None:
    for name, value in fields:
        headers.addRawHeader(name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))


def _all(headers: Headers) -> tuple[tuple[str, str], ...]:
    fields = headers.getAllRawHeaders()
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, values in fields for value in values)
