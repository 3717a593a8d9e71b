"""Runs the program and types a filter again and again.

python -m tests.benchmarks.typing_probe OUTPUT FILTER [what the program takes]
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from app.commands import main as cli
from ui import boot

choose_reactor = boot.choose_reactor

FIRST, PAUSE = 3.0, 0.6
"""Seconds until the first filter is typed, and from the rows of a filter until the next one is typed."""


class Typist:
    """Types a filter, and waits for its rows.

    Attributes:
        samples: ``(time, seconds)``; the seconds from the last key to the first visible row.
    """

    def __init__(self, reactor: Any, typed: str) -> None:
        self._reactor, self._typed = reactor, typed
        self.samples: list[tuple[float, float]] = []
        reactor.callLater(FIRST, self._type)

    def _window(self) -> Any:
        from PyQt5.QtWidgets import QApplication

        from ui.window.main_window import MainWindow

        return next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))

    def _type(self) -> None:
        from PyQt5.QtTest import QTest

        box = self._window().filter
        box.setFocus()
        QTest.keyClicks(box, self._typed)
        self._began = time.monotonic()
        self._reactor.callLater(0.001, self._look)

    def _look(self) -> None:
        window = self._window()
        events = window.panes.current().events
        if events.filtered and len(events) and events.row(0) is not None:
            now = time.monotonic()
            self.samples.append((now, now - self._began))
            window.filter.clear()
            self._reactor.callLater(PAUSE, self._type)
        elif time.monotonic() - self._began < 5:
            self._reactor.callLater(0.001, self._look)


def main() -> None:
    typists: list[Typist] = []

    def with_typist() -> Any:
        reactor = choose_reactor()
        reactor.callWhenRunning(lambda: typists.append(Typist(reactor, sys.argv[2])))
        return reactor

    boot.choose_reactor = with_typist
    code = cli.main(sys.argv[3:], boot.run)
    Path(sys.argv[1]).write_text(json.dumps(typists[0].samples))
    sys.exit(code)


if __name__ == "__main__":
    main()
