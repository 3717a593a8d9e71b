"""The page of charts: what is shown of which time, the cards, and the range of times that the panes show."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtGui import QGuiApplication, QHideEvent, QResizeEvent, QShowEvent
from PyQt5.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.capture.reading.chart_lines import CARDS, Card, as_csv
from app.capture.reading.own_series import Wish
from ui.charts import figures
from ui.charts.card import ChartCard
from ui.charts.model import ALL, OWN, STEP_CHOICES, UNITS, ChartModel, Drawing, own_card
from ui.charts.series_bar import SeriesBar
from ui.looks import theme
from ui.looks.icons import icon
from ui.parts.copying import copies, copy
from ui.parts.labels import mark_accessible
from ui.parts.line import Line

LEAST_WIDTH = 400
"""Pixels of a card; more cards stand beside each other where there is room."""

WINDOWS = (60, 300, 600, 3600, 6 * 3600, 86_400, 7 * 86_400, ALL)
"""Seconds that can be shown; ``ALL``: all of the capture."""

TURN = 12
"""Milliseconds between two cards that are drawn with news of the capture: what else waits has its turn between them."""

NS = 10**9


class ChartsPage(QWidget):
    """All charts of one capture.

    Attributes:
        model: reads what is shown.
        cards: by the key of a card; those of the user's own series begin with ``OWN``.
        window_, step, service, pause, series, copy_: what stands above the cards.

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
        self.model, self._services = model, services
        self._drawing: Drawing | None = None
        self._range: tuple[float, float] | None = None
        self._moment: float | None = None
        self._anchor: float | None = None
        self._columns = 0
        self._waiting: list[Card] = []
        self._unseen: list[Card] = []
        self._turn = QTimer(self)
        self._turn.setInterval(TURN)
        self._turn.timeout.connect(self._draw_next)
        self.series_bar = SeriesBar(services)
        self.series_bar.hide()
        self._make_controls(whole)
        self._make_cards()
        self._lay_out()
        self.series_bar.wished.connect(self._on_wished)
        model.drawn.connect(self._on_drawn)
        model.failed.connect(self.words.setText)

    # -- building

    def _make_controls(self, whole: bool) -> None:
        self.window_, self.step, self.service = QComboBox(), QComboBox(), QComboBox()
        for seconds in WINDOWS:
            words = self.tr("All of the capture") if seconds == ALL else self.tr("Last {time}")
            self.window_.addItem(words.format(time=figures.step(seconds)), seconds)
        self.window_.setCurrentIndex(WINDOWS.index(ALL if whole else 600))
        for seconds in STEP_CHOICES:
            words = (
                self.tr("Points of {time}").format(time=figures.step(seconds)) if seconds else self.tr("Auto points")
            )
            self.step.addItem(words, seconds)
        mark_accessible(self.window_, self.tr("Time that is shown"), "")
        mark_accessible(self.step, self.tr("Resolution"), self.tr("Seconds that one point stands for"))
        mark_accessible(self.service, self.tr("Service"), self.tr("Shows the figures of one service, or of all"))
        for box in (self.window_, self.step, self.service):
            box.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(11)
            box.activated.connect(self._want)
        self.refresh_services()
        self.pause = QToolButton()
        self.pause.setCheckable(True)
        self.pause.setIcon(icon("pause"))
        self.pause.setToolTip(self.tr("Let the charts stand still"))
        self.pause.setAccessibleName(self.pause.toolTip())
        self.pause.toggled.connect(self.model.set_paused)
        self.series = QPushButton()
        self.series.setAutoDefault(False)
        self.series.setText(self.tr("+ Series from a filter"))
        self.series.setToolTip(self.tr("Count events that fit a filter, their bytes, or the average of a field"))
        self.series.clicked.connect(self._toggle_series)
        self.copy_ = QToolButton()
        self.copy_.setIcon(icon("copy"))
        self.copy_.setToolTip(self.tr("Copy the charts as a picture, or their figures as CSV"))
        self.copy_.setAccessibleName(self.tr("Copy"))
        self.copy_.setPopupMode(QToolButton.InstantPopup)
        self.copy_.setMenu(self._copy_menu(self.copy_))
        self.words = Line()
        self.words.setProperty("role", "dim")

    def _copy_menu(self, parent: QWidget) -> QMenu:
        menu = QMenu(parent)
        menu.addAction(self.tr("Copy as &picture")).triggered.connect(lambda: self.copy_picture())
        menu.addAction(self.tr("Copy figures as &CSV")).triggered.connect(lambda: self.copy_figures())
        return menu

    def _make_cards(self) -> None:
        self.all = QWidget()
        self.all.setProperty("surface", "window")
        self.all.setAttribute(Qt.WA_StyledBackground)
        self._grid = QGridLayout(self.all)
        self._grid.setContentsMargins(12, 4, 12, 12)
        self._grid.setSpacing(10)
        self.cards: dict[str, ChartCard] = {}
        own = [(own_card(unit), unit) for unit in UNITS]
        for card, unit in (*own, *((card, card.lines[0].unit) for card in CARDS)):
            made = self.cards[card.key] = ChartCard(card, unit, self.all)
            made.setHidden(card.key.startswith(OWN))
            plot = made.plot
            plot.pointed.connect(self._on_pointed)
            plot.dragged.connect(self._on_dragged)
            plot.chosen.connect(self.take_range)
            plot.cleared.connect(self.clear_range)
            plot.moved.connect(self._on_moved)
            made.setContextMenuPolicy(Qt.CustomContextMenu)
            made.customContextMenuRequested.connect(
                lambda at, made=made: self._copy_menu(made).popup(made.mapToGlobal(at))
            )

    def _lay_out(self) -> None:
        bar = QWidget()
        bar.setProperty("surface", "window")
        bar.setAttribute(Qt.WA_StyledBackground)
        row = QHBoxLayout(bar)
        row.setContentsMargins(12, 8, 12, 6)
        row.setSpacing(8)
        for part in (self.window_, self.service, self.step, self.pause):
            row.addWidget(part)
        row.addWidget(self.words, 1)
        row.addWidget(self.series)
        row.addWidget(self.copy_)
        self.empty = QLabel(
            self.tr("Nothing has been recorded yet.\n\nStart a service and connect to it: its charts appear here.")
        )
        self.empty.setAlignment(Qt.AlignCenter)
        self.empty.setProperty("role", "dim")
        self.empty.setWordWrap(True)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QScrollArea.NoFrame)
        self._scroll.setFocusPolicy(Qt.NoFocus)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.all)
        self._scroll.verticalScrollBar().valueChanged.connect(self._draw_seen)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self._scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(bar)
        column.addWidget(self.series_bar)
        column.addWidget(self._stack, 1)
        self.setMinimumHeight(150)
        self._arrange()

    def _arrange(self) -> None:
        """Put the cards into as many columns as there is room for."""
        columns = max(1, (self.width() - 12) // theme.scaled(LEAST_WIDTH))
        shown = [card for card in self.cards.values() if not card.isHidden()]
        if columns == self._columns and len(shown) == self._grid.count():
            return
        self._columns = columns
        while self._grid.count():
            self._grid.takeAt(0)
        for at, card in enumerate(shown):
            self._grid.addWidget(card, at // columns, at % columns)
        for column in range(8):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self._grid.setRowStretch(20, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
        self._want()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._want()
        self.model.activate(True)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.model.activate(False)

    # -- what is wanted

    def refresh_services(self) -> None:
        """The services may be others."""
        now = self.service.currentData() or ""
        self.service.clear()
        self.service.addItem(self.tr("All services"), "")
        for name in self._services():
            self.service.addItem(name, name)
        self.service.setCurrentIndex(max(0, self.service.findData(now)))

    def _want(self, *_: object) -> None:
        points = max(60, min(1200, self.width() // max(1, self._columns) // 3))
        points -= points % 20  # a few pixels more are no reason to read again
        self.model.want(
            replace(
                self.model.wanted, seconds=self.window_.currentData(), service=self.service.currentData() or "",
                step=self.step.currentData(), points=points,
            )
        )  # fmt: skip

    def set_wishes(self, wishes: tuple[Wish, ...]) -> None:
        """Show these series of one's own."""
        self.series_bar.show_wishes(wishes)
        self.model.set_wishes(wishes)

    def _on_wished(self, wishes: tuple[Wish, ...]) -> None:
        self.set_wishes(wishes)

    def _toggle_series(self) -> None:
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
        cards = [*(own_card(unit, found) for unit in UNITS), *CARDS]
        for card in cards[: len(UNITS)]:
            self.cards[card.key].setVisible(bool(card.lines))
        self._arrange()
        self._waiting, self._unseen = [card for card in cards if card.lines], []
        self.model.drawn_in = 0.0
        if self.model.gently:
            self._turn.start()
        else:
            self._draw_all()
        self._say(found)
        if self._range is not None:
            self._show_range()

    def _draw_all(self) -> None:
        """Draw what waits, seen or not."""
        self._turn.stop()
        self._waiting += self._unseen
        self._unseen = []
        while self._waiting:
            self._draw(self._waiting.pop(0))

    def _draw_next(self) -> None:
        """Draw the next card that is seen; the others wait until they are scrolled to."""
        while self._waiting:
            card = self._waiting.pop(0)
            if not self.cards[card.key].visibleRegion().isEmpty():
                self._draw(card)
                break
            self._unseen.append(card)
        if not self._waiting:
            self._turn.stop()

    def _draw_seen(self) -> None:
        """Cards were scrolled to."""
        if self._unseen:
            self._waiting += self._unseen
            self._unseen = []
            self._turn.start()

    def _draw(self, card: Card) -> None:
        if self._drawing is not None:
            began = time.thread_time()
            self.cards[card.key].draw(self._drawing, card)
            self.model.drawn_in += 2 * (time.thread_time() - began)  # it is painted later, for about as long

    def _say(self, found: Drawing) -> None:
        if found.done < 1:
            self.words.setText(self.tr("Looking at the events: {share:.0%}").format(share=found.done))
        elif self._range is not None:
            words = self.tr("{first} to {last} selected")
            first, last = (figures.moment(second) for second in self._range)
            self.words.setText(words.format(first=f"{first:%H:%M:%S}", last=f"{last:%H:%M:%S}"))
        else:
            self.words.setText(self.tr("{step} a point").format(step=figures.step(found.span.step)))

    def _on_pointed(self, second: float | None) -> None:
        self._moment = second
        for card in self.cards.values():
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
        for card in self.cards.values():
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
            copy(text, self.tr("Copied the figures of {count:,} points").format(count=text.count("\n") - 1))

    def copy_picture(self) -> None:
        clipboard = QGuiApplication.clipboard()
        if clipboard is not None and self._drawing is not None:
            self._draw_all()
            clipboard.setPixmap(self.all.grab())
            copies.copied.emit(self.tr("Copied a picture of the charts"))

    def begin(self) -> None:
        """Take the keyboard."""
        self.window_.setFocus(Qt.ShortcutFocusReason)
