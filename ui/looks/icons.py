"""Icons: SVG drawings in ``currentColor``, painted in the colours of the current theme.

An icon reads the theme each time it is painted, so actions and buttons need no new icon when
the theme changes. It is rendered at exactly the requested size, so it is sharp on any screen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PyQt5.QtCore import QByteArray, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PyQt5.QtGui import QIcon, QIconEngine, QPainter, QPixmap, QPixmapCache, QTransform
from PyQt5.QtSvg import QSvgRenderer

from ui.looks import theme

APP_ICON_SIZES = (16, 20, 24, 32, 40, 48, 64, 128, 256, 512)


@cache
def icon(name: str, color: str | None = None) -> QIcon:
    """An icon by its file name in ``resources/icons``.

    Args:
        name: for example ``play``.
        color: an attribute of the theme (``accent``, ``bad``), a fixed ``#rrggbb``, or None for
            the text colour. Disabled icons are faint in any case.

    Raises:
        FileNotFoundError: there is no such icon.
    """
    return QIcon(_Drawing(name, theme.resource(f"icons/{name}.svg"), color or "text"))


def app_icon() -> QIcon:
    """The program's icon, in the sizes that desktops use."""
    result = QIcon()
    for size in APP_ICON_SIZES:
        result.addPixmap(_render(theme.resource("icons/listening-post.svg"), QSize(size, size)))
    return result


def painted(draw: Callable[[QPainter, QRectF], object]) -> QIcon:
    """An icon that ``draw`` paints into a rectangle, each time that it is shown: sharp, and in today's theme."""
    return QIcon(_Painting(draw))


class _Painting(QIconEngine):
    def __init__(self, draw: Callable[[QPainter, QRectF], object]) -> None:
        super().__init__()
        self._draw = draw

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        self._draw(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.transparent)
        painter = QPainter(pixmap)
        self._draw(painter, QRectF(pixmap.rect()))
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Painting(self._draw)


class _Drawing(QIconEngine):
    """Paints one drawing. Pixmaps are cached in ``QPixmapCache`` by colour and size."""

    def __init__(self, name: str, svg: str, color: str) -> None:
        super().__init__()
        self._name = name
        self._svg = svg
        self._color = color

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        if rect.isEmpty():  # what shows it has been squeezed: Qt would complain of a picture without pixels
            return
        device = painter.device()
        scale = device.devicePixelRatioF() if device is not None else 1.0
        pixmap = self.pixmap(rect.size() * scale, mode, state)
        pixmap.setDevicePixelRatio(scale)
        painter.drawPixmap(_on_a_pixel(painter, rect), pixmap)

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        color = self._in_mode(mode)
        key = f"listening-post/{self._name}/{color}/{size.width()}x{size.height()}"
        pixmap: QPixmap | None = QPixmapCache.find(key)  # the stubs lack None
        if pixmap is None:
            pixmap = _render(self._svg.replace("currentColor", color), size)
            QPixmapCache.insert(key, pixmap)
        return QPixmap(pixmap)

    def clone(self) -> QIconEngine:
        return _Drawing(self._name, self._svg, self._color)

    def _in_mode(self, mode: QIcon.Mode) -> str:
        colors = theme.current()
        if mode == QIcon.Disabled:
            return colors.faint
        if mode == QIcon.Selected and self._color == "text":
            return colors.selected_text
        return str(getattr(colors, self._color, self._color))


def _on_a_pixel(painter: QPainter, rect: QRect) -> QPointF:
    """Where a picture begins on a whole pixel of the screen: between two, at 125 or 150 %, it would be blurred."""
    found: QTransform = painter.deviceTransform()
    if found.type() > QTransform.TxScale:
        return QPointF(rect.topLeft())
    device = found.map(QPointF(rect.topLeft()))
    return found.inverted()[0].map(QPointF(round(device.x()), round(device.y())))


def _render(svg: str, size: QSize) -> QPixmap:
    """A transparent pixmap with the square drawing in its middle."""
    pixmap = QPixmap(size)
    pixmap.fill(Qt.transparent)
    side = min(size.width(), size.height())
    square = QRect(QPoint(0, 0), QSize(side, side))
    square.moveCenter(pixmap.rect().center())
    painter = QPainter(pixmap)
    QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(square))
    painter.end()
    return pixmap
