"""app.limits: one declaration for each limit, and one way to record that it was reached."""

from __future__ import annotations

import ast
import json
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import events, limits
from app.services import settings
from app.services.protocols import PROTOCOLS

ROOT = Path(__file__).parents[2]

MAKERS = {"app/capture/recorder.py", "app/capture/writing/file.py"}
"""Where events ``limit.reached`` are made: in the recorder for everybody, and in the writer for its own limit."""

ALL = limits.LIMITS.values()


def calls(kind: str) -> Iterator[tuple[str, ast.Call]]:
    """Each call in the program with ``events.<kind>`` among its arguments, and where it stands."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        text = path.read_text("utf-8")
        for node in ast.walk(ast.parse(text)) if kind in text else ():
            if isinstance(node, ast.Call):
                words = [*node.args, *(keyword.value for keyword in node.keywords)]
                # A tuple is what a call of SQL is given.
                words += [item for word in words if isinstance(word, ast.Tuple) for item in word.elts]
                if any(kind in (getattr(word, "attr", None), getattr(word, "id", None)) for word in words):
                    yield path.relative_to(ROOT).as_posix(), node


def test_all_events_of_limits_are_made_of_what_reached_returns() -> None:
    made = [(where, node) for where, node in calls("LIMIT_REACHED") if where != "app/capture/filters/fields.py"]
    assert {where for where, _ in made} == MAKERS
    assert len(made) == len(MAKERS)
    for _, node in made:
        assert "reached.detail()" in ast.unparse(node)


def test_the_search_finds_calls_in_any_form() -> None:
    assert len({where for where, _ in calls("LOG")}) > 5


@pytest.mark.parametrize("limit", ALL, ids=lambda limit: limit.name)
def test_what_an_event_says_can_be_filled_and_names_limit_and_value(limit: limits.Limit) -> None:
    for situation, says in limit.says.items():
        words = {name: 2 for _, name, _, _ in string.Formatter().parse(says) if name and name != "value"}
        value = limit.options[0].default if limit.options else 1
        reached = limit.reached(value, situation, **words)
        assert reached.text.isprintable()
        assert json.loads(reached.detail()) == {"limit": limit.name, "value": value}


@pytest.mark.parametrize("limit", ALL, ids=lambda limit: limit.name)
def test_the_default_of_each_setting_is_within_its_bounds(limit: limits.Limit) -> None:
    assert all(option.problem(option.default) is None for option in limit.options)


def test_more_keys_have_to_be_declared() -> None:
    reached = limits.CONNECTIONS.reached(2).carrying(count=7).saying("and more")
    assert (reached.text, json.loads(reached.detail())) == (
        "and more",
        {"limit": "connections", "value": 2, "count": 7},
    )
    with pytest.raises(ValueError, match="connections declares no cuont"):
        reached.carrying(cuont=7)


@pytest.mark.parametrize("limit", ALL, ids=lambda limit: limit.name)
def test_the_keys_of_a_limit_are_those_of_its_kind_of_event(limit: limits.Limit) -> None:
    assert set(limit.keys) <= events.KINDS[events.LIMIT_REACHED].keys


def test_a_situation_has_to_be_declared() -> None:
    with pytest.raises(KeyError):
        limits.CONNECTIONS.reached(2, "elsewhere")


def test_whoever_adds_a_limit_writes_one_declaration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LIMITS", dict(limits.LIMITS))
    limits._limit("turns", "Turns", "no more than {value}", limits.Setting(3, "Turns that are allowed", minimum=1))
    assert [option.name for option in limits.in_section("limits")][-1] == "turns"


def test_the_settings_of_a_service_are_those_that_are_declared() -> None:
    for protocol in PROTOCOLS:
        for section in ("limits", "socket"):
            options = [option.name for option in settings.declared(section, protocol)]
            assert len(set(options)) == len(options)
    assert settings.filled("limits", "http", {})["idle_seconds"] == 60
    assert settings.filled("limits", "tcp", {}) == {
        "connections": 10_000,
        "connections_per_peer": 10_000,
        "idle_seconds": 0,
        "allow_public": False,
        "ping_seconds": 0,
        "ping_timeout": 10,
    }
