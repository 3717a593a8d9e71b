"""What a plugin's tests are given for its faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app import faults
from app.faults import FaultKind
from app.plugin import Hit, Option, fault
from app.plugin.testing import FaultyConnection


@fault("odd", ("tcp", "http"), options=(Option("ms", float, 0.0, "How late"),))
def odd(hit: Hit, ms: float) -> str | None:
    """Is odd."""
    if hit.piece.data == b"end":
        hit.later(ms, hit.target.reset)
        return "reset"
    if hit.piece.data == b"lose":
        hit.piece.withhold()
        return "lost"
    hit.delay(ms)
    return None


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    yield
    faults.remove("odd")


def test_messages_pass_in_their_time() -> None:
    connection = FaultyConnection(odd, ms=100)
    connection.message(b"one")
    assert connection.passed == []
    connection.clock.advance(0.1)
    assert connection.passed == [b"one"]
    assert connection.words == ["Is odd"]


def test_one_is_withheld_and_another_resets() -> None:
    connection = FaultyConnection(odd)
    for data in (b"lose", b"end", b"more"):
        connection.message(data)
    assert connection.passed == []
    assert connection.words[:2] == ["lost", "reset"]
    assert connection.ended == "reset"


def test_conditions_hold_as_in_a_workspace() -> None:
    connection = FaultyConnection(odd, protocol="http", nth=2, path="/x")
    connection.message(b"a", path="/x")
    connection.message(b"b", path="/y")
    connection.message(b"c", path="/x")
    assert connection.words == ["Is odd"]


def test_what_it_holds_passes_when_it_is_lifted() -> None:
    connection = FaultyConnection(odd, ms=1e6)
    connection.message(b"one")
    connection.switch_off()
    assert connection.passed == [b"one"]


def test_a_table_that_is_wrong_is_told() -> None:
    with pytest.raises(ValueError, match="number 1: ms must be a number"):
        FaultyConnection(odd, ms="x")


@pytest.mark.parametrize("name", ["close", "corrupt", "cut", "freeze", "garbage", "hang", "rate", "reset", "stall"])
def test_our_own_kinds_act_on_it_as_well(name: str) -> None:
    kind: FaultKind = faults.built_in()[name]
    connection = FaultyConnection(kind)
    faults.remove(name)
    connection.message(b"hello")
    connection.clock.advance(10)
    assert connection.words
    assert connection.failures == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"how": "bit"}, "one bit turned over"),
        ({"how": "byte", "count": 2}, "2 bytes changed"),
        ({"how": "truncate", "count": 9}, "5 bytes short"),
    ],
)
def test_words_count_what_was_done(table: dict[str, object], words: str) -> None:
    connection = FaultyConnection(faults.built_in()["corrupt"], **table)
    faults.remove("corrupt")
    connection.message(b"hello")
    assert connection.words == [words]
