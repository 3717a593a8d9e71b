"""One plot: lines over time, perhaps on a heat map; the pointer and the keys choose a moment or a range of times."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PyQt5.QtCore import QEvent, QRectF, Qt, pyqtSignal, pyqtSlot
from PyQt5.QtGui import QBrush, QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPen, QWheelEvent

from app.capture import rollup
from app.capture.reading.chart_lines import Card, Unit
from ui.charts.axes import TimeAxis, UnitAxis
from ui.charts.model import Drawing
from ui.looks import series, theme

HEIGHT = 118
"""Pixels of a plot."""

_LOWEST = math.log10(rollup.middle(-0.5))
_OCTAVE = math.log10(2) / rollup.PER_OCTAVE


class Plot(pg.PlotWidget):
    """The lines of one card.

    Signals:
        pointed: the pointer or a key is at this second since 1970; None: at none.
        dragged: a range is being chosen, from and to a second.
        chosen(): the range that was being chosen is to be taken.
        cleared(): no range is wanted any more.
    """

    pointed = pyqtSignal(object)
    dragged = pyqtSignal(float, float)
    chosen = pyqtSignal()
    cleared = pyqtSignal()

    def __init__(self, card: Card, unit: Unit) -> None:
        self.powers, self._unit = card.histogram is not None, unit
        axes = {"bottom": TimeAxis("bottom"), "left": UnitAxis(unit, powers=self.powers)}
        super().__init__(axisItems=axes)
        self._histogram = card.histogram
        self._drawing: Drawing | None = None
        self._from: float | None = None
        self.curves: list[Any] = []
        self._alone: list[Any] = []
        self._heat = pg.ImageItem(axisOrder="row-major")
        self._heat.setZValue(-10)
        self._heat.hide()
        item = self.getPlotItem()
        item.addItem(self._heat)
        item.hideButtons()
        item.setMenuEnabled(False)
        item.setContentsMargins(0, 4, 8, 0)
        self.setFixedHeight(HEIGHT)
        self.setFrameShape(pg.QtWidgets.QFrame.NoFrame)
        self.setMouseEnabled(False, False)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName(card.title)
        self.line = pg.InfiniteLine(angle=90)
        self.region = pg.LinearRegionItem(movable=False)
        for part in (self.line, self.region):
            part.setZValue(20)
            part.hide()
            item.addItem(part, ignoreBounds=True)
        for at in range(len(card.lines)):
            self._add_curve(at)
        theme.notifier.changed.connect(self._on_theme)
        self._on_theme()

    def _add_curve(self, at: int) -> None:
        curve = pg.PlotDataItem(connect="finite", antialias=True)
        curve.setZValue(5 - at)
        self.addItem(curve)
        self.curves.append(curve)
        alone = pg.ScatterPlotItem(size=3, pxMode=True)
        self.addItem(alone)
        self._alone.append(alone)

    @pyqtSlot()
    def _on_theme(self) -> None:
        now = theme.current()
        self.setBackground(QColor(now.panel))
        font = theme.ui_font()
        font.setPointSizeF(font.pointSizeF() * 0.82)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(QPen(QColor(now.line)))
            axis.setTextPen(QPen(QColor(now.dim)))
            axis.setTickFont(font)
            axis.setStyle(tickLength=-4, tickTextOffset=5)
        self.getAxis("left").setGrid(60)
        self.line.setPen(QPen(QColor(now.dim)))
        chosen = QColor(now.accent)
        chosen.setAlpha(46)
        self.region.setBrush(QBrush(chosen))
        for edge in self.region.lines:
            edge.setPen(QPen(QColor(now.accent)))
        for at, curve in enumerate(self.curves):
            curve.setPen(series.pen(at))
            self._alone[at].setPen(None)
            self._alone[at].setBrush(QBrush(QColor(series.colour(at))))
        fill = QColor(series.colour(0))
        fill.setAlpha(38)
        if self.curves and not self.powers:
            self.curves[0].setFillLevel(0)
            self.curves[0].setFillBrush(QBrush(fill))
        heat = [QColor(colour) for colour in series.heat()]
        heat[0].setAlpha(0)
        table = pg.ColorMap(None, [colour.getRgb() for colour in heat]).getLookupTable(0.0, 1.0, 256, alpha=True)
        self._heat.setLookupTable(table)

    # -- drawing

    def draw(self, card: Card, found: Drawing) -> None:
        """Show the lines of ``card``."""
        self._drawing = found
        span = found.span
        xs = np.array(span.slots, dtype=float) + span.step / 2
        highest = 0.0
        for at, line in enumerate(card.lines):
            ys = np.array([math.nan if v is None else v for v in found.values[line.key]], dtype=float)
            if self.powers:
                ys = np.log10(np.maximum(ys, 1e-6))
            if at >= len(self.curves):
                self._add_curve(at)
                self._on_theme()
            known = ys[np.isfinite(ys)]
            if known.size:
                highest = max(highest, float(known.max()))
            self.curves[at].setData(xs, ys)
            self._draw_alone(at, xs, ys)
        for curve in (*self.curves[len(card.lines) :], *self._alone[len(card.lines) :]):
            curve.setData([], [])
        begin, end = span.slots.start, span.slots.start + len(span.slots) * span.step
        self.setXRange(begin, end, padding=0)
        if self.powers:
            self._draw_heat(found)
        else:
            self.setYRange(0, max(highest * 1.08, 0 if highest and self._unit else 4), padding=0)

    def _draw_alone(self, at: int, xs: Any, ys: Any) -> None:
        """Show the points that no line leads to, since nothing is known before and after them."""
        known = np.isfinite(ys)
        beside = np.zeros_like(known)
        beside[1:] |= known[:-1]
        beside[:-1] |= known[1:]
        alone = known & ~beside
        self._alone[at].setData(xs[alone], ys[alone])

    def _draw_heat(self, found: Drawing) -> None:
        assert self._histogram is not None
        histograms, span = self._histogram(found.chart), found.span
        used = sorted({bucket for histogram in histograms.values() for bucket in histogram})
        self._heat.setVisible(bool(used))
        if not used:
            self.setYRange(-4, 0, padding=0)
            return
        low, high = max(0, used[0] - 2), min(rollup.BUCKETS, used[-1] + 3)
        cells = np.zeros((high - low, len(span.slots)))
        at = {slot: column for column, slot in enumerate(span.slots)}
        for slot, histogram in histograms.items():
            for bucket, count in histogram.items():
                if slot in at:
                    cells[bucket - low, at[slot]] = count
        # The root, so that a few slow ones among thousands can be seen.
        self._heat.setImage(np.sqrt(cells), autoLevels=False, levels=(0, float(np.sqrt(cells.max())) or 1))
        bottom, top = _LOWEST + low * _OCTAVE, _LOWEST + high * _OCTAVE
        self._heat.setRect(QRectF(span.slots.start, bottom, len(span.slots) * span.step, top - bottom))
        self.setYRange(bottom, max(top, bottom + 1), padding=0)

    def show_moment(self, second: float | None) -> None:
        """Mark a moment with a line."""
        self.line.setVisible(second is not None)
        if second is not None:
            self.line.setPos(second)

    def show_range(self, chosen: tuple[float, float] | None) -> None:
        """Mark a range of times."""
        self.region.setVisible(chosen is not None)
        if chosen is not None:
            self.region.setRegion(chosen)

    # -- the pointer

    def second_at(self, event: QMouseEvent) -> float:
        """The second since 1970 below the pointer, within what is shown."""
        at = self.getPlotItem().vb.mapSceneToView(self.mapToScene(event.pos())).x()
        low, high = self.getPlotItem().vb.viewRange()[0]
        return float(min(max(at, low), high))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus(Qt.MouseFocusReason)
        if event.button() == Qt.LeftButton and self._drawing is not None:
            self._from = self.second_at(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drawing is None:
            return
        second = self.second_at(event)
        self.pointed.emit(second)
        if self._from is not None and event.buttons() & Qt.LeftButton:
            self.dragged.emit(self._from, second)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.LeftButton and self._from is not None:
            begun, self._from = self._from, None
            if begun != self.second_at(event):
                self.chosen.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.cleared.emit()

    def leaveEvent(self, event: QEvent) -> None:
        if not self.hasFocus():
            self.pointed.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the page scrolls

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.pointed.emit(None)

    # -- keys

    moved = pyqtSignal(int, bool)
    """A key moves the moment by so many points; with whether it extends the range."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps: dict[int, int] = {Qt.Key_Left: -1, Qt.Key_Right: 1, Qt.Key_Home: -(10**6), Qt.Key_End: 10**6}
        if event.key() in steps:
            many = 10 if event.modifiers() & Qt.ControlModifier else 1
            self.moved.emit(steps[event.key()] * many, bool(event.modifiers() & Qt.ShiftModifier))
        elif event.key() in (Qt.Key_Return, Qt.Key_Enter):
            self.chosen.emit()
        elif event.key() == Qt.Key_Escape and self.region.isVisible():
            self.cleared.emit()
        else:
            event.ignore()
