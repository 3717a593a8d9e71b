"""One line for work that takes a while: what is being done, how far it is, and a Cancel button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget
from twisted.internet.defer import Deferred

InThread = Callable[..., Deferred[Any]]

Call = Callable[[Callable[[int, int], None], Callable[[], bool]], Any]
"""Called in a thread with ``progress(done, of)``, which it calls now and then, and ``cancelled()``, which it asks."""

LOOK = 100
"""Milliseconds between two updates of the progress bar."""

STEPS = 1000


class Work:
    """Work in a thread.

    Attributes:
        done, of: how much is done, of how much; ``of`` is 0 while it is unknown.
        cancelled: whether it is to stop.
        result: fires in the caller's thread with what ``call(progress, cancelled)`` returns or raises.
    """

    def __init__(self, in_thread: InThread, call: Call) -> None:
        self.done, self.of = 0, 0
        self.cancelled = False
        self.result: Deferred[Any] = in_thread(call, self._progress, lambda: self.cancelled)

    def _progress(self, done: int, of: int) -> None:
        # Not atomic: the window may read a new ``done`` with an old ``of``, until its next update.
        self.done, self.of = done, of

    def cancel(self) -> None:
        """Ask the call to stop."""
        self.cancelled = True


class ProgressLine(QWidget):
    """Shows the progress of work. Hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.work: Work | None = None
        self.words = QLabel()
        self.words.setTextFormat(Qt.PlainText)
        self.bar = QProgressBar()
        self.bar.setRange(0, STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.setToolTip(self.tr("Stop, and delete what was written so far"))
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
        """Show the progress of ``work`` until it ends. ``words`` say what it does."""
        self.work = work
        self._said = words
        self.cancel_button.setEnabled(True)
        self._look()
        self._timer.start()
        self.show()
        work.result.addBoth(self._ended)

    def cancel(self) -> None:
        """Ask the work to stop."""
        if self.work is not None:
            self.work.cancel()
            self.cancel_button.setEnabled(False)
            self._said = self.tr("Stopping…")
            self._look()

    def _ended(self, result: Any) -> Any:
        self.work = None
        self._timer.stop()
        self.hide()
        return result

    def _look(self) -> None:
        if self.work is None:
            return
        # While the total is unknown, the bar shows that something happens, but no share.
        self.bar.setRange(0, STEPS if self.work.of else 0)
        share = self.work.done / self.work.of if self.work.of else 0
        self.bar.setValue(round(share * STEPS))
        percent = f"  {share:.0%}" if self.work.of else ""
        self.words.setText(f"{self._said}{percent}")
