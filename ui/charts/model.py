"""What the page of charts shows, read by the reader's thread: once in a second at most, and only while in view."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from PyQt5.QtCore import QT_TRANSLATE_NOOP, QObject, QTimer, pyqtSignal

from app.capture.filters.errors import FilterError
from app.capture.reading.chart_lines import CARDS, FOREVER, Card, Line, Unit, Values
from app.capture.reading.charts import STEPS, Chart, Charts, Extent, Span, fitting
from app.capture.reading.own_series import OwnSeries, Wish
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from ui.looks.declared import in_words

PACE, SLOWEST = 1000, 10_000
"""The least and the most milliseconds between two readings while the capture grows."""

SHARE = 60
"""What one reading and drawing takes is at most one part of so many: the rest is for the servers."""

BUDGET = 0.08
"""Seconds for which one reading looks at events: pages of the panes are read between two of them."""

LEAST = 60
"""Seconds that are shown at the least."""

ALL = 0
"""The window of time that is all of the capture."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be shown.

    Attributes:
        seconds: before the newest event; ``ALL``: all of the capture.
        service: its name; empty: all.
        step: seconds of a point; 0: as there is room.
        points: for how many there is room.
    """

    seconds: int = 600
    service: str = ""
    step: int = 0
    points: int = 400


@dataclass(frozen=True, slots=True)
class Drawing:
    """All that is drawn.

    Attributes:
        until: seconds since 1970 up to which the chart is known.
        values: of each line, by its key; of series of one's own, by their place: ``own 0``.
        done: the share of the events that were looked at, where some have to be: 1 where all were.
        cost: seconds of CPU that it took to read.
    """

    chart: Chart
    extent: Extent
    until: float
    wishes: tuple[Wish, ...] = ()
    values: dict[str, Values] = field(default_factory=dict)
    done: float = 1.0
    cost: float = 0.0

    @property
    def span(self) -> Span:
        return self.chart.span

    def columns(self) -> list[tuple[str, Values]]:
        """What is drawn, as columns of a table: name and values."""
        names = [line.key for card in CARDS for line in card.lines]
        found = [(name, self.values[name]) for name in names]
        return found + [(str(wish), self.values[f"{OWN}{at}"]) for at, wish in enumerate(self.wishes)]


OWN = "own "
"""Begins the keys of series of one's own, and of their cards."""

UNITS: tuple[Unit, ...] = ("/s", "B/s", "s", "B", "")
"""Series of one's own with the same unit stand in one card."""


OWN_TITLES = {"/s": QT_TRANSLATE_NOOP("declared", "Your events"), "B/s": QT_TRANSLATE_NOOP("declared", "Your bytes")}
OWN_AVERAGES = QT_TRANSLATE_NOOP("declared", "Your averages")


def own_card(unit: Unit, found: Drawing | None = None) -> Card:
    """The card of the series of one's own that have this unit."""
    wishes = enumerate(found.wishes) if found is not None else ()
    lines = [
        Line(f"{OWN}{at}", wish.typed or in_words("all events"), unit, partial(_given, found.values[f"{OWN}{at}"]))
        for at, wish in wishes
        if wish.unit == unit and found is not None
    ]
    return Card(f"{OWN}{unit}", OWN_TITLES.get(unit, OWN_AVERAGES), tuple(lines))


def _given(values: Values, chart: Chart, until: float) -> Values:
    return values


class ChartModel(QObject):
    """Reads again when the capture has grown, and what is wanted has changed.

    Attributes:
        gently: whether what was drawn last is only news of the capture: nobody waits for it.
        drawn_in: seconds of CPU that the last drawing took, as whoever draws says.

    Signals:
        drawn: carries a Drawing.
        failed: carries why a series cannot be shown, in words.
    """

    drawn = pyqtSignal(object)
    failed = pyqtSignal(str)

    def __init__(
        self, reader: Reader, folder: Path | None, *, live: bool, parent: QObject | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        """``folder`` remembers summaries of older captures; ``live``: whether the capture grows."""
        super().__init__(parent)
        self._reader, self._folder, self._live, self._now = reader, folder, live, now
        self.wanted = Wanted()
        self.wishes: tuple[Wish, ...] = ()
        self._own: tuple[OwnSeries, ...] = ()
        self.drawing: Drawing | None = None
        self.active = self.paused = False
        self._stale = True
        self.gently, self.drawn_in = False, 0.0
        self._asking: object = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._go_on)
        self.read_anew()

    # -- what is wanted

    def want(self, wanted: Wanted) -> None:
        """Show this from now on."""
        if wanted != self.wanted:
            self.wanted = wanted
            self._asking = None
            self.refresh()

    def set_wishes(self, wishes: tuple[Wish, ...]) -> None:
        """Show these series of one's own; those that were there before keep what they know."""
        known = {one.wish: one for one in self._own}
        try:
            self._own = tuple(known.get(wish) or OwnSeries(wish) for wish in wishes)
        except FilterError as e:
            self.failed.emit(str(e))
            return
        self.wishes = wishes
        self._asking = None
        self.refresh()

    def read_anew(self) -> None:
        """The reader reads another capture now."""
        self._charts = Charts(self._folder)
        self._own = tuple(OwnSeries(wish) for wish in self.wishes)
        self._asking = None
        self.refresh()

    def activate(self, active: bool) -> None:
        """Follow the capture, or stop while nobody looks."""
        self.active = active
        if active and self._stale:
            self.refresh()

    def set_paused(self, paused: bool) -> None:
        """Let what is drawn stand still; it is read again when something else is wanted, and afterwards."""
        self.paused = paused
        if not paused:
            self.refresh()

    def let_go(self) -> None:
        """Take no more answers: the window closes."""
        self.active = False
        self._asking = None
        self._pause.stop()

    # -- reading

    def on_stored(self, _: object = None) -> None:
        """The capture has grown, perhaps."""
        self._stale = True
        if self.active and not self.paused and not self._pause.isActive() and self._asking is None:
            self.refresh(gently=True)

    def refresh(self, *, gently: bool = False) -> None:
        """Read what is wanted."""
        self._stale = True
        if not self.active:
            return
        self._stale = False
        asking = self._asking = object()
        charts, own, wanted = self._charts, self._own, self.wanted
        until = self._now() if self._live else FOREVER

        def read(store: Store) -> Drawing:
            return drawing(store, charts, own, wanted, until)

        def done(found: Drawing | None) -> None:
            if asking is not self._asking:
                return
            self._asking = None
            if found is None:  # it cannot be read now; it is asked for again when it has grown
                return
            self.drawing, self.gently = found, gently
            self.drawn.emit(found)
            if found.done < 1:
                self.refresh(gently=gently)
            else:
                self._rest(found)

        nothing: Drawing | None = None
        self._reader.read(read, nothing, done)

    def _rest(self, found: Drawing) -> None:
        """Read no sooner than in a second, and once more when the newest point is complete."""
        last = found.span.slots[-1] if len(found.span.slots) else 0
        begun = self._live and found.span.step == 1 and found.until < last + found.span.step
        self._stale = self._stale or begun
        cost = found.cost + self.drawn_in
        self._pause.start(round(min(SLOWEST, max(PACE, cost * SHARE * 1000))))

    def _go_on(self) -> None:
        if self._stale and self.active and not self.paused and self._asking is None:
            self.refresh(gently=True)


def drawing(store: Store, charts: Charts, own: tuple[OwnSeries, ...], wanted: Wanted, until: float) -> Drawing:
    """Read what is wanted, in the thread of the reader, and look at a few more of the events that have to be."""
    used = time.thread_time()
    done = [charts.step(store)]
    began = time.monotonic()
    shares = [0.0] * len(own)
    while min(shares, default=1) < 1:
        before = list(shares)
        shares = [one.step(store) if share < 1 else 1.0 for one, share in zip(own, shares, strict=True)]
        if shares == before or time.monotonic() - began > BUDGET:
            break
    extent = charts.extent(store)
    chart = charts.read(store, span_of(extent, wanted), wanted.service)
    values = {line.key: line.values(chart, until) for card in CARDS for line in card.lines}
    for at, one in enumerate(own):
        values[f"{OWN}{at}"] = one.values(chart.span, until)
    wishes = tuple(one.wish for one in own)
    return Drawing(chart, extent, until, wishes, values, min([*done, *shares]), time.thread_time() - used)


def span_of(extent: Extent, wanted: Wanted) -> Span:
    """The span that is shown: up to the event stored last, whatever the times of others."""
    first, last = extent.first, extent.last
    if wanted.seconds != ALL:
        last = extent.newest or last
        first = max(last - wanted.seconds + 1, min(extent.first, last))
    first, last = min(first, last - LEAST + 1), max(last, 1)
    found = fitting(first, last, wanted.points)
    if wanted.step and (last - first) / wanted.step <= 5000:
        found = Span(first, last, wanted.step)
    return found


STEP_CHOICES = (0, *STEPS)
"""Steps that can be chosen; 0: as there is room."""
