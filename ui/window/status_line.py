"""The status bar: the figures of services, capture and event loop."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QSize, Qt, pyqtSlot
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAction, QLabel, QPushButton, QStatusBar, QWidget

from app.capture.reading.losses import FILTER
from app.post import Post
from app.status import Listening
from app.text.escapes import amount
from ui.bridge import Bridge
from ui.forms.form import set_property
from ui.looks import theme
from ui.looks.english import form_of
from ui.parts.copying import tell_in
from ui.parts.labels import plain

EDGE = 8
"""Pixels at either end of the bar."""

TOLD = 8000
"""Milliseconds for which it says what was done."""

NOTHING_LOST = QT_TRANSLATE_NOOP("StatusLine", "Events that could not be stored, or that the kernel dropped")


class StatusLine(QStatusBar):
    """Services and connections, what was seen, stored, lost and failed, the loop's lateness, the file."""

    def __init__(self, post: Post, bridge: Bridge, show_failures: QAction) -> None:
        """A click on the count of failures triggers ``show_failures``."""
        super().__init__()
        self._post, self._bridge = post, bridge
        self.setSizeGripEnabled(False)
        self._listening = self._add(self.tr("Services that listen"))
        self._connections = self._add(self.tr("Live connections and UDP peers"))
        self._seen = self._add(self.tr("Events since the start"))
        self._stored = self._add(self.tr("Events that were stored since the start"))
        self._lost = self._add(self.tr(NOTHING_LOST))
        self.failures = QPushButton()
        self.failures.setProperty("role", "error")
        self.failures.setToolTip(self.tr("Failures since the start. Click to show them"))
        self._unresolved: int | None = None  # it is not known yet
        self.failures.clicked.connect(show_failures.trigger)
        self.addWidget(self.failures)
        self._passed = self._add(self.tr("Events that were not stored, because the capture was paused"))
        self._loop = self._add(self.tr("Delay of the event loop at its last turn"), right=True)
        self._size = self._add(self.tr("Size of the capture"), right=True)
        self._file = self._add("", right=True)
        self._fitting = False
        tell_in(self)
        self.messageChanged.connect(lambda _: self.fit())
        bridge.measured.connect(self.refresh)
        theme.notifier.fonts_changed.connect(self.fit)
        bridge.services_changed.connect(self.refresh)
        bridge.status_changed.connect(self.refresh)
        self.refresh()

    def _add(self, tip: str, *, right: bool = False) -> QLabel:
        label = QLabel()
        label.setToolTip(tip)
        label.setTextFormat(Qt.PlainText)
        if right:
            self.addPermanentWidget(label)
        else:
            self.addWidget(label)
        return label

    def tell(self, words: str) -> None:
        """Say for a while what was done, in place of the figures."""
        self.showMessage(words, TOLD)

    def refresh(self, *_: object) -> None:
        """Show the current figures."""
        post, recorder = self._post, self._post.recorder
        services = [owner for owner in post.owners() if not owner.outgoing]
        up = sum(isinstance(service.status, Listening) for service in services)
        live = sum(service.accepted for service in services)
        self._listening.setText(self.tr("{up} of {services} listening").format(up=up, services=len(services)))
        self._connections.setText(self.tr("{count:,} connection(s)", "", form_of(live)).format(count=live))
        self._seen.setText(self.tr("seen {seen:,}").format(seen=recorder.seen))
        self._stored.setText(self.tr("stored {stored:,}").format(stored=recorder.stored))
        self._passed.setText(self.tr("paused {count}").format(count=f"{recorder.not_taken:,}"))
        self._lost.setText(self.tr("lost {lost:,}").format(lost=recorder.lost))
        self._lost.setToolTip(_lost_words(recorder.losses.because) if recorder.lost else self.tr(NOTHING_LOST))
        role = "error" if recorder.lost else ""
        if self._lost.property("role") != role:
            self._lost.setProperty("role", role)
            self._lost.style().unpolish(self._lost)
            self._lost.style().polish(self._lost)
        self._say_failures(recorder.failures)
        self._loop.setText(self.tr("loop {ms:.1f} ms").format(ms=self._bridge.lateness * 1000))
        self._size.setText(amount(recorder.range.bytes))
        if post.capture is not None:
            self._file.setText(post.capture.name)
            self._file.setToolTip(plain(str(post.capture)))
        self.fit()

    # -- room

    def minimumSizeHint(self) -> QSize:
        # What does not fit is left out as a whole, so that no figure is ever cut.
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    @pyqtSlot()
    def fit(self) -> None:
        """Show the figures for which there is room; the others are in the bar's tooltip."""
        if self._fitting or self.currentMessage():  # a message takes the place of all figures for a while
            return
        self._fitting = True
        recorder = self._post.recorder
        wanted: dict[QWidget, bool] = {
            self._listening: True,
            self._lost: True,
            self.failures: bool(recorder.failures),
            self._passed: bool(recorder.not_taken),
            self._seen: True,
            self._stored: True,
            self._connections: True,
            self._size: True,
            self._loop: True,
            self._file: bool(self._file.text()),
        }
        room, left_out = self.width() - 2 * EDGE, []
        for part, there in wanted.items():
            if there:
                room -= part.sizeHint().width() + self.layout().spacing()
            shown = there and room >= 0
            part.setVisible(shown)
            if there and not shown and isinstance(part, QLabel):
                left_out.append(part.text())
        self.setToolTip(plain(" · ".join(left_out)) if left_out else "")
        self._fitting = False

    def show_unresolved(self, count: int) -> None:
        """Say that so many failures are in groups that are not resolved."""
        self._unresolved = count
        self._say_failures(self._post.recorder.failures)
        self.fit()

    def _say_failures(self, count: int) -> None:
        unresolved = count if self._unresolved is None else self._unresolved
        shown = unresolved or count
        text = self.tr("{count:,} failure(s)", "", form_of(shown)).format(count=shown)
        if not unresolved:
            text = self.tr("{failures}, resolved").format(failures=text)
        self.failures.setText(text)
        set_property(self.failures, "role", "error" if unresolved else "dim")


def _lost_words(because: Mapping[str, int]) -> str:
    """How many were lost and why, and where to look."""
    why = "; ".join(f"{count:,}: {why}" for why, count in because.items())
    words = QCoreApplication.translate(
        "StatusLine", "Events that are not in the capture: {why}. The filter “{filter}” shows when they were lost"
    )
    return plain(words.format(why=why, filter=FILTER))
