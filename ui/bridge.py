"""From the Post's plain signals to Qt's, in batches: the one place where the two meet."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from time import monotonic

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

from app.capture.recorder import Stored, Trouble
from app.post import Post
from app.services.service import Service

TICK, BUSY_TICK = 100, 250
"""Milliseconds between two batches for the panes; the second while more than ``BUSY`` events
come with each, of which nobody could read half: what is shown gives way before the servers do."""

BUSY = 20

MEASURE = 0.5
"""Seconds over which a rate is measured."""

SPARK = 40
"""Values in the little line that shows a service's traffic."""


@dataclass
class Traffic:
    """What the window shows of one service's traffic.

    Attributes:
        rate: bytes a second, both ways.
        spark: bytes of the last ``SPARK`` measurements, oldest first.
    """

    rate: float = 0.0
    spark: deque[float] = field(default_factory=lambda: deque([0.0] * SPARK, SPARK))
    total: int = 0


class Bridge(QObject):
    """Emits the Post's news no more often than ten times a second, and nothing while there is none.

    Attributes:
        traffic: by service.
        lateness: seconds by which the last tick came late: what the event loop is behind.

    Signals:
        ticked: something was stored; carries what the capture holds.
        measured: the figures of traffic, counters and connections may be others.
        services_changed: services came, went, moved or were replaced.
        status_changed: the service whose status changed, at once.
        trouble_changed: what keeps the capture from being written, or None.
        plugins_changed: there is another plugin to ask about, or something else to say of them.
    """

    ticked = pyqtSignal(object)
    measured = pyqtSignal()
    services_changed = pyqtSignal()
    status_changed = pyqtSignal(object)
    trouble_changed = pyqtSignal(object)
    plugins_changed = pyqtSignal()

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post
        self.traffic: dict[str, Traffic] = {}
        self.lateness = 0.0
        self._stored = post.recorder.range
        self._seen = 0
        self._interval = TICK
        self._due = self._measured = monotonic()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        recorder = post.recorder
        self._disconnect = [
            recorder.stored_changed.connect(self._on_stored),
            recorder.trouble_changed.connect(self._on_trouble),
            post.services_changed.connect(lambda _: self.services_changed.emit()),
            post.status_changed.connect(self._on_status),
            post.plugins.changed.connect(lambda _: self.plugins_changed.emit()),
        ]

    def close(self) -> None:
        """Hear no more."""
        for disconnect in self._disconnect:
            disconnect()
        self._timer.stop()

    def of(self, service: Service) -> Traffic:
        return self.traffic.setdefault(service.config.name, Traffic())

    def _on_stored(self, stored: Stored) -> None:
        self._stored = stored
        self._wake()

    def _on_trouble(self, trouble: Trouble | None) -> None:
        self.trouble_changed.emit(trouble)
        self._wake()

    def _on_status(self, service: Service) -> None:
        self.status_changed.emit(service)
        self._wake()

    def _wake(self) -> None:
        if not self._timer.isActive():
            now = monotonic()
            # After a rest the measuring begins anew, or the rest would thin the rate.
            if now - self._due > 1:
                self._measured = now
            self._due = now + self._interval / 1000
            self._timer.start(self._interval)

    def _tick(self) -> None:
        self.lateness = max(0.0, monotonic() - self._due)
        seen = self._post.recorder.seen
        self._interval = BUSY_TICK if seen - self._seen > BUSY else TICK
        self._seen = seen
        self.ticked.emit(self._stored)
        moving = True
        if self._due - self._measured > MEASURE - TICK / 2000:
            moving = self._measure()
            self.measured.emit()
        # While nothing can be stored there is no news of it either, and yet connections come and go.
        if moving or self._post.recorder.trouble:
            self._wake()

    def _measure(self) -> bool:
        """Bring the rates up to date. Whether any line is still to fall back to nothing."""
        now = monotonic()
        seconds = max(1e-3, now - self._measured)
        self._measured = now
        moving = False
        for service in self._post.services.values():
            traffic = self.of(service)
            total = sum(service.bytes_so_far())
            traffic.rate = max(0, total - traffic.total) / seconds
            traffic.total = total
            traffic.spark.append(traffic.rate)
            moving = moving or any(traffic.spark)
        return moving
