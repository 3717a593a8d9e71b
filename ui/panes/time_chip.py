"""What says which time the panes show; a click shows all times again."""

from __future__ import annotations

from PyQt5.QtCore import QSize, pyqtSlot
from PyQt5.QtWidgets import QPushButton

from ui.looks import theme, times
from ui.looks.icons import icon
from ui.panes.event_list import Span
from ui.parts.labels import mark_accessible, plain


class TimeChip(QPushButton):
    """Hidden while all times are shown."""

    def __init__(self) -> None:
        super().__init__()
        self._span: Span | None = None
        self.setAutoDefault(False)
        self.setIcon(icon("close"))
        self.setIconSize(QSize(10, 10))
        self.setProperty("chip", True)
        theme.notifier.changed.connect(self._on_theme)
        self.hide()

    @pyqtSlot()
    def _on_theme(self) -> None:
        self.show_span(self._span)  # the zone of times may be another

    def show_span(self, span: Span | None) -> None:
        """Say that the panes show this time."""
        self._span = span
        self.setVisible(span is not None)
        if span is not None:
            self.setText(in_words(span))
            words = self.tr("Only {time} is shown. Click to show all times again").format(time=self.text())
            self.setToolTip(plain(words))
            mark_accessible(self, self.text(), words)


def in_words(span: Span) -> str:
    """A time as ``21:04:10 – 21:04:52``, with the day where it is not all on one."""
    first, last = (times.moment(time) for time in span)
    day = "" if first.date() == last.date() else f"{first:%Y-%m-%d} "
    other = f"{last:%Y-%m-%d} " if day else ""
    return f"{day}{first:%H:%M:%S} – {other}{last:%H:%M:%S}"
