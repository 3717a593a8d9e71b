"""app.responders.script.rules."""

from __future__ import annotations

from typing import Any

import pytest

from app.responders.script import errors, rules


def rule(**table: Any) -> rules.Rule:
    return rules.read([table], "tcp")[0]


@pytest.mark.parametrize(
    ("table", "message", "values"),
    [
        ({}, b"any", {}),
        ({"when": "text", "match": r"hi\r\n"}, b"hi\r\n", {}),
        ({"when": "text", "match": "hi"}, b"hi!", None),
        ({"when": "text"}, b"", {}),
        ({"when": "contains", "match": r"\xff"}, b"a\xffb", {}),
        ({"when": "contains", "match": r"\xff"}, b"ab", None),
        ({"when": "bytes", "match": "01 ??"}, b"\1\2", {"0": b"\1\2", "1": b"\2"}),
        (
            {"when": "regex", "match": r"^(\w+) (?P<n>\d+)?"},
            b"PUT x",
            {"0": b"PUT ", "1": b"PUT", "2": None, "n": None},
        ),
        ({"when": "regex", "match": "x"}, b"a", None),
    ],
)
def test_a_rule_matches_and_captures(table: dict[str, Any], message: bytes, values: dict[str, Any] | None) -> None:
    assert rule(**table).match(message) == values


@pytest.mark.parametrize(
    ("lines", "steps"),
    [
        (["send-hex 0d 0A"], [("send-hex", b"\r\n")]),
        (["  wait 0.5", "close"], [("wait", 0.5), ("close", None)]),
        (["send-file a b.bin "], [("send-file", "a b.bin")]),
        (["half-close", "continue"], [("half-close", None), ("continue", None)]),
    ],
)
def test_steps_are_read(lines: list[str], steps: list[tuple[str, Any]]) -> None:
    assert [(step.verb, step.argument) for step in rule(then=lines).steps] == steps


def test_the_text_of_a_step_keeps_its_blanks() -> None:
    steps = [rule(then=[line]).steps[0] for line in ("send  x ", "send", "raw ")]
    assert [step.argument.render({}) for step in steps] == [b" x ", b"", b""]


@pytest.mark.parametrize(
    ("table", "protocol", "problem"),
    [
        (
            {"then": ["jump"]},
            "tcp",
            "number 1: then step 1: “jump” is unknown. Use one of send, send-hex, send-file, raw,",
        ),
        (
            {"then": ["wait 1", "raw x"]},
            "udp",
            "step 2: raw is not for udp. Use one of send, send-hex, send-file, wait,",
        ),
        ({"then": ["half-close"]}, "websocket", "half-close is not for websocket"),
        ({"then": ["reset"]}, "udp", "reset is not for udp"),
        ({"then": ["close", "wait 1"]}, "tcp", "step 2: nothing can follow close"),
        ({"then": ["half-close", "wait 1", "send x"]}, "tcp", "step 3: send cannot follow half-close"),
        ({"then": ["close 1"]}, "tcp", "close stands alone"),
        ({"then": ["wait"]}, "tcp", "wait needs something after it"),
        ({"then": ["wait nan"]}, "tcp", "wait needs 0 to 86,400 seconds"),
        ({"then": ["wait -1"]}, "tcp", "wait needs 0 to 86,400 seconds"),
        ({"then": ["send-hex 0"]}, "tcp", "step 1: hex needs pairs"),
        ({"then": ["send {{"]}, "tcp", "step 1: at character 3 of its text, }} is missing"),
        ({"then": ["send {{1}}"]}, "tcp", "step 1: there is no value 1 here. Values are: message, count, peer, conn"),
        ({"when": "bytes", "match": "01 ??", "then": ["send {{2}}"]}, "tcp", "no value 2 here"),
        ({"when": "regex", "match": "("}, "tcp", "match is not a regular expression"),
        ({"when": "bytes"}, "tcp", "match must be 1 to 10,000 characters of hex"),
        ({"when": "text", "match": r"\q"}, "tcp", r"match has a wrong escape: \q is not an escape"),
        ({"when": "connected", "match": "x"}, "tcp", "match has no effect with when = connected"),
        ({"when": "idle"}, "tcp", "after must be at least 0.01 seconds"),
        ({"when": "message", "after": 1.0}, "tcp", "after has no effect with when = message"),
        ({"then": ["wait 0"] * 1001}, "tcp", "then must be at most 1,000 steps"),
    ],
)
def test_what_is_wrong_is_said_with_the_rules_number_and_step(
    table: dict[str, Any], protocol: str, problem: str
) -> None:
    said = rules.problem([table], protocol)
    assert said is not None
    assert said.startswith("number 1: ")
    assert problem in said
    with pytest.raises(errors.ScriptError):
        rules.read([table], protocol)


def test_the_number_is_that_of_the_wrong_rule() -> None:
    assert str(rules.problem([{}, {}, {"when": "idle"}], "tcp")).startswith("number 3: ")
    assert rules.problem([{}, {}], "tcp") is None
    assert rules.problem([{}] * 1001, "tcp") == "must be at most 1,000 rules"


def test_steps_alone_can_be_checked() -> None:
    assert rules.steps_problem(["send {{1}}"], "tcp") is None
    assert rules.steps_problem(["wait 1", "reset"], "udp") == (
        "step 2: reset is not for udp. Use one of send, send-hex, send-file, wait, close, continue, log, fail"
    )


def test_values_that_a_rule_captures_can_be_used() -> None:
    assert (
        rules.problem([{"when": "regex", "match": "(?P<a>.)", "then": ["send {{1}}{{a}}{{0}}{{peer}}"]}], "udp") is None
    )
    assert rules.problem([{"then": ["send {{x | default 1}} {{pad count 8}}"]}], "tcp") is None


def test_a_regex_that_would_go_back_and_forth_ends_in_time() -> None:
    assert rule(when="regex", match="(a+)+$").match(b"a" * 60_000 + b"b") is None
