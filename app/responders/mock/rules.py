"""The rules of a mock: their options, and which rule answers a request."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.errors import PostError
from app.files import confined as files
from app.options import Option, Options, Wrong, kept
from app.responders.mock import paths
from app.responders.mock.conditions import CONDITIONS, checks, path_check, problem_of
from app.responders.mock.exchange import Exchange
from app.text.templates import problem as template_problem

MAX_RULES = 1000

TEMPLATES = ("body", "answer_fields", "log")
"""The options of a rule that ``template`` fills in."""

LIKE = 0.5
"""How much of a path must be like that of a request for its rule to be called near."""

BODILESS = (204, 205, 304)
"""Statuses whose answers have no body (RFC 9110 section 15)."""

_FIELD = re.compile(r"([!#$%&'*+.^_`|~\w-]+):([^\r\n\0]*)", re.ASCII)
_OURS = ("content-length", "transfer-encoding", "connection", "date", "keep-alive", "upgrade")


class Rule:
    """One rule, counting the requests that it was for.

    Attributes:
        number: in the list, from 1.
        options: as set, with defaults.
        calls: requests that met all its conditions but those on the number of the request.
        answers: those of them that it answered.
    """

    def __init__(self, number: int, options: Options) -> None:
        self.number, self.options = number, options
        self.calls = self.answers = 0
        self._checks = list(checks(options))
        self._counted = list(checks(options, counted=True))
        self._on_path = path_check(options["path"]) if options["path"] else None

    @property
    def title(self) -> str:
        return f"{self.options['method'] or 'any method'} {self.options['path'] or 'any path'}"

    def takes(self, exchange: Exchange) -> bool:
        """Whether it answers this request; counts it if it meets all but the conditions on its number."""
        if exchange.captures:
            exchange.captures = {}
        for check in self._checks:
            if not check.holds(exchange):
                return False
        self.calls += 1
        exchange.call, exchange.answered = self.calls, self.answers
        if not all(check.holds(exchange) for check in self._counted):
            return False
        self.answers += 1
        return True

    def why_not(self, exchange: Exchange, names: list[str]) -> tuple[float, int, str]:
        """How near its path and all else was, numbers to compare, and the first thing that the request misses.

        ``names`` are those of the request's path.
        """
        missed = [check for check in self._checks if not check.holds(exchange)]
        # That the method fits makes no rule nearer than one for any method.
        near = len(self._checks) - len(missed) - bool(self.options["method"])
        path = self._nearness(exchange, names)
        if not missed:
            exchange.call, exchange.answered = self.calls, self.answers
            missed = [check for check in self._counted if not check.holds(exchange)]
        return path, near, missed[0].why_not(exchange)

    def _nearness(self, exchange: Exchange, names: list[str]) -> float:
        """3 for the path of the request, 2 for one of the same names, 1 for any path, less for one that is like it."""
        if self._on_path is None:
            return 1.0
        if self._on_path.holds(exchange):
            return 3.0
        like = paths.likeness(self.options["path"], names)
        return 2.0 if like == 1 else like if like >= LIKE else 0.0


class Rules:
    """All rules of a service, in order; those that are on are indexed by the first part of their paths.

    Attributes:
        all: also those that are off.
        on: those that are on.
    """

    def __init__(self, given: Sequence[Options], before: Rules | None = None) -> None:
        """Rules that ``before`` had keep their counts."""
        self.all = _carried(given, before) if before else [Rule(number, one) for number, one in enumerate(given, 1)]
        self.on = [rule for rule in self.all if rule.options["on"]]
        firsts = [paths.first_part(rule.options["path"]) for rule in self.on]
        self._anywhere = [rule for rule, first in zip(self.on, firsts, strict=True) if first is None]
        self._by_first = {
            first: [rule for rule, own in zip(self.on, firsts, strict=True) if own in (None, first)]
            for first in {*firsts} - {None}
        }

    def that_may_take(self, exchange: Exchange) -> list[Rule]:
        """Those that are not for another path, in order."""
        parts = exchange.parts
        return self._by_first.get(parts[1] if len(parts) > 1 else "", self._anywhere)

    def find(self, exchange: Exchange) -> Rule | None:
        """The first that answers the request, or None."""
        return next((rule for rule in self.that_may_take(exchange) if rule.takes(exchange)), None)

    def why_none(self, exchange: Exchange) -> str:
        """Why no rule answers the request: the condition that the nearest rule misses."""
        if not self.on:
            return "All rules are off" if self.all else "There are no rules. Add one to the option rules"
        names = paths.names("/".join(exchange.parts))
        near, (path, _, why) = max(
            ((rule, rule.why_not(exchange, names)) for rule in self.on),
            key=lambda pair: (pair[1][:2], -pair[0].number),
        )
        if not path:
            return "No rule matches. None has a similar path"
        return f"No rule matches. Nearest is number {near.number}, {near.title}: {why}"


def _carried(given: Sequence[Options], before: Rules) -> list[Rule]:
    """Rules for ``given``: one that is not changed stays the same object, one that is takes over the counts."""
    made = []
    for number, (options, at) in enumerate(zip(given, kept([r.options for r in before.all], given), strict=True), 1):
        old = None if at is None else before.all[at]
        rule = old if old is not None and old.options == options else Rule(number, options)
        if old is not None:
            rule.number, rule.calls, rule.answers = number, old.calls, old.answers
        made.append(rule)
    return made


# -- options


def split_field(text: str) -> tuple[str, str]:
    """Name and value of a header of the answer. Raises ValueError."""
    found = _FIELD.fullmatch(text.strip())
    if found is None:
        raise ValueError(f'has "{text[:40]}". Write Name: value')
    if found[1].lower() in _OURS:
        raise ValueError(f"has {found[1]}, which the service sets itself")
    return found[1], found[2].strip()


def _reason(text: str) -> str | None:
    return None if re.fullmatch(r"[\t\x20-\x7e\xa0-\xff]*", text) else "must be one line of plain characters"


def _number(rules: Sequence[Mapping[str, Any]]) -> str | None:
    return f"must be at most {MAX_RULES:,} rules" if len(rules) > MAX_RULES else None


def _within(rule: Options) -> Iterator[Wrong]:
    """What is wrong between the options of one rule."""
    if rule["body"] and rule["file"]:
        yield "body", None, "and file cannot both be the answer. Leave out one"
    if rule["status"] in BODILESS and (rule["body"] or rule["file"]):
        yield "status", None, f"{rule['status']} has no body. Leave out body and file, or use status 200"
    if rule["template"]:
        for key in TEMPLATES:
            for item, text in texts(rule[key]):
                if wrong := template_problem(plain(text)):
                    yield key, item, f"is not a template: {wrong[:1].lower()}{wrong[1:].rstrip('.')}"


def texts(value: str | Sequence[str]) -> list[tuple[int | None, str]]:
    """The texts of an option, each with its index in a list."""
    return [(None, value)] if isinstance(value, str) else list(enumerate(value))


def _broken_file(rules: Sequence[Mapping[str, Any]], folder: Path) -> str | None:
    """Which rule fills in a file that is no template; None where there is none. Blocks."""
    for number, rule in enumerate(rules, 1):
        if rule.get("template") and rule.get("file"):
            with contextlib.suppress(PostError):  # one that cannot be read is told by the option itself
                content = files.read(folder, rule["file"])
                if wrong := template_problem(plain(content.decode("utf-8", "replace"))):
                    return f'number {number}: the template "{rule["file"]}" is wrong: {wrong}'
    return None


_LITERAL = re.compile(r"(?<!\\)\{\{.*?\}\}|\\(?!\{\{)", re.DOTALL)


def plain(text: str) -> str:
    r"""``text`` as a template in which a backslash outside of expressions stands for itself."""
    return _LITERAL.sub(lambda found: "\\\\" if found[0] == "\\" else found[0], text)


RULE = (
    *(condition.option for condition in CONDITIONS),
    Option("status", int, 200, "Status code of the answer", "", 200, 599),
    Option("reason", str, "", "Reason phrase after the status; empty: the usual one", check=_reason),
    Option("answer_fields", list, [], "Headers of the answer, as Name: value", check=problem_of(split_field)),
    Option("body", str, "", "Body of the answer", multiline=True),
    Option("file", str, "", "File to send as the body, in the workspace's folder", path="file", confined=True,
        missing=files.unreadable),
    Option("template", bool, False, "Fill in placeholders such as {{path.id}}, {{query.page}} and {{json.user}}"),
    Option("delay", float, 0.0, "Time to wait before the answer", "s", 0, 3600),
    Option("chunks", int, 0, "Number of parts to send the body in; 0: in one piece", "", 0, 1000),
    Option("pause", float, 0.0, "Time to wait between parts", "s", 0, 3600),
    Option(
        "drop", str, "", "Instead of an answer: close or reset the connection, or leave it hanging",
        choices=("", "close", "reset", "hang"),
    ),
    Option("log", str, "", "Text to write to the log with each answer"),
    Option("on", bool, True, "Use this rule; a rule that is off is skipped"),
)  # fmt: skip

RULES = Option(
    "rules", list, [], "Rules; the first rule that matches a request answers it",
    of=RULE, each=_within, check=_number, missing=_broken_file, live=True,
)  # fmt: skip
