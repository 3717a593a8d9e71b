"""Enter in a field presses the button that it says, whatever had the keyboard before."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QDialog, QPushButton, QTabBar, QWidget

from app.events import Note
from tests.ui.conftest import Open
from tests.ui.desk import Capture, do, settle
from tests.ui.dialogs import NAMES, makers
from ui.panes.notes import NoteDialog
from ui.settings import Settings
from ui.window.main_window import MainWindow

# Of the offscreen platform.
pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|propagateSizeHints\(\))", extend=True)


def default(dialog: QDialog) -> list[str]:
    return [button.text() for button in dialog.findChildren(QPushButton) if button.isDefault()]


def check(dialog: QDialog) -> None:
    """Give each button the keyboard, then a field."""
    dialog.activateWindow()
    settle()
    before = default(dialog)
    widgets = [one for one in dialog.findChildren(QWidget) if one.isVisible() and one.focusPolicy() & Qt.TabFocus]
    for button in widgets:
        if isinstance(button, QPushButton) and button.isEnabled():
            button.setFocus(Qt.TabFocusReason)
    next(one for one in widgets if not isinstance(one, QPushButton | QTabBar)).setFocus(Qt.TabFocusReason)
    assert default(dialog) == before


@pytest.mark.parametrize("name", NAMES)
def test_the_default_button_stays_the_default(
    name: str, open_window: Open, settings: Settings, capture: Capture, tmp_path: Path
) -> None:
    capture.add([b"x"])
    dialog = makers(open_window(), settings, capture, tmp_path)[name]()
    dialog.show()
    check(dialog)
    dialog.hide()
    dialog.deleteLater()


def test_of_a_note_too(window: MainWindow) -> None:
    dialog = NoteDialog(1, Note("x"), window)
    dialog.show()
    check(dialog)
    assert default(dialog) == ["&Note"]


@pytest.mark.parametrize("action", ["watch_service", "alert_on_filter", "run_program"])
def test_of_a_form_too(window: MainWindow, action: str) -> None:
    do(window, action)
    dialog = next(one for one in window.findChildren(QDialog) if one.isVisible())
    check(dialog)
    dialog.hide()
