"""States and directions by shape and colour."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import get_args

import pytest
from PyQt5.QtCore import QRect, QRectF, Qt
from PyQt5.QtGui import QColor, QFont, QImage, QPainter

from ui.looks import shapes, theme
from ui.looks.shapes import Mark, State

STATES: tuple[State, ...] = get_args(State)
MARKS: tuple[Mark, ...] = get_args(Mark)

pytestmark = pytest.mark.usefixtures("qapp")


def drawn(draw: Callable[[QPainter], object], width: int = 32, height: int = 32) -> QImage:
    image = QImage(width, height, QImage.Format_ARGB32)
    image.fill(Qt.transparent)
    painter = QPainter(image)
    draw(painter)
    painter.end()
    return image


def inked(image: QImage) -> Iterator[tuple[int, int]]:
    for x in range(image.width()):
        for y in range(image.height()):
            if image.pixelColor(x, y).alpha() > 60:
                yield x, y


def strongest(image: QImage) -> str:
    return max((image.pixelColor(x, y) for x, y in inked(image)), key=lambda color: color.alpha()).name()


def state_of(state: State, color: str | None = None, area: QRect = QRect(0, 0, 32, 32)) -> QImage:  # noqa: B008
    return drawn(lambda painter: shapes.paint_state(painter, area, state, theme.DARK, color))


def mark_of(mark: Mark, color: str | None = None) -> QImage:
    return drawn(lambda painter: shapes.paint_mark(painter, QRect(0, 0, 32, 32), mark, theme.DARK, color))


@pytest.mark.parametrize("paint", [state_of, mark_of])
def test_no_two_have_the_same_shape_even_in_one_colour(paint: Callable[[str, str], QImage]) -> None:
    names = STATES if paint is state_of else MARKS
    outlines = {frozenset(inked(paint(name, "#ffffff"))) for name in names}
    assert len(outlines) == len(names)
    assert all(outlines)


@pytest.mark.parametrize("state", STATES)
def test_a_state_has_the_colour_of_its_meaning_unless_told_otherwise(state: State) -> None:
    assert strongest(state_of(state)) == getattr(theme.DARK, shapes.STATE_COLORS[state])
    assert strongest(state_of(state, "#123456")) == "#123456"


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_has_the_colour_of_its_meaning_unless_told_otherwise(mark: Mark) -> None:
    assert strongest(mark_of(mark)) == getattr(theme.DARK, shapes.MARK_COLORS[mark])
    assert strongest(mark_of(mark, "#123456")) == "#123456"


def test_the_arrows_are_mirror_images() -> None:
    left = mark_of("received", "#ffffff")
    right = mark_of("sent", "#ffffff").mirrored(True, False)
    assert set(inked(left)) == set(inked(right))


@pytest.mark.parametrize("state", STATES)
def test_it_is_painted_in_the_middle_and_not_outside(state: State) -> None:
    area = QRect(4, 6, 10, 22)
    points = list(inked(state_of(state, area=area)))
    assert all(area.adjusted(-1, -1, 1, 1).contains(x, y) for x, y in points)
    ys = [y for _, y in points]
    assert abs((min(ys) + max(ys)) / 2 - area.center().y()) <= 1.5


@pytest.mark.parametrize("size", [0, 1, 3])
def test_the_smallest_room_does_no_harm(size: int) -> None:
    for state in STATES:
        assert not state_of(state, area=QRect(0, 0, size, size)).isNull()


def line(values: list[float]) -> QImage:
    return drawn(lambda painter: shapes.sparkline(painter, QRect(0, 0, 40, 20), values, "#ffffff"), 40, 20)


def test_a_sparkline_touches_the_top_where_the_traffic_is_highest() -> None:
    points = list(inked(line([0, 0, 1000, 0, 0])))
    top = min(points, key=lambda point: point[1])
    assert top[1] <= 2
    assert 17 <= top[0] <= 22


def test_no_traffic_is_a_flat_line_at_the_bottom() -> None:
    assert min(y for _, y in inked(line([0.0] * 10))) >= 16


@pytest.mark.parametrize("values", [[], [1.0], [-5.0, -1.0], [1e300, 0.0]])
def test_a_sparkline_of_odd_values_does_no_harm(values: list[float]) -> None:
    assert line(values).size() == line([0.0, 0.0]).size()


def test_a_badge_has_room_for_its_word() -> None:
    font = QFont(theme.ui_font())
    small, large = shapes.badge_size("UDP", font), shapes.badge_size("WEBSOCKET", font)
    assert small.width() < large.width()
    assert small.height() == large.height()


def test_a_badge_of_warning_has_its_colour() -> None:
    image = drawn(lambda p: shapes.badge(p, QRectF(0, 0, 90, 24), "EXPOSED", theme.DARK, theme.DARK.warning), 90, 24)
    found = {image.pixelColor(x, y).name() for x, y in inked(image)}
    assert theme.DARK.warning in found


def test_the_painter_is_left_as_it_was() -> None:
    image = QImage(32, 32, QImage.Format_ARGB32)
    painter = QPainter(image)
    painter.setPen(QColor("#010203"))
    before = (painter.pen(), painter.brush(), painter.renderHints(), painter.transform())
    for state in STATES:
        shapes.paint_state(painter, QRect(0, 0, 32, 32), state, theme.DARK)
    for mark in MARKS:
        shapes.paint_mark(painter, QRect(0, 0, 32, 32), mark, theme.DARK)
    shapes.sparkline(painter, QRect(0, 0, 32, 32), [1, 2, 3], "#ffffff")
    shapes.badge(painter, QRect(0, 0, 32, 32), "TCP", theme.DARK)
    assert (painter.pen(), painter.brush(), painter.renderHints(), painter.transform()) == before
    painter.end()
