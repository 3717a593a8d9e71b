"""The colours of lines in charts, told apart also by those who see fewer colours; each has a pattern of its own, too.

After the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), lighter or darker as the theme wants it.
"""

from __future__ import annotations

from types import MappingProxyType

from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QPen

from ui.looks import theme

COLOURS = MappingProxyType(
    {
        "dark": ("#56b4e9", "#e6a23c", "#ff7a5c", "#2bc79a", "#e08fc4", "#e8dc5a"),
        "light": ("#0068a8", "#a86200", "#bf3210", "#00785a", "#9b3a78", "#6b6000"),
    }
)
"""By the name of a theme: blue, orange, vermilion, green, purple, yellow."""

_PATTERNS = (Qt.SolidLine, Qt.DashLine, Qt.SolidLine, Qt.DashDotLine, Qt.DotLine, Qt.DashDotDotLine)

_HEAT = MappingProxyType(
    {"dark": ("#1a1e25", "#1f4a6b", "#3d8fc4", "#bfe3f7"), "light": ("#ffffff", "#cfe3f3", "#5a9bcf", "#0b3d66")}
)


def colour(number: int) -> str:
    """The colour of the line with this number, from 0, as ``#rrggbb``."""
    found = COLOURS[theme.current().name]
    return found[number % len(found)]


def pen(number: int, width: float = 1.6) -> QPen:
    """The pen of that line."""
    made = QPen(QColor(colour(number)))
    made.setWidthF(width)
    made.setCosmetic(True)  # not scaled with the chart
    made.setStyle(_PATTERNS[number % len(_PATTERNS)])
    return made


def heat() -> list[str]:
    """Colours of a heat map, from nothing to the most: lighter or darker in one direction only."""
    return list(_HEAT[theme.current().name])
