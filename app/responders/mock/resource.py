"""The HTTP resource of ``mock``: the first rule that takes a request answers it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.web.resource import Resource

from app.errors import PostError
from app.files.confined import read
from app.http.answer import Answer, serve
from app.http.media_types import of_text, type_of
from app.http.problem_json import Problem
from app.options import Options
from app.responders import Context
from app.responders.mock.exchange import Exchange, Values
from app.responders.mock.rules import BODILESS, Rule, Rules, plain, split_field
from app.responders.trial import Count
from app.text.templates import Template

MAX_LISTED = 20
"""Rules that are listed when none takes a request."""


class Answering:
    """The answer of a rule, prepared once for all its requests.

    Attributes:
        at_once: whether it can be sent without waiting for a delay or a file.
        fixed: the answer where it is the same for each request and needs no waiting, else None.
    """

    def __init__(self, rule: Rule) -> None:
        options = rule.options
        self.rule, self.options = rule, options
        template = options["template"]
        self._body = _prepared(options["body"], template)
        self._fields = [
            (name.encode(), _prepared(value, template)) for name, value in map(split_field, options["answer_fields"])
        ]
        self._log = _prepared(options["log"], template)
        self._typed = any(name.lower() == b"content-type" for name, _ in self._fields)
        self._type = _type_of(options)
        self._reason = options["reason"].encode("latin-1") or None
        self._read: tuple[bytes, Template] | None = None
        self.at_once = not (options["delay"] or options["drop"] or options["file"] or options["chunks"])
        self.fixed = self.answer({}) if self.at_once and not template and not options["log"] else None

    def answer(self, values: Mapping[str, object], content: bytes | None = None) -> Answer:
        """The answer, its body from ``content`` where that comes from a file. Raises TemplateError."""
        status = self.options["status"]
        fields = [(name, _filled(value, values)) for name, value in self._fields]
        if status in BODILESS:
            return Answer(status, b"", fields, self._reason)
        if content is None:
            body = _filled(self._body, values)
        elif self.options["template"]:
            body = self._template(content).render(values)
        else:
            body = content
        if not self._typed:
            fields.append((b"Content-Type", self._type))
        return Answer(status, body, fields, self._reason)

    def logged(self, values: Mapping[str, object]) -> str:
        """The line for the log; empty for none. Raises TemplateError."""
        return _filled(self._log, values).decode("utf-8", "replace")

    def _template(self, content: bytes) -> Template:
        """The file as a template; the same one while the file does not change, for its counters."""
        if self._read is None or self._read[0] != content:
            self._read = content, Template(plain(content.decode("utf-8", "replace")))
        return self._read[1]


class Mock(Resource):
    isLeaf = True
    parses_forms = False
    takes_connect = True  # a rule may refuse a tunnel as proxies do

    def __init__(self, options: Options, context: Context) -> None:
        super().__init__()
        self._context = context
        self._otherwise = options["otherwise"]
        self._rules = Rules(options["rules"])
        self._answering = {rule: Answering(rule) for rule in self._rules.all}

    def take_options(self, options: Options) -> None:
        """Answer by other rules from the next request on. Those that stay keep their counts."""
        rules = Rules(options["rules"], self._rules)
        self._answering = {rule: self._answering.get(rule) or Answering(rule) for rule in rules.all}
        self._rules, self._otherwise = rules, options["otherwise"]

    def counts(self) -> list[Count]:
        """For each rule, how often it was called and has answered."""
        return [Count(rule.calls, rule.answers) for rule in self._rules.all]

    def reset(self, at: Collection[int] | None) -> None:
        """Count anew how often the rules with these indexes were called and have answered; None: all."""
        for index, rule in enumerate(self._rules.all):
            if at is None or index in at:
                rule.calls = rule.answers = 0

    def connection_count(self) -> int:
        return 0  # no rule asks for it

    def render(self, request: Any) -> int:
        return serve(request, self._answer(request))

    async def _answer(self, request: Any) -> Answer | None:
        exchange = Exchange(request)
        rule = self._rules.find(exchange)
        if rule is None:
            raise none_takes(self._rules, self._otherwise, exchange)
        request.rule = rule.number  # for the event of the response
        answering = self._answering[rule]
        if answering.fixed is not None:
            return answering.fixed
        values = Values(exchange, self._context.variables)
        try:
            if rule.options["log"]:
                self._context.log(answering.logged(values))
            if answering.at_once:
                return answering.answer(values)
            return await self._slowly(request, answering, values)
        except PostError as e:
            text = cannot(rule, e)
            self._context.log(text)
            raise Problem(500, text) from e

    async def _slowly(self, request: Any, answering: Answering, values: Values) -> Answer | None:
        options = answering.options
        if options["delay"]:
            await self._wait(options["delay"])
        if options["drop"]:
            await _drop(request, options["drop"])
            return None
        content = None
        if options["file"]:
            content = await self._context.in_thread(read, self._context.folder, options["file"])
        answer = answering.answer(values, content)
        if options["chunks"] and answer.body and request.method != b"HEAD":
            await self._in_parts(request, answer, options["chunks"], options["pause"])
            return None
        return answer

    async def _in_parts(self, request: Any, answer: Answer, count: int, pause: float) -> None:
        request.setResponseCode(answer.status, answer.reason)
        for name, value in answer.fields:
            request.responseHeaders.addRawHeader(name, value)
        body = answer.body
        count = min(count, len(body))
        for i in range(count):
            if i and pause:
                await self._wait(pause)
            request.write(body[len(body) * i // count : len(body) * (i + 1) // count])
        request.finish()

    def _wait(self, seconds: float) -> Deferred[None]:
        return deferLater(self._context.reactor, seconds, lambda: None)


def none_takes(rules: Rules, otherwise: int, exchange: Exchange) -> Problem:
    """The answer where no rule takes a request, with the status ``otherwise``."""
    listed = [f"{rule.number}: {rule.title}" for rule in rules.on[:MAX_LISTED]]
    if len(rules.on) > MAX_LISTED:
        listed.append(f"and {len(rules.on) - MAX_LISTED:,} more")
    return Problem(otherwise, rules.why_none(exchange), rules=listed)


def cannot(rule: Rule, error: PostError) -> str:
    """What is said where a rule takes a request that it cannot answer."""
    return f"Rule number {rule.number} cannot answer: {error}"


async def _drop(request: Any, how: str) -> None:
    if how == "hang":
        request.hangs = True
        await Deferred()  # until the client leaves
    elif request.clientproto == b"HTTP/2":
        request.channel.abortConnection()  # of all its connection, only this stream
    elif how == "close":
        request.channel.loseConnection()
    else:
        request.channel.transport.abortConnection()


def _prepared(text: str, template: bool) -> bytes | Template:
    return Template(plain(text)) if template and "{{" in text else text.encode("utf-8", "replace")


def _filled(text: bytes | Template, values: Mapping[str, object]) -> bytes:
    return text if isinstance(text, bytes) else text.render(values)


def _type_of(options: Options) -> bytes:
    if options["file"]:
        return type_of(options["file"]).encode()
    body = options["body"].lstrip()
    # What a template begins with may become anything.
    if options["template"] and body[:1] in ("{", "[") and not body.startswith("{{"):
        return b"application/json"
    return of_text(body).encode()
