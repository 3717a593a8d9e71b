"""Tries a message against the rules of a script, without a connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from app.errors import PostError
from app.files.confined import read as read_file
from app.options import Options
from app.responders.script import rules as reading
from app.responders.script.rules import Rule
from app.responders.script.rules import Step as Line
from app.responders.script.titles import when_of
from app.responders.trial import Deadline, Message, Step, Trial
from app.text import framing
from app.text.escapes import PREVIEW, preview
from app.text.variables import Variables, prefixed

MAX_STEPS, MAX_BYTES = 1000, 4 << 20
"""Steps of one trial, and bytes that they send, that are shown."""

HEX_BYTES = 16
"""Bytes of a message that are shown where it is not those of a rule."""

OFF = "it is off"

_NUMBERED = {"message": "message", "connected": "connection", "idle": "silence"}


def attempt(
    protocol: str, options: Options, asked: Message, folder: Path, connections: int, variables: Variables
) -> Trial:
    """What a service with these ``options``, defaults filled in, would do. Blocks. Raises TrialTooLongError.

    ``connections``: how many the service has had; what comes, comes on the next one.
    """
    frame = framing.maker(options)().frame if protocol == "tcp" else bytes
    number = connections + 1
    nth = asked.nth or (number if asked.when == "connected" else 1)
    values = {
        **prefixed(variables),
        "message": asked.data if asked.when == "message" else b"",
        "count": nth if asked.when == "message" else 0,
        "conn": number,
        "peer": asked.peer,
    }
    doing, deadline = _Doing(frame, folder), Deadline()
    taken, why = [], []
    for rule in reading.read(options["rules"], protocol):
        deadline.check()
        captures = rule.match(asked.data) if not (reason := _why_not(rule, asked, nth)) else None
        if captures is None:
            why.append(reason or _no_match(rule, asked.data))
            continue
        taken.append(rule.number - 1)
        why.append("")
        # Each silence is waited for by itself; of a message and a connection one rule takes it.
        if not doing.do(rule, {**values, **captures}, deadline) or not (rule.continues or asked.when == "idle"):
            break
    first = taken[0] if taken else None
    earlier = why if first is None else why[:first]
    return Trial(first, tuple(earlier), None, tuple(doing.steps), tuple(doing.notes), problem=doing.problem)


class _Doing:
    """Does the steps of rules without doing them, as far as they can be shown."""

    def __init__(self, frame: Callable[[bytes], bytes], folder: Path) -> None:
        self._frame, self._folder = frame, folder
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self.problem = ""
        self._sent = 0

    def do(self, rule: Rule, values: Mapping[str, object], deadline: Deadline) -> bool:
        """Whether it goes on behind the steps of this rule."""
        for index, line in enumerate(rule.steps, 1):
            deadline.check()
            if len(self.steps) >= MAX_STEPS or self._sent > MAX_BYTES:
                self.notes.append("There is more, which is not shown.")
                return False
            try:
                step = self._step(rule.number - 1, line, values)
            except PostError as e:
                self.problem = f"Rule number {rule.number}, step {index}: {e}"
                return False
            self.steps.append(step)
            self._sent += len(step.sends or b"")
            if line.verb in ("close", "reset", "fail"):
                return False
        return True

    def _step(self, rule: int, line: Line, values: Mapping[str, object]) -> Step:
        verb = line.verb
        match verb:
            case "send" | "raw":
                data = line.argument.render(values)
                return Step(rule, f"{verb} {_brief(data)}", data if verb == "raw" else self._frame(data))
            case "send-hex":
                return Step(rule, f"{verb} {line.argument[:PREVIEW].hex(' ')}", self._frame(line.argument))
            case "send-file":
                content = read_file(self._folder, line.argument)
                return Step(rule, f"{verb} {line.argument}", self._frame(content))
            case "wait":
                return Step(rule, f"wait {line.argument:g} s")
            case "log" | "fail":
                return Step(rule, f"{verb} {_brief(line.argument.render(values))}")
        return Step(rule, verb)


def _brief(data: bytes) -> str:
    return preview(data[: 8 * PREVIEW], len(data))


def _why_not(rule: Rule, asked: Message, nth: int) -> str:
    """Why a rule is not for what happens, whatever the message is; empty if it is."""
    if not rule.on:
        return OFF
    kind = rule.when if rule.when in ("connected", "idle") else "message"
    if kind != asked.when:
        return {"connected": "it is for a new connection", "idle": "it is for silence"}.get(kind, "it is for messages")
    if rule.nth not in (0, nth):
        what = _NUMBERED[kind]
        return f"it is only for {what} number {rule.nth:,}, and this is number {nth:,}"
    if kind == "idle" and asked.seconds < rule.after:
        return f"it waits for {rule.after:g} s of silence"
    return ""


def _no_match(rule: Rule, data: bytes) -> str:
    match rule.when:
        case "text":
            # What it is shows what cannot be seen in a field, such as the \r of a line that ends with \r\n.
            return f"the message is {_brief(data) or 'empty'}, not {when_of(rule.table)}"
        case "contains":
            return f"the message does not contain {rule.table.get('match', '')}"
        case "bytes":
            more = " …" if len(data) > HEX_BYTES else ""
            return f"the message is {data[:HEX_BYTES].hex(' ') or 'empty'}{more}, not {when_of(rule.table)}"
    return f"the message has no {rule.table.get('match', '')}"
