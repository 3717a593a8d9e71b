"""What a rule of a script is for and what it does, in a few words."""

from __future__ import annotations

from typing import Any

from app.options import Options

MAX_STEPS = 20
"""Steps of a rule that its title names."""

MAX_STEP = 60
"""Characters of a step in a title."""


def title(protocol: str, rule: Options) -> tuple[str, str]:
    """As ``("~^READ (\\d+)", "send OK {{1}}, wait 1 s")``. The rule may be wrong."""
    words = [when_of(rule)]
    nth = rule.get("nth", 0)
    if nth:
        words.append(f"number {nth}")
    return ", ".join(words), does(rule)


def when_of(rule: Options) -> str:
    """When a rule applies, without the number."""
    when, match = rule.get("when", "message"), str(rule.get("match", ""))
    match when:
        case "text":
            return match or "empty message"
        case "contains":
            return f"…{match}…"
        case "regex":
            return f"~{match}"
        case "idle":
            return f"silence of {_number(rule.get('after', 0))} s"
        case "message":
            return "any message"
    return match if when == "bytes" else str(when)


def does(rule: Options) -> str:
    """What a rule does."""
    lines = rule.get("then", ())
    lines = [str(line) for line in lines] if isinstance(lines, list | tuple) else []
    steps = [_step(line) for line in lines[:MAX_STEPS]]
    if len(lines) > MAX_STEPS:
        steps.append("…")
    return ", ".join(steps) or "nothing"


def _step(line: str) -> str:
    line = line.strip()[: 4 * MAX_STEP]
    if line.startswith("wait "):
        line += " s"
    return line if len(line) <= MAX_STEP else line[: MAX_STEP - 1] + "…"


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value)
