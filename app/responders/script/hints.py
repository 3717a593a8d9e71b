"""What in the rules of a script is right and probably not meant: wrong framing, unknown variables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from app.errors import PostError
from app.options import Mistake, Options
from app.responders.script.rules import WITH_TEMPLATE
from app.text.templates import Template
from app.text.variables import Variables, unknown

WHOLE = ("text", "bytes")
"""Values of ``when`` that compare a whole message."""

SHOWN = 40
"""Characters of a text that a hint quotes."""


def hints(protocol: str, options: Options, variables: Variables) -> Iterator[Mistake]:
    """Hints at the rules that are on. ``variables`` are those of the workspace."""
    for index, rule in enumerate(options["rules"]):
        if not rule["on"]:
            continue
        yield from _nameless(index, rule["then"], variables)
        if protocol != "tcp":  # only a stream has framing
            continue
        if options["framing"] == "none" and _whole(rule):
            yield Mistake("rules", _PIECES, index, "match")
        elif options["framing"] == "delimiter":
            yield from _doubled(index, rule["then"], options["delimiter"])


def _nameless(index: int, steps: list[str], variables: Variables) -> Iterator[Mistake]:
    """Steps with a ``{{var.NAME}}`` that the workspace does not have."""
    for at, step in enumerate(steps):
        verb, _, text = step.lstrip().partition(" ")
        if verb in WITH_TEMPLATE and "{{" in text:
            with suppress(PostError):  # a template that is wrong is a mistake, and told as one
                if words := unknown(Template(text).names, variables):
                    yield Mistake("rules", f"step {at + 1}: {words}", index, "then", at)


_PIECES = (
    "compares a whole message, but without framing it is compared with what is read at once: "
    "a part of a message, or several. Choose a framing, or “Message contains” (when = contains)"
)


def _whole(rule: Options) -> bool:
    """Whether the rule compares a message from its beginning to its end."""
    match = rule["match"]
    anchored = match.startswith(("^", r"\A")) or match.endswith(("$", r"\Z"))
    return bool(match) and (rule["when"] in WHOLE or (rule["when"] == "regex" and anchored))


def _doubled(index: int, steps: list[str], delimiter: str) -> Iterator[Mistake]:
    """Steps that send the delimiter at their end, where the framing adds it: the peer gets an empty message, too."""
    for at, step in enumerate(steps):
        verb, _, text = step.lstrip().partition(" ")
        if verb == "send" and delimiter and text.endswith(delimiter):
            words = (
                f"step {at + 1}: ends with {delimiter[:SHOWN]}, and the framing adds one more. Leave it out, or use raw"
            )
            yield Mistake("rules", words, index, "then", at)
