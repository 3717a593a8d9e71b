"""Mock rules that change while they answer."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.options import with_defaults
from app.responders import find
from tests.app.responders.web import Client

MOCK = find("mock")
assert MOCK is not None


def change(client: Client, *rules: dict[str, Any], **more: Any) -> None:
    assert MOCK is not None
    client.resource.take_options(with_defaults(MOCK.options, {"rules": list(rules), **more}))


def hits(client: Client) -> list[int]:
    return [count.hits for count in client.resource.counts()]


def test_a_connection_that_is_open_gets_the_new_rules() -> None:
    client = Client("mock", {"rules": [{"path": "/a", "body": "old"}]})
    line = client.line()
    line.send("GET", "/a")
    change(client, {"path": "/a", "body": "new"}, otherwise=410)
    line.send("GET", "/a")
    line.send("GET", "/b")
    assert [(reply.status, reply.body[:3]) for reply in line.replies("GET", "GET", "GET")][:2] == [
        (200, b"old"), (200, b"new"),
    ]  # fmt: skip
    assert client.ask("GET", "/b").status == 410


def test_an_answer_that_waits_is_the_one_of_its_rule() -> None:
    client = Client("mock", {"rules": [{"body": "old", "delay": 5.0}]})
    line = client.line()
    line.send("GET", "/")
    change(client)
    client.context.reactor.advance(5)
    assert [reply.body for reply in line.replies("GET")] == [b"old"]


def test_a_rule_that_is_off_is_passed_over_and_not_listed() -> None:
    client = Client("mock", {"rules": [{"path": "/a", "body": "1", "on": False}, {"path": "/b"}]})
    reply = client.ask("GET", "/a")
    assert (reply.status, reply.json["rules"]) == (404, ["2: any method /b"])
    change(client, {"path": "/a", "body": "1"}, {"path": "/b"})
    assert client.ask("GET", "/a").body == b"1"
    change(client, {"path": "/a", "on": False}, {"path": "/b", "on": False})
    assert client.ask("GET", "/a").detail == "All rules are off"
    assert hits(client) == [1, 0]


def test_counts_stay_with_rules_that_are_moved_or_edited() -> None:
    once, other = {"path": "/a", "times": 1, "body": "1"}, {"path": "/b"}
    client = Client("mock", {"rules": [once, other]})
    client.ask("GET", "/a")
    client.ask("GET", "/b")
    change(client, other, once)
    assert hits(client) == [1, 1]
    assert client.ask("GET", "/a").status == 404  # it was answered once before it was moved
    change(client, other, {**once, "times": 2})
    assert client.ask("GET", "/a").body == b"1"
    assert hits(client) == [1, 2]
    change(client, {"path": "/new"}, other)
    assert hits(client) == [0, 1]


def test_a_rule_that_has_answered_as_often_as_it_may_answers_again_when_it_is_counted_anew() -> None:
    limited = {"times": 2}
    client = Client("mock", {"rules": [{"path": "/a", **limited}, {"path": "/b", **limited}]})
    for path in ("/a", "/a", "/b", "/b"):
        client.ask("GET", path)
    assert client.ask("GET", "/a").status == 404
    client.resource.reset([0])
    assert hits(client) == [0, 2]
    assert (client.ask("GET", "/a").status, client.ask("GET", "/b").status) == (200, 404)
    client.resource.reset(None)
    assert hits(client) == [0, 0]
    assert client.ask("GET", "/b").status == 200


def test_counters_in_templates_go_on() -> None:
    rule = {"template": True, "body": "{{counter}}"}
    client = Client("mock", {"rules": [rule]})
    assert client.ask("GET", "/").body == b"1"
    change(client, {"path": "/other"}, rule)
    assert client.ask("GET", "/").body == b"2"


@given(st.data())
def test_hits_survive_any_order_of_changes(data: st.DataObject) -> None:
    """One change at a time: each rule's hits are those that a list of rules with their own counts has."""
    serial = iter(range(1000))
    rules = [{"path": f"/{next(serial)}"} for _ in range(3)]
    expected = [0] * 3
    client = Client("mock", {"rules": rules})
    for _ in range(data.draw(st.integers(1, 6))):
        for place in data.draw(st.lists(st.integers(0, len(rules) - 1), max_size=3)) if rules else ():
            client.ask("GET", rules[place]["path"])
            expected[place] += 1
        what = data.draw(st.sampled_from(["order", "edit", "add", "remove", "off"] if rules else ["add"]))
        if what == "order":
            order = data.draw(st.permutations(range(len(rules))))
            rules, expected = [rules[i] for i in order], [expected[i] for i in order]
        elif what == "add":
            place = data.draw(st.integers(0, len(rules)))
            rules = [*rules[:place], {"path": f"/{next(serial)}"}, *rules[place:]]
            expected = [*expected[:place], 0, *expected[place:]]
        else:
            place = data.draw(st.integers(0, len(rules) - 1))
            if what == "remove":
                rules, expected = rules[:place] + rules[place + 1 :], expected[:place] + expected[place + 1 :]
            else:
                # Also one that is off and on again.
                edited = {"path": f"/{next(serial)}"} if what == "edit" else {**rules[place], "status": 201}
                rules = [*rules[:place], edited, *rules[place + 1 :]]
        change(client, *rules)
        assert hits(client) == expected
