"""The rules of a mock: their options, and which rule answers a request."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.errors import PostError
from app.files import confined as files
from app.options import Option, Options, with_defaults
from app.responders.mock import paths
from app.responders.mock.conditions import CONDITIONS, checks, path_check, problem_of
from app.responders.mock.exchange import Exchange
from app.text.templates import problem as template_problem

MAX_RULES = 1000

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
    """All rules of a service, in order, indexed by the first part of their paths."""

    def __init__(self, given: Sequence[Options]) -> None:
        self.all = [Rule(number, options) for number, options in enumerate(given, 1)]
        firsts = [paths.first_part(rule.options["path"]) for rule in self.all]
        self._anywhere = [rule for rule, first in zip(self.all, firsts, strict=True) if first is None]
        self._by_first = {
            first: [rule for rule, own in zip(self.all, firsts, strict=True) if own in (None, first)]
            for first in {*firsts} - {None}
        }

    def find(self, exchange: Exchange) -> Rule | None:
        """The first that answers the request, or None."""
        parts = exchange.parts
        first = parts[1] if len(parts) > 1 else ""
        return next((rule for rule in self._by_first.get(first, self._anywhere) if rule.takes(exchange)), None)

    def why_none(self, exchange: Exchange) -> str:
        """Why no rule answers the request: the condition that the nearest rule misses."""
        if not self.all:
            return "There are no rules. Add one to the option rules"
        names = paths.names("/".join(exchange.parts))
        near, (path, _, why) = max(
            ((rule, rule.why_not(exchange, names)) for rule in self.all),
            key=lambda pair: (pair[1][:2], -pair[0].number),
        )
        if not path:
            return "No rule is for this. None has a path that is like it"
        return f"No rule is for this. Nearest is number {near.number}, {near.title}: {why}"


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


def _table(rules: Sequence[Mapping[str, Any]]) -> str | None:
    """What is wrong with the number of rules, or between the options of one; None where nothing is."""
    if len(rules) > MAX_RULES:
        return f"must be at most {MAX_RULES:,} rules"
    for number, given in enumerate(rules, 1):
        rule = with_defaults(RULE, given)
        wrong = _within(rule)
        if wrong:
            return f"number {number}: {wrong}"
    return None


def _within(rule: Mapping[str, Any]) -> str | None:
    if rule["body"] and rule["file"]:
        return "body and file cannot both be the answer. Leave out one"
    if rule["status"] in BODILESS and (rule["body"] or rule["file"]):
        return f"status {rule['status']} has no body. Leave out body and file, or use status 200"
    if rule["template"]:
        for key, texts in (("body", [rule["body"]]), ("answer_fields", rule["answer_fields"]), ("log", [rule["log"]])):
            for text in texts:
                if wrong := template_problem(plain(text)):
                    return f"{key}: {wrong}"
    return None


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
    Option("status", int, 200, "Status of the answer", "", 200, 599),
    Option("reason", str, "", "Words behind the status; empty: the usual ones", check=_reason),
    Option("answer_fields", list, [], "Fields of the answer, as Name: value", check=problem_of(split_field)),
    Option("body", str, "", "Body of the answer", multiline=True),
    Option("file", str, "", "File with the body, in the workspace's folder", path="file", confined=True,
        missing=files.unreadable),
    Option("template", bool, False, "Fill in {{path.id}}, {{query.page}}, {{json.user}} and the like"),
    Option("delay", float, 0.0, "Wait so long before the answer", "s", 0, 3600),
    Option("chunks", int, 0, "Send the body in so many parts; 0: whole", "", 0, 1000),
    Option("pause", float, 0.0, "Wait so long between parts", "s", 0, 3600),
    Option(
        "drop", str, "", "Do not answer: close or reset the connection, or keep it hanging",
        choices=("", "close", "reset", "hang"),
    ),
    Option("log", str, "", "What to write to the log with each answer"),
)  # fmt: skip

RULES = Option(
    "rules", list, [], "Answers; the first rule that is for a request gives its own",
    of=RULE, check=_table, missing=_broken_file,
)  # fmt: skip
