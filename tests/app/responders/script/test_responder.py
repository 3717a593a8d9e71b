"""The script responder, step by step on a clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.testing import StringTransport

from app.errors import PostError
from app.files.confined import MAX_SENT
from app.responders import find
from app.responders.script import errors
from app.responders.script import player as playing
from app.workspace.service_checks import option_mistakes
from tests.app.responders.context import BareContext, build

Rule = dict[str, Any]


class Wire(StringTransport):
    """A transport with the methods of a Tap."""

    aborted = half_closed = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.aborted = True

    def said(self) -> bytes:
        """The data written since the last call."""
        data: bytes = self.value()
        self.clear()
        return data


class Talk:
    """A TCP connection to a script."""

    def __init__(self, *rules: Rule, factory: Any = None, context: Any = None, **options: Any) -> None:
        self.context = context or BareContext()
        self.clock = self.context.reactor
        self.factory = factory or build("script", "tcp", {"rules": list(rules), **options}, self.context)
        self.wire = Wire()
        self.protocol = self.factory.buildProtocol(None)
        self.protocol.makeConnection(self.wire)

    def hear(self, *pieces: bytes) -> bytes:
        for piece in pieces:
            self.protocol.dataReceived(piece)
        return self.wire.said()

    def later(self, seconds: float) -> bytes:
        self.clock.advance(seconds)
        return self.wire.said()

    def end(self) -> None:
        self.protocol.connectionLost(None)
        assert self.clock.getDelayedCalls() == []


def when(what: str, *then: str, **more: Any) -> Rule:
    return {"when": what, "then": list(then), **more}


def test_variables_of_the_workspace_are_filled_in_as_they_are_now() -> None:
    talk = Talk(when("message", "send {{var.a}}{{var.b | default '-'}}"))
    talk.context.variables = {"a": "1"}
    assert talk.hear(b"x") == b"1-"
    talk.context.variables = {"a": "2", "b": "{{message}}"}
    assert talk.hear(b"x") == b"2{{message}}"


# -- when


def test_it_can_speak_first() -> None:
    talk = Talk(when("connected", r"send 220 ready\r\n"))
    assert talk.wire.said() == b"220 ready\r\n"


def test_the_first_rule_that_matches_is_the_one() -> None:
    talk = Talk(when("text", "send one", match="a"), when("contains", "send two", match="a"), when("message", "send 3"))
    assert talk.hear(b"a") == b"one"
    assert talk.hear(b"ba") == b"two"
    assert talk.hear(b"b") == b"3"


def test_continue_goes_on_with_the_next_that_matches() -> None:
    talk = Talk(
        when("message", "send 1", "continue"), when("text", "send x", match="x"), when("message", "send 2", "continue"),
        when("message", "send 3"),
    )  # fmt: skip
    assert talk.hear(b"a") == b"123"
    assert talk.hear(b"x") == b"1x"


def test_a_rule_without_steps_has_a_message_ignored() -> None:
    talk = Talk(when("text", match="x"), when("message", "send y"))
    assert talk.hear(b"x") == b""


def test_nth_is_the_nth_message_of_a_connection() -> None:
    talk = Talk(when("message", "send second {{count}}", nth=2), when("message", "send {{count}}"))
    assert [talk.hear(b"x") for _ in range(3)] == [b"1", b"second 2", b"3"]
    assert Talk(factory=talk.factory, context=talk.context).hear(b"x") == b"1"


def test_nth_of_connected_is_the_nth_connection_of_the_service() -> None:
    first = Talk(when("connected", "close", nth=1), when("connected", "send hello {{conn}}"))
    assert first.wire.disconnecting
    second = Talk(factory=first.factory, context=first.context)
    assert second.wire.said() == b"hello 2"
    assert not second.wire.disconnecting


def test_captures_and_facts_are_values() -> None:
    talk = Talk(
        when("regex", "send {{2}}={{name}} {{0 | length}} {{message | hex}} {{peer}}", match=r"(?P<name>\w)(.)")
    )
    assert talk.hear(b"a\xff!") == b"\xff=a 2 61ff21 192.168.1.1:54321"


def test_bytes_match_hex_with_any_bytes_between() -> None:
    talk = Talk(when("bytes", r"send \x01\x83{{1}}{{crc16}}", match="01 03 ?? *"))
    assert talk.hear(b"\1\3\2\0\0") == b"\1\x83\2\xc0\xf1"


def test_idle_fires_after_each_time_of_silence() -> None:
    talk = Talk(when("idle", "send .", after=2.0))
    assert talk.later(1.9) == b""
    talk.hear(b"x")
    assert talk.later(1.9) == b""
    assert [talk.later(1.0), talk.later(1.0), talk.later(1.0)] == [b".", b"", b"."]
    talk.end()


def test_idle_rules_of_different_times_each_have_their_turn() -> None:
    talk = Talk(
        when("idle", "send a", after=1.0), when("idle", "send b", after=2.5), when("idle", "send c", after=1, nth=2)
    )
    assert b"".join(talk.later(0.5) for _ in range(8)) == b"aacba" + b"a"
    talk.end()


def test_an_idle_rule_may_be_for_one_silence_only() -> None:
    talk = Talk(when("idle", "send still there?", after=1.0, nth=1), when("idle", "close", after=3.0))
    assert talk.later(1) == b"still there?"
    assert talk.later(1) == b""
    talk.later(1)
    assert talk.wire.disconnecting
    assert talk.clock.getDelayedCalls() == []


def test_it_is_not_idle_while_the_script_waits() -> None:
    talk = Talk(when("message", "wait 5", "send late"), when("idle", "send .", after=1.0))
    talk.hear(b"x")
    assert [talk.later(1.0) for _ in range(4)] == [b""] * 4
    assert talk.later(1.0) == b"late."
    talk.end()


# -- then


def test_steps_run_in_order_and_messages_wait_for_them() -> None:
    talk = Talk(when("text", "send 1", "wait 2", "send 2", match="a"), when("message", "send {{message}}{{count}}"))
    assert talk.hear(b"a", b"b") == b"1"
    assert talk.hear(b"c") == b""
    assert talk.later(1.9) == b""
    assert talk.later(0.1) == b"2b2c3"


def test_a_connection_that_ends_takes_its_waits_along() -> None:
    talk = Talk(when("message", "wait 10", "send never"))
    talk.hear(b"x", b"y")
    talk.end()
    assert talk.wire.said() == b""
    assert talk.context.failures == []


def test_close_ends_everything() -> None:
    talk = Talk(when("message", "send bye", "close"), when("idle", "send .", after=1.0))
    assert talk.hear(b"x", b"y") == b"bye"
    assert talk.wire.disconnecting
    talk.end()


def test_half_close_and_reset() -> None:
    talk = Talk(when("text", "half-close", match="h"), when("text", "reset", match="r"))
    talk.hear(b"h")
    assert talk.wire.half_closed
    assert not talk.wire.disconnecting
    talk.hear(b"r")
    assert talk.wire.aborted


def test_send_is_framed_and_raw_is_not() -> None:
    talk = Talk(when("message", "send a", "send-hex 00 ff", "raw b"), framing="length", prefix_bytes=1)
    assert talk.hear(b"\0") == b"\1a\2\0\xffb"


def test_log_is_a_line() -> None:
    talk = Talk(when("message", r"log got {{message}}\n"))
    talk.hear(b"x\0")
    assert talk.context.logged == [(r"got x\0\n", {})]


def test_fail_is_a_failure_with_the_message_and_the_end() -> None:
    talk = Talk(when("message", "fail no {{message}}", match=""))
    talk.hear(b"x", b"y")
    [(error, payload)] = talk.context.failures
    assert isinstance(error, errors.ScriptFailedError)
    assert (str(error), payload) == ("no x", b"x")
    assert talk.wire.disconnecting


def test_what_cannot_be_rendered_is_a_failure_too() -> None:
    talk = Talk(when("message", "send {{message | u8}}"))
    talk.hear(b"many")
    assert "is not a whole number" in str(talk.context.failures[0][0])
    assert talk.wire.disconnecting


def test_a_file_is_sent_from_the_workspaces_folder(tmp_path: Path) -> None:
    (tmp_path / "answer.bin").write_bytes(b"\0\1")
    talk = Talk(when("message", "send-file answer.bin"), context=BareContext(folder=tmp_path))
    assert talk.hear(b"x") == b"\0\1"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../secret", "is not in the workspace's folder"),
        ("/etc/passwd", "is not in the workspace's folder"),
        ("link", "is not in the workspace's folder"),
        ("nothing", "nothing cannot be read: there is no such file"),
        (".", "it is not a file"),
        ("big", "it is larger than"),
    ],
)
def test_a_file_that_cannot_be_sent_is_said_in_words(tmp_path: Path, name: str, words: str) -> None:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (tmp_path / "secret").write_text("x")
    (folder / "link").symlink_to(tmp_path / "secret")
    with (folder / "big").open("wb") as file:
        file.truncate(MAX_SENT + 1)
    talk = Talk(when("message", f"send-file {name}"), context=BareContext(folder=folder))
    assert talk.hear(b"x") == b""
    assert words in str(talk.context.failures[0][0])


# -- bounds


def test_a_peer_is_held_back_while_too_much_waits_for_the_script() -> None:
    talk = Talk(when("text", "wait 1", match="w"), when("message", "send ."), framing="delimiter")
    talk.hear(b"w\n" + b"x\n" * playing.MAX_WAITING)
    assert talk.wire.producerState == "producing"
    talk.hear(b"x\n")
    assert talk.wire.producerState == "paused"
    said = talk.later(1)
    while talk.clock.getDelayedCalls():
        said += talk.later(0)
    assert talk.wire.producerState == "producing"
    assert said == b".\n" * (playing.MAX_WAITING + 1)


def test_bytes_that_wait_are_bounded_too() -> None:
    talk = Talk(when("message", "wait 1"))
    talk.hear(b"w", bytes(playing.MAX_WAITING_BYTES - 1))
    assert talk.wire.producerState == "producing"
    talk.hear(b"x")
    assert talk.wire.producerState == "paused"
    talk.end()


def test_many_messages_in_one_piece_leave_the_others_their_turn() -> None:
    talk = Talk(when("message", "send ."), framing="fixed", size=1)
    talk.protocol.dataReceived(b"x" * 10_000)
    assert 0 < len(talk.wire.value()) < playing.AT_ONCE
    in_between: list[int] = []
    talk.clock.callLater(0, lambda: in_between.append(len(talk.wire.value())))
    talk.clock.advance(0)
    assert in_between[0] < 2 * playing.AT_ONCE
    assert talk.wire.said() == b"." * 10_000


def test_a_peer_that_does_not_read_has_the_script_wait() -> None:
    talk = Talk(when("message", "send 1", "send 2"))
    talk.wire.congested = True
    assert talk.hear(b"x") == b""
    talk.later(1)
    talk.wire.congested = False
    assert talk.later(1) == b"12"


def test_too_long_a_message_ends_the_connection_after_the_answers_to_those_before() -> None:
    talk = Talk(when("message", "wait 1", "send {{message}}"), framing="delimiter", max_message=3)
    talk.hear(b"abc\nabcd\nabc\n")
    assert talk.later(1) == b"abc\n"
    assert talk.wire.disconnecting
    assert talk.context.logged == [("a message is longer than 3 bytes", {})]


def test_a_peer_that_has_sent_all_gets_its_answers_before_the_end() -> None:
    talk = Talk(when("message", "wait 1", "send {{message}}"), framing="gap", gap=50)
    talk.hear(b"ab", b"c")
    talk.protocol.readConnectionLost()
    assert not talk.wire.disconnecting
    assert talk.later(1) == b"abc"
    assert talk.wire.disconnecting
    talk.end()


# -- framing

STREAM = b"\3abc\0\1x\n\nhello\r\n\2\0zz\0\0\0\5fives\n" * 3
FRAMINGS: list[dict[str, Any]] = [
    {"framing": "delimiter"},
    {"framing": "delimiter", "delimiter": r"\r\n", "strip": False, "max_message": 40},
    {"framing": "length", "prefix_bytes": 1},
    {"framing": "length", "prefix_bytes": 2, "byte_order": "little", "max_message": 100},
    {"framing": "length", "prefix_bytes": 4},
    {"framing": "length", "prefix_bytes": 1, "prefix_included": True},
    {"framing": "fixed", "size": 7},
]
ANSWERS = (
    when("connected", "send hello"),
    when("regex", "send {{1}}{{count}}", match="([a-z]+)"),
    when("message", "send {{message | hex}}", "continue"),
    when("message", "send second", nth=2),
    when("bytes", "close", match="* 66 69 ??"),
)


@given(st.sampled_from(FRAMINGS), st.lists(st.integers(0, len(STREAM))), st.binary(max_size=20))
def test_answers_are_the_same_however_a_stream_is_cut(framing: dict[str, Any], places: list[int], more: bytes) -> None:
    stream, ends = STREAM + more, sorted(places)
    whole, pieces = Talk(*ANSWERS, **framing), Talk(*ANSWERS, **framing)
    cut = [stream[a:b] for a, b in zip([0, *ends], [*ends, len(stream)], strict=True)]
    assert pieces.wire.value() + pieces.hear(*cut) == whole.wire.value() + whole.hear(stream)
    assert whole.wire.disconnecting is pieces.wire.disconnecting


def test_a_gap_makes_a_message_of_all_pieces_before_it() -> None:
    talk = Talk(when("message", "send {{message}}."), framing="gap", gap=50)
    assert talk.hear(b"a", b"b") == b""
    assert talk.later(0.04) == b""
    talk.hear(b"c")
    assert talk.later(0.04) == b""
    assert talk.later(0.01) == b"abc."
    assert talk.later(1) == b""
    talk.hear(b"d")
    talk.end()


# -- UDP


class Port:
    """Takes datagrams as a UDP port does."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Any]] = []

    def write(self, data: bytes, addr: Any = None) -> None:
        self.sent.append((data, addr))


def scripted_port(*rules: Rule, context: Any = None) -> tuple[Any, Port]:
    protocol, port = build("script", "udp", {"rules": list(rules)}, context), Port()
    protocol.makeConnection(port)
    return protocol, port


ONE, OTHER = ("127.0.0.1", 1), ("::1", 2)


def test_each_peer_has_its_own_place_in_the_script() -> None:
    protocol, port = scripted_port(when("connected", "send hello {{peer}}"), when("message", "send {{count}}"))
    for addr in (ONE, OTHER, ONE):
        protocol.datagramReceived(b"x", addr)
    assert port.sent == [
        (b"hello 127.0.0.1:1", ONE), (b"1", ONE), (b"hello [::1]:2", OTHER), (b"1", OTHER), (b"2", ONE),
    ]  # fmt: skip


def test_close_forgets_a_peer() -> None:
    protocol, port = scripted_port(when("message", "close", nth=2), when("message", "send {{count}}"))
    for _ in range(3):
        protocol.datagramReceived(b"x", ONE)
    assert port.sent == [(b"1", ONE), (b"1", ONE)]


def test_a_failure_over_datagrams_is_not_the_end() -> None:
    context = BareContext()
    protocol, port = scripted_port(when("text", "fail no", match="x"), when("message", "send y"), context=context)
    for data in (b"x", b"z"):
        protocol.datagramReceived(data, ONE)
    assert [payload for _, payload in context.failures] == [b"x"]
    assert port.sent == [(b"y", ONE)]


def test_silence_of_a_peer_is_told_once() -> None:
    context = BareContext()
    protocol, port = scripted_port(when("idle", "send ?", after=1.0), context=context)
    for _ in range(2):
        protocol.datagramReceived(b"x", ONE)
        for _ in range(5):
            context.reactor.advance(1)
    assert [data for data, _ in port.sent] == [b"?", b"?"]
    protocol.doStop()
    assert context.reactor.getDelayedCalls() == []


def test_datagrams_that_come_too_fast_for_the_script_are_dropped_and_told_of() -> None:
    context = BareContext()
    protocol, port = scripted_port(when("message", "wait 1", "send {{count}}"), context=context)
    for _ in range(2 * playing.MAX_WAITING):
        protocol.datagramReceived(b"x", ONE)
    [(text, _)] = context.logged
    assert "are dropped" in text
    protocol.doStop()
    assert context.reactor.getDelayedCalls() == []
    assert port.sent == []


def test_peers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    protocol, port = scripted_port(when("message", "send {{count}}"))
    monkeypatch.setitem(type(protocol).datagramReceived.__globals__, "MAX_PEERS", 2)
    for number in (1, 2, 1, 3, 1, 2):
        protocol.datagramReceived(b"x", ("127.0.0.1", number))
    assert [data for data, _ in port.sent] == [b"1", b"1", b"2", b"1", b"3", b"1"]


# -- options


@pytest.mark.parametrize(
    ("protocol", "options", "key", "words"),
    [
        ("tcp", {"rules": [{"then": ["jump"]}]}, "rules", "number 1: then step 1: “jump” is unknown"),
        ("udp", {"rules": [{"then": ["reset"]}]}, "rules", "number 1: then step 1: reset is not for udp"),
        ("tcp", {"rules": [{}, {"when": "idle"}]}, "rules", "number 2: after must be at least"),
        ("tcp", {"rules": [{"when": "never"}]}, "rules", "number 1: when “never”".replace("“", '"').replace("”", '"')),
        ("tcp", {"delimiter": ""}, "delimiter", "must have 1 to 256 bytes"),
        ("tcp", {"delimiter": r"\q"}, "delimiter", "is not an escape"),
        ("tcp", {"prefix_bytes": 0}, "prefix_bytes", "must be at least 1"),
        ("tcp", {"prefix_bytes": 9}, "prefix_bytes", "must be at most 8"),
        ("tcp", {"encoding": "bcd"}, "encoding", "Use one of binary, decimal, octet-count, varint"),
        ("udp", {"framing": "fixed"}, "framing", "not for udp"),
    ],
)
def test_options_are_checked_in_words(protocol: str, options: dict[str, Any], key: str, words: str) -> None:
    assert words in {mistake.option: str(mistake) for mistake in option_mistakes("script", protocol, options)}[key]


_LINES = st.one_of(
    st.sampled_from([
        "send {{message}}", "send {{1}}{{count}}", "send-hex 00 ff", "raw x", "wait 0", "wait 0.5", "close", "reset",
        "half-close", "continue", "log {{message | hex}}", "fail {{peer}}", "send {{message | u8}}", "send-file x",
        "send {{crc16}}{{random 1 6}}",
    ]),
    st.text(max_size=15),
)  # fmt: skip
_TABLES = st.fixed_dictionaries(
    {},
    optional={
        "when": st.sampled_from(["connected", "message", "text", "contains", "bytes", "regex", "idle"]),
        "match": st.sampled_from(["", "(.)", "?? *", "a", r"\n", "^(?P<x>a*)*$"]) | st.text(max_size=10),
        "nth": st.integers(0, 3),
        "after": st.sampled_from([0.0, 0.5, 2]),
        "then": st.lists(_LINES, max_size=4),
    },
)


@given(
    st.lists(_TABLES, max_size=5), st.sampled_from([{"framing": "gap"}, *FRAMINGS]), st.lists(st.binary(max_size=30))
)
def test_any_rules_are_wrong_in_words_or_stand_any_bytes(
    tables: list[Rule], framing: dict[str, Any], pieces: list[bytes]
) -> None:
    responder = find("script")
    assert responder is not None
    [option] = [option for option in responder.options_for("tcp") if option.name == "rules"]
    if problem := option.problem(tables):
        assert problem.startswith("number ")
        return
    talk = Talk(*tables, **framing)
    for piece in pieces:
        talk.hear(piece)
        talk.later(0.3)
    talk.later(1)
    talk.protocol.readConnectionLost()
    talk.later(5)
    talk.end()
    assert all(isinstance(error, PostError) for error, _ in talk.context.failures)
