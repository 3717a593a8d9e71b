"""Tries a request against the rules of a mock, without a service."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from twisted.web.http_headers import Headers

from app.errors import PostError
from app.files.confined import read
from app.http.answer import Answer as Sent
from app.http.problem_json import MEDIA_TYPE, Problem
from app.http.reason_phrases import phrase
from app.options import Options
from app.responders.mock import paths
from app.responders.mock.exchange import Exchange, Values
from app.responders.mock.resource import Answering, cannot, none_takes
from app.responders.mock.rules import Rule, Rules
from app.responders.trial import Answer, Count, Deadline, Request, Trial
from app.text.variables import Variables

OFF = "it is off"

_DROPS = {
    "close": "The connection is closed without an answer.",
    "reset": "The connection is reset without an answer.",
    "hang": "There is no answer; the connection stays open until the client leaves.",
}


class _Asked:
    """A request as ``Exchange`` reads it."""

    def __init__(self, asked: Request) -> None:
        self.method = asked.method.encode("latin-1", "replace")
        self.uri = asked.target.encode("utf-8", "replace")
        self.path = self.uri.partition(b"?")[0]
        self.requestHeaders = Headers()
        for name, value in asked.headers:
            self.requestHeaders.addRawHeader(name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        self.content = BytesIO(asked.body)


def attempt(options: Options, asked: Request, folder: Path, counts: Sequence[Count], variables: Variables) -> Trial:
    """What a service with these ``options``, defaults filled in, would answer. Blocks. Raises TrialTooLongError."""
    deadline = Deadline()
    rules = Rules(options["rules"])
    for rule, count in zip(rules.all, counts, strict=True):
        rule.calls, rule.answers = count
    exchange = Exchange(_Asked(asked))
    taken = None
    for rule in rules.that_may_take(exchange):
        deadline.check()
        if rule.takes(exchange):
            taken = rule
            break
    # Another one: looking why a rule does not take a request changes what it has captured.
    why = _why_not(rules, taken, Exchange(_Asked(asked)), deadline)
    head = asked.method == "HEAD"
    if taken is None:
        return Trial(None, why, _in_words(none_takes(rules, options["otherwise"], exchange), head))
    return _answered(taken, why, Values(exchange, variables), folder, head)


def _why_not(rules: Rules, taken: Rule | None, exchange: Exchange, deadline: Deadline) -> tuple[str, ...]:
    names = paths.names("/".join(exchange.parts))
    why = []
    for rule in rules.all:
        if rule is taken:
            break
        deadline.check()
        why.append(rule.why_not(exchange, names)[2] if rule.options["on"] else OFF)
    return tuple(why)


def _answered(rule: Rule, why: tuple[str, ...], values: Values, folder: Path, head: bool) -> Trial:
    index, options = rule.number - 1, rule.options
    try:
        answering = Answering(rule)
        logged = answering.logged(values) if options["log"] else ""
        notes = _notes(options, head)
        if options["drop"]:
            return Trial(index, why, None, notes=notes, logged=logged)
        content = read(folder, options["file"]) if options["file"] else None
        answer = answering.answer(values, content)
    except PostError as e:
        text = cannot(rule, e)
        return Trial(index, why, _in_words(Problem(500, text), head), problem=text)
    return Trial(index, why, _shown(answer, head), notes=notes, logged=logged)


def _notes(options: Options, head: bool) -> tuple[str, ...]:
    notes = []
    if options["delay"]:
        notes.append(f"It waits {options['delay']:g} s first.")
    if options["drop"]:
        notes.append(_DROPS[options["drop"]])
    elif options["chunks"] > 1 and not head:
        pause = f", {options['pause']:g} s apart" if options["pause"] else ""
        notes.append(f"The body is sent in {options['chunks']:,} parts{pause}.")
    return tuple(notes)


def _in_words(problem: Problem, head: bool) -> Answer:
    fields = [(b"Content-Type", MEDIA_TYPE), *problem.fields.items()]
    return _shown(Sent(problem.status, problem.body(), fields), head)


def _shown(answer: Sent, head: bool) -> Answer:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.fields]
    if answer.status not in (204, 304):
        headers.append(("Content-Length", str(len(answer.body))))
    reason = phrase(answer.status) if answer.reason is None else answer.reason
    return Answer(answer.status, reason.decode("latin-1"), tuple(headers), b"" if head else answer.body)
