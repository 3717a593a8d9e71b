"""How responders are found, and how their options are checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app import responders
from app.responders import Option, Responder
from app.services.protocols import PROTOCOLS, options_of
from tests.app.responders.context import BareContext, build


def test_each_protocols_default_can_serve_it() -> None:
    for protocol in PROTOCOLS.values():
        assert protocol.default in [r.name for r in responders.serving(protocol.name)]


def test_each_has_its_files_name_and_says_what_it_does() -> None:
    for name in responders.names():
        found = responders.find(name)
        assert found is not None
        assert found.name == name
        assert found.help
        assert "\n" not in found.help
        assert set(found.builders) <= set(PROTOCOLS)
        assert found.builders
        assert all(option.required or option.problem(option.default) is None for option in found.options)
        assert all(option.help and set(option.protocols) <= set(found.builders) for option in found.options)


def test_names_are_those_of_the_files_in_order() -> None:
    files = [*(here := Path(responders.__file__).parent).glob("*.py"), *here.glob("*/responder.py")]
    stems = [file.parent.name if file.stem == "responder" else file.stem for file in files]
    assert list(responders.names()) == sorted({*stems} - {"__init__", "errors", "rulebook", "trial"})


@pytest.mark.parametrize(
    ("protocol", "names"),
    [("tcp", ["echo", "fragile"]), ("udp", ["echo"]), ("http", ["inspector"]), ("websocket", ["echo"]), ("smtp", [])],
)
def test_those_that_serve_a_protocol_come_by_name(protocol: str, names: list[str]) -> None:
    serving = [responder.name for responder in responders.serving(protocol)]
    assert serving == sorted(serving)
    assert set(names) <= set(serving)
    assert bool(names) is bool(serving)


UPSTREAMS = {"http": "http://127.0.0.1:9", "websocket": "ws://127.0.0.1:9"}


def needed(option: str, protocol: str) -> str:
    """A valid value for an option without a valid default."""
    return {"root": ".", "upstream": UPSTREAMS.get(protocol, "127.0.0.1:9")}[option]


def test_a_builder_makes_something_for_each_of_its_protocols() -> None:
    context = BareContext()
    context.endpoints["127.0.0.1", 9] = object()
    for protocol in PROTOCOLS:
        for responder in responders.serving(protocol):
            required = {option.name: needed(option.name, protocol) for option in responder.options if option.required}
            assert build(responder.name, protocol, required, context) is not None


def test_an_option_belongs_to_its_protocols_or_to_all() -> None:
    everywhere, one = Option("a", int, 1, ""), Option("b", int, 1, "", protocols=("udp", "tcp"))
    responder = Responder("x", "", {}, (everywhere, one))
    assert responder.options_for("tcp") == responder.options_for("udp") == (everywhere, one)
    assert responder.options_for("http") == (everywhere,)


def test_options_of_a_protocol_come_with_every_responder() -> None:
    for name in ("echo", "discard"):
        assert "subprotocols" in [option.name for option in options_of(responders.find(name), "websocket")]
        assert options_of(responders.find(name), "tcp") == ()


@pytest.mark.parametrize("name", ["", "nothing", "../echo", "echo.py", "__init__"])
def test_an_unknown_name_is_none(name: str) -> None:
    assert responders.find(name) is None
    with pytest.raises(KeyError):
        build(name, "tcp", {})


def test_a_protocol_it_does_not_serve_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        build("fragile", "udp", {})


def test_options_are_filled_up_with_their_defaults() -> None:
    responder = Responder("x", "", {}, (Option("a", int, 1, ""), Option("b", str, "c", "")))
    assert responder.with_defaults({"a": 2}) == {"a": 2, "b": "c"}


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        (Option("x", int, 1, ""), 5, None),
        (Option("x", int, 1, ""), "5", "must be a whole number, as in 1"),
        (Option("x", int, 1, ""), True, "must be a whole number, as in 1"),
        (Option("x", int, 1, ""), 5.0, "must be a whole number, as in 1"),
        (Option("x", int, 1, "", minimum=2), 1, "must be at least 2"),
        (Option("x", int, 1, "", maximum=2), 3, "must be at most 2"),
        (Option("x", int, 1, "", minimum=2, maximum=3), 2, None),
        (Option("x", int, 1, "", minimum=2, maximum=3), 3, None),
        (Option("x", int, 1, "", maximum=1_000_000), 10**400, "must be at most 1000000"),
        (Option("x", float, 0.5, "", minimum=0.25), 0, "must be at least 0.25"),
        (Option("x", float, 0.5, ""), 1, None),
        (Option("x", float, 0.5, ""), True, "must be a number, as in 0.5"),
        (Option("x", float, 0.5, ""), float("nan"), "must be a finite number"),
        (Option("x", float, 0.5, "", maximum=1), float("inf"), "must be a finite number"),
        (Option("x", bool, True, ""), False, None),
        (Option("x", bool, True, ""), 1, "must be true or false, as in true"),
        (Option("x", str, "a", ""), "", None),
        (Option("x", str, "a", ""), 1, 'must be text, as in "a"'),
        (Option("x", list, ["a"], ""), ["b", "c"], None),
        (Option("x", list, ["a"], ""), ["b", 1], 'must be a list of texts, as in ["a"]'),
        (Option("x", list, ["a"], ""), "a", 'must be a list of texts, as in ["a"]'),
    ],
)
def test_a_value_is_checked_in_words(option: Option, value: Any, problem: str | None) -> None:
    assert option.problem(value) == problem
