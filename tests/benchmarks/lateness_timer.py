"""A timer that measures how late the event loop calls it."""

from __future__ import annotations

from time import monotonic

from PyQt5.QtCore import Qt, QTimer

INTERVAL = 16


class LatenessTimer(QTimer):
    """Fires every 16 ms, and records how late each time.

    Attributes:
        samples: the time of each call, and its lateness in ms.
    """

    def __init__(self) -> None:
        super().__init__()
        self.samples: list[tuple[float, float]] = []
        self.setSingleShot(True)
        self.setTimerType(Qt.PreciseTimer)
        self.timeout.connect(self._on_timeout)
        self._due = 0.0

    def ask(self) -> None:
        self._due = monotonic() + INTERVAL / 1000
        self.start(INTERVAL)

    def _on_timeout(self) -> None:
        now = monotonic()
        self.samples.append((now, max(0.0, (now - self._due) * 1000)))
        self.ask()
