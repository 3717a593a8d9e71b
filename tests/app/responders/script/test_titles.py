"""Titles of script rules."""

from __future__ import annotations

from typing import Any

import pytest

from app.responders.rulebook import title_of


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        ({"when": "regex", "match": "^READ (\\d+)", "then": ["send OK {{1}}"]}, ("~^READ (\\d+)", "send OK {{1}}")),
        ({"when": "connected", "then": ["send banner", "wait 1"]}, ("connected", "send banner, wait 1 s")),
        ({"when": "idle", "after": 5.0, "then": ["close"]}, ("silence of 5 s", "close")),
        ({"when": "idle", "after": 0.5, "nth": 2}, ("silence of 0.5 s, number 2", "nothing")),
        ({"when": "text", "match": r"PING\r\n", "then": [" send-hex 0d 0a "]}, (r"PING\r\n", "send-hex 0d 0a")),
        ({"when": "text"}, ("empty message", "nothing")),
        ({"when": "contains", "match": "x", "then": ["log {{message}}"]}, ("…x…", "log {{message}}")),
        ({"when": "bytes", "match": "01 03 ?? *", "nth": 3}, ("01 03 ?? *, number 3", "nothing")),
        ({"then": ["send " + "x" * 100]}, ("any message", "send " + "x" * 54 + "…")),
    ],
)
def test_a_title_says_when_and_then(rule: dict[str, Any], title: tuple[str, str]) -> None:
    assert title_of("script", "tcp", rule) == title


def test_many_steps_are_cut() -> None:
    assert title_of("script", "udp", {"then": ["close"] * 1000})[1].endswith("close, …")
