"""What was typed and what was changed elsewhere, brought together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.ui.desk import config
from tests.ui.workbench.bench import shop
from ui.workbench.page.merging import merged

A, B, C = {"path": "/a"}, {"path": "/b"}, {"path": "/c"}
WRONG, NEW = {"path": "~("}, {"path": "/new"}


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ([A, WRONG, C], [A, B, C], [A, WRONG, C]),
        ([A, WRONG, C], [NEW, A, B, C], [NEW, A, WRONG, C]),
        ([A, WRONG, C], [A, B, C, NEW], [A, WRONG, C, NEW]),
        ([A, WRONG, C], [A, B], [A, WRONG]),
        ([A, WRONG, C], [A, {**B, "status": 404}, C], [A, {**WRONG, "status": 404}, C]),
        ([A, WRONG, C], [A, {**B, "path": "/else"}, C], [A, {**B, "path": "/else"}, C]),
        ([A, WRONG, C], [A, C], [A, C]),
        ([A, B, C, WRONG], [A, B, C, NEW], [A, B, C, NEW, WRONG]),
        ([WRONG, A, B, C], [A, B], [WRONG, A, B]),
        ([A, B], [NEW, A, B, C], [NEW, A, B]),
        ([A, B, C], [C, B, A], [C, B, A]),
        ([], [A, B, C, NEW], [NEW]),
    ],
)
def test_rules(mine: list[Any], theirs: list[Any], both: list[Any]) -> None:
    base = shop(A, B, C)
    options = [{"rules": rules} for rules in (mine, theirs)]
    found = merged(base, *(replace(base, options=one) for one in options))
    assert found.options["rules"] == both


def test_each_value_is_from_who_changed_it() -> None:
    base = shop(A, limits={"peers": 3})
    mine = replace(base, port=7, limits={"peers": 3, "idle_seconds": 1.0}, name="mine")
    theirs = replace(base, group="Bench", faults=({"kind": "delay"},), seed=5, limits={}, name="theirs")
    found = merged(base, mine, theirs)
    assert found == replace(theirs, port=7, limits={"idle_seconds": 1.0})


def test_the_options_of_two_responders_are_not_mixed() -> None:
    base = config(responder="line", options={"welcome": "a"})
    mine = replace(base, responder="banner", options={"text": "b"})
    assert merged(base, mine, replace(base, group="Bench")) == replace(mine, group="Bench")
    theirs = replace(base, options={"welcome": "c"})
    assert merged(base, mine, theirs) == theirs
    theirs = replace(base, responder="echo", options={})
    assert merged(base, replace(base, port=7), theirs) == theirs
