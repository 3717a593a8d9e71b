"""Answers HTTP requests by rules, and fails when they say so."""

from __future__ import annotations

from typing import Any

from app.responders import Context, Option, Options, Responder
from app.responders.mock.rules import RULES


def _http(options: Options, context: Context) -> Any:
    from app.responders.mock.resource import Mock

    return Mock(options, context)


RESPONDER = Responder(
    "mock",
    "Answers by rules, which look at method, path, query, fields and body",
    {"http": _http},
    (RULES, Option("otherwise", int, 404, "Status of the answer where no rule is for a request", "", 400, 599)),
)
