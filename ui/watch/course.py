"""The results of a watch over time: a line of how long checks took, and a bar for each that has failed."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PyQt5.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt5.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.watch.result import Result
from ui.looks import theme
from ui.parts.labels import plain
from ui.watch.words import result_words

STEP = 4
"""Pixels from one result to the next, beside letters of the usual size."""


class Course(QWidget):
    """The newest results, the last one at the right; the longest of those that were well touches the top."""

    def __init__(self) -> None:
        super().__init__()
        self._results: Sequence[Result] = ()
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(180), theme.scaled(28))

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(60), theme.scaled(24))

    def show_results(self, results: Sequence[Result]) -> None:
        """Show these, the oldest first."""
        self._results = results
        self.update()

    def _shown(self) -> Sequence[Result]:
        return self._results[-max(2, int(self._area().width()) // theme.scaled(STEP)) :]

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(2, 4, -4, -4)

    def _place(self, at: int, count: int) -> float:
        return self._area().right() - (count - 1 - at) * theme.scaled(STEP)

    def at(self, x: float) -> Result | None:
        """The result that is drawn there."""
        shown = self._shown()
        found = [(abs(self._place(at, len(shown)) - x), at) for at in range(len(shown))]
        distance, at = min(found, default=(STEP, -1))
        return shown[at] if at >= 0 and distance <= theme.scaled(STEP) else None

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, colors, area = QPainter(self), theme.current(), self._area()
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(QColor(colors.line), 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        shown = self._shown()
        top = max((one.milliseconds for one in shown if one.ok), default=0.0) or 1.0
        run: list[QPointF] = []
        for at, one in enumerate(shown):
            x = self._place(at, len(shown))
            if one.ok:
                run.append(QPointF(x, area.bottom() - area.height() * 0.9 * one.milliseconds / top))
                continue
            self._line(painter, run, colors.good)
            run = []
            painter.setPen(QPen(QColor(colors.bad), 2, Qt.SolidLine, Qt.FlatCap))
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        self._line(painter, run, colors.good)

    def _line(self, painter: QPainter, run: list[QPointF], color: str) -> None:
        if not run:
            return
        bottom, shade = self._area().bottom(), QColor(color)
        shade.setAlphaF(0.14)
        painter.setPen(Qt.NoPen)
        painter.setBrush(shade)
        painter.drawPolygon(QPolygonF([QPointF(run[0].x(), bottom), *run, QPointF(run[-1].x(), bottom)]))
        painter.setBrush(Qt.NoBrush)
        painter.setPen(QPen(QColor(color), 1.25, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
        painter.drawPolyline(QPolygonF(run))
        painter.setBrush(QColor(color))
        painter.setPen(Qt.NoPen)
        if len(run) == 1:
            painter.drawEllipse(run[0], 1.5, 1.5)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.ToolTip:
            found = self.at(event.pos().x())
            QToolTip.showText(event.globalPos(), plain(result_words(found)) if found else "", self)
            return True
        return super().event(event)
