"""Reads and checks the rules of a script from the tables of a workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.files import confined as files
from app.options import Options, Wrong, kept
from app.responders.script import errors
from app.text import patterns
from app.text.errors import EscapeError, TemplateError
from app.text.escapes import unescape, unhex
from app.text.templates import Template
from app.text.variables import PREFIX

WHEN = ("connected", "message", "text", "contains", "bytes", "regex", "idle")

WHEN_WORDS = (
    "Client connects", "Any message", "Message is", "Message contains", "Message in hex is", "Message matches regex",
    "Silence",
)  # fmt: skip
"""What forms say for each value of ``when``."""

MATCHING = ("text", "contains", "bytes", "regex")
"""Values of ``when`` that compare the message with ``match``."""

MAX_RULES = MAX_STEPS = 1000
"""Rules of a script, and steps of a rule."""

MAX_WAIT = 86_400.0
"""Seconds that a step may wait, or an idle rule."""

MIN_IDLE = 0.01
"""Seconds of silence that an idle rule must wait at least."""

STEPS = {
    "send": ("tcp", "udp", "websocket"),
    "send-hex": ("tcp", "udp", "websocket"),
    "send-file": ("tcp", "udp", "websocket"),
    "raw": ("tcp",),
    "wait": ("tcp", "udp", "websocket"),
    "close": ("tcp", "udp", "websocket"),
    "half-close": ("tcp",),
    "reset": ("tcp", "websocket"),
    "continue": ("tcp", "udp", "websocket"),
    "log": ("tcp", "udp", "websocket"),
    "fail": ("tcp", "udp", "websocket"),
}
"""The verbs of steps, and the protocols that each is for."""

VALUES = ("message", "count", "peer", "conn")
"""Values that every template of a script may use."""

WITH_TEMPLATE = ("send", "raw", "log", "fail")
"""The verbs with a template behind them."""

_WITHOUT_ARGUMENT = ("close", "half-close", "reset", "continue")
_FINAL = ("close", "reset", "continue", "fail")
_SENDING = ("send", "send-hex", "send-file", "raw")


class _WrongError(ValueError):
    """What is wrong with one rule: its option, the index of the step or None, and words."""

    def __init__(self, key: str, text: str, item: int | None = None) -> None:
        super().__init__(text)
        self.key, self.item = key, item


class Tally:
    """Counts how often a rule has applied. It is the same object before and after the rule was edited."""

    __slots__ = ("hits",)

    def __init__(self) -> None:
        self.hits = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a rule.

    Attributes:
        argument: depends on ``verb``: a Template, bytes, a file's name, seconds, or None.
    """

    verb: str
    argument: Any = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition, and the steps to carry out when it holds.

    Attributes:
        number: from 1, in the order of the workspace.
        nth: only the nth message, silence, or connection of the service; 0: each.
        after: seconds of silence.
        equals: the message must equal these bytes; None: no such condition.
        contains: the message must contain these bytes; None: no such condition.
        pattern: must be found in the message; None: no such condition.
        continues: whether the rules after this one are tried, too.
        on: whether it is used at all.
        table: as the workspace has it.
    """

    number: int
    when: str
    nth: int
    after: float
    steps: tuple[Step, ...]
    equals: bytes | None = None
    contains: bytes | None = None
    pattern: patterns.Pattern | None = None
    continues: bool = False
    on: bool = True
    table: Options = field(default_factory=dict, compare=False)
    tally: Tally = field(default_factory=Tally, compare=False)

    def match(self, message: bytes) -> Mapping[str, object] | None:
        """The groups that the pattern captures, by name; None if the message does not match."""
        if self.equals is not None:
            return {} if message == self.equals else None
        if self.contains is not None:
            return {} if self.contains in message else None
        return {} if self.pattern is None else self.pattern.search(message)


def read(tables: Sequence[Options], protocol: str, before: Sequence[Rule] = ()) -> tuple[Rule, ...]:
    """The rules for a service of ``protocol``. Raises ScriptError for the first rule that is wrong.

    The types in ``tables`` must be right (``Option`` checks them); keys may be missing. Rules that were among
    those ``before`` keep their tallies, and if they are the same also the counters of their templates.
    """
    if many := too_many(tables):
        raise errors.ScriptError(problem=many)
    places = kept([rule.table for rule in before], tables)
    rules = []
    for number, (table, place) in enumerate(zip(tables, places, strict=True), 1):
        old = None if place is None else before[place]
        if old is not None and old.table == table:
            rules.append(replace(old, number=number))
            continue
        try:
            rule = _rule(number, table, protocol)
        except _WrongError as e:
            raise errors.ScriptError(problem=f"number {number}: {e.key} {e}") from e
        rules.append(rule if old is None else replace(rule, tally=old.tally))
    return tuple(rules)


def problem(tables: Sequence[Options], protocol: str) -> str | None:
    """The first error in the rules, or None."""
    try:
        read(tables, protocol)
    except errors.ScriptError as e:
        return str(e.fields["problem"])
    return None


def too_many(tables: Sequence[Options]) -> str | None:
    """What is wrong with the number of rules, or None."""
    return f"must be at most {MAX_RULES:,} rules" if len(tables) > MAX_RULES else None


def wrong(table: Options, protocol: str) -> Iterator[Wrong]:
    """What is wrong with one rule, and where."""
    try:
        _rule(1, table, protocol)
    except _WrongError as e:
        yield e.key, e.item, str(e)


def steps_problem(lines: Sequence[str], protocol: str) -> str | None:
    """The first error in the steps of one rule, or None. Does not check the values in templates."""
    try:
        _steps(lines, protocol)
    except _WrongError as e:
        return str(e)
    return None


def missing(lines: Sequence[str], folder: Path) -> str | None:
    """Names the first step whose file cannot be read, or None. Blocks."""
    for i, line in enumerate(lines, 1):
        verb, _, name = line.strip().partition(" ")
        if verb == "send-file" and (wrong := files.unreadable(name.strip(), folder)):
            return f"step {i} {wrong}"
    return None


def _rule(number: int, table: Options, protocol: str) -> Rule:
    when, match, nth = table.get("when", "message"), table.get("match", ""), table.get("nth", 0)
    after = float(table.get("after", 0))
    steps = _steps(table.get("then", ()), protocol)
    if match and when not in MATCHING:
        raise _WrongError("match", f"has no effect with when = {when}")
    if when == "idle" and after < MIN_IDLE:
        raise _WrongError("after", f"must be at least {MIN_IDLE} seconds of silence")
    if after and when != "idle":
        raise _WrongError("after", f"has no effect with when = {when}: it is for idle")
    equals = contains = pattern = None
    try:
        if when == "text":
            equals = unescape(match)
        elif when == "contains":
            contains = unescape(match)
        elif when in ("bytes", "regex"):
            pattern = patterns.hex_pattern(match) if when == "bytes" else patterns.regex(match)
    except EscapeError as e:
        raise _WrongError("match", f"has a wrong escape: {e.fields['reason']}") from e
    except ValueError as e:
        raise _WrongError("match", str(e)) from e
    _check_values(steps, (*VALUES, *(pattern.captures if pattern else ())))
    continues, on = any(step.verb == "continue" for step in steps), table.get("on", True)
    return Rule(number, when, nth, after, steps, equals, contains, pattern, continues, on, table)


def _check_values(steps: Iterable[Step], known: tuple[str, ...]) -> None:
    for i, step in enumerate(steps):
        if isinstance(step.argument, Template):
            names = (name for name in step.argument.names - set(known) if not name.startswith(PREFIX))
            for name in sorted(names):
                values = ", ".join([*known, f"{PREFIX}NAME"])
                text = f"step {i + 1}: there is no value {name[:40]} here. Values are: {values}"
                raise _WrongError("then", text, i)


def _steps(lines: Sequence[str], protocol: str) -> tuple[Step, ...]:
    if len(lines) > MAX_STEPS:
        raise _WrongError("then", f"must be at most {MAX_STEPS:,} steps", MAX_STEPS)
    steps: list[Step] = []
    for i, line in enumerate(lines):
        try:
            step = _step(line, protocol)
            if steps and steps[-1].verb in _FINAL:
                raise ValueError(f"nothing can follow {steps[-1].verb}")
            if step.verb in _SENDING and any(earlier.verb == "half-close" for earlier in steps):
                raise ValueError(f"{step.verb} cannot follow half-close, after which nothing is sent")
        except EscapeError as e:
            raise _WrongError("then", f"step {i + 1}: {e.fields['reason']}", i) from e
        except TemplateError as e:
            where = f"at character {e.fields['position']} of its text, {e.fields['reason']}"
            raise _WrongError("then", f"step {i + 1}: {where}", i) from e
        except ValueError as e:
            raise _WrongError("then", f"step {i + 1}: {e}", i) from e
        steps.append(step)
    return tuple(steps)


def _step(line: str, protocol: str) -> Step:
    verb, _, rest = line.lstrip().partition(" ")
    possible = [name for name, protocols in STEPS.items() if protocol in protocols]
    if verb not in STEPS:
        raise ValueError(f"“{verb[:40]}” is unknown. Use one of {', '.join(possible)}")
    if verb not in possible:
        raise ValueError(f"{verb} is not for {protocol}. Use one of {', '.join(possible)}")
    if verb in WITH_TEMPLATE:
        return Step(verb, Template(rest))
    if verb in _WITHOUT_ARGUMENT:
        if rest.strip():
            raise ValueError(f"{verb} stands alone")
        return Step(verb)
    if not rest.strip():
        raise ValueError(f"{verb} needs something after it")
    if verb == "send-hex":
        return Step(verb, unhex(rest))
    return Step(verb, _seconds(rest) if verb == "wait" else rest.strip())


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= MAX_WAIT:
        raise ValueError(f"wait needs 0 to {MAX_WAIT:,.0f} seconds, as in wait 0.5")
    return seconds
