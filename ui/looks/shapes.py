"""Paints states and directions by shape and colour together, so that colour alone is never needed.

Every function paints into the middle of a rectangle, restores the painter's state, and keeps no
objects. ``color`` replaces the default colour of a shape, for selected rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from PyQt5.QtCore import QPointF, QRect, QRectF, QSizeF, Qt
from PyQt5.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from ui.looks.theme import Theme

State = Literal["listening", "stopped", "starting", "stopping", "failed"]
Mark = Literal["received", "sent", "opened", "closed", "failure", "fault"]

STATE_COLORS: dict[State, str] = {
    "listening": "good", "stopped": "dim", "starting": "warning", "stopping": "warning", "failed": "bad",
}  # fmt: skip
MARK_COLORS: dict[Mark, str] = {
    "received": "received", "sent": "sent", "opened": "good", "closed": "dim", "failure": "bad",
    "fault": "warning",
}  # fmt: skip


def paint_state(painter: QPainter, rect: QRectF | QRect, state: State, theme: Theme,
                color: str | None = None) -> None:  # fmt: skip
    """Paint the state of a service: a disc, a ring, a half disc, a dotted ring, or a cross."""
    with _drawing(painter, color or getattr(theme, STATE_COLORS[state])):
        box = _square(rect, 48)
        # Drawn in its usual size: lines get thicker with the letters beside it.
        painter.translate(box.topLeft())
        painter.scale(box.width() / 12, box.height() / 12)
        _STATES[state](painter, QRectF(0, 0, 12, 12))


def paint_mark(painter: QPainter, rect: QRectF | QRect, mark: Mark, theme: Theme,
               color: str | None = None) -> None:  # fmt: skip
    """Paint the kind of an event: an arrow for a direction, a shape for anything else."""
    with _drawing(painter, color or getattr(theme, MARK_COLORS[mark])):
        _MARKS[mark](painter, _square(rect, 10))


def paint_switch(painter: QPainter, rect: QRectF, theme: Theme, *, on: bool, color: str = "") -> None:
    """Paint a switch: a track, and a thumb at its right end while it is on. ``color``: that of the track then."""
    painter.save()
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setPen(Qt.NoPen)
    painter.setBrush(QColor((color or theme.accent) if on else theme.thumb))
    painter.drawRoundedRect(rect, rect.height() / 2, rect.height() / 2)
    painter.setBrush(QColor(theme.accent_text if on else theme.panel))
    radius = rect.height() / 2 - 2.5
    x = rect.right() - rect.height() / 2 if on else rect.left() + rect.height() / 2
    painter.drawEllipse(QPointF(x, rect.center().y()), radius, radius)
    painter.restore()


def sparkline(painter: QPainter, rect: QRectF | QRect, values: Sequence[float], color: str) -> None:
    """Paint traffic as a line, from the oldest value to the newest; the highest value touches the top.

    If all values are 0, the line is flat, at the bottom.
    """
    if len(values) < 2:
        return
    area = QRectF(rect).adjusted(1, 1, -1, -1)
    top = max(max(values), 1e-9)
    step = area.width() / (len(values) - 1)
    points = [
        QPointF(area.left() + index * step, area.bottom() - area.height() * max(value, 0) / top)
        for index, value in enumerate(values)
    ]
    with _drawing(painter, color):
        shade = QColor(color)
        shade.setAlphaF(0.14)
        pen = painter.pen()
        painter.setPen(Qt.NoPen)
        painter.setBrush(shade)
        painter.drawPolygon(QPolygonF([area.bottomLeft(), *points, area.bottomRight()]))
        pen.setWidthF(1.25)
        painter.setPen(pen)
        painter.setBrush(Qt.NoBrush)
        painter.drawPolyline(QPolygonF(points))


def badge_size(text: str, font: QFont) -> QSizeF:
    """The size that ``badge`` needs for a text."""
    metrics = QFontMetricsF(font)
    return QSizeF(metrics.horizontalAdvance(text) + 14, metrics.height() + 4)


def badge(painter: QPainter, rect: QRectF | QRect, text: str, theme: Theme, color: str | None = None) -> None:
    """Paint a small rounded tag in the painter's font: a protocol, or in ``color`` a warning."""
    outline = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
    with _drawing(painter, color or theme.dim, width=1):
        painter.setBrush(QColor(theme.panel))
        if color is None:
            painter.setPen(QPen(QColor(theme.thumb), 1))
        painter.drawRoundedRect(outline, 5, 5)
        painter.setPen(QColor(color or theme.dim))
        painter.drawText(QRectF(rect), Qt.AlignCenter, text)


@contextmanager
def _drawing(painter: QPainter, color: str, width: float = 1.75) -> Iterator[None]:
    painter.save()
    painter.setRenderHint(QPainter.Antialiasing)
    painter.setPen(QPen(QColor(color), width, Qt.SolidLine, Qt.RoundCap, Qt.RoundJoin))
    painter.setBrush(Qt.NoBrush)
    yield
    painter.restore()


def _square(rect: QRectF | QRect, largest: float) -> QRectF:
    """The square in the middle of a rectangle, at most ``largest`` wide."""
    room = QRectF(rect)
    side = min(room.width(), room.height(), largest)
    square = QRectF(0, 0, side, side)
    square.moveCenter(room.center())
    return square


def _inset(box: QRectF, by: float) -> QRectF:
    return box.adjusted(by, by, -by, -by)


def _fill(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    painter.setPen(Qt.NoPen)


def _disc(painter: QPainter, box: QRectF) -> None:
    _fill(painter)
    painter.drawEllipse(box)


def _ring(painter: QPainter, box: QRectF) -> None:
    painter.drawEllipse(_inset(box, 1))


def _half_disc(painter: QPainter, box: QRectF) -> None:
    _ring(painter, box)
    _fill(painter)
    painter.drawPie(_inset(box, 1), 90 * 16, -180 * 16)


def _dotted_ring(painter: QPainter, box: QRectF) -> None:
    _fill(painter)
    spoke = QPointF(box.width() / 2 - 1, 0)
    painter.translate(box.center())
    for _ in range(8):
        painter.drawEllipse(spoke, 1.1, 1.1)
        painter.rotate(45)


def _cross(painter: QPainter, box: QRectF) -> None:
    inner = _inset(box, 1.5)
    painter.drawLine(inner.topLeft(), inner.bottomRight())
    painter.drawLine(inner.topRight(), inner.bottomLeft())


def _arrow(painter: QPainter, box: QRectF, direction: int) -> None:
    """An arrow; the direction is 1 to the right and -1 to the left."""
    middle = box.center()
    reach = box.width() / 2 - 0.5
    tip = QPointF(middle.x() + direction * reach, middle.y())
    barb = reach * 0.65
    pen = painter.pen()
    pen.setWidthF(1.5)
    painter.setPen(pen)
    painter.drawLine(QPointF(middle.x() - direction * reach, middle.y()), tip)
    back = tip.x() - direction * barb
    painter.drawPolyline(QPolygonF([QPointF(back, tip.y() - barb), tip, QPointF(back, tip.y() + barb)]))


def _triangle(painter: QPainter, box: QRectF) -> None:
    _fill(painter)
    top = QPointF(box.center().x(), box.top() + 0.5)
    painter.drawPolygon(QPolygonF([top, box.bottomRight(), box.bottomLeft()]))


def _bolt(painter: QPainter, box: QRectF) -> None:
    _fill(painter)
    outline = ((0.62, 0), (0.18, 0.56), (0.46, 0.56), (0.36, 1), (0.84, 0.38), (0.54, 0.38))
    painter.drawPolygon(QPolygonF([QPointF(box.x() + x * box.width(), box.y() + y * box.height()) for x, y in outline]))


_STATES: dict[State, Callable[[QPainter, QRectF], None]] = {
    "listening": _disc,
    "stopped": _ring,
    "starting": _half_disc,
    "stopping": _dotted_ring,
    "failed": _cross,
}
_MARKS: dict[Mark, Callable[[QPainter, QRectF], None]] = {
    "received": lambda painter, box: _arrow(painter, box, -1),
    "sent": lambda painter, box: _arrow(painter, box, 1),
    "opened": lambda painter, box: _disc(painter, _inset(box, 1)),
    "closed": lambda painter, box: _ring(painter, box),
    "failure": _triangle,
    "fault": _bolt,
}
