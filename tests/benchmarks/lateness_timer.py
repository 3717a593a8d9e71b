"""A timer that measures how late the event loop runs it."""

from __future__ import annotations

from time import monotonic

from PyQt5.QtCore import Qt, QTimer

INTERVAL = 16


class LatenessTimer(QTimer):
    """Asks for its turn 16 ms ahead, again and again.

    Attributes:
        samples: when each turn came, and by how many milliseconds too late.
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
