"""One line for what takes a while: what is done, how far it is, and Cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget
from twisted.internet.defer import Deferred

InThread = Callable[..., Deferred[Any]]

Call = Callable[[Callable[[int, int], None], Callable[[], bool]], Any]
"""Takes how to tell what is done of how much, and how to ask whether it was cancelled."""

LOOK = 100
"""Milliseconds between two looks at how far it is."""

STEPS = 1000


class Work:
    """Something long, in a thread. What it is given says how far it is, and whether it is still wanted.

    Attributes:
        result: fires in the caller's thread with what ``call(progress, cancelled)`` returns or raises.
    """

    def __init__(self, in_thread: InThread, call: Call) -> None:
        self.done, self.of = 0, 0
        self.cancelled = False
        self.result: Deferred[Any] = in_thread(call, self._progress, lambda: self.cancelled)

    def _progress(self, done: int, of: int) -> None:
        # Both at once is not needed: the next look sees them.
        self.done, self.of = done, of

    def cancel(self) -> None:
        self.cancelled = True


class ProgressLine(QWidget):
    """Hidden while nothing is under way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.work: Work | None = None
        self.words = QLabel()
        self.words.setTextFormat(Qt.PlainText)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName("Progress")
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setToolTip("Stop here and leave nothing of it behind")
        self.cancel_button.setAutoDefault(False)
        self.cancel_button.clicked.connect(self.cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        row.addWidget(self.words)
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel_button)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK)
        self._timer.timeout.connect(self._look)
        self.hide()

    def follow(self, work: Work, words: str) -> None:
        """Show how far ``work`` is until it ends."""
        self.work = work
        self._said = words
        self.cancel_button.setEnabled(True)
        self._look()
        self._timer.start()
        self.show()
        work.result.addBoth(self._ended)

    def cancel(self) -> None:
        """Have it stop at the next chance."""
        if self.work is not None:
            self.work.cancel()
            self.cancel_button.setEnabled(False)
            self._said = "Stopping…"
            self._look()

    def _ended(self, result: Any) -> Any:
        self.work = None
        self._timer.stop()
        self.hide()
        return result

    def _look(self) -> None:
        if self.work is None:
            return
        # Until it knows how much there is, the bar only moves.
        self.bar.setRange(0, STEPS if self.work.of else 0)
        share = self.work.done / self.work.of if self.work.of else 0
        self.bar.setValue(round(share * STEPS))
        percent = f"  {share:.0%}" if self.work.of else ""
        self.words.setText(f"{self._said}{percent}")
