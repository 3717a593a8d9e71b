"""Windows fit on their screen, with their frame."""

from __future__ import annotations

import pytest
from PyQt5.QtCore import QRect, QSize
from PyQt5.QtGui import QScreen
from PyQt5.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from ui.parts.fitting import fit, keep_size
from ui.window.main_window import MainWindow


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QScreen, "availableGeometry", lambda _: QRect(0, 0, 910, 512))


@pytest.mark.parametrize(
    ("size", "fitting"), [((1366, 768), (902, 472)), ((800, 768), (800, 472)), ((800, 400), (800, 400))]
)
@pytest.mark.usefixtures("small")
def test_a_window_with_its_frame_is_no_larger_than_its_screen(
    size: tuple[int, int], fitting: tuple[int, int], qtbot: QtBot
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(*size)
    fit(window)
    assert (window.width(), window.height()) == fitting


@pytest.mark.usefixtures("small")
@pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$")
def test_the_manual_is_no_larger_than_its_screen(window: MainWindow) -> None:
    window.manual.open()
    manual = window.manual.window
    assert manual is not None
    assert (manual.width(), manual.height()) == (902, 472)


@pytest.mark.parametrize(("ratio", "step"), [(1.0, 0), (1.25, 0), (1.5, 2), (1.75, 4), (2.0, 0)])
def test_a_window_grows_by_whole_pixels_of_its_own_and_of_the_screen(
    ratio: float, step: int, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    monkeypatch.setattr(window, "devicePixelRatioF", lambda: ratio)
    keep_size(window)
    assert (window.sizeIncrement(), window.baseSize()) == (QSize(step, step), QSize(step, step))
