"""Where the parts of a row of the list of services stand: on a grid of four pixels, the same in all rows."""

from __future__ import annotations

from functools import cached_property

from PyQt5.QtCore import QRect, QSize, Qt
from PyQt5.QtGui import QFont, QFontMetrics

from ui.looks import shapes, theme
from ui.services.rows import translate

GAP = 8
LEFT, RIGHT = 11, 3
"""Pixels at either end of a row, beside the frame of the list, which has one."""

MARK, ICON, BUTTON = 12, 14, 24
"""Sizes with letters of the usual size."""

SPARK = 48
MIN_NAME = 8
"""Letters of a name for which there is room before figures take any."""

MANY = 9_999
WIDEST_COUNT, WIDEST_RATE = f"{MANY:,}", "99.9 MB/s"


class Fonts:
    """The fonts of the rows and what was measured of them; made anew when the fonts change."""

    def __init__(self) -> None:
        self.name = theme.ui_font()
        self.name.setBold(True)
        self.plain = theme.ui_font()
        self.small = QFont(theme.ui_font())
        self.small.setPointSizeF(max(6.0, self.small.pointSizeF() - 1))
        self.badge = QFont(theme.ui_font())
        self.badge.setPointSizeF(self.badge.pointSizeF() * 0.78)
        self.mono = QFont(theme.mono_font())
        self.mono.setPointSizeF(max(6.0, self.mono.pointSizeF() - 1))
        self.heading = QFont(self.small)
        self.heading.setBold(True)
        self.heading.setCapitalization(QFont.AllUppercase)
        self.heading.setLetterSpacing(QFont.PercentageSpacing, 104)

    @cached_property
    def mark(self) -> int:
        """The size of the mark of a state."""
        return theme.scaled(MARK)

    @cached_property
    def icon(self) -> int:
        """The size of an icon."""
        return theme.scaled(ICON)

    @cached_property
    def button(self) -> int:
        """The size of the button, icon and all."""
        return theme.scaled(BUTTON)

    @cached_property
    def line(self) -> int:
        """The height of the first line."""
        return QFontMetrics(self.name).height()

    @cached_property
    def small_line(self) -> int:
        """The height of the second line, whichever of both letters it is in."""
        return max(QFontMetrics(self.small).height(), QFontMetrics(self.mono).height())

    def count(self, *, compact: bool) -> int:
        """The width of the widest count, in the normal view with the word behind it."""
        words = (translate("Services", "{count} conn"), translate("Services", "{count} peer(s)", "", MANY))
        texts = [WIDEST_COUNT] if compact else [text.format(count=WIDEST_COUNT) for text in words]
        return max(map(QFontMetrics(self.small).horizontalAdvance, texts))

    @cached_property
    def rate(self) -> int:
        """The width of the widest rate."""
        return QFontMetrics(self.small).horizontalAdvance(WIDEST_RATE)

    def badge_size(self, text: str) -> QSize:
        """The size of a badge."""
        return shapes.badge_size(text, self.badge).toSize() + QSize(1, 1)

    def name_room(self) -> int:
        """The least width of names."""
        return QFontMetrics(self.name).horizontalAdvance("n") * MIN_NAME


def grid(height: int) -> int:
    """``height`` rounded up to the grid."""
    return -(-height // 4) * 4


class Layout:
    """The places of one row of a service.

    Attributes:
        state, button: the squares of both.
        first: the line of name and badges, up to the button.
        second: the line below it; in the compact view, the same line.
        count, rate, spark: the places of the figures; None where there is no room for them.
    """

    def __init__(self, rect: QRect, fonts: Fonts, *, compact: bool) -> None:
        middle = rect.center().y() + 1
        mark, button = fonts.mark, fonts.button
        self.state = QRect(rect.left() + LEFT, 0, mark, mark)
        self.button = QRect(rect.right() + 1 - RIGHT - button, 0, button, button)
        left, right = self.state.right() + 1 + GAP, self.button.left() - 4
        if compact:
            self.first = self.second = QRect(left, rect.top(), right - left, rect.height())
            self.state.moveTop(middle - mark // 2)
            self.button.moveTop(middle - button // 2)
        else:
            top = rect.top() + (rect.height() - fonts.line - fonts.small_line - 2) // 2
            self.first = QRect(left, top, right - left, fonts.line)
            self.second = QRect(left, top + fonts.line + 2, rect.right() + 1 - 11 - left, fonts.small_line)
            self.state.moveTop(self.first.center().y() + 1 - mark // 2)
            self.button.moveTop(self.first.center().y() + 1 - button // 2)
        self._place_figures(fonts, compact=compact)

    def _place_figures(self, fonts: Fonts, *, compact: bool) -> None:
        """Give each figure a place of its own while there is room: first the count, then the rate, then the line."""
        room, end = self.second.width(), self.second.right() + 1
        mono = QFontMetrics(fonts.mono)
        if compact:
            room -= fonts.name_room() + mono.horizontalAdvance(":65535") + fonts.badge_size("HTTPS").width() + 2 * GAP
        else:
            room -= mono.horizontalAdvance("127.0.0.1:65535")
        count = fonts.count(compact=compact)
        widths = (count, fonts.rate) if compact else (count, fonts.rate, SPARK)
        fitting = 0
        for width in widths:
            if room < width + GAP:
                break
            room -= width + GAP
            fitting += 1
        places: list[QRect | None] = [None, None, None]
        for which in (1, 0, 2):  # the rate stands at the end
            if which < fitting:
                places[which] = QRect(end - widths[which], self.second.top(), widths[which], self.second.height())
                end -= widths[which] + GAP
        self.count, self.rate, self.spark = places
        self.figures_left = end
        """Where the figures begin."""


def row_height(fonts: Fonts, *, compact: bool) -> int:
    """The height of every row of a service."""
    if compact:
        return grid(max(fonts.button, fonts.line + 4))
    return grid(fonts.line + fonts.small_line + 10)


def heading_height(fonts: Fonts) -> int:
    """The height of every heading."""
    return grid(QFontMetrics(fonts.heading).height() + 12)


def elided(text: str, font: QFont, width: int, mode: Qt.TextElideMode = Qt.ElideMiddle) -> str:
    """``text`` cut to ``width`` with an ellipsis."""
    return QFontMetrics(font).elidedText(text, mode, max(0, width))
