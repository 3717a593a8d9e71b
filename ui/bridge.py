"""Turns the plain signals of the Post into Qt signals, in batches. Nothing else connects the two."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

from app.capture.recorder import Stored, Trouble
from app.faults.live import Faults
from app.post import Post
from app.programs.hosted import HostedProgram
from app.programs.shown import HostedPort
from app.services.service import Service

TICK, BUSY_TICK = 100, 250
"""Milliseconds between two batches. The second applies while a batch has more than ``BUSY`` events: nobody
reads that fast, and the time goes to the servers."""

BUSY = 20

CALM = 500
"""Milliseconds between two batches while nothing is stored, and only the lines of traffic move."""

MEASURE = 0.5
"""Seconds over which a rate is averaged."""

SPARK = 40
"""Values of the sparkline of a service's traffic."""


@dataclass
class Traffic:
    """The traffic of one service.

    Attributes:
        rate: bytes a second, received and sent.
        spark: the last ``SPARK`` rates, oldest first.
        total: bytes up to the last measurement.
    """

    rate: float = 0.0
    spark: deque[float] = field(default_factory=lambda: deque([0.0] * SPARK, SPARK))
    total: int = 0


class Bridge(QObject):
    """Emits what changed in the Post, at most ten times a second, and nothing while nothing changes.

    Attributes:
        traffic: by the name of the service.
        lateness: seconds by which the last tick was late, which is how far the event loop lags behind.

    Signals:
        ticked: events were stored; carries a Stored, the range that the capture holds.
        measured: traffic, counters and connections may have changed.
        services_changed: services were added, removed, reordered or replaced.
        faults_changed: faults of services were switched, added or taken away, or have hit.
        watches_changed: watches have checked, are paused or may run again, or there are others.
        status_changed: the status of a service or program changed; carries that. Emitted at once.
        pause_changed: the capture was paused, or goes on.
        capture_changed: the capture is another file now, which is open.
        trouble_changed: carries the Trouble that keeps the capture from being written, or None.
        plugins_changed: messages about plugins may have changed.
        plugin_renewed: a service goes on with what was loaded anew; carries its name. Emitted at once.
        alerts_changed: an alert was added, changed, raised or resolved, or has told somebody. Emitted at once.
        question_changed: there may be another question about trust, or none any more.
    """

    ticked = pyqtSignal(object)
    measured = pyqtSignal()
    faults_changed = pyqtSignal()
    watches_changed = pyqtSignal()
    services_changed = pyqtSignal()
    status_changed = pyqtSignal(object)
    trouble_changed = pyqtSignal(object)
    pause_changed = pyqtSignal()
    capture_changed = pyqtSignal()
    plugins_changed = pyqtSignal()
    plugin_renewed = pyqtSignal(str)
    question_changed = pyqtSignal()
    alerts_changed = pyqtSignal()

    def __init__(self, post: Post) -> None:
        super().__init__()
        self._post = post
        self.traffic: dict[str, Traffic] = {}
        self.lateness = 0.0
        self._faults: dict[Faults, Callable[[], None]] = {}
        self._hit = self._watched = False
        self._stored = post.recorder.range
        self._seen, self._told, self._calm = 0, self._stored, False
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
            recorder.pause_changed.connect(self._on_pause),
            post.capture_changed.connect(lambda _: self.capture_changed.emit()),
            post.services_changed.connect(self._on_services),
            post.status_changed.connect(self._on_status),
            post.programs.status_changed.connect(self._on_status),
            post.plugins.changed.connect(lambda _: self.plugins_changed.emit()),
            post.plugins.renewed.connect(self.plugin_renewed.emit),
            post.question_changed.connect(lambda _: self.question_changed.emit()),
            post.watches.changed.connect(self._on_watch),
            post.watches.list_changed.connect(self._on_watch),
            post.alerts.changed.connect(lambda _: self.alerts_changed.emit()),
        ]
        self._follow_faults()

    def close(self) -> None:
        """Disconnect from the Post."""
        for disconnect in (*self._disconnect, *self._faults.values()):
            disconnect()
        self._timer.stop()

    def of(self, service: Service | HostedPort | HostedProgram) -> Traffic:
        """The traffic of a service, of a port of a program, or of all of its ports."""
        return self.traffic.setdefault(service.config.name, Traffic())

    def _on_services(self, _: Post) -> None:
        self._follow_faults()
        self.services_changed.emit()

    def _follow_faults(self) -> None:
        present = [owner.faults for owner in self._post.owners()]
        for faults in [faults for faults in self._faults if faults not in present]:
            self._faults.pop(faults)()
        for faults in present:
            if faults not in self._faults:
                self._faults[faults] = faults.changed.connect(self._on_fault)

    def _on_fault(self, _: Faults) -> None:
        """Thousands of times a second: told with the next batch."""
        self._hit = True
        self._wake()

    def _on_watch(self, _: object) -> None:
        """A hundred may be checked in a second: told with the next batch."""
        self._watched = True
        self._wake()

    def _on_stored(self, stored: Stored) -> None:
        self._stored = stored
        self._wake()

    def _on_trouble(self, trouble: Trouble | None) -> None:
        self.trouble_changed.emit(trouble)
        self._wake()

    def _on_pause(self, _: None) -> None:
        self.pause_changed.emit()
        self._wake()

    def _on_status(self, service: Service | HostedProgram) -> None:
        self.status_changed.emit(service)
        self._wake()

    def _wake(self, *, calm: bool = False) -> None:
        """Tell of what is new with the next batch. ``calm``: nothing is, only lines move."""
        if not self._timer.isActive() or self._calm:
            now = monotonic()
            # After a pause, measure from now on: the pause would lower the rate.
            if now - self._due > 1:
                self._measured = now
            interval = CALM if calm else self._interval
            self._calm = calm
            self._due = now + interval / 1000
            self._timer.start(interval)

    def _tick(self) -> None:
        self.lateness = max(0.0, monotonic() - self._due)
        self._calm, stored = False, self._told != self._stored
        self._told = self._stored
        seen = self._post.recorder.seen
        self._interval = BUSY_TICK if seen - self._seen > BUSY else TICK
        self._seen = seen
        self.ticked.emit(self._stored)
        if self._hit:
            self._hit = False
            self.faults_changed.emit()
        if self._watched:
            self._watched = False
            self.watches_changed.emit()
        moving = True
        if self._due - self._measured > MEASURE - TICK / 2000:
            moving = self._measure()
            self.measured.emit()
        # While the capture cannot be written nothing is stored, so nothing wakes us; but connections change.
        if moving or self._post.recorder.trouble:
            self._wake(calm=not stored and not self._post.recorder.trouble)

    def _measure(self) -> bool:
        """Measure all rates. True while any sparkline is not flat yet."""
        now = monotonic()
        seconds = max(1e-3, now - self._measured)
        self._measured = now
        moving = False
        for service in (*self._post.owners(), *self._post.programs):
            traffic = self.of(service)
            total = sum(service.bytes_so_far())
            traffic.rate = max(0, total - traffic.total) / seconds
            traffic.total = total
            traffic.spark.append(traffic.rate)
            moving = moving or any(traffic.spark)
        return moving
