"""The bar that says that the capture is paused, since when, and what was not stored meanwhile."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QPushButton

from app.capture.recorder import Recorder
from ui.bridge import Bridge
from ui.looks import theme
from ui.looks.english import form_of
from ui.looks.times import moment
from ui.parts.notice_bar import NoticeBar


class PauseBar(NoticeBar):
    """Hidden unless the capture is paused."""

    def __init__(self, recorder: Recorder, bridge: Bridge, resume: Callable[[], object]) -> None:
        super().__init__("warning", closable=False)
        self._recorder = recorder
        self.button = QPushButton(self.tr("Resume"))
        self.button.setAutoDefault(False)
        self.button.setToolTip(self.tr("Store events again"))
        self.button.clicked.connect(lambda: resume())
        self.layout().addWidget(self.button)
        self.layout().setAlignment(self._mark, Qt.AlignVCenter)
        bridge.pause_changed.connect(self.refresh)
        bridge.measured.connect(self.refresh)
        theme.notifier.changed.connect(self.refresh)  # the format of times may have changed, too
        self.refresh()

    @pyqtSlot()
    def refresh(self, *_: object) -> None:
        """Say how much was not stored so far."""
        pause = self._recorder.pause_now
        if pause is None:
            self.say("")
            return
        since = f"{moment(pause.since):%H:%M:%S}"
        if not pause.count:
            words = self.tr("The capture has been paused since {time}. The services go on.")
        else:
            words = self.tr(
                "The capture has been paused since {time}. {count:,} event(s) (was|were) not stored. "
                "The services go on.",
                "",
                form_of(pause.count),
            )
        self.say(words.format(time=since, count=pause.count))
