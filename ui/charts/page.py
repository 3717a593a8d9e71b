"""The page of charts: what is shown of which time, the cards, and the range of times that the panes show."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QGuiApplication, QHideEvent, QResizeEvent, QShowEvent
from PyQt5.QtWidgets import (
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.capture.reading.chart_lines import as_csv
from app.capture.reading.own_series import Wish
from ui.charts import figures
from ui.charts.controls import Controls
from ui.charts.deck import Deck
from ui.charts.model import ChartModel, Drawing
from ui.charts.series_bar import SeriesBar
from ui.parts.copying import copies, copy

NS = 10**9


class ChartsPage(QWidget):
    """All charts of one capture.

    Attributes:
        model: reads what is shown.
        controls, series_bar: what stands above the cards.
        deck: the cards.

    Signals:
        span_chosen: the panes are to show this time, in ns since 1970, or None: all times.
    """

    span_chosen = pyqtSignal(object)

    def __init__(
        self,
        model: ChartModel,
        services: Callable[[], list[str]],
        parent: QWidget | None = None,
        *,
        whole: bool = False,
    ) -> None:
        """``services()`` are the names of services; ``whole``: begin with all of the capture."""
        super().__init__(parent)
        self.model = model
        self._drawing: Drawing | None = None
        self._range: tuple[float, float] | None = None
        self._moment: float | None = None
        self._anchor: float | None = None
        self.controls = Controls(services, whole=whole)
        self.series_bar = SeriesBar(services)
        self.series_bar.hide()
        self.deck = Deck()
        self._lay_out()
        self._connect()

    # -- building

    def _lay_out(self) -> None:
        self.empty = QLabel(
            self.tr("Nothing has been recorded yet.\n\nStart a service and connect to it: its charts appear here.")
        )
        self.empty.setAlignment(Qt.AlignCenter)
        self.empty.setProperty("role", "dim")
        self.empty.setWordWrap(True)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.deck)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.controls)
        column.addWidget(self.series_bar)
        column.addWidget(self._stack, 1)
        self.setMinimumHeight(150)
        self.deck.arrange(self.width())

    def _connect(self) -> None:
        self.controls.changed.connect(self._want)
        self.controls.picture_wanted.connect(self.copy_picture)
        self.controls.figures_wanted.connect(self.copy_figures)
        self.controls.pause.toggled.connect(self.model.set_paused)
        self.controls.series.clicked.connect(self.toggle_series)
        self.series_bar.wished.connect(self.set_wishes)
        for card in self.deck:
            card.plot.pointed.connect(self._on_pointed)
            card.plot.dragged.connect(self._on_dragged)
            card.plot.chosen.connect(self.take_range)
            card.plot.cleared.connect(self.clear_range)
            card.plot.moved.connect(self._on_moved)
            card.setContextMenuPolicy(Qt.CustomContextMenu)
            card.customContextMenuRequested.connect(
                lambda at, card=card: self.controls.copy_menu(card).popup(card.mapToGlobal(at))
            )
        self.deck.drawn.connect(lambda: setattr(self.model, "drawn_in", self.deck.cost))
        self.model.drawn.connect(self._on_drawn)
        self.model.failed.connect(self.controls.words.setText)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.deck.arrange(self.width())
        self._want()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._want()
        self.model.activate(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.model.activate(False)

    # -- what is wanted

    def _want(self) -> None:
        points = max(60, min(1200, self.width() // max(1, self.deck.columns) // 3))
        points -= points % 20  # a few pixels more are no reason to read again
        self.model.want(self.controls.wanted(self.model.wanted, points))

    def set_wishes(self, wishes: tuple[Wish, ...]) -> None:
        """Show these series of one's own."""
        self.series_bar.show_wishes(wishes)
        self.model.set_wishes(wishes)

    def toggle_series(self) -> None:
        """Show or hide where a series is typed."""
        if self.series_bar.isVisible():
            self.series_bar.hide()
        else:
            self.series_bar.show_wishes(self.series_bar.wishes)
            self.series_bar.begin()

    # -- what is drawn

    def _on_drawn(self, found: Drawing) -> None:
        self._drawing = found
        something = found.extent.last >= found.extent.first
        self._stack.setCurrentIndex(1 if something else 0)
        self.deck.draw(found, gently=self.model.gently)
        self.deck.arrange(self.width())
        self._say(found)
        if self._range is not None:
            self._show_range()

    def _say(self, found: Drawing) -> None:
        if found.done < 1:
            self.controls.words.setText(self.tr("Reading events: {share:.0%}").format(share=found.done))
        elif self._range is not None:
            words = self.tr("{first} to {last} selected")
            first, last = (figures.moment(second) for second in self._range)
            self.controls.words.setText(words.format(first=f"{first:%H:%M:%S}", last=f"{last:%H:%M:%S}"))
        else:
            self.controls.words.setText(self.tr("{step} per point").format(step=figures.step(found.span.step)))

    def _on_pointed(self, second: float | None) -> None:
        self._moment = second
        for card in self.deck:
            card.show_moment(second)

    def _on_moved(self, steps: int, extend: bool) -> None:
        """A key moves the moment, and perhaps an end of the range."""
        if self._drawing is None or not len(self._drawing.span.slots):
            return
        slots, size = self._drawing.span.slots, self._drawing.span.step
        if self._moment is None:
            at = len(slots) - 1
        else:
            now = int((self._moment - slots.start) // size)
            at = max(0, min(len(slots) - 1, now + steps))
        moment = slots[at] + size / 2
        if not extend:
            self._anchor = moment
        elif self._anchor is None:
            self._anchor = self._moment if self._moment is not None else moment
        self._on_pointed(moment)
        if extend and self._anchor is not None:
            self._on_dragged(min(self._anchor, moment) - size / 2, max(self._anchor, moment) + size / 2)

    # -- a range of times

    def _on_dragged(self, begin: float, end: float) -> None:
        self._range = (min(begin, end), max(begin, end))
        self._show_range()

    def _show_range(self) -> None:
        for card in self.deck:
            card.plot.show_range(self._range)
        if self._drawing is not None:
            self._say(self._drawing)

    def take_range(self) -> None:
        """Have the panes show the range that is marked."""
        if self._range is not None:
            self.span_chosen.emit((int(self._range[0] * NS), int(self._range[1] * NS)))

    def clear_range(self) -> None:
        """Mark no range, and have the panes show all times."""
        if self._range is not None:
            self._range = None
            self._show_range()
            self.span_chosen.emit(None)

    def show_span(self, span: tuple[int, int] | None) -> None:
        """The panes show this time now."""
        if span is None:
            self._range = None
        elif self._range is None or (int(self._range[0] * NS), int(self._range[1] * NS)) != span:
            self._range = (span[0] / NS, span[1] / NS)
        self._show_range()

    # -- copying

    def figures(self) -> str:
        """What is drawn, as CSV."""
        found = self._drawing
        return as_csv(found.span.slots, found.columns()) if found is not None else ""

    def copy_figures(self) -> None:
        text = self.figures()
        if text:
            copy(text, self.tr("Copied the figures of %n point(s)", "", text.count("\n") - 1))

    def copy_picture(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None and self._drawing is not None:
            self.deck.draw_all()
            clipboard.setPixmap(self.deck.all.grab())
            copies.copied.emit(self.tr("Copied a picture of the charts"))

    def begin(self) -> None:
        """Take the keyboard."""
        self.controls.window_.setFocus(Qt.ShortcutFocusReason)
