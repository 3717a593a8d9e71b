"""The columns of an event pane."""

from __future__ import annotations

from datetime import datetime

import pytest
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app import events
from app.events import Row
from tests.ui.desk import BASE
from ui.looks import theme
from ui.looks.times import clock
from ui.panes.columns import as_text
from ui.panes.event_columns import COLUMNS, delta, mark_of, row_color
from ui.panes.event_header import EventHeader


def row(kind: int = events.DATA_RECEIVED, *, time: int = BASE, summary: str = "hello", size: int | None = 5) -> Row:
    return Row(1204331, time, kind, "tcp-echo", 7, "127.0.0.1:51234", size, summary)


def test_every_column_but_the_shapes_has_a_title_and_each_a_tip() -> None:
    assert [column.title for column in COLUMNS] == [
        "#", "Time", "Δ", "Service", "", "Peer", "Kind", "Size", "Summary",
    ]  # fmt: skip
    assert [column.name for column in COLUMNS if column.mark is not None] == ["direction"]
    assert all(column.tip for column in COLUMNS)


def test_numbers_are_right_aligned() -> None:
    assert [column.title for column in COLUMNS if column.alignment & 0x2] == ["#", "Δ", "Size"]


def test_the_clock_shows_local_time_to_the_microsecond() -> None:
    local = datetime.fromtimestamp(BASE // 10**9).astimezone().strftime("%H:%M:%S")
    assert clock(BASE + 482_007_118) == f"{local}.482 007"


@pytest.mark.parametrize(
    ("ns", "words"),
    [
        (0, "+0.0 ms"),
        (800_000, "+0.8 ms"),
        (-800_000, "-0.8 ms"),
        (12_345_678, "+12 ms"),
        (999_700_000, "+1.0 s"),
        (1_500_000_000, "+1.5 s"),
        (120_000_000_000, "+2 min"),
    ],
)
def test_delta_is_the_time_since_the_row_above(ns: int, words: str) -> None:
    assert delta(row(time=BASE + ns), row()) == words


def test_the_first_row_has_no_delta() -> None:
    assert delta(row(), None) == ""


def test_every_kind_has_a_name_and_what_it_is_by_shape() -> None:
    named = {events.NAMES[kind]: mark_of(row(kind)) for kind in events.NAMES}
    assert named["data.received"] == named["datagram.received"] == named["http.request"] == "received"
    assert named["data.sent"] == named["datagram.sent"] == named["http.response"] == "sent"
    assert named["failure"] == named["service.failed"] == named["tls.failed"] == "failure"
    assert named["log"] is None


@pytest.mark.parametrize(("summary", "mark"), [("→ text “hi”", "sent"), ("← text “hi”", "received")])
def test_a_websocket_message_goes_the_way_that_it_says(summary: str, mark: str) -> None:
    assert mark_of(row(events.WS_MESSAGE, summary=summary)) == mark


@pytest.mark.parametrize(
    ("kind", "summary", "color"),
    [
        (events.FAILURE, "x", theme.DARK.bad),
        (events.LIMIT_REACHED, "x", theme.DARK.warning),
        (events.HTTP_RESPONSE, "500 Internal Server Error", theme.DARK.bad),
        (events.HTTP_RESPONSE, "404 Not Found", theme.DARK.warning),
        (events.HTTP_RESPONSE, "200 OK", None),
        (events.HTTP_RESPONSE, "", None),
        (events.DATA_RECEIVED, "500", None),
    ],
)
def test_rows_that_ask_for_attention_have_a_colour(kind: int, summary: str, color: str | None) -> None:
    assert row_color(row(kind, summary=summary), theme.DARK) == color


def test_as_text_is_tab_separated_with_the_direction_as_an_arrow() -> None:
    above = row(time=BASE - 800_000)
    assert as_text(row(events.DATA_SENT), above, COLUMNS).split("\t") == [
        "1204331", clock(BASE), "+0.8 ms", "tcp-echo", "→", "127.0.0.1:51234", "data.sent", "5", "hello",
    ]  # fmt: skip


def test_a_row_without_peer_size_and_known_kind_has_empty_cells() -> None:
    bare = Row(1, BASE, 99, "", None, None, None, "")
    assert as_text(bare, None, COLUMNS).split("\t")[3:] == ["", "", "", "99", "", ""]


def test_the_time_is_the_last_column_that_is_left_out(qtbot: QtBot) -> None:
    """With letters of 20 pt in a window of 1440 px the panes have room for one that yields."""
    parent = QWidget()
    qtbot.addWidget(parent)
    header = EventHeader(COLUMNS, 16.25, parent)
    header.fold(1090)
    shown = {column.name for at, column in enumerate(COLUMNS) if not header.isSectionHidden(at)}
    assert shown == {"time", "direction", "kind", "summary"}
