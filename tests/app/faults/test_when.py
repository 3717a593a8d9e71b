"""app.faults.when: each condition against a simple model of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from math import prod
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.faults.when import CONDITIONS, Candidate, When, contradictions
from app.options import mistakes, with_defaults

PEERS = ("127.0.0.1", "10.0.0.7", "10.1.2.3", "::1", "fe80::1%eth0", "::ffff:10.0.0.7", "")
NETWORKS = ("10.0.0.0/8", "10.0.0.7", "::1", "fe80::/10", "127.0.0.0/8", "0.0.0.0/0")
PATHS = ("/", "/pay", "/pay/7", "/pay/7/lines?x=1", "/a*b")
WORDS = (b"", b"PAY", b"PAY 1\r\n", b"hello", b"\xff\x00PAY", b"pay")

SECONDS = st.integers(0, 12).map(float)


@st.composite
def conditions(draw: Any) -> dict[str, Any]:
    """Some conditions, which do not contradict each other."""
    options = {
        "first": st.integers(0, 5), "nth": st.integers(0, 5), "every": st.integers(0, 4),
        "count_per": st.sampled_from(["service", "connection"]), "match": st.sampled_from(["PAY", r"\r\n", r"\xff"]),
        "match_regex": st.sampled_from(["^PAY", "[0-9]", "(?i)pay"]), "path": st.sampled_from(["/", "/pay*", "*lines",
        "/pay/*/lines?x=1", "/*7*"]), "method": st.sampled_from(["GET", "post"]), "after_bytes": st.integers(0, 20),
        "after_seconds": SECONDS, "from_seconds": SECONDS, "until_seconds": SECONDS, "period_seconds": SECONDS,
        "peer": st.lists(st.sampled_from(NETWORKS), max_size=2),
    }  # fmt: skip
    chosen = draw(st.sets(st.sampled_from(sorted(options)), max_size=4))
    given = {name: draw(options[name]) for name in sorted(chosen)}
    values = with_defaults(CONDITIONS, given)
    if list(contradictions(values, "sent")):
        for name in ("until_seconds", "period_seconds", "nth"):
            given.pop(name, None)
    return given


FIELDS: dict[str, Sequence[Any]] = {
    "data": WORDS, "peer": PEERS, "connection": range(1, 4), "bytes_before": range(26), "age": range(13),
    "path": PATHS, "method": ("GET", "POST", ""),
}  # fmt: skip


def candidate(number: int) -> tuple[Candidate, float]:
    """One of all that can be made of ``FIELDS``, and a time: to draw a number takes a tenth of drawing all of them."""
    number, seconds = divmod(number, 13)
    values: dict[str, Any] = {"on": "sent"}
    for name, choices in FIELDS.items():
        number, place = divmod(number, len(choices))
        values[name] = choices[place]
    return Candidate(**values | {"age": float(values["age"])}), float(seconds)


CANDIDATES = st.lists(st.integers(0, 13 * prod(map(len, FIELDS.values())) - 1).map(candidate), max_size=25)


@dataclass
class Model:
    """The words of docs and workspace, one after the other."""

    given: dict[str, Any]
    counts: Counter[int] = field(default_factory=Counter)

    def holds(self, candidate: Candidate, seconds: float) -> bool:
        w = with_defaults(CONDITIONS, self.given)
        text = candidate.data.decode("latin-1")
        match = {"PAY": "PAY", r"\r\n": "\r\n", r"\xff": "\xff", "": ""}[w["match"]]
        path = candidate.path if "?" in w["path"] else candidate.path.split("?")[0]
        pattern = "*".join(re.sub(r"([?\[\]])", r"[\1]", part) for part in w["path"].split("*"))
        others = (
            candidate.bytes_before >= w["after_bytes"],
            candidate.age >= w["after_seconds"],
            self.in_time(w, seconds),
            match in text,
            re.search(w["match_regex"], text) is not None,
            w["method"].upper() in ("", candidate.method),
            not w["path"] or fnmatchcase(path, pattern),
            not w["peer"] or self.within(candidate.peer, w["peer"]),
        )
        if not all(others):
            return False
        key = candidate.connection if w["count_per"] == "connection" else 0
        self.counts[key] += 1
        number = self.counts[key]
        return (
            number <= (w["first"] or number)
            and number == (w["nth"] or number)
            and number % (w["every"] or 1) == 0
        )  # fmt: skip

    @staticmethod
    def in_time(w: dict[str, Any], seconds: float) -> bool:
        start, end, period = w["from_seconds"], w["until_seconds"] or float("inf"), w["period_seconds"]
        starts = [start + n * period for n in range(20)] if period else [start]
        return any(s <= seconds < s + (end - start) for s in starts)

    @staticmethod
    def within(peer: str, networks: list[str]) -> bool:
        if not peer:
            return False
        address = ip_address(peer.split("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return any(address in ip_network(network) for network in networks)


@given(conditions(), CANDIDATES)
def test_conditions_hold_as_the_model_says_and_after_again_as_for_the_first_time(
    given: dict[str, Any], candidates: list[tuple[Candidate, float]]
):
    """And always, if there are none."""
    assert not list(mistakes(CONDITIONS, given))
    when, model = When.of(given), Model(given)
    first = []
    for candidate, seconds in candidates:
        first.append(when.holds(candidate, seconds))
        assert first[-1] == model.holds(candidate, seconds), (given, candidate, seconds)
    when.again()
    assert [when.holds(candidate, seconds) for candidate, seconds in candidates] == first
    assert all(first) or not when.unconditional


def test_what_a_closed_connection_has_counted_is_forgotten():
    when = When.of({"nth": 2, "count_per": "connection"})
    for number in range(1, 1_001):
        assert [when.holds(Candidate("sent", connection=number), 0) for _ in range(3)] == [False, True, False]
        when.forget(number)
    assert not when.by_connection


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({"from_seconds": 5.0, "until_seconds": 5.0}, "until_seconds"),
        ({"period_seconds": 5.0}, "period_seconds"),
        ({"until_seconds": 5.0, "period_seconds": 4.0}, "period_seconds"),
        ({"first": 2, "nth": 3}, "nth"),
    ],
)
def test_what_can_never_hold_is_a_mistake(given: dict[str, Any], key: str):
    assert [mistake.option for mistake in contradictions(with_defaults(CONDITIONS, given), "sent")] == [key]
