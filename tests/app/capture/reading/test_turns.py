"""What came on a connection and what was sent in answer, told by their order."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import events
from app.capture.reading import turns as module
from app.capture.reading.store import Store
from app.capture.reading.turns import Turn, turn_at
from tests.app.capture.captures import closed, event, make, opened

Row = list[Any]


def came(data: bytes, conn: int = 1) -> Row:
    return event(data, events.DATA_RECEIVED, conn)


def went(data: bytes, conn: int = 1, rule: int = 0) -> Row:
    return event(data, events.DATA_SENT, conn, **({"detail": {"rule": rule}} if rule else {}))


def message(way: str, data: bytes, opcode: str = "text") -> Row:
    return event(data, events.WS_MESSAGE, 1, summary="x", detail={"opcode": opcode, "direction": way})


@pytest.fixture
def look(tmp_path: Path) -> Any:
    """Finds the turn of the event with that number in a capture of some rows."""

    def find(rows: list[Row], id: int) -> Turn | None:
        path = tmp_path / "a.lpost"
        if not path.exists():
            make(path, *rows)
        with closing(Store(path)) as store:
            return turn_at(store, id)

    return find


def ids(turn: Turn | None) -> tuple[list[int], list[int]]:
    assert turn is not None
    return [one.id for one in turn.asked], [one.id for one in turn.answered]


def test_each_event_of_a_turn_gives_the_whole_turn(look: Any) -> None:
    rows = [
        opened(1), came(b"a"), went(b"A"), came(b"b"), came(b"c", conn=2), came(b"d"), went(b"B"), went(b"D", rule=3),
        came(b"e"), closed(1),
    ]  # fmt: skip
    for id in (4, 6, 7, 8):
        assert ids(look(rows, id)) == ([4, 6], [7, 8])
    assert ids(look(rows, 3)) == ([2], [3])
    last = look(rows, 9)
    assert ids(last) == ([9], [])
    assert last.ended
    assert look(rows, 8).answered[1].detail == {"rule": 3}
    assert look(rows, 1) is None


def test_a_greeting_answers_nothing(look: Any) -> None:
    rows = [opened(1), went(b"hello"), came(b"a"), went(b"b")]
    assert ids(look(rows, 2)) == ([], [2])
    assert ids(look(rows, 3)) == ([3], [4])


def test_on_a_connection_of_ours_we_ask(look: Any) -> None:
    first = opened(1)
    first[7] = '{"peer": "127.0.0.1:5", "host": "127.0.0.1:80", "outgoing": true}'
    rows = [first, went(b"a"), came(b"b"), went(b"c")]
    turn = look(rows, 3)
    assert turn.outgoing
    assert ids(turn) == ([2], [3])


def test_pings_and_pongs_are_in_no_turn(look: Any) -> None:
    rows = [
        opened(1), message("received", b"a"), message("received", b"", "ping"), message("sent", b"", "pong"),
        message("sent", b"A"), message("sent", b"B"),
    ]  # fmt: skip
    assert ids(look(rows, 2)) == ([2], [5, 6])
    assert ids(look(rows, 6)) == ([2], [5, 6])
    assert look(rows, 3) is None


def test_what_is_too_much_is_left_out_and_said(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_EVENTS", 3)
    rows = [opened(1), *[came(b"a")] * 10, went(b"A")]
    turn = look(rows, 12)
    assert turn.cut
    assert ids(turn) == ([9, 10, 11], [12])


def test_it_is_found_across_many_events_of_other_connections(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_WINDOW", 4)
    others = [came(b"x", conn=2)] * 50
    rows = [opened(1), came(b"a"), *others, went(b"A"), *others, came(b"b")]
    assert ids(look(rows, 2)) == ([2], [53])
    assert ids(look(rows, 53)) == ([2], [53])
