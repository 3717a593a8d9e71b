"""app.responders.relay.loops"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from app.responders.relay import errors, loops
from app.responders.relay.loops import Hop, Loops, datagrams_from, incoming, outgoing, passed_through
from app.responders.relay.upstream import Upstream


def tap(host: str, peer: str) -> Any:
    return SimpleNamespace(host=host, peer=peer)


@pytest.fixture
def known() -> Loops:
    return Loops()


def upstream(relay: str, known: Loops) -> Upstream:
    return Upstream(f"to-{relay}", Any, None, 1.0, relay, known)  # type: ignore[arg-type]


def test_a_connection_is_the_same_from_both_ends():
    assert outgoing(tap("127.0.0.1:40000", "127.0.0.1:9")) == incoming(tap("127.0.0.1:9", "127.0.0.1:40000"))
    assert outgoing(tap("127.0.0.1:40000", "127.0.0.1:9")) == incoming(
        tap("[::ffff:127.0.0.1]:9", "[::ffff:127.0.0.1]:40000")
    )
    assert outgoing(tap("[::1]:40000", "[::1]:9")) == incoming(tap("[::1]:9", "[::1]:40000"))


def test_datagrams_are_known_by_where_they_come_from():
    assert (
        datagrams_from("::ffff:127.0.0.1", 40000)
        == datagrams_from("127.0.0.1", 40000)
        != datagrams_from("127.0.0.1", 40001)
    )


def test_a_relay_refuses_what_it_has_passed_on_itself(known: Loops):
    one = upstream("one", known)
    one.opened(tap("127.0.0.1:40000", "127.0.0.1:9"), None)
    with pytest.raises(errors.UpstreamItselfError, match="to-one leads back to this relay"):
        one.admit(tap("127.0.0.1:9", "127.0.0.1:40000"))


def test_a_client_with_the_port_number_of_a_connection_elsewhere_is_somebody_else(known: Loops):
    one = upstream("one", known)
    one.opened(tap("127.0.0.1:40000", "127.0.0.1:7"), None)
    assert one.admit(tap("127.0.0.1:9", "127.0.0.1:40000")) is None


def test_a_relay_refuses_what_others_have_passed_on_after_it(known: Loops):
    one, two, three = (upstream(name, known) for name in ("one", "two", "three"))
    one.opened(tap("127.0.0.1:40001", "127.0.0.1:2"), one.admit(tap("127.0.0.1:1", "127.0.0.1:50000")))
    two.opened(tap("127.0.0.1:40002", "127.0.0.1:3"), two.admit(tap("127.0.0.1:2", "127.0.0.1:40001")))
    three.opened(tap("127.0.0.1:40003", "127.0.0.1:1"), three.admit(tap("127.0.0.1:3", "127.0.0.1:40002")))
    with pytest.raises(errors.UpstreamItselfError):
        one.admit(tap("127.0.0.1:1", "127.0.0.1:40003"))


def test_what_a_kept_connection_brings_comes_from_its_latest_client(known: Loops):
    one = Hop("one")
    two = Hop("two", previous=one)
    assert not passed_through(two, "three")
    one.previous = Hop("three")
    assert passed_through(two, "three")


def test_hops_in_a_circle_come_to_an_end():
    one = Hop("one")
    two = Hop("two", previous=one)
    one.previous = two
    assert passed_through(two, "one")
    assert not passed_through(two, "three")


def test_what_has_closed_is_known_for_a_while(known: Loops, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loops, "MAX_CLOSED", 2)
    pairs = [datagrams_from("127.0.0.1", number) for number in range(4)]
    for pair in pairs:
        known.opened(pair, Hop("one"))
    for pair in pairs[:3]:
        known.closed(pair)
        known.closed(pair)
    assert [known.hop(pair) is not None for pair in pairs] == [False, True, True, True]


def test_it_is_not_known_for_long_since_others_get_its_port():
    now = [100.0]
    known, pair = Loops(lambda: now[0]), datagrams_from("127.0.0.1", 40000)
    known.opened(pair, Hop("one"))
    now[0] += 1000
    known.closed(pair)
    now[0] += loops.CLOSED_SECONDS - 1
    assert known.hop(pair)
    now[0] += 2
    assert known.hop(pair) is None
