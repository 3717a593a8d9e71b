"""Titles of mock rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.responders.rulebook import MAX_TITLE, title_of


@pytest.mark.parametrize(
    ("rule", "title"),
    [
        ({"method": "GET", "path": "/users/{id}", "body": '{"id": 1}'}, ("GET /users/{id}", "200 json")),
        ({"method": "POST", "path": "/users", "status": 201, "body": "[]"}, ("POST /users", "201 json")),
        ({"status": 404}, ("any", "404")),
        ({"method": "GET", "path": "/flaky", "status": 503, "times": 2}, ("GET /flaky", "503, 2 times")),
        ({"path": "/flaky", "drop": "reset"}, ("/flaky", "reset")),
        ({"drop": "hang", "delay": 1.5}, ("any", "no answer, after 1.5 s")),
        ({"path": "~^/v\\d+/", "body": "hi", "times": 1}, ("~^/v\\d+/", "200 text, once")),
        ({"path": "/a", "query": ["page=2"], "fields": ["Accept~json"]}, ("/a ?page=2 [Accept~json]", "200")),
        ({"path": "/a", "body_json": ["$.a = 1"], "call": 3}, ("/a $.a = 1 call 3", "200")),
        ({"body_is": "x", "file": "page.html"}, ("any = x", "200 page.html")),
        ({"body_regex": "^x", "status": 204, "body": ""}, ("any ~ ^x", "204")),
        ({"status": 302, "answer_fields": ["Location: /new"]}, ("any", "302 to /new")),
        ({"body": "<p>", "answer_fields": ["Content-Type: text/html; charset=utf-8"]}, ("any", "200 html")),
        ({"body": "{}", "answer_fields": ["content-type: application/problem+json"]}, ("any", "200 json")),
        ({"body": "{{now}}", "template": True, "chunks": 3}, ("any", "200 text, in 3 parts")),
    ],
)
def test_a_title_says_what_the_rule_is_for_and_what_it_answers(rule: dict[str, Any], title: tuple[str, str]) -> None:
    assert title_of("mock", "http", rule) == title


def test_a_title_is_one_line_of_bounded_length() -> None:
    left, right = title_of("mock", "http", {"body_is": "a\nb\x1b\u202e" + "x" * 10_000_000, "file": "y" * 500})
    assert left.startswith("any = a b··x")
    assert len(left) == len(right) == MAX_TITLE
    assert left.endswith("…")


_ANY = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=9), st.lists(st.text(max_size=9), max_size=3)
)
_KEYS = [
    "method", "path", "query", "fields", "body_is", "body_regex", "body_json", "call", "times", "status", "reason",
    "answer_fields", "body", "file", "template", "delay", "chunks", "pause", "drop", "log", "on", "when", "match",
    "nth", "after", "then",
]  # fmt: skip


@given(st.sampled_from(["mock", "script"]), st.dictionaries(st.sampled_from(_KEYS), _ANY))
def test_wrong_rules_have_titles_too(responder: str, rule: dict[str, Any]) -> None:
    for half in title_of(responder, "http" if responder == "mock" else "tcp", rule):
        assert half == "" or half.isprintable()
        assert len(half) <= MAX_TITLE


def test_what_has_no_rules_has_no_titles() -> None:
    assert title_of("echo", "tcp", {}) == title_of("nobody", "tcp", {}) == ("", "")
