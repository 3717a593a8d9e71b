"""Every text of the window can be translated: under a translator that marks what passes through it, all are marked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import QTranslator
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QApplication,
    QComboBox,
    QDialog,
    QGroupBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from tests.ui.test_opening import DIALOGS, close_others
from ui.window.main_window import MainWindow

pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True)

WORD = re.compile(r"[^\W\d_]{2,}")

NAMES = (
    "alpha", "beta", "Demo", "Listening Post", "TCP", "UDP", "HTTP", "WebSocket", "SSH", "TLS", "pcapng", "HAR", "CSV",
    "curl", "127.0.0.1", "::1", "0.0.0.0", "echo", "Python", "utf-8", "ASCII", "Text", "none.lpost",
)  # fmt: skip
"""What stays as it is in every language: names, addresses, and what is data."""


class Marking(QTranslator):
    """Puts marks around each text."""

    def translate(self, context: str, text: str, disambiguation: str | None = None, n: int = -1) -> str:
        return f"⟦{text}⟧"


@pytest.fixture
def marking(qapp: QApplication) -> Iterator[None]:
    translator = Marking()
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


def texts(widget: QWidget) -> Iterator[tuple[str, str]]:
    """What the widget and all inside of it show, and where."""
    for child in (widget, *widget.findChildren(QWidget)):
        name = f"{type(child).__name__} {child.objectName()}".strip()
        if isinstance(child, QLabel | QAbstractButton):
            yield name, child.text()
        if isinstance(child, QGroupBox):
            yield name, child.title()
        if isinstance(child, QLineEdit | QPlainTextEdit):
            yield f"{name} placeholder", child.placeholderText()
        if isinstance(child, QComboBox) and not child.isEditable():
            yield from ((f"{name} item", child.itemText(at)) for at in range(child.count()))
        if isinstance(child, QTabBar):
            yield from ((f"{name} tab", child.tabText(at)) for at in range(child.count()))
        yield f"{name} tooltip", re.sub(r"<[^>]*>", "", child.toolTip())
        yield f"{name} accessible name", child.accessibleName()
    for action in widget.findChildren(QAction):
        yield f"action {action.objectName()}", action.text()
        yield f"action {action.objectName()} tooltip", action.toolTip()


def unmarked(widget: QWidget) -> list[tuple[str, str]]:
    found = []
    for where, text in texts(widget):
        rest = re.sub(r"⟦[^⟦⟧]*⟧", "", text)
        for name in NAMES:
            rest = rest.replace(name, "")
        if WORD.search(rest) and "⟦" not in text:
            found.append((where, text))
    return sorted(set(found))


@pytest.fixture
def window(marking: None, open_window: Open) -> MainWindow:
    return open_window(config("alpha"), config("beta", 9008))


def test_the_main_window(window: MainWindow) -> None:
    for name in ("send_message", "start_page", "http", "conversations", "failures"):
        window.actions_[name].trigger()
        settle()
    window.services.select("alpha")
    settle()
    assert unmarked(window) == []


@pytest.mark.parametrize("name", [*DIALOGS, "manual"])
def test_a_dialog(window: MainWindow, name: str) -> None:
    window.services.select("alpha")
    window.actions_[name].trigger()
    settle()
    shown = [top for top in QApplication.topLevelWidgets() if top.isVisible() and top is not window]
    shown += [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    try:
        for top in shown:
            assert unmarked(top) == []
    finally:
        close_others(window)
        window.manual.close()
