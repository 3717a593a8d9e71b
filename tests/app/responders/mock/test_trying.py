"""Trying requests against mock rules."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.responders import errors, find, trial
from app.responders.rulebook import hints_of, mistakes_of
from app.responders.trial import Count, Request, Trial, request_of, try_rules
from tests.app.responders.context import BareContext
from tests.app.responders.mock.test_responder import _ASKED, _RULES
from tests.app.responders.web import Client

HERE = Path(__file__).parent


def tried(rules: list[Any], asked: Request, counts: Any = (), folder: Path = HERE, **options: Any) -> Trial:
    return try_rules("mock", "http", {"rules": rules, **options}, asked, folder, counts)


RULES = [
    {"method": "GET", "path": "/flaky", "status": 503, "times": 2},
    {"path": "/users/{id}", "on": False},
    {
        "path": "/users/{id}", "template": True, "body": '{"id": {{path.id}}, "call": {{call}}}',
        "answer_fields": ["X-Id: {{path.id}}"], "log": "user {{path.id}}", "delay": 0.5, "chunks": 2, "pause": 1,
    },
    {"path": "/reset", "drop": "reset"},
    {"path": "/file", "file": "none.txt"},
]  # fmt: skip


def test_the_rule_its_answer_and_why_none_before_it() -> None:
    assert tried(RULES, Request("GET", "/users/7?x=1"), [Count()] * 2 + [Count(3, 3)]) == Trial(
        rule=2,
        why=("the path is not /flaky", "it is off"),
        answer=trial.Answer(
            200,
            "OK",
            (("X-Id", "7"), ("Content-Type", "application/json"), ("Content-Length", "20")),
            b'{"id": 7, "call": 4}',
        ),
        notes=("It waits 0.5 s first.", "The body is sent in 2 parts, 1 s apart."),
        logged="user 7",
    )


def test_counts_are_those_of_the_service_and_stay_so() -> None:
    counts = [Count(1, 1)] + [Count()] * 4
    for _ in range(2):
        assert tried(RULES, Request("GET", "/flaky"), counts).rule == 0
    spent = tried(RULES, Request("GET", "/flaky"), [Count(2, 2), *counts[1:]])
    assert spent.rule is None
    assert spent.why[0] == "it answers only 2 times, and has done so"


def test_where_none_takes_it_the_answer_says_what_the_nearest_misses() -> None:
    found = tried(RULES, Request("POST", "/flaky"), otherwise=418)
    assert found.rule is None
    assert len(found.why) == len(RULES)
    assert found.answer is not None
    assert (found.answer.status, found.answer.reason) == (418, "I'm a Teapot")
    assert dict(found.answer.headers)["Content-Type"] == "application/problem+json"
    problem = json.loads(found.answer.body)
    assert "Nearest is number 1, GET /flaky: the method is not GET" in problem["detail"]
    assert problem["rules"] == [
        "1: GET /flaky",
        "3: any method /users/{id}",
        "4: any method /reset",
        "5: any method /file",
    ]


def test_a_dropped_connection_is_told_in_words() -> None:
    found = tried(RULES, Request("GET", "/reset"))
    assert (found.rule, found.answer, found.notes) == (3, None, ("The connection is reset without an answer.",))


def test_a_file_is_read_from_the_workspaces_folder(tmp_path: Path) -> None:
    missing = tried(RULES, Request("GET", "/file"), folder=tmp_path)
    assert missing.answer is not None
    assert missing.answer.status == 500
    assert "Rule number 5 cannot answer" in missing.problem
    (tmp_path / "none.txt").write_text("here")
    there = tried(RULES, Request("GET", "/file"), folder=tmp_path)
    assert there.answer is not None
    assert (there.problem, there.answer.body) == ("", b"here")
    outside = tried([{"file": "../secret"}], Request(), folder=tmp_path)
    assert "outside" in outside.problem or "not in the workspace's folder" in outside.problem


def test_the_answer_to_head_has_no_body() -> None:
    found = tried([{"body": "abc", "chunks": 3}], Request("HEAD"))
    assert found.answer is not None
    assert (found.answer.body, dict(found.answer.headers)["Content-Length"], found.notes) == (b"", "3", ())


def test_a_trial_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter(range(0, 100, 2))
    monkeypatch.setattr(trial.time, "monotonic", lambda: next(times))
    with pytest.raises(errors.TrialTooLongError, match="longer than 5 s"):
        tried([{"path": f"/{n}"} for n in range(10)], Request())


def test_what_has_no_rules_cannot_be_tried() -> None:
    for responder, protocol in (("echo", "tcp"), ("mock", "tcp"), ("nobody", "http")):
        assert not trial.can_try(responder, protocol)
        with pytest.raises(errors.NoRulesError):
            try_rules(responder, protocol, {}, Request(), HERE)
    assert trial.can_try("mock", "http")


# -- the same as the service


@given(_RULES, st.lists(_ASKED, min_size=1, max_size=5))
def test_a_trial_says_what_the_service_does(rules: list[Any], asked: list[Any]) -> None:
    if mistakes_of("mock", "http", {"rules": rules}):
        return
    context = BareContext()
    client = Client("mock", {"rules": rules}, context)
    for method, target, body in asked:
        headers = (("Host", "localhost"), *([("Content-Length", str(len(body)))] if body else ()))
        before, context.logged = client.resource.counts(), []
        found = tried(rules, Request(method, target, headers, body), before)
        reply = client.ask(method, target, body)
        hits = [new.hits - old.hits for old, new in zip(before, client.resource.counts(), strict=True)]
        assert [i for i, hit in enumerate(hits) if hit] == ([] if found.rule is None else [found.rule])
        assert len(found.why) == (len(rules) if found.rule is None else found.rule)
        assert all(found.why)
        assert found.answer is not None
        assert (found.answer.status, found.answer.body) == (reply.status, reply.body)
        if not found.problem:
            assert [summary for summary, _ in context.logged if summary] == [found.logged] * bool(found.logged)


# -- requests as somebody types them


@pytest.mark.parametrize(
    ("raw", "request_"),
    [
        (b"GET /a?b=1 HTTP/1.1\r\nHost: x\r\nA:  b \r\n\r\nbody\r\n",
         Request("GET", "/a?b=1", (("Host", "x"), ("A", "b")), b"body\r\n")),
        (b"post /a\nA: b\n\n{}\n\n", Request("POST", "/a", (("A", "b"),), b"{}\n\n")),
        (b"/users/7", Request("GET", "/users/7")),
        (b"\r\n\r\nDELETE /x\n", Request("DELETE", "/x")),
        (b"GET /a\nA: b", Request("GET", "/a", (("A", "b"),))),
    ],
)  # fmt: skip
def test_a_request_is_read_as_it_is_typed(raw: bytes, request_: Request) -> None:
    assert request_of(raw) == request_


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "must begin with a method and a path, as in GET /users/7"),
        (b"users", "must begin with a method"),
        (b"GET / x y", "must begin with a method"),
        (b"GET /\nA: b\nbody", "line 3 must be a header, as in Accept: text/html, or empty before the body"),
    ],
)
def test_what_is_no_request_is_told_in_words(raw: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        request_of(raw)


@given(st.binary(max_size=60))
def test_any_bytes_behind_a_first_line_are_read_or_told_in_words(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert tried([{"path": "/a"}], request_of(b"GET /" + raw)).rule in (0, None)


# -- hints


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{nonsense}}", "there is no value nonsense here. Use path.NAME, query.NAME"),
        ("{{base}}", "there is no value base here. Write {{var.base}}"),
        ("{{var.basis}}", "the workspace has no variable basis. It has var.base"),
        ("{{path.name}}", "the path has no name. It has path.id, path.tag"),
        ("{{var.base}} {{path.id}} {{path.tag}} {{path.1}} {{1}} {{json}} {{json.a}} {{query.q}} {{body}}", ""),
        ('{{nonsense | default "x"}} {{uuid}} {{"text"}}', ""),
        ("{{", ""),  # a mistake
    ],
)
def test_names_that_no_request_has_are_pointed_out(text: str, why: str) -> None:
    rule = {"path": "/u/{id}", "body_regex": r"#(?P<tag>\w+)", "template": True, "log": text}
    found = hints_of("mock", "http", {"rules": [rule]}, {"base": "x"})
    assert [(hint.key, why in hint.text) for hint in found] == ([("log", True)] if why else [])


def test_variables_of_the_workspace_are_filled_in() -> None:
    rule = {"template": True, "body": "{{var.base}}/{{path}}", "answer_fields": ["Location: {{var.base}}"]}
    trial = try_rules("mock", "http", {"rules": [rule]}, Request("GET", "/x"), HERE, variables={"base": "b{{1}}"})
    assert trial.answer is not None
    assert (trial.answer.body, trial.answer.headers[0]) == (b"b{{1}}//x", ("Location", "b{{1}}"))


def test_expressions_in_what_is_no_template_are_pointed_out() -> None:
    rules = [
        {"body": "{{path.id}} and {{more}}"},
        {"path": "/u/{id}", "body": "{{path.id}}", "template": True},
        {"answer_fields": ["A: b", "B: {{query.x}}"], "log": "{{" + "x" * 50 + "}}"},
        {"body": r"\{{not}}"},
    ]
    found = hints_of("mock", "http", {"rules": rules})
    assert [(hint.table, hint.key, hint.item, hint.text) for hint in found] == [
        (0, "body", None, "has {{path.id}}, which is sent as it is: template is off"),
        (2, "answer_fields", 1, "has {{query.x}}, which is sent as it is: template is off"),
        (2, "log", None, "has {{…}}, which is sent as it is: template is off"),
    ]
    assert hints_of("script", "tcp", {"rules": []}) == hints_of("echo", "tcp", {}) == ()


def test_faults_have_the_place_in_the_rule() -> None:
    rules = [
        {"query": ["a", "b~("], "status": 9},
        {"body": "x", "file": "y", "answer_fields": ["A: {{"], "template": True},
    ]
    found = mistakes_of("mock", "http", {"rules": rules, "otherwise": 1, "cors": ["*"]})
    assert [(mistake.option, mistake.table, mistake.key, mistake.item) for mistake in found] == [
        ("rules", 0, "query", 1),
        ("rules", 0, "status", None),
        ("rules", 1, "body", None),
        ("rules", 1, "answer_fields", 0),
        ("otherwise", None, "", None),
    ]
    assert found[0].text == "is not a regular expression: missing ) in “(”"
    assert found[3].text == "is not a template: at character 6: }} is missing"


def test_an_option_that_a_running_service_takes_is_marked() -> None:
    mock = find("mock")
    assert mock is not None
    assert all(option.live for option in mock.options)
