"""The themes: contrast, completeness, and the signal to code that paints by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QColor, QFontMetrics, QImage, QPalette, QStandardItem, QStandardItemModel
from PyQt5.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTableView,
    QTabWidget,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.desk import settle
from ui.looks import theme
from ui.looks.theme import AA_TEXT, DARK, LIGHT, Fonts, Theme, contrast

pytestmark = pytest.mark.usefixtures("dark")

SURFACES = ("window", "panel", "raised")
WORDS = ("text", "dim", "accent", "good", "bad", "warning", "received", "sent")


@pytest.fixture(autouse=True)
def dark_again(qapp: QApplication) -> Iterator[None]:
    yield
    theme.apply(qapp, DARK, Fonts())


@pytest.mark.parametrize(("a", "b", "expected"), [
    ("#000000", "#ffffff", 21.0), ("#ffffff", "#ffffff", 1.0), ("#777777", "#ffffff", 4.48),
])  # fmt: skip
def test_contrast_is_that_of_wcag(a: str, b: str, expected: float) -> None:
    assert contrast(a, b) == pytest.approx(expected, abs=0.01)
    assert contrast(a, b) == contrast(b, a)


@pytest.mark.parametrize(("colors", "word", "surface"), list(product((DARK, LIGHT), WORDS, SURFACES)))
def test_every_word_is_readable_on_every_surface(colors: Theme, word: str, surface: str) -> None:
    assert contrast(getattr(colors, word), getattr(colors, surface)) >= AA_TEXT


@pytest.mark.parametrize("colors", [DARK, LIGHT])
@pytest.mark.parametrize(("word", "surface"), [
    ("selected_text", "selection"), ("selected_dim", "selection"), ("accent_text", "accent"),
    ("accent_text", "accent_hover"), ("text", "hover"), ("text", "pressed"),
])  # fmt: skip
def test_derived_pairs_are_readable(colors: Theme, word: str, surface: str) -> None:
    assert contrast(getattr(colors, word), getattr(colors, surface)) >= AA_TEXT


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_the_shape_of_a_state_is_visible_on_a_selected_row(colors: Theme) -> None:
    """WCAG 1.4.11 asks 3 to 1 of graphics."""
    for word in ("accent", "good", "bad", "warning", "received", "sent"):
        assert contrast(getattr(colors, word), colors.selection) >= 3


def test_apply_sets_palette_stylesheet_and_current(qapp: QApplication) -> None:
    theme.apply(qapp, LIGHT)
    assert theme.current() is LIGHT
    assert qapp.palette().color(QPalette.Base) == QColor(LIGHT.panel)
    assert LIGHT.accent in qapp.styleSheet()
    assert "$" not in qapp.styleSheet()


def test_a_new_theme_is_told_once(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, DARK)
    told: list[Theme] = []
    theme.notifier.changed.connect(told.append)
    theme.apply(qapp, LIGHT)
    theme.apply(qapp, LIGHT)
    theme.notifier.changed.disconnect(told.append)
    assert told == [LIGHT]


def test_the_system_theme_stays_the_platforms_after_apply(qapp: QApplication) -> None:
    before = theme.system_theme()
    theme.apply(qapp, LIGHT if before is DARK else DARK)
    assert theme.system_theme() is before


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_qt_understands_the_whole_stylesheet(qapp: QApplication, qtbot: QtBot, qtlog: Any, colors: Theme) -> None:
    """Qt complains of unknown properties and missing files when a widget is first shown."""
    window = QWidget()
    qtbot.addWidget(window)
    kinds = (QCheckBox, QComboBox, QLabel, QLineEdit, QPushButton, QSpinBox, QTableView, QTabWidget, QToolBar)
    for kind in kinds:
        kind(window)
    theme.apply(qapp, colors)
    with qtbot.waitExposed(window):
        window.show()
    window.grab()
    assert [record.message for record in qtlog.records] == []


def test_a_primary_button_is_filled_with_the_accent(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, DARK)
    button = QPushButton("")
    button.setProperty("primary", True)
    qtbot.addWidget(button)
    button.resize(100, 30)
    image = button.grab().toImage()
    assert image.pixelColor(50, 15) == QColor(DARK.accent)


def test_an_item_view_really_uses_the_mono_font(qapp: QApplication, qtbot: QtBot) -> None:
    """Qt's item views merge fonts, and lose a list of families on the way."""
    theme.apply(qapp, DARK)
    view = QTableView()
    qtbot.addWidget(view)
    view.setFont(theme.mono_font())
    view.resize(400, 100)
    ends = []
    for text in ("|iiiiiiiiii|", "|WWWWWWWWWW|"):
        model = QStandardItemModel(1, 1)
        model.setItem(0, 0, QStandardItem(text))
        view.setModel(model)
        view.setColumnWidth(0, 300)
        image = view.viewport().grab().toImage()
        middle = view.rowHeight(0) // 2
        background = image.pixel(299, middle)
        ends.append(max(x for x in range(295) if image.pixel(x, middle) != background))
    assert ends[0] == ends[1]


def test_the_mono_font_has_the_size_asked_for() -> None:
    assert theme.mono_font(13).pointSize() == 13


@pytest.mark.parametrize("size", [9, 10, 15, 20])
def test_d1_letters_of_data_are_equally_wide(size: int) -> None:
    """Measured: Noto Sans Mono is so, and does not say it of itself (``QFontInfo.fixedPitch``)."""
    letters = QFontMetrics(theme.mono_font(size))
    assert len({letters.horizontalAdvance(chr(code)) for code in range(32, 127)}) == 1


@pytest.mark.parametrize(("size", "mono_size"), [(10, 10), (10, 24), (24, 10)])
def test_d1_a_field_is_not_cut_beside_smaller_letters(
    qapp: QApplication, qtbot: QtBot, size: int, mono_size: int
) -> None:
    theme.apply(qapp, DARK, Fonts(size, "", mono_size))
    page = QWidget()
    qtbot.addWidget(page)
    row = QHBoxLayout()
    fields = QLineEdit("127.0.0.1"), QLineEdit("name"), QSpinBox(), QComboBox()
    fields[0].setProperty("role", "mono")
    for widget in (*fields, QPushButton("Send")):
        row.addWidget(widget)
    column = QVBoxLayout(page)
    column.addLayout(row)
    column.addStretch()
    page.show()
    settle()
    for field in fields:
        assert field.height() >= field.sizeHint().height() >= field.fontMetrics().height()


# -- the stylesheet

UNREAD = ("faint",)
"""Text of disabled controls, for which WCAG 1.4.3 requires no contrast."""

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOR = re.compile(r"(?<![\w-])color:\s*\$(\w+)")
_BACKGROUND = re.compile(r"(?<![\w-])background(?:-color)?:\s*\$(\w+)")
_STATE = re.compile(r"(?<!:):[a-z!-]+")


def pairs() -> set[tuple[str, str]]:
    """Each text colour with each background that the stylesheet lets it stand on."""
    text = re.sub(r"/\*.*?\*/", "", theme.resource("themes/app.qss").replace("${", "$ {"), flags=re.DOTALL)
    text = re.sub(r"\$ \{(\w+)\}", r"$\1", text)
    colors: dict[str, str] = {}
    backgrounds: dict[str, str] = {}
    for names, body in _RULE.findall(text):
        for selector in map(str.strip, names.split(",")):
            colors.update((selector, found) for found in _COLOR.findall(body))
            backgrounds.update((selector, found) for found in _BACKGROUND.findall(body))
    found = set()
    for selector in {*colors, *backgrounds}:
        base = _STATE.sub("", selector)
        color = colors.get(selector) or colors.get(base) or "text"
        own = backgrounds.get(selector) or backgrounds.get(base)
        found |= {(color, surface) for surface in ([own] if own else SURFACES)}
    return found


WITHOUT_TEXT = ("line", "thumb", "accent", "dim")
"""Backgrounds of lines, handles and marks, on which no rule sets a colour of text."""


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_every_pair_of_the_stylesheet_is_readable(colors: Theme) -> None:
    found = {(word, surface) for word, surface in pairs() if word not in UNREAD}
    assert {("accent_text", "accent"), ("selected_text", "selection"), ("text", "hover"), ("accent", "raised")} <= found
    poor = {
        (word, surface): round(contrast(getattr(colors, word), getattr(colors, surface)), 2)
        for word, surface in found
        if not (surface in WITHOUT_TEXT and word == "text")
        and contrast(getattr(colors, word), getattr(colors, surface)) < AA_TEXT
    }
    assert poor == {}


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_marks_and_frames_that_matter_stand_out(colors: Theme) -> None:
    """WCAG 1.4.11 asks 3 to 1 of what is needed to see a control, and where the focus is."""
    for word, surface in product(("accent", "dim", "bad"), (*SURFACES, "hover")):
        assert contrast(getattr(colors, word), getattr(colors, surface)) >= 3, (word, surface)


def test_fonts_change_for_all_and_are_told_before_the_theme(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, DARK)
    label = QLabel("word")
    qtbot.addWidget(label)
    label.show()
    told: list[str] = []
    fonts, colors = lambda: told.append("fonts"), lambda _: told.append("colours")
    theme.notifier.fonts_changed.connect(fonts)
    theme.notifier.changed.connect(colors)
    theme.apply(qapp, DARK, Fonts(15, "", 12))
    assert (label.font().pointSize(), theme.ui_font().pointSize(), theme.mono_font().pointSize()) == (15, 15, 12)
    theme.apply(qapp, DARK, Fonts())
    theme.notifier.fonts_changed.disconnect(fonts)
    theme.notifier.changed.disconnect(colors)
    assert told == ["fonts", "colours"] * 2


def test_a_font_that_is_not_installed_gives_way_to_the_best_there_is(qapp: QApplication) -> None:
    theme.apply(qapp, DARK, Fonts(10, "No Such Mono", 10))
    assert theme.mono_font().family() in theme.MONO_FAMILIES
    theme.apply(qapp, DARK, Fonts())


def test_a_tab_does_not_shine_through_the_arrow_that_leads_nowhere(qapp: QApplication, qtbot: QtBot) -> None:
    theme.apply(qapp, DARK)
    tabs = QTabWidget()
    qtbot.addWidget(tabs)
    tabs.setDocumentMode(True)
    for _ in range(3):
        tabs.addTab(QWidget(), "█" * 24)
    tabs.resize(300, 100)
    with qtbot.waitExposed(tabs):
        tabs.show()
    arrow = next(button for button in tabs.tabBar().findChildren(QToolButton) if button.arrowType() == Qt.LeftArrow)
    assert arrow.isVisible()
    assert not arrow.isEnabled()
    shown = tabs.grab().toImage()
    corner = arrow.mapTo(tabs, arrow.rect().topLeft())
    colours = {shown.pixelColor(corner.x() + 1, corner.y() + y).name() for y in range(arrow.height() - 2)}
    assert colours == {DARK.window}


def test_hairlines_have_the_colour_of_the_theme(qapp: QApplication) -> None:
    for one in (theme.DARK, theme.LIGHT):
        sheet = theme.stylesheet(one)
        assert f"border-bottom: 1px solid {one.line};" in sheet
        assert not re.search(r"solid (?!#|transparent)", sheet)


@pytest.mark.parametrize("colors", [DARK, LIGHT])
def test_the_pictures_of_the_stylesheet_are_in_memory_alone(colors: Theme) -> None:
    """A program that is killed takes away no files."""
    named = set(re.findall(r'url\("(.*?)"\)', theme.stylesheet(colors)))
    assert len(named) > 10
    for path in named:
        assert path.startswith(":/")
        picture = QImage(path)
        opaque = {
            picture.pixelColor(x, y).name()
            for x, y in product(range(picture.width()), range(picture.height()))
            if picture.pixelColor(x, y).alpha() == 255
        }
        assert opaque <= {colors.accent_text, colors.faint, colors.dim}
        assert opaque
