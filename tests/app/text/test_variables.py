"""Variables of a workspace in texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.errors import TemplateError, UnknownVariableError
from app.text.variables import MAX_NAME, filled, literally, name_problem, value_problem


def test_a_variable_stands_for_its_value_and_functions_work_beside_it() -> None:
    assert filled("{{base}}/users/{{ id }}", {"base": "http://x:1", "id": "7"}) == "http://x:1/users/7"
    assert filled('{{base | upper}}\\n{{pad id 3 "0"}}', {"base": "a", "id": "7"}) == "A\\n007"


def test_a_value_is_not_filled_in_once_more() -> None:
    assert filled("{{a}}", {"a": "{{b}}", "b": "x"}) == "{{b}}"


def test_a_variable_has_its_name_of_rules_too() -> None:
    assert filled("{{var.a}}{{a}}", {"a": "1"}) == "11"
    with pytest.raises(UnknownVariableError, match=r"no variable var\.b"):
        filled("{{var.b}}", {"a": "1"})


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(UnknownVariableError, match="no variable basis: known are base, id"):
        filled("{{basis}}/x", {"base": "1", "id": "2"})
    with pytest.raises(UnknownVariableError, match="there are none yet"):
        filled("{{base}}", {})
    assert filled('{{base | default "x"}}', {}) == "x"


def test_what_is_no_template_is_told() -> None:
    with pytest.raises(TemplateError, match="}} is missing"):
        filled("{{base", {"base": "1"})


@given(st.text(alphabet='ab\\{}" \n'))
def test_any_text_can_be_meant_literally(text: str) -> None:
    assert filled(literally(text), {}) == text


@pytest.mark.parametrize("name", ["", "1a", "a b", "a.b", "ü", "counter", "number", "a" * (MAX_NAME + 1), "{{a}}"])
def test_what_is_no_name_is_told(name: str) -> None:
    assert name_problem(name)


def test_what_is_a_name() -> None:
    assert [name_problem(name) for name in ("base", "_x", "user-id2")] == [None, None, None]
    assert value_problem("x" * 10_001)
    assert value_problem("") is None
