"""The icons: complete, in one style, in the colours of the current theme."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from importlib.resources import files

import pytest
from PyQt5.QtCore import QByteArray, QRect, QSize
from PyQt5.QtGui import QColor, QIcon, QImage, QPainter, QPixmap
from PyQt5.QtSvg import QSvgRenderer
from PyQt5.QtWidgets import QApplication

from ui.looks import icons, theme
from ui.looks.theme import DARK, LIGHT

pytestmark = pytest.mark.usefixtures("dark")

APP_ICON = "listening-post"
NEEDED = {
    "play", "stop", "plus", "send", "filter", "record", "copy", "close", "trash", "pencil", "duplicate",
    "save", "folder-open", "new-file", "sun", "moon", "follow", "pause", "clear", "disconnect", "search",
    "warning", "failure", "info", "chevron-right", "chevron-down", APP_ICON,
}  # fmt: skip
DRAWN = sorted(
    entry.name.removesuffix(".svg")
    for entry in files("resources").joinpath("icons").iterdir()
    if entry.name.endswith(".svg")
)


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication) -> Iterator[None]:
    theme.apply(qapp, DARK)
    yield
    theme.apply(qapp, DARK)


def strongest(pixmap: QPixmap) -> QColor:
    """The colour of the most opaque pixel."""
    image = pixmap.toImage().convertToFormat(QImage.Format_ARGB32)
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return max(pixels, key=QColor.alpha)


def test_every_icon_that_the_window_needs_is_drawn() -> None:
    assert not NEEDED - set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_is_valid_and_in_the_common_style(name: str) -> None:
    svg = theme.resource(f"icons/{name}.svg")
    renderer = QSvgRenderer(QByteArray(svg.encode()))
    assert renderer.isValid()
    if name != APP_ICON:
        assert renderer.defaultSize() == QSize(16, 16)
        assert 'stroke="currentColor" stroke-width="1.5"' in svg


@pytest.mark.parametrize("name", sorted(set(DRAWN) - {APP_ICON}))
def test_an_icon_paints_something_within_its_margin(name: str) -> None:
    image = icons.icon(name).pixmap(64, 64).toImage()
    inked = [(x, y) for x in range(64) for y in range(64) if image.pixelColor(x, y).alpha() > 40]
    assert len(inked) > 40
    assert all(2 <= x < 62 and 2 <= y < 62 for x, y in inked)


def test_an_icon_has_the_colour_of_text_and_is_faint_when_disabled() -> None:
    stop = icons.icon("stop")
    assert strongest(stop.pixmap(32, 32)) == QColor(DARK.text)
    assert strongest(stop.pixmap(32, 32, QIcon.Disabled)) == QColor(DARK.faint)
    assert strongest(stop.pixmap(32, 32, QIcon.Selected)) == QColor(DARK.selected_text)


def test_an_icon_may_have_a_colour_of_the_theme_or_a_fixed_one() -> None:
    assert strongest(icons.icon("stop", "bad").pixmap(32, 32)) == QColor(DARK.bad)
    assert strongest(icons.icon("stop", "#123456").pixmap(32, 32)) == QColor("#123456")


def test_an_icon_made_before_follows_a_new_theme(qapp: QApplication) -> None:
    stop = icons.icon("stop")
    assert strongest(stop.pixmap(32, 32)) == QColor(DARK.text)
    theme.apply(qapp, LIGHT)
    assert strongest(stop.pixmap(32, 32)) == QColor(LIGHT.text)


def test_an_icon_is_drawn_anew_for_each_size() -> None:
    """Icons are not scaled up: the edges of a large icon are as sharp as those of a small one."""
    for side in (16, 24, 32, 256):
        assert icons.icon("stop").pixmap(side, side).size() == QSize(side, side)
    image = icons.icon("stop").pixmap(256, 256).toImage()
    grey = [x for x in range(256) if 0 < image.pixelColor(x, 128).alpha() < 255]
    assert len(grey) <= 4


def test_icons_outlive_copies_and_collections() -> None:
    for _ in range(200):
        QIcon(icons.icon("play")).pixmap(16, 16)
        icons.icon.cache_clear()
    gc.collect()
    assert not icons.icon("play").pixmap(16, 16).isNull()


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        icons.icon("no-such-icon")


def test_the_app_icon_comes_in_many_sizes() -> None:
    sizes = {size.width() for size in icons.app_icon().availableSizes()}
    assert {16, 32, 48, 256} <= sizes


def test_an_icon_without_room_paints_nothing(qapp):
    target = QPixmap(16, 16)
    painter = QPainter(target)
    icons.icon("pause").paint(painter, QRect(0, 0, 16, 0))
    painter.end()


@pytest.mark.parametrize("scale", [1.25, 1.5, 1.75])
@pytest.mark.parametrize("left", [0, 3, 5, 7])
def test_between_two_pixels_an_icon_is_as_sharp_as_on_one(scale: float, left: int) -> None:
    """Painted at any place of a screen at 125, 150 or 175 %, it is made of the same pixels."""

    def at(left: int) -> QImage:
        image = QImage(QSize(80, 80), QImage.Format_ARGB32)
        image.fill(0)
        image.setDevicePixelRatio(scale)
        painter = QPainter(image)
        icons.icon("play").paint(painter, QRect(left, left, 16, 16))
        painter.end()
        found = image.copy(round(left * scale), round(left * scale), round(16 * scale), round(16 * scale))
        found.setDevicePixelRatio(1)
        return found

    assert at(left) == at(0)


def test_what_is_painted_has_the_theme_of_today(qapp: QApplication) -> None:
    made = icons.painted(lambda painter, rect: painter.fillRect(rect, QColor(theme.current().accent)))
    assert made.pixmap(8, 8).toImage().pixelColor(4, 4) == QColor(DARK.accent)
    theme.apply(qapp, LIGHT)
    assert made.pixmap(8, 8).toImage().pixelColor(4, 4) == QColor(LIGHT.accent)
