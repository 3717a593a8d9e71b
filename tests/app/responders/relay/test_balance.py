"""app.responders.relay.balance: which upstream a client gets, on a clock that the test advances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError as Refused

from app import events
from app.options import mistakes, problems
from app.responders.relay import errors
from app.responders.relay.balance import HASH, LEAST, MOST, RANDOM, ROUND_ROBIN, Balance, Member
from app.responders.relay.loops import Loops
from app.responders.relay.responder import RESPONDER
from app.responders.relay.upstream import Upstream
from tests.app.responders.context import BareContext

SECONDS = 4.0
"""Time limit for a connection."""


def balance(kind: str = ROUND_ROBIN, count: int = 3, context: BareContext | None = None) -> tuple[Balance, BareContext]:
    context = context or BareContext()
    upstreams = [
        Upstream(
            f"10.0.0.{number}:80", None, context.reactor, SECONDS, "relay", Loops(), place=(f"10.0.0.{number}", 80)
        )
        for number in range(1, count + 1)
    ]
    return Balance(upstreams, context, kind, 10.0), context


def reach(among: Balance, *refusing: int, peer: str = "10.9.9.9:1234", told: list[Any] | None = None) -> Deferred[Any]:
    """A client's connection, where upstreams with these numbers, from 1, refuse it."""

    def attempt(member: Member) -> Deferred[Any]:
        return fail(Refused()) if member.number + 1 in refusing else succeed(f"to {member.number + 1}")

    return Deferred.fromCoroutine(among.reach(peer, attempt, (told if told is not None else []).append))


def served(among: Balance, *refusing: int, peer: str = "10.9.9.9:1234") -> int:
    """The number of the upstream that serves a client, which leaves at once."""
    found: list[tuple[Member, Any]] = []
    reach(among, *refusing, peer=peer).addCallback(found.append)
    [(member, _)] = found
    among.left(member)
    return member.number + 1


def share(among: Balance, clients: int = 10_000) -> list[int]:
    """How many of so many clients each upstream serves; each client has an address of its own."""
    counts = Counter(served(among, peer=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}:5000") for n in range(clients))
    return [counts[number] for number in range(1, len(among.members) + 1)]


def test_in_turn_each_gets_as_many():
    assert share(balance(ROUND_ROBIN)[0]) == [3334, 3333, 3333]


def test_at_random_each_gets_about_as_many_and_a_run_repeats():
    first, again, other = balance(RANDOM)[0], balance(RANDOM)[0], BareContext()
    other.seed = 2
    shares = share(first)
    assert all(3100 < count < 3600 for count in shares)
    assert share(again) == shares
    assert share(balance(RANDOM, context=other)[0]) != shares


def test_by_the_client_each_gets_about_as_many_and_a_client_always_the_same():
    among, _ = balance(HASH)
    assert all(3100 < count < 3600 for count in share(among))
    assert len({served(among, peer=f"10.9.9.9:{port}") for port in range(1000, 1100)}) == 1


def test_by_the_client_only_those_of_one_that_is_gone_move():
    among, _ = balance(HASH)
    peers = [f"10.1.{n >> 8}.{n & 255}:1" for n in range(1000)]
    before = {peer: served(among, peer=peer) for peer in peers}
    while not among.members[1].reason:
        reach(among, 2, peer=peers[[before[peer] for peer in peers].index(2)])
    after = {peer: served(among, peer=peer) for peer in peers}
    assert {peer for peer in peers if before[peer] != after[peer]} == {peer for peer in peers if before[peer] == 2}


def test_the_one_with_the_fewest_is_chosen_and_equals_in_turn():
    among, _ = balance(LEAST)
    assert [served(among) for _ in range(4)] == [1, 2, 3, 1]
    for number in (0, 1, 1, 2):
        among.taken(among.members[number])
    assert [member.open for member in among.members] == [1, 2, 1]
    assert [served(among) for _ in range(4)] == [3, 1, 3, 1]


def test_a_client_goes_on_to_the_next_and_the_one_that_refused_is_passed_over_for_a_time():
    among, context = balance()
    told: list[errors.UpstreamError] = []
    found: list[tuple[Member, Any]] = []
    reach(among, 1, told=told).addCallback(found.append)
    assert [made for _, made in found] == ["to 2"]
    assert [error.fields["address"] for error in told] == ["10.0.0.1:80"]
    assert [member.open for member in among.members] == [0, 1, 0]
    [(kind, detail)] = context.recorded
    assert (kind, detail["upstream"]) == (events.UPSTREAM_FAILED, "10.0.0.1:80")
    context.reactor.advance(9.9)
    assert [served(among) for _ in range(4)] == [3, 2, 3, 2]
    assert len(context.recorded) == 1


def test_one_client_tries_it_again_while_the_others_pass_it_over():
    among, context = balance()
    reach(among, 1)
    context.reactor.advance(10)
    waiting: Deferred[Any] = Deferred()
    among._at = 0
    trying = Deferred.fromCoroutine(among.reach("10.9.9.9:1", lambda member: waiting, lambda error: None))
    assert among.members[0].open == 1
    among._at = 0
    assert served(among) == 2
    waiting.callback("there")
    assert context.recorded[-1] == (events.UPSTREAM_RECOVERED, {"upstream": "10.0.0.1:80", "seconds": 10.0})
    among._at = 0
    assert served(among) == 1
    assert trying.called


def test_all_are_tried_where_none_is_left_and_the_error_names_each():
    among, context = balance()
    failures: list[Any] = []
    for _ in range(2):
        reach(among, 1, 2, 3).addErrback(failures.append)
    for failure in failures:
        assert str(failure.value) == (
            "None of the upstreams can be reached: "
            + "; ".join(f"10.0.0.{n} refused the connection".replace(f".{n} ", f".{n}:80 ") for n in (1, 2, 3))
            + ". Start one of the servers, or correct the option upstreams."
        )
    assert [kind for kind, _ in context.recorded] == [events.UPSTREAM_FAILED] * 3
    assert served(among, 1, 3) == 2  # though its time is not over
    assert not any(member.open for member in among.members)


def test_one_that_is_slow_is_given_up_and_the_next_clients_do_not_wait_for_it():
    among, context = balance()
    connecting: list[tuple[int, Deferred[Any]]] = []

    def attempt(member: Member) -> Deferred[Any]:
        made: Deferred[Any] = Deferred()
        connecting.append((member.number, made))
        return made.addTimeout(SECONDS, context.reactor)

    Deferred.fromCoroutine(among.reach("10.9.9.9:1", attempt, lambda error: None))
    context.reactor.advance(SECONDS)
    assert [number for number, _ in connecting] == [0, 1]
    assert among.members[0].reason.startswith("10.0.0.1:80 did not answer within 4 s")
    assert [served(among) for _ in range(2)] == [3, 2]


def test_where_none_answers_a_client_waits_for_one_of_those_that_are_passed_over():
    among, context = balance()
    for member in among.members:
        among.failed(member, "silent")
    failures: list[Any] = []
    never: list[Deferred[Any]] = []

    def attempt(member: Member) -> Deferred[Any]:
        never.append(Deferred())
        return never[-1].addTimeout(SECONDS, context.reactor)

    Deferred.fromCoroutine(among.reach("10.9.9.9:1", attempt, lambda error: None)).addErrback(failures.append)
    context.reactor.advance(SECONDS)
    assert len(never) == len(failures) == 1
    assert failures[0].check(errors.UpstreamTimeoutError)


def test_a_client_that_leaves_ends_the_attempt_and_no_other_is_tried():
    among, context = balance()
    ended: list[Any] = []
    tried: list[Member] = []

    def attempt(member: Member) -> Deferred[Any]:
        tried.append(member)
        return Deferred()

    going = Deferred.fromCoroutine(among.reach("10.9.9.9:1", attempt, lambda error: None)).addErrback(ended.append)
    going.cancel()
    assert ended[0].check(CancelledError)
    assert len(tried) == 1
    assert not context.recorded
    assert not any(member.open or member.reason for member in among.members)


def test_one_whose_watch_has_failed_is_passed_over_until_that_is_well():
    among, context = balance()
    context.down.add("10.0.0.2:80")
    assert [served(among) for _ in range(4)] == [1, 3, 1, 3]
    context.reactor.advance(100)
    assert [served(among) for _ in range(4)] == [1, 3, 1, 3]
    context.down.clear()
    assert [served(among) for _ in range(3)] == [1, 2, 3]
    assert [kind for kind, _ in context.recorded] == [events.UPSTREAM_FAILED, events.UPSTREAM_RECOVERED]
    context.down.update(member.address for member in among.members)
    assert served(among) in (1, 2, 3)  # rather than nobody


def test_a_relay_with_one_upstream_tries_it_each_time_and_says_its_change_once():
    among, context = balance(count=1)
    failures: list[Any] = []
    for _ in range(3):
        reach(among, 1).addErrback(failures.append)
    assert [failure.check(errors.UpstreamRefusedError) for failure in failures] == [errors.UpstreamRefusedError] * 3
    assert served(among) == 1
    assert [kind for kind, _ in context.recorded] == [events.UPSTREAM_FAILED, events.UPSTREAM_RECOVERED]


@pytest.mark.parametrize(
    ("given", "key", "text"),
    [
        ({}, "upstream", "is missing"),
        ({"upstreams": []}, "upstream", "is missing"),
        ({"upstream": "a:1", "upstreams": ["b:2"]}, "upstreams", "cannot be set beside upstream: leave out one"),
        ({"upstreams": ["a:1", "b"]}, "upstreams", "number 2: b is not an address to relay to"),
        ({"upstreams": ["a:1", "b:1", " a:1"]}, "upstreams", "number 3:  a:1 is there twice"),
        ({"upstreams": [f"a:{n}" for n in range(1, MOST + 2)]}, "upstreams", "must have at most 32 servers"),
        ({"upstreams": ["a:1"], "balance": "fair"}, "balance", '"fair" is unknown. Use one of round-robin'),
        ({"upstreams": ["a:1"], "retry_seconds": 0}, "retry_seconds", "must be at least 0.1"),
    ],
)
def test_what_is_wrong_with_several_upstreams_is_said_in_words(given: dict[str, Any], key: str, text: str):
    [(found, words)] = problems(RESPONDER.options_for("tcp"), given)
    assert found == key
    assert words.startswith(text)


def test_the_wrong_one_of_several_is_found():
    wrong: Sequence[Any] = list(mistakes(RESPONDER.options_for("http"), {"upstreams": ["http://a", "ftp://b"]}))
    assert [(mistake.option, mistake.item) for mistake in wrong] == [("upstreams", 1)]
