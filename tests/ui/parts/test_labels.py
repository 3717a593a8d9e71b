"""Text as Qt's labels, tabs and tooltips want it."""

from __future__ import annotations

import pytest
from PyQt5.QtWidgets import QLabel, QTabBar
from pytestqt.qtbot import QtBot

from ui.parts.labels import plain, unmarked


@pytest.mark.parametrize("name", ["a & b", "&&", "R&D && more", "plain"])
def test_unmarked_shows_every_ampersand(qtbot: QtBot, name: str) -> None:
    bar = QTabBar()
    qtbot.addWidget(bar)
    bar.addTab(unmarked(name))
    assert bar.tabText(0).replace("&&", "&") == name


def test_plain_shows_tags_as_they_are_written(qtbot: QtBot) -> None:
    label = QLabel(plain("<b>x</b> & y"))
    qtbot.addWidget(label)
    assert label.text() == "<span>&lt;b&gt;x&lt;/b&gt; &amp; y</span>"
