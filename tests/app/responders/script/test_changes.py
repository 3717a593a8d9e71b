"""Script rules that change while connections are open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.failures.record import record
from app.options import with_defaults
from app.responders import find
from app.responders.script.errors import ScriptError
from tests.app.responders.context import BareContext
from tests.app.responders.script.test_responder import Talk, scripted_port, when

SCRIPT = find("script")
assert SCRIPT is not None


def change(built: Any, *rules: Any, protocol: str = "tcp") -> None:
    assert SCRIPT is not None
    built.take_options(with_defaults(SCRIPT.options_for(protocol), {"rules": list(rules)}))


def hits(built: Any) -> list[int]:
    return [count.hits for count in built.counts()]


def test_an_open_connection_goes_by_the_new_rules_from_the_next_message_on() -> None:
    talk = Talk(when("message", "send old"))
    assert talk.hear(b"x") == b"old"
    change(talk.factory, when("message", "send new"))
    assert talk.hear(b"x") == b"new"
    assert hits(talk.factory) == [2]


def test_steps_that_are_being_done_are_finished_and_messages_that_wait_get_the_new_rules() -> None:
    talk = Talk(when("message", "send a", "wait 1", "send b"))
    assert talk.hear(b"x", b"y") == b"a"
    change(talk.factory, when("message", "send new"))
    assert talk.later(1) == b"bnew"


def test_a_rule_that_is_off_is_passed_over() -> None:
    off = {**when("message", "send no"), "on": False}
    talk = Talk(off, when("message", "send yes"))
    assert talk.hear(b"x") == b"yes"
    change(talk.factory, {**off, "on": True}, when("message", "send yes"))
    assert talk.hear(b"x") == b"no"
    assert hits(talk.factory) == [1, 1]


def test_rules_are_counted_anew_and_with_all_of_them_the_connections() -> None:
    talk = Talk(when("message", "send a"), when("connected", "send first", nth=1))
    talk.hear(b"x")
    assert talk.factory.connection_count() == 1
    counted = hits(talk.factory)
    talk.factory.reset([0])
    assert hits(talk.factory) == [0, counted[1]]
    talk.factory.reset(None)
    assert (hits(talk.factory), talk.factory.connection_count()) == ([0, 0], 0)


def test_a_wait_for_silence_begins_and_ends_with_its_rule() -> None:
    talk = Talk(when("message", "send {{message}}"))
    talk.hear(b"x")
    change(talk.factory, when("idle", "send quiet", after=2.0))
    assert talk.later(1) == b""
    assert talk.later(1) == b"quiet"
    change(talk.factory, when("message", "send 1"), when("idle", "send quiet", after=2.0))
    assert talk.later(1.5) == b""
    change(talk.factory, when("idle", "send later", after=3.0))
    assert talk.later(2.5) == b""
    assert talk.later(0.5) == b"later"
    change(talk.factory)
    assert talk.later(10) == b""
    assert not talk.clock.getDelayedCalls()


def test_a_silence_whose_rule_is_only_moved_goes_on() -> None:
    idle = when("idle", "send quiet", after=2.0)
    talk = Talk(when("text", match="x"), idle)
    talk.later(1.5)
    change(talk.factory, idle, when("text", match="y"))
    assert talk.later(0.5) == b"quiet"
    assert hits(talk.factory) == [1, 0]


def test_a_busy_connection_waits_for_silence_when_its_steps_are_done() -> None:
    talk = Talk(when("message", "wait 5", "send done"))
    talk.hear(b"x")
    change(talk.factory, when("idle", "send quiet", after=6.0))
    assert talk.later(5) == b"done"
    assert talk.later(1) == b"quiet"


def test_connections_that_have_ended_are_forgotten() -> None:
    talk = Talk(when("message"))
    other = Talk(factory=talk.factory, context=talk.context)
    talk.end()
    change(talk.factory, when("idle", "send quiet", after=1.0))
    assert (talk.later(1), other.wire.said()) == (b"", b"quiet")
    other.end()
    assert not talk.clock.getDelayedCalls()
    assert talk.factory.connection_count() == 2


def test_wrong_rules_change_nothing() -> None:
    talk = Talk(when("message", "send old"))
    with pytest.raises(ScriptError):
        talk.factory.take_options({"rules": [when("message", "jump")]})
    assert talk.hear(b"x") == b"old"


def test_counters_in_templates_go_on_where_the_rule_is_the_same() -> None:
    rule = when("message", "send {{counter}}")
    talk = Talk(rule)
    assert talk.hear(b"x") == b"1"
    change(talk.factory, when("text", match="y"), rule)
    assert talk.hear(b"x") == b"2"


def test_the_peers_of_a_udp_service_go_by_the_new_rules() -> None:
    context = BareContext()
    protocol, port = scripted_port(when("message", "send old"), context=context)
    protocol.datagramReceived(b"x", ("127.0.0.1", 1))
    change(protocol, when("message", "send new"), protocol="udp")
    for peer in (1, 2):
        protocol.datagramReceived(b"x", ("127.0.0.1", peer))
    assert [data for data, _ in port.sent] == [b"old", b"new", b"new"]
    assert (hits(protocol), protocol.connection_count()) == ([3], 2)


def test_hits_are_of_all_connections_and_all_kinds() -> None:
    rules = [when("connected"), when("message", "continue"), when("text", match="x"), when("idle", after=1.0)]
    talk = Talk(*rules)
    other = Talk(factory=talk.factory, context=talk.context)
    talk.hear(b"x", b"y")
    other.hear(b"x")
    talk.later(1)
    assert hits(talk.factory) == [2, 3, 2, 2]


@given(st.permutations(range(5)), st.lists(st.integers(0, 4), max_size=8), st.integers(0, 4))
def test_hits_stay_with_the_rules(order: list[int], heard: list[int], edited: int) -> None:
    rules = [when("text", f"send {n}", match=str(n)) for n in range(5)]
    talk = Talk(*rules)
    for n in heard:
        talk.hear(b"%d" % n)
    moved = [rules[n] for n in order]
    change(talk.factory, *moved)
    assert hits(talk.factory) == [heard.count(n) for n in order]
    moved[edited] = when("text", "send edited", match=str(order[edited]))
    change(talk.factory, *moved)
    assert talk.hear(b"%d" % order[edited]) == b"edited"
    assert hits(talk.factory) == [heard.count(n) + (place == edited) for place, n in enumerate(order)]


# -- failures show the rule


def test_a_failure_on_purpose_shows_its_rule_and_step() -> None:
    talk = Talk(when("connected"), when("text", "send a", "log b", "wait 0", "fail no {{message}}", match="x"))
    talk.hear(b"x")
    talk.later(0)
    [(error, payload)] = talk.context.failures
    found = record(error)
    assert (payload, found.message) == (b"x", "no x")
    [frame] = found.frames
    assert (frame.file, frame.line, frame.function) == ("<rule 2>", 4, "text x")
    assert frame.source == ((2, "log b"), (3, "wait 0"), (4, "fail no {{message}}"))
    assert found.cause is None
    assert found.summary == "app.responders.script.errors.ScriptFailedError: no x  (<rule 2>:4)"


@pytest.mark.parametrize("step", ["send {{message | u8}}", "send-file none"])
def test_a_step_that_cannot_be_done_shows_its_rule_too(step: str, tmp_path: Path) -> None:
    talk = Talk(when("message", step), context=BareContext(folder=tmp_path))
    talk.hear(b"x")
    [(error, _)] = talk.context.failures
    found = record(error)
    assert [(frame.file, frame.line) for frame in found.frames] == [("<rule 1>", 1)]
    assert found.cause is None
