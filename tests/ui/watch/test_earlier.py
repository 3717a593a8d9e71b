"""What is said of a watch whose checks were before the program was started."""

from __future__ import annotations

from datetime import datetime

from app.watch.config import WatchConfig
from app.watch.result import Result, Watch
from ui.looks.times import zone
from ui.watch.words import last_words, uptime_words

WHEN = int(datetime(2026, 3, 4, 5, 6, 7, tzinfo=zone()).timestamp()) * 10**9


def test_the_last_words_from_before_the_start_say_when_that_was() -> None:
    watch = Watch(WatchConfig("a", "tcp://127.0.0.1:1"))
    assert last_words(watch) == "not checked yet"
    watch.remember([Result(False, 1.0, "it is gone", time=WHEN), Result(True, 1.0, time=WHEN - 10**9)], 4, 3)
    assert last_words(watch) == "not checked yet; 2026-03-04 05:06: it is gone"
    assert uptime_words(watch) == "75 % of 4"
    watch.set_aside("echo is stopped", 0.0)
    assert last_words(watch) == "Echo is stopped."
    watch.take(Result(True, 1.0, time=WHEN), 1.0)
    assert last_words(watch).startswith("ok at ")
    assert uptime_words(watch) == "80 % of 5"
