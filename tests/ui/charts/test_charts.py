"""The dock of charts: what it draws, the range that panes show, keys, series, copies, and when it reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PyQt5.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt5.QtGui import QMouseEvent
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QMainWindow
from pytestqt.qtbot import QtBot

from app.capture.reading.charts import Span
from app.capture.reading.own_series import BYTES, Wish
from app.capture.reading.store import Store
from app.capture.recorder import Stored
from tests.ui.charts import samples
from tests.ui.desk import InstantReader, config, memory_post, settle
from ui.charts import figures
from ui.charts.commands import ChartCommands
from ui.charts.model import ALL, OWN, ChartModel, Drawing, Wanted, span_of
from ui.charts.page import NS, ChartsPage
from ui.looks import series, theme
from ui.panes.browser import Browser
from ui.settings import Settings

pytestmark = pytest.mark.usefixtures("dark")

SECONDS = 120


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.make(tmp_path_factory.mktemp("charts") / "sample.lpost", SECONDS)


class Desk:
    """A window with panes and charts of the sample."""

    def __init__(self, path: Path, settings: Settings) -> None:
        post, _ = memory_post(config("sensor-hub"), config("shop", 9480))
        self.reader: Any = InstantReader(path)
        self.window = QMainWindow()
        self.browser = Browser(post, self.reader, post.sender.in_thread, settings, self.window)
        self.window.setCentralWidget(self.browser)
        self.window.resize(1300, 800)
        names = lambda: list(samples.NAMES)  # noqa: E731
        self.charts = ChartCommands(self.reader, self.browser, names, settings, self.window, live=False, whole=True)
        store = Store(path)
        self.browser.panes.on_stored(Stored(*store.range(), 0))
        store.close()

    @property
    def page(self) -> ChartsPage:
        return self.charts.dock.page

    @property
    def drawing(self) -> Drawing:
        found = self.page.model.drawing
        assert found is not None
        return found

    def drag(self, key: str, begin: float, end: float) -> None:
        """Drag over a part of a card."""
        view = self.page.deck.cards[key].plot.viewport()
        y = view.height() // 2
        box = self.page.deck.cards[key].plot.getPlotItem().vb.sceneBoundingRect()
        xs = [box.left() + share * box.width() for share in (begin, (begin + end) / 2, end)]
        QTest.mousePress(view, Qt.LeftButton, Qt.NoModifier, QPoint(int(xs[0]), y))
        for x in xs[1:]:
            event = QMouseEvent(QEvent.MouseMove, QPointF(x, y), Qt.NoButton, Qt.LeftButton, Qt.NoModifier)
            QApplication.sendEvent(view, event)
        QTest.mouseRelease(view, Qt.LeftButton, Qt.NoModifier, QPoint(int(xs[2]), y))
        settle()


@pytest.fixture
def desk(sample: Path, settings: Settings, qtbot: QtBot, tmp_path: Path, monkeypatch: Any) -> Iterator[Desk]:
    monkeypatch.setattr("ui.charts.commands.data_folder", lambda: tmp_path)
    made = Desk(sample, settings)
    qtbot.addWidget(made.window)
    made.window.show()
    made.charts.charts()
    settle()
    yield made
    made.charts.let_go()
    made.browser.let_go()
    made.reader.held.clear()
    settle()
    made.reader.close()


def test_each_card_draws_what_was_read(desk):
    found = desk.drawing
    assert found.span.step == 1
    for key, card in desk.page.deck.cards.items():
        if key.startswith(OWN):
            assert card.isHidden()
            continue
        for line, curve in zip(card.card.lines, card.plot.curves, strict=True):
            _, ys = curve.getData()
            drawn = [] if ys is None else list(ys)
            known = [value for value in found.values[line.key] if value is not None]
            assert len([y for y in drawn if y == y]) == len(known), line.key
    assert "received" in desk.page.deck.cards["traffic"].legend.text()
    assert desk.page.deck.cards["latency"].plot._heat.isVisible()


def test_a_drag_has_every_pane_show_that_time_and_the_chip_clears_it(desk):
    panes = desk.browser.panes
    before = len(panes.all.events)
    desk.drag("requests", 0.25, 0.5)
    assert panes.span is not None
    first, last = panes.span
    assert 25 <= (last - first) / NS <= 35
    events = panes.all.events
    assert 0 < len(events) < before
    ends = events.row(0), events.row(len(events) - 1)  # which are read now
    ends = events.row(0), events.row(len(events) - 1)
    assert first <= ends[0].time <= ends[1].time <= last
    assert panes.time.isVisible()
    for pane in (panes.http, panes.failures, panes.of("shop"), panes.conversations):
        panes.setCurrentWidget(pane)
        settle()
        assert pane.events.span == panes.span
    panes.setCurrentWidget(panes.http)
    settle()
    assert 0 < len(panes.http.events) < SECONDS * 20
    assert panes.shown().exchanges.values == panes.span
    panes.setCurrentWidget(panes.all)
    QTest.mouseClick(panes.time, Qt.LeftButton)
    settle()
    assert panes.span is None
    assert len(panes.all.events) == before
    assert panes.time.isHidden()
    assert not desk.page.deck.cards["requests"].plot.region.isVisible()


def test_a_double_click_or_escape_clears_the_range(desk):
    desk.drag("traffic", 0.1, 0.4)
    plot = desk.page.deck.cards["traffic"].plot
    QTest.keyClick(plot, Qt.Key_Escape)
    assert desk.browser.panes.span is None
    assert desk.charts.dock.isVisible()
    desk.drag("traffic", 0.1, 0.4)
    QTest.mouseDClick(plot.viewport(), Qt.LeftButton)
    assert desk.browser.panes.span is None
    QTest.keyClick(plot, Qt.Key_Escape)
    assert desk.charts.dock.isHidden()


def test_keys_tell_figures_and_choose_a_range(desk):
    plot = desk.page.deck.cards["requests"].plot
    plot.setFocus()
    for key in (Qt.Key_End, Qt.Key_Left, Qt.Key_Left):
        QTest.keyClick(plot, key)
    slots = desk.drawing.span.slots
    assert plot.line.value() == slots[-3] + 0.5
    told = plot.accessibleDescription()
    assert figures.figure(desk.drawing.values["requests"][-3], "/s") in told
    for _ in range(4):
        QTest.keyClick(plot, Qt.Key_Left, Qt.ShiftModifier)
    QTest.keyClick(plot, Qt.Key_Return)
    assert desk.browser.panes.span == (slots[-7] * NS, (slots[-3] + 1) * NS)


def test_the_pointer_tells_the_figures_of_a_moment_in_all_cards(desk):
    page = desk.page
    page.deck.cards["traffic"].plot.pointed.emit(desk.drawing.span.slots[5] + 0.2)
    wanted = figures.figure(desk.drawing.values["requests"][5], "/s")
    assert wanted in page.deck.cards["requests"].legend.text()
    assert all(card.plot.line.isVisible() for card in page.deck.cards.values())


def test_one_service_one_step_and_another_time(desk):
    page = desk.page
    all_received = sum(desk.drawing.values["received_bytes"])
    page.controls.service.setCurrentIndex(page.controls.service.findData("shop"))
    page.controls.service.activated.emit(0)
    assert all_received > sum(desk.drawing.values["received_bytes"]) == 0
    page.controls.step.setCurrentIndex(page.controls.step.findData(30))
    page.controls.step.activated.emit(0)
    assert desk.drawing.span.step == 30
    page.controls.window_.setCurrentIndex(page.controls.window_.findData(60))
    page.controls.window_.activated.emit(0)
    assert desk.drawing.span.first == samples.BEGIN + SECONDS - 60


def test_series_of_ones_own_are_drawn_kept_and_removed(desk, settings):
    page = desk.page
    page.toggle_series()
    page.series_bar.filter.setText("http.status >= 400")
    QTest.keyClick(page.series_bar.filter, Qt.Key_Return)
    page.series_bar.measure.setCurrentIndex(page.series_bar.measure.findData(BYTES))
    page.series_bar.filter.setText("service == sensor-hub")
    QTest.mouseClick(page.series_bar.add, Qt.LeftButton)
    settle()
    assert desk.drawing.wishes == (Wish("http.status >= 400"), Wish("service == sensor-hub", BYTES))
    assert desk.drawing.done == 1
    errors = [a + b for a, b in zip(*(desk.drawing.values[k] for k in ("client_errors", "server_errors")), strict=True)]
    assert desk.drawing.values[f"{OWN}0"] == errors
    shown = [key for key, card in page.deck.cards.items() if key.startswith(OWN) and not card.isHidden()]
    assert shown == [f"{OWN}/s", f"{OWN}B/s"]
    assert settings.chart_series == ["count: http.status >= 400", "bytes: service == sensor-hub"]
    page.series_bar.wished.emit(())
    settle()
    assert settings.chart_series == []
    assert all(card.isHidden() for key, card in page.deck.cards.items() if key.startswith(OWN))


def test_a_filter_that_means_nothing_adds_no_series(desk):
    page = desk.page
    page.toggle_series()
    page.series_bar.filter.setText("size >")
    QTest.keyClick(page.series_bar.filter, Qt.Key_Return)
    assert desk.drawing.wishes == ()


def test_the_copied_figures_are_those_that_are_drawn(desk):
    desk.page.set_wishes((Wish("", "size"),))
    desk.page.copy_figures()
    rows = list(csv.DictReader(io.StringIO(QApplication.clipboard().text())))
    assert len(rows) == len(desk.drawing.span.slots)
    for name, values in desk.drawing.columns():
        back = [float(row[name]) if row[name] else None for row in rows]
        assert back == [value if value is None else pytest.approx(value, rel=1e-5) for value in values], name
    desk.page.copy_picture()
    assert QApplication.clipboard().image().width() > 900


def test_news_are_drawn_card_by_card_those_in_view_first(desk, qtbot):
    page = desk.page
    desk.charts.dock.setFixedHeight(330)
    settle()
    drawn = []
    for key, card in page.deck.cards.items():
        card.draw = lambda *_, key=key: drawn.append(key)
    page.model.refresh(gently=True)
    assert drawn == []
    qtbot.waitUntil(lambda: not page.deck.turn.isActive())
    assert drawn[:2] == ["traffic", "requests"]
    assert "memory" not in drawn
    bar = page.deck.verticalScrollBar()
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: "memory" in drawn)


def test_with_nothing_recorded_it_says_so(capture, reader, qtbot):
    page = ChartsPage(ChartModel(reader, None, live=True), list)
    qtbot.addWidget(page)
    page.show()
    assert page._stack.currentWidget() is page.empty
    page.model.let_go()


def test_it_reads_only_while_it_is_seen_and_something_is_new(sample, qtbot):
    reader: Any = InstantReader(sample)
    now = float(samples.BEGIN + SECONDS + 5)
    model = ChartModel(reader, None, live=True, now=lambda: now)
    drawn: list[Drawing] = []
    model.drawn.connect(drawn.append)
    model.on_stored()
    assert drawn == []
    model.activate(True)
    assert len(drawn) == 1
    model.on_stored()  # too soon: the next one is after a pause
    assert len(drawn) == 1
    assert model._pause.isActive()
    model._pause.stop()
    model._go_on()
    assert len(drawn) == 2
    model._pause.stop()
    model._go_on()  # nothing is new: no timer is left
    assert len(drawn) == 2
    assert not model._pause.isActive()
    model.drawn_in = 0.1
    model._rest(drawn[-1])
    assert model._pause.remainingTime() > 4000  # the servers come first
    model._pause.stop()
    model.set_paused(True)
    model.on_stored()
    assert len(drawn) == 2
    model.set_paused(False)
    assert len(drawn) == 3
    model.activate(False)
    model._pause.stop()
    model.on_stored()
    assert len(drawn) == 3
    model.let_go()
    reader.close()


def test_the_newest_point_is_drawn_when_it_is_complete(sample, qtbot):
    reader: Any = InstantReader(sample)
    now = [samples.BEGIN + SECONDS - 0.6]
    model = ChartModel(reader, None, live=True, now=lambda: now[0])
    model.activate(True)
    assert model.drawing.values["requests"][-1] is None
    assert model._stale
    now[0] += 1
    model._go_on()
    assert model.drawing.values["requests"][-1] > 0
    assert not model._stale
    model.let_go()
    reader.close()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_lines_are_told_apart_by_colour_and_pattern_on_each_surface(name):
    surface = {"dark": theme.DARK, "light": theme.LIGHT}[name].panel
    assert all(theme.contrast(colour, surface) >= theme.AA_TEXT for colour in series.COLOURS[name])
    assert len(set(series.COLOURS[name])) == 6
    assert len({series.pen(at).style() for at in range(6)}) >= 5


def test_figures_have_units_and_few_digits():
    told = [figures.figure(value, unit) for value, unit in (
        (None, "/s"), (1234.5, "B/s"), (0.00034, "s"), (0.0123, "s"), (1.5, "s"), (12.345, "/s"), (1_234_567, ""),
        (171_000_000, "B"),
    )]  # fmt: skip
    assert told == ["–", "1.2 kB/s", "340 µs", "12 ms", "1.5 s", "12.3/s", "1.23 M", "171 MB"]
    assert [figures.step(value) for value in (5, 300, 3600, 86_400, 604_800)] == [
        "5 s",
        "5 min",
        "1 h",
        "1 day",
        "7 days",
    ]


def test_the_window_of_time_ends_with_the_event_stored_last():
    from app.capture.reading.charts import Extent

    # One event of a clock that was a year ahead.
    assert span_of(Extent(1000, 40_000_000, 5000), Wanted(600)) == Span(4401, 5000, 2)
    assert span_of(Extent(1000, 5000, 5000), Wanted(ALL, points=100)) == Span(1000, 5000, 60)
    assert span_of(Extent(4990, 5000, 5000), Wanted(600)).first == 4941
