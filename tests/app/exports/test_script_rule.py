"""Captured messages as rules of a script."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exports.copying import as_script_rule
from app.options import with_defaults
from app.responders import find
from app.responders.rulebook import mistakes_of
from tests.app.responders.script.test_responder import Talk

SCRIPT = find("script")
assert SCRIPT is not None


def rule(
    came: bytes | str, *answers: bytes | str, protocol: str = "tcp", **options: Any
) -> tuple[dict[str, Any], list[str]]:
    assert SCRIPT is not None
    filled = with_defaults(SCRIPT.options_for(protocol), options)
    made = as_script_rule(came, answers, protocol, filled)
    assert not mistakes_of("script", protocol, {"rules": [made[0]], **options})
    return made


CRLF = {"framing": "delimiter", "delimiter": r"\r\n"}


def test_text_is_compared_and_sent_as_text() -> None:
    made, left = rule(b"PING\r\n", b"PONG {{x}}\r\n")
    assert made == {"when": "text", "match": r"PING\r\n", "then": [r"send PONG \{{x}}\r\n"]}
    assert left == []


def test_bytes_are_compared_and_sent_as_hex() -> None:
    made, _ = rule(b"\x01\x03\xff", b"\x01\x83", b"ok")
    assert made == {"when": "bytes", "match": "01 03 ff", "then": ["send-hex 01 83 6f 6b"]}


def test_what_stood_on_a_stream_is_taken_out_of_its_frames() -> None:
    assert rule(b"PING\r\n", b"a\r\n", b"b\r\n", **CRLF) == (
        {"when": "text", "match": "PING", "then": ["send a", "send b"]}, [],
    )  # fmt: skip
    assert rule(b"\0\x01x", b"\0\x02\0\xff", framing="length", prefix_bytes=2)[0] == {
        "when": "text", "match": "x", "then": ["send-hex 00 ff"],
    }  # fmt: skip


def test_an_answer_that_the_framing_would_not_give_is_sent_raw() -> None:
    assert rule(b"PING\r\n", b"a\r\nb", **CRLF)[0]["then"] == [r"raw a\r\nb"]


def test_what_is_left_out_is_told() -> None:
    assert rule(b"a\r\nb\r\n", **CRLF) == (
        {"when": "text", "match": "a", "then": []}, ["2 messages came at once: the rule is for the first."],
    )  # fmt: skip
    made, left = rule(b"PI", **CRLF)
    assert (made["match"], left) == ("PI", ["What was received is not a whole message in the framing of the service."])
    made, left = rule(b"x", b"y" * 70_000)
    assert made["then"] == []
    assert left == ["The answer is larger than 65.5 kB: save it, and name the file in a step send-file."]


def test_messages_of_a_websocket_stay_text_or_binary() -> None:
    made, _ = rule("héllo", "text", b"bytes", protocol="websocket")
    assert made == {"when": "text", "match": "héllo", "then": ["send text", "send-hex 62 79 74 65 73"]}


@pytest.mark.parametrize("protocol", ["udp", "websocket"])
def test_each_datagram_and_message_has_a_step(protocol: str) -> None:
    assert len(rule(b"x", b"\xff", b"", b"\xfe", protocol=protocol)[0]["then"]) == 3


@given(
    st.binary(min_size=1, max_size=40) | st.just(b"\xff" * 2000),
    st.lists(st.one_of(st.binary(max_size=20), st.text(max_size=9).map(str.encode)), max_size=3),
    st.sampled_from([{}, CRLF, {"framing": "length", "prefix_bytes": 1}, {"framing": "fixed", "size": 3}]),
)
def test_the_rule_answers_what_came_as_it_was_answered(came: bytes, answers: list[bytes], options: Any) -> None:
    made, left = rule(came, *answers, **options)
    if left:
        return
    talk = Talk(made, **options)
    assert talk.hear(came) == b"".join(answers)
    assert talk.factory.counts()[0].hits == 1
