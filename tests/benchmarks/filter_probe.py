"""Times one filter over a capture: in an event pane, and through the store.

python -m tests.benchmarks.filter_probe CAPTURE NEEDLE REPEATS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from PyQt5.QtCore import QEventLoop, qInstallMessageHandler
from PyQt5.QtWidgets import QApplication

qInstallMessageHandler(lambda *_: None)  # the offscreen platform warns of features that it lacks
application = QApplication(sys.argv[:1])

from ui.boot import choose_reactor  # noqa: E402
from ui.looks import english  # noqa: E402

english.install(application)

reactor = choose_reactor()

from app.capture.filters.language import parse  # noqa: E402
from app.capture.reading.reader import Reader  # noqa: E402
from app.capture.reading.store import Store  # noqa: E402
from app.capture.recorder import Stored  # noqa: E402
from tests.benchmarks.lateness_timer import LatenessTimer  # noqa: E402
from ui.panes.event_pane import EventPane  # noqa: E402


def through_store(path: Path, needle: str) -> tuple[float, int]:
    """Seconds, and the number of matches."""
    store = Store(path)
    began = perf_counter()
    matches = sum(len(ids) for ids in store.ids(parse(needle), *store.range()))
    took = perf_counter() - began
    store.close()
    return took, matches


def through_sqlite(path: Path, needle: str) -> float:
    """Seconds of one SQL statement that counts the matches."""
    store = Store(path)
    began = perf_counter()
    store.count(parse(needle))
    took = perf_counter() - began
    store.close()
    return took


def in_pane(path: Path, needle: str) -> tuple[float, float, int]:
    """Seconds until the last row is visible, the largest lateness of a 16 ms timer in ms, and the number of rows."""
    reader = Reader(path, reactor.callFromThread)
    store = Store(path)
    first, last = store.range()
    store.close()
    pane = EventPane(reader)
    pane.resize(1000, 600)
    pane.show()
    pane.on_stored(Stored(first, last, 0))
    pane.events.activate(True)
    turn(0.3)
    timer = LatenessTimer()
    timer.ask()
    began = perf_counter()
    pane.set_filter(needle)
    while pane.events.scanning or (len(pane.events) and pane.events.row(len(pane.events) - 1) is None):
        # Wait for events, as the program does: a busy loop would slow down the reader's thread.
        application.processEvents(QEventLoop.WaitForMoreEvents)
    pane.grab()
    took, rows = perf_counter() - began, len(pane.events)
    timer.stop()
    pane.close()
    reader.close()
    return took, max((late for _, late in timer.samples), default=0.0), rows


def turn(seconds: float) -> None:
    """Process events for some seconds."""
    until = perf_counter() + seconds
    while perf_counter() < until:
        application.processEvents()


def main() -> None:
    path, needle, repeats = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    reactor.runReturn()
    panes = [in_pane(path, needle) for _ in range(repeats)]
    stores = [through_store(path, needle) for _ in range(repeats)]
    found = {
        "pane": median(took for took, _, _ in panes),
        "pause": max(pause for _, pause, _ in panes),
        "store": median(took for took, _ in stores),
        "sqlite": median(through_sqlite(path, needle) for _ in range(repeats)),
        "matches": stores[0][1] if stores[0][1] == panes[0][2] else -1,
    }
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
