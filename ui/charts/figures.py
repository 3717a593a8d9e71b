"""Figures of charts as people read them."""

from __future__ import annotations

from datetime import datetime

from PyQt5.QtCore import QCoreApplication

from app.capture.reading.chart_lines import Unit
from app.text.escapes import amount
from ui.looks import times


def figure(value: float | None, unit: Unit) -> str:
    """A value with its unit: ``12 kB/s``, ``3.4 ms``, ``17``; a dash where nothing is known."""
    if value is None:
        return "–"
    if unit in ("B", "B/s"):
        return amount(round(value)) + unit[1:]
    if unit == "s":
        return seconds(value)
    return number(value) + unit


def number(value: float) -> str:
    """Three digits that mean something, more of a whole number below 100,000."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e5, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):.3g} {letter}"
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def seconds(value: float) -> str:
    """``340 µs``, ``3.4 ms``, ``1.2 s``: two digits, since a latency is known as exactly as a bucket is."""
    size, unit = next(
        ((size, unit) for size, unit in ((1.0, "s"), (1e-3, "ms")) if value >= size * 0.995), (1e-6, "µs")
    )
    shown = value / size
    return f"{shown:,.0f} {unit}" if shown >= 9.95 else f"{shown:.2g} {unit}"


def moment(second: float) -> datetime:
    """A second since 1970 in the time zone of the window."""
    return times.moment(int(second) * 10**9)


def step(value: int) -> str:
    """The step of a chart: ``1 s``, ``5 min``, ``1 h``, ``7 days``."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if value >= size and value % size == 0:
            if size == 86_400 and value == size:
                return QCoreApplication.translate("Charts", "1 day")
            return f"{value // size} {QCoreApplication.translate('Charts', unit) if unit == 'days' else unit}"
    return f"{value} s"
