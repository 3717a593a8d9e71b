"""Runs the program with the page of its first service open, types there, and measures the event loop.

python -m tests.benchmarks.page_probe OUTPUT [charts] [what the program takes]

With ``charts``, the dock of charts is in view, too.
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

FIRST, PAUSE = 1.0, 0.12
"""Seconds until the page is opened, and from one key to the next."""


def typist(reactor: Any, charts: bool) -> Any:
    """An object that opens the page and types; its ``samples`` are the times of keys and the ms until painted."""
    from PyQt5.QtCore import QEvent, QObject, Qt
    from PyQt5.QtGui import QKeyEvent
    from PyQt5.QtWidgets import QApplication, QLineEdit

    from ui.window.main_window import MainWindow

    class Typist(QObject):
        def __init__(self) -> None:
            super().__init__()
            self.samples: list[tuple[float, float]] = []
            self._began = 0.0
            reactor.callLater(FIRST, self._open)

        def _open(self) -> None:
            window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
            if charts:
                window.charts.charts()
            page = window.workbench.open(next(iter(window.workbench._post.services)))
            assert page is not None
            assert page.rules is not None
            page.rules.choose(0, "match")
            self._field = page.rules.form.focusWidget()
            assert isinstance(self._field, QLineEdit), self._field
            self._field.installEventFilter(self)
            self._type()

        def _type(self) -> None:
            key, text = (Qt.Key_A, "a") if len(self._field.text()) < 40 else (Qt.Key_Backspace, "")
            self._began = time.monotonic()
            QApplication.postEvent(self._field, QKeyEvent(QEvent.KeyPress, key, Qt.NoModifier, text))

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Paint and self._began:
                now = time.monotonic()
                self.samples.append((now, (now - self._began) * 1000))
                self._began = 0.0
                reactor.callLater(PAUSE, self._type)
            return False

    return Typist()


def main() -> None:
    made: list[Any] = []
    charts = sys.argv[2] == "charts"

    def with_probes() -> Any:
        # The one place that the program has between its application and its window.
        from tests.benchmarks.lateness_timer import LatenessTimer

        reactor = choose_reactor()
        made.append(LatenessTimer())
        reactor.callWhenRunning(made[0].ask)
        reactor.callWhenRunning(lambda: made.append(typist(reactor, charts)))
        return reactor

    boot.choose_reactor = with_probes
    code = cli.main(sys.argv[2 + charts :], boot.run)
    Path(sys.argv[1]).write_text(json.dumps({"late": made[0].samples, "keys": made[1].samples}))
    sys.exit(code)


if __name__ == "__main__":
    main()
