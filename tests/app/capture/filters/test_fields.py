"""app.capture.filters.fields."""

from __future__ import annotations

import pytest

from app.capture.filters.completion import operators
from app.capture.filters.fields import FIELDS, TYPES, Field
from app.capture.filters.language import parse
from app.capture.reading.conversations import CONVERSATION_FIELDS
from app.capture.reading.exchange_rows import EXCHANGE_FIELDS
from app.events import KINDS

ALL = [*FIELDS.values(), *CONVERSATION_FIELDS.values(), *EXCHANGE_FIELDS.values()]


@pytest.mark.parametrize("fields", [FIELDS, CONVERSATION_FIELDS, EXCHANGE_FIELDS])
def test_each_field_is_known_by_its_name_and_has_a_type_and_a_line_of_help(fields: dict[str, Field]) -> None:
    for name, field in fields.items():
        assert field.name == name
        assert field.type in TYPES
        assert field.help
        assert field.sql


@pytest.mark.parametrize("field", [field for field in ALL if field.kinds], ids=lambda field: field.name)
def test_what_a_field_takes_from_a_detail_is_declared_with_each_of_its_kinds(field: Field) -> None:
    for kind in field.kinds:
        assert field.key in KINDS[kind].keys


@pytest.mark.parametrize("field", ALL, ids=lambda field: field.name)
def test_each_operator_that_is_offered_can_be_used(field: Field) -> None:
    value = {"number": "1", "time": "-5m", "kind": "log"}.get(field.type, "abc")
    known = {field.name: field}
    for operator in operators(field):
        parse(f"{field.name} {operator}{'' if operator == 'exists' else f' {value}'}{'}' * ('{' in operator)}", known)
