"""Each condition is declared once: its option, its check and its words."""

from __future__ import annotations

from app.options import with_defaults
from app.responders.mock.conditions import CONDITIONS, checks
from app.responders.mock.rules import RULE

GIVEN = {
    "method": "GET",
    "path": "/a",
    "query": ["x=1"],
    "fields": ["X: y"],
    "body_is": "b",
    "body_regex": "b",
    "body_json": ["$.a"],
    "call": 2,
    "times": 1,
}


def test_conditions_stand_first_among_the_options_of_a_rule() -> None:
    options = [condition.option for condition in CONDITIONS]
    assert list(RULE[: len(options)]) == options


def test_each_makes_a_check_for_what_a_rule_gives_and_none_for_what_it_leaves_out() -> None:
    assert {condition.option.name for condition in CONDITIONS} == set(GIVEN)
    for counted in (False, True):
        assert not list(checks(with_defaults(RULE, {}), counted=counted))
    for name, value in GIVEN.items():
        rule = with_defaults(RULE, {name: value})
        assert len([*checks(rule), *checks(rule, counted=True)]) == 1, name


def test_white_space_asks_for_no_method() -> None:
    (check,) = checks(with_defaults(RULE, {"method": " "}))
    assert check.holds(object())  # type: ignore[arg-type]
