"""Trying messages against script rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.responders.rulebook import messages_in, mistakes_of
from app.responders.trial import Message, Step, Trial, try_rules
from tests.app.responders.script.test_responder import Talk, when

HERE = Path(__file__).parent


def tried(
    asked: Message, *rules: Any, protocol: str = "tcp", connections: int = 0, folder: Path = HERE, **more: Any
) -> Trial:
    return try_rules("script", protocol, {"rules": list(rules), **more}, asked, folder, (), connections)


CRLF = {"framing": "delimiter", "delimiter": r"\r\n"}


def test_the_rule_its_steps_and_why_none_before_it() -> None:
    found = tried(
        Message(b"READ 7", nth=2),
        when("connected", "send hello"),
        when("text", "close", match="QUIT"),
        when("contains", "close", match="WRITE"),
        when("bytes", "close", match="01 03"),
        {**when("message", "send x"), "on": False},
        {**when("message", "send x"), "nth": 1},
        when("idle", "close", after=5.0),
        when("regex", "send OK {{1}} {{count}} {{conn}}", "wait 0.5", "send-hex 0d 0a", "raw {{peer}}", "log a\\nb",
             "close", match="^READ (\\d+)"),
        connections=3, **CRLF,
    )  # fmt: skip
    assert found == Trial(
        rule=7,
        why=(
            "it is for a new connection",
            "the message is READ 7, not QUIT",
            "the message does not contain WRITE",
            "the message is 52 45 41 44 20 37, not 01 03",
            "it is off",
            "it is only for message number 1, and this is number 2",
            "it is for silence",
        ),
        steps=(
            Step(7, "send OK 7 2 4", b"OK 7 2 4\r\n"),
            Step(7, "wait 0.5 s"),
            Step(7, "send-hex 0d 0a", b"\r\n\r\n"),
            Step(7, "raw 127.0.0.1:50000", b"127.0.0.1:50000"),
            Step(7, "log a\\nb"),
            Step(7, "close"),
        ),
    )


def test_a_carriage_return_that_the_delimiter_leaves_is_shown() -> None:
    asked = messages_in("script", "tcp", {"framing": "delimiter"}, b"PING\r\n")
    assert tried(Message(asked[0]), when("text", match="PING")).why == (r"the message is PING\r, not PING",)
    assert tried(Message(b""), when("text", match="PING")).why == ("the message is empty, not PING",)


def test_where_none_takes_it_each_says_why() -> None:
    found = tried(Message(b"x"), when("regex", match="^y"), when("idle", after=1.0))
    assert (found.rule, found.why, found.steps) == (None, ("the message has no ^y", "it is for silence"), ())


def test_a_rule_that_continues_is_followed_by_the_next() -> None:
    found = tried(
        Message(b"x"), when("message", "send a", "continue"), when("text", match="y"), when("message", "send b"),
        when("message", "send c"),
    )  # fmt: skip
    assert (found.rule, found.why) == (0, ())
    assert [(step.rule, step.text) for step in found.steps] == [(0, "send a"), (0, "continue"), (2, "send b")]


@pytest.mark.parametrize(("connections", "rule"), [(0, 0), (1, 1), (2, 2)])
def test_a_connection_is_the_next_one(connections: int, rule: int) -> None:
    rules = [{**when("connected", "close"), "nth": 1}, {**when("connected", "reset"), "nth": 2}, when("connected")]
    assert tried(Message(when="connected", nth=0), *rules, connections=connections).rule == rule


def test_each_silence_that_is_long_enough_is_told() -> None:
    rules = [
        when("message"),
        when("idle", "send a", after=1.0),
        when("idle", "send b", after=5.0),
        when("idle", "send c", after=2.0),
    ]
    found = tried(Message(when="idle", seconds=2.5), *rules)
    assert (found.rule, found.why) == (1, ("it is for messages",))
    assert [step.text for step in found.steps] == ["send a", "send c"]
    assert tried(Message(when="idle", seconds=0.5), *rules).why[1] == "it waits for 1 s of silence"


def test_a_step_that_cannot_be_done_is_a_problem(tmp_path: Path) -> None:
    found = tried(Message(b"x"), when("message", "send a", "send {{message | u8}}", "send b"))
    assert [step.text for step in found.steps] == ["send a"]
    assert found.problem.startswith("Rule number 1, step 2: At character 1: ")
    (tmp_path / "a.bin").write_bytes(b"\x01\x02")
    rules = [when("message", "send-file a.bin", "send-file none.bin")]
    found = tried(Message(b"x"), *rules, folder=tmp_path, framing="length", prefix_bytes=1)
    assert found.steps == (Step(0, "send-file a.bin", b"\x02\x01\x02"),)
    assert "step 2" in found.problem
    long = tried(Message(b"x"), when("message", "send " + "x" * 300), framing="length", prefix_bytes=1)
    assert "300 bytes" in long.problem


def test_what_is_much_is_cut() -> None:
    found = tried(Message(b"x"), *(when("message", *["send a"] * 999, "continue") for _ in range(3)))
    assert len(found.steps) == 1000
    assert found.notes == ("There is more, which is not shown.",)


def test_messages_are_found_in_what_came() -> None:
    assert messages_in("script", "tcp", CRLF, b"a\r\nb\r\nc") == [b"a", b"b"]
    assert messages_in("script", "tcp", {}, b"a\r\nb") == [b"a\r\nb"]
    assert messages_in("script", "tcp", {"framing": "gap"}, b"ab") == [b"ab"]
    assert messages_in("script", "udp", {}, b"a\r\nb") == messages_in("echo", "tcp", {}, b"a\r\nb") == [b"a\r\nb"]


# -- the same as the service

_STEPS = st.sampled_from([
    "send {{message}}", "send {{count}}", "send-hex 00 ff", "raw {{conn}}", "continue", "log x",
    "send {{1 | default no}}", "send {{message | u8}}",
])  # fmt: skip
_TABLE = st.fixed_dictionaries(
    {},
    optional={
        "when": st.sampled_from(["connected", "message", "text", "contains", "bytes", "regex"]),
        "match": st.sampled_from(["", "(.)", "?? *", "a", "61", "^b"]),
        "nth": st.integers(0, 3),
        "on": st.booleans(),
        "then": st.lists(_STEPS, max_size=3),
    },
)


@given(
    st.lists(_TABLE, max_size=6),
    st.sampled_from([{}, CRLF]),
    st.lists(st.sampled_from([b"a", b"b", b"ab", b"5"]), max_size=4),
)
def test_a_trial_says_what_the_service_does(tables: list[Any], framing: Any, messages: list[bytes]) -> None:
    options = {"rules": tables, **framing}
    if mistakes_of("script", "tcp", options):
        return
    talk = Talk(*tables, **framing)
    before = [0] * len(tables)
    end = b"\r\n" if framing else b""
    asked = [Message(when="connected", nth=0), *(Message(data, nth=n) for n, data in enumerate(messages, 1))]
    for number, one in enumerate(asked):
        found = try_rules("script", "tcp", options, one, HERE, (), 0)
        said = talk.hear(one.data + end) if number else talk.wire.said()
        counts = [count.hits for count in talk.factory.counts()]
        applied = {i for i, (new, old) in enumerate(zip(counts, before, strict=True)) if new > old}
        assert min(applied, default=None) == found.rule
        assert len(found.why) == (len(tables) if found.rule is None else found.rule)
        assert all(found.why)
        assert b"".join(step.sends or b"" for step in found.steps) == said
        assert bool(found.problem) == bool(talk.context.failures)
        if found.problem:
            return  # the connection closes
        before = counts
