"""The columns of all panes: each names what the readers of rows and the filter language know."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.capture.filters.fields import FIELDS, Field
from app.capture.filters.language import parse
from app.capture.reading.conversations import CONVERSATION_FIELDS, ORDERS
from app.capture.reading.exchange_rows import EXCHANGE_FIELDS
from ui.panes import conversation_pane, event_columns, http_pane
from ui.panes.columns import Columns

PANES = [
    pytest.param(event_columns.COLUMNS, FIELDS, id="events"),
    pytest.param(http_pane.COLUMNS, EXCHANGE_FIELDS, id="http"),
    pytest.param(conversation_pane.COLUMNS, CONVERSATION_FIELDS, id="conversations"),
]


@pytest.mark.parametrize(("columns", "fields"), PANES)
def test_each_column_has_a_name_of_its_own_and_one_takes_the_room_left(
    columns: Columns, fields: Mapping[str, Field]
) -> None:
    assert len({column.name for column in columns}) == len(columns)
    assert [column.stretch for column in columns].count(True) == 1


@pytest.mark.parametrize(("columns", "fields"), PANES)
def test_each_column_that_can_be_filtered_by_is_a_field_of_its_pane(
    columns: Columns, fields: Mapping[str, Field]
) -> None:
    for column in columns:
        if column.field:
            assert parse(f"{column.field} exists", fields)


def test_conversations_can_be_sorted_by_each_of_their_columns_and_by_no_other() -> None:
    assert {column.name for column in conversation_pane.COLUMNS} == set(ORDERS)
