"""The hint of an empty list has no cut line, however low the list is."""

from __future__ import annotations

import pytest
from PyQt5.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter
from PyQt5.QtWidgets import QApplication

from ui.parts.hints import paint_hint, whole_lines

TEXT = "Nothing has come.\n\nPress Start all, or the button of one service;\nthen everything that comes stands here."


@pytest.fixture
def font(qapp: QApplication) -> QFont:
    return QFont("DejaVu Sans", 12)


def test_all_lines_stand_where_there_is_room(font: QFont) -> None:
    assert whole_lines(TEXT, font, 5000, 5000) == TEXT.split("\n")


def test_long_lines_are_broken_between_words(font: QFont) -> None:
    width = QFontMetrics(font).horizontalAdvance("or the button of one service;") + 8
    lines = whole_lines(TEXT, font, width, 5000)
    assert len(lines) > 4
    assert " ".join(lines).split() == TEXT.split()
    assert all(QFontMetrics(font).horizontalAdvance(line) <= width for line in lines)


@pytest.mark.parametrize(("fitting", "shown"), [(0.0, 1), (0.9, 1), (1.5, 1), (2.5, 1), (3.2, 1), (4.0, 4)])
def test_only_whole_sentences_stand_in_a_low_one_and_a_line_always(font: QFont, fitting: float, shown: int) -> None:
    height = round(QFontMetrics(font).lineSpacing() * fitting)
    assert whole_lines(TEXT, font, 5000, height) == TEXT.split("\n")[:shown]


def test_a_sentence_may_end_within_a_line(font: QFont) -> None:
    words = "Nothing fits this. Press Esc in the filter to see everything again."
    width = QFontMetrics(font).horizontalAdvance("Nothing fits this. Press Esc ")
    assert whole_lines(words, font, width, QFontMetrics(font).lineSpacing()) == ["Nothing fits this."]


@pytest.mark.parametrize("fitting", [1, 2])
def test_a_first_sentence_without_room_ends_with_an_ellipsis(font: QFont, fitting: int) -> None:
    metrics = QFontMetrics(font)
    words = "then everything that comes stands in this list and says so"
    width = metrics.horizontalAdvance("everything that comes ")
    lines = whole_lines(words, font, width, metrics.lineSpacing() * fitting)
    assert len(lines) == fitting
    assert lines[-1].endswith("…")
    assert words.startswith(" ".join(lines)[:-1])
    assert all(metrics.horizontalAdvance(line) <= width for line in lines)


def test_it_is_written_into_the_room(font: QFont) -> None:
    image = QImage(600, 200, QImage.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setFont(font)
    painter.setPen(QColor("white"))
    room = image.rect().adjusted(0, 60, 0, -60)
    paint_hint(painter, room, TEXT)
    painter.end()
    written = {y for y in range(200) for x in range(600) if image.pixel(x, y) & 0xFF > 64}
    assert written
    assert room.top() <= min(written)
    assert max(written) <= room.bottom()
