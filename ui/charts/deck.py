"""The cards of all charts, in as many columns as there is room for."""

from __future__ import annotations

import time
from collections.abc import Iterator

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import QGridLayout, QScrollArea, QWidget

from app.capture.reading.chart_lines import CARDS, Card
from ui.charts.card import ChartCard
from ui.charts.model import OWN, UNITS, Drawing, own_card
from ui.looks import theme

LEAST_WIDTH = 400
"""Pixels of a card; more cards stand beside each other where there is room."""

TURN = 12
"""Milliseconds between two cards that are drawn with news of the capture: what else waits has its turn between them."""


class Deck(QScrollArea):
    """Scrolls over the cards.

    Attributes:
        cards: by their keys; those of the user's own series begin with ``OWN``.
        all: holds them.
        columns: how many stand beside each other.
        cost: seconds of CPU that drawing has taken since ``draw``.

    Signals:
        drawn(): a card was.
    """

    drawn = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.columns, self.cost = 0, 0.0
        self._found: Drawing | None = None
        self._waiting: list[Card] = []
        self._unseen: list[Card] = []
        self.turn = QTimer(self)
        self.turn.setInterval(TURN)
        self.turn.timeout.connect(self._draw_next)
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
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.NoFrame)
        self.setFocusPolicy(Qt.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setWidget(self.all)
        self.verticalScrollBar().valueChanged.connect(self._draw_seen)

    def __iter__(self) -> Iterator[ChartCard]:
        return iter(self.cards.values())

    def arrange(self, width: int) -> None:
        """Put the cards that are shown into as many columns as fit."""
        columns = max(1, (width - 12) // theme.scaled(LEAST_WIDTH))
        shown = [card for card in self if not card.isHidden()]
        if columns == self.columns and len(shown) == self._grid.count():
            return
        self.columns = columns
        while self._grid.count():
            self._grid.takeAt(0)
        for at, card in enumerate(shown):
            self._grid.addWidget(card, at // columns, at % columns)
        for column in range(8):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self._grid.setRowStretch(20, 1)

    def draw(self, found: Drawing, *, gently: bool) -> None:
        """Show what was read; ``gently``: one card after the other, those that are seen."""
        self._found, self.cost = found, 0.0
        cards = [*(own_card(unit, found) for unit in UNITS), *CARDS]
        for card in cards[: len(UNITS)]:
            self.cards[card.key].setVisible(bool(card.lines))
        self._waiting, self._unseen = [card for card in cards if card.lines], []
        if gently:
            self.turn.start()
        else:
            self.draw_all()

    def draw_all(self) -> None:
        """Draw what waits, seen or not."""
        self.turn.stop()
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
            self.turn.stop()

    def _draw_seen(self) -> None:
        """Cards were scrolled to."""
        if self._unseen:
            self._waiting += self._unseen
            self._unseen = []
            self.turn.start()

    def _draw(self, card: Card) -> None:
        if self._found is not None:
            began = time.thread_time()
            self.cards[card.key].draw(self._found, card)
            self.cost += 2 * (time.thread_time() - began)  # it is painted later, for about as long
            self.drawn.emit()
