"""The axes of charts: time below, figures with their units at the left."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph as pg

from app.capture.reading.chart_lines import Unit
from ui.charts.figures import figure, moment, seconds

WIDTH = 62
"""Pixels of the axis at the left, in each chart, so that times stand below each other."""

_TIMES = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
_DAY = 86_400


class TimeAxis(pg.AxisItem):
    """Times of the window's time zone, at whole seconds, minutes, hours or days."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        wanted = (high - low) / max(2, size / 90)
        step = next((step for step in _TIMES if step >= wanted), 0) or _DAY * max(1, math.ceil(wanted / _DAY))
        # From local midnight: in a zone half an hour off, too.
        offset = moment(max(0, low)).utcoffset()
        shift = int(offset.total_seconds()) if offset is not None else 0
        first = math.ceil((low + shift) / step) * step - shift
        count = max(0, int((high - first) // step) + 1)
        return [(step, [first + at * step for at in range(min(count, 200))])]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        found = []
        for value in values:
            try:
                when = moment(max(0, value))
            except (OverflowError, ValueError, OSError):
                found.append("")
                continue
            if spacing >= _DAY or (when.hour == when.minute == when.second == 0 and spacing >= 3600):
                found.append(f"{when:%Y-%m-%d}")
            else:
                found.append(f"{when:%H:%M:%S}" if spacing < 60 else f"{when:%H:%M}")
        return found


class UnitAxis(pg.AxisItem):
    """Figures with their unit. Of latencies the axis is logarithmic: its values are powers of ten of seconds."""

    def __init__(self, unit: Unit, *, powers: bool = False) -> None:
        super().__init__("left")
        self._unit, self._powers = unit, powers
        self.setWidth(WIDTH)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if not self._powers:
            found = list(super().tickValues(low, high, size))[:1]
            if self._unit or not found or found[0][0] >= 1:
                return found
            return [(1.0, [float(at) for at in range(math.ceil(low), math.floor(high) + 1)])]
        every = max(1, math.ceil((high - low) / max(1, size / 22)))
        return [(every, [float(at) for at in range(math.ceil(low), math.floor(high) + 1, every)])]

    def tickStrings(self, values: list[Any], scale: float, spacing: float) -> list[str]:
        if self._powers:
            return [seconds(10.0**value) for value in values]
        return [figure(float(value), self._unit) if value else "0" for value in values]
