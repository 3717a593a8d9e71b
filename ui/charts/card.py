"""One card: a title, the figures of its lines at a moment, and the plot."""

from __future__ import annotations

from html import escape

from PyQt5.QtCore import Qt, pyqtSlot
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.capture.reading.chart_lines import Card, Unit
from ui.charts.figures import figure, moment
from ui.charts.model import OWN, Drawing
from ui.charts.plot import Plot
from ui.looks import series, theme
from ui.looks.declared import in_words
from ui.parts.line import Line as Shrinking

MOST_CHARS = 28
"""Characters of a series of one's own beside its figure."""


class ChartCard(QFrame):
    """Shows a ``Card`` of ``CARDS``, or that of series of one's own.

    Attributes:
        plot: its plot.
    """

    def __init__(self, card: Card, unit: Unit, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = card
        self.setProperty("card", True)
        self.plot = Plot(card, unit)
        self.title = Shrinking(in_words(card.title))
        self.title.setProperty("role", "heading")
        self.legend = QLabel()
        self.legend.setTextFormat(Qt.RichText)
        self.legend.setAlignment(Qt.AlignRight | Qt.AlignVCenter)
        self.legend.setProperty("role", "dim")
        head = QHBoxLayout()
        head.setContentsMargins(12, 6, 12, 0)
        head.setSpacing(10)
        head.addWidget(self.title, 1)
        head.addWidget(self.legend)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 4)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.plot)
        # All of the same width, whatever stands in them.
        self.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
        self._drawing: Drawing | None = None
        self._second: float | None = None
        theme.notifier.changed.connect(self._on_theme)

    @pyqtSlot()
    def _on_theme(self) -> None:
        self._tell()

    def draw(self, found: Drawing, card: Card | None = None) -> None:
        """Show the lines; ``card``: those of one's own."""
        self.card = card or self.card
        self._drawing = found
        self.plot.draw(self.card, found)
        self._tell()

    def show_moment(self, second: float | None) -> None:
        """Tell the figures of a moment; None: of the newest point."""
        self._second = second
        self.plot.show_moment(second)
        self._tell()

    def _at(self, found: Drawing) -> int:
        """The point that is told."""
        slots = found.span.slots
        if self._second is not None:
            return max(0, min(len(slots) - 1, int((self._second - slots.start) // found.span.step)))
        lines = [found.values[line.key] for line in self.card.lines]
        return next((at for at in reversed(range(len(slots))) if any(line[at] is not None for line in lines)), -1)

    def _tell(self) -> None:
        found = self._drawing
        if found is None or not len(found.span.slots):
            return
        at, parts, plain = self._at(found), [], []
        for number, line in enumerate(self.card.lines):
            name = line.name if len(line.name) <= MOST_CHARS else f"{line.name[: MOST_CHARS - 1]}…"
            if not self.card.key.startswith(OWN):
                name = in_words(name)
            told = figure(found.values[line.key][at], line.unit)
            parts.append(
                f'<span style="color:{series.colour(number)}">{_MARKS[number % len(_MARKS)]}&nbsp;{escape(name)}</span>'
                f"&nbsp;<b>{escape(told).replace(' ', '&nbsp;')}</b>"
            )
            plain.append(f"{name} {told}")
        self.legend.setText("&nbsp;&nbsp; ".join(parts))
        when = moment(found.span.slots[at])
        self.plot.setAccessibleDescription(f"{when:%H:%M:%S}: {', '.join(plain)}")


_MARKS = ("━", "╍", "━", "┅", "┈", "┉")
"""Signs for the patterns of lines."""
