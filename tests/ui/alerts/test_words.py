"""What is said of an alert that was raised before the program was started."""

from __future__ import annotations

from datetime import datetime
from time import time_ns

from app.alerts.alert import Alert
from app.alerts.counting import Watched
from ui.alerts.words import state
from ui.looks.times import zone


def test_one_that_was_raised_on_another_day_says_which() -> None:
    one = Watched(Alert("a", "x"))
    assert state(one, 0.0) == ("armed", "good")
    one.raised_at = int(datetime(2026, 3, 4, 5, 6, 7, tzinfo=zone()).timestamp()) * 10**9
    assert state(one, 0.0) == ("armed, last raised 2026-03-04 05:06", "good")
    one.raised_at = time_ns()
    assert "-" not in state(one, 0.0)[0]
