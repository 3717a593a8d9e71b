"""Answers HTTP requests by rules, and fails when they say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from app.options import Mistake
from app.responders import Context, Option, Options, Responder
from app.responders.mock import titles
from app.responders.mock.hints import hints
from app.responders.mock.rules import RULES
from app.responders.rulebook import Rulebook
from app.responders.trial import Count, Message, Request, Trial
from app.text.variables import Variables


def _http(options: Options, context: Context) -> Any:
    from app.responders.mock.resource import Mock

    return Mock(options, context)


def _title(protocol: str, rule: Options) -> tuple[str, str]:
    return titles.title(rule)


def _attempt(
    protocol: str, options: Options, asked: Request | Message, folder: Path, counts: Sequence[Count], connections: int,
    variables: Variables,
) -> Trial:  # fmt: skip
    from app.responders.mock.trying import attempt

    if not isinstance(asked, Request):
        raise TypeError(f"a mock is asked by requests, not by {asked!r}")
    return attempt(options, asked, folder, counts, variables)


def _hints(protocol: str, options: Options, variables: Variables) -> Iterator[Mistake]:
    return hints(options, variables)


RESPONDER = Responder(
    "mock",
    "Answers by rules on method, path, query, headers and body",
    {"http": _http},
    (
        RULES,
        Option(
            "otherwise", int, 404, "Status code of the answer when no rule matches", "", 400, 599, live=True
        ),
    ),
    rulebook=Rulebook(("http",), _title, _attempt, hints=_hints),
)  # fmt: skip
