"""What the draws of a fault without a name depend on: what it does and when, and no other fault."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from twisted.internet.task import Clock

from app.faults.tables import identities
from tests.app.faults.course import Stage

LATE: dict[str, Any] = {"kind": "delay", "ms": 20.0, "jitter_ms": 15.0, "probability": 0.3}
LATER: dict[str, Any] = {"kind": "delay", "ms": 50.0, "jitter_ms": 9.0, "probability": 0.3}
WRONG: dict[str, Any] = {"kind": "corrupt", "how": "byte", "count": 2, "probability": 0.2}
TABLES = (LATE, WRONG, LATER)


def hits(tables: Sequence[dict[str, Any]], *, then: Sequence[dict[str, Any]] = ()) -> dict[int, set[Any]]:
    """By the place of a fault in ``tables``, connection, message and words of each hit.

    ``then``: the faults of the service after half of the connections.
    """
    stage = Stage(Clock(), *tables)
    found: dict[int, set[Any]] = {}
    for number in range(100):
        if then and number == 50:
            stage.faults.configure(then)
        places = {fault.name: [id(table) for table in tables].index(id(fault.table)) for fault in stage.faults.all
                  if any(fault.table is table for table in tables)}  # fmt: skip
        stage.hits.clear()
        course = stage.open()
        for _ in range(6):
            stage.message(course, b"a message")
        for name, *hit in stage.hits:
            if name in places:
                found.setdefault(places[name], set()).add(tuple(hit))
    return found


@pytest.mark.parametrize("place", range(len(TABLES) + 1))
@pytest.mark.parametrize(
    "added",
    [
        {"kind": "delay", "ms": 1.0, "probability": 0.5},
        {"kind": "corrupt", "probability": 0.5},
        {"kind": "delay", "on": "received"},
        {"kind": "stall", "every": 3},
    ],
    ids=lambda table: table["kind"] + table.get("on", ""),
)
def test_one_more_without_a_name_anywhere_draws_none_anew(added: dict[str, Any], place: int):
    expected = hits(TABLES)
    with_it = (*TABLES[:place], added, *TABLES[place:])
    found = hits(with_it)
    found.pop(place, None)
    assert [found[at] for at in sorted(found)] == [expected[at] for at in sorted(expected)]
    assert {at: found[at] for at in found} == {at + (at >= place): hit for at, hit in expected.items()}


def test_one_more_while_it_runs_draws_none_anew_and_keeps_counts():
    added = {"kind": "delay", "ms": 1.0, "probability": 0.5}
    assert hits(TABLES, then=(added, *TABLES)) == hits(TABLES)
    stage = Stage(Clock(), *TABLES)
    before = {id(fault) for fault in stage.faults.all}
    stage.faults.configure((added, *TABLES))
    assert [fault.name for fault in stage.faults.all] == ["delay", "delay 2", "corrupt", "delay 3"]
    assert before < {id(fault) for fault in stage.faults.all}


def test_taking_one_away_draws_none_anew():
    expected = hits(TABLES)
    assert hits(TABLES[1:]) == {0: expected[1], 1: expected[2]}
    assert hits(TABLES, then=TABLES[1:]).keys() == expected.keys()


def test_twins_draw_each_for_itself():
    found = hits((LATE, dict(LATE)))
    assert len(found) == 2
    assert len(found[0] & found[1]) < 0.5 * len(found[0])
    assert hits((LATE, WRONG, dict(LATE)))[0] == found[0]


@pytest.mark.parametrize(
    "table",
    [
        {"kind": "delay", "on": "sent", "ms": 20, "jitter_ms": 15, "probability": 0.3},
        {"probability": 0.3, "jitter_ms": 15.0, "ms": 20.0, "kind": "delay", "correlation": 0.0, "first": 0},
        {"kind": "delay", "ms": 20.0, "jitter_ms": 15.0, "probability": 0.3, "enabled": False, "ttl_seconds": 5},
    ],
)
def test_how_a_table_is_written_does_not_matter(table: dict[str, Any]):
    assert identities([table]) == identities([LATE])


def test_a_name_is_the_whole_identity():
    first, second = {"name": "mine", **LATE}, {"name": "mine", **WRONG}
    assert identities([first]) == identities([second]) == ["mine"]
    assert len(set(identities([LATE, WRONG, LATER, {"name": "delay", **LATE}]))) == 4
