"""Every text of the window can be translated: under a translator that marks what passes through it, all are marked."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from PyQt5.QtCore import Qt, QTranslator
from PyQt5.QtGui import QFontDatabase
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAction,
    QApplication,
    QComboBox,
    QDialog,
    QGroupBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QWidget,
)

from tests.helpers import ROOT
from tests.ui.conftest import Open
from tests.ui.desk import config, settle
from tests.ui.test_opening import DIALOGS, close_others
from ui.panes.event_view import EventView
from ui.window.main_window import MainWindow

pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True)

WORD = re.compile(r"[^\W\d_]{2,}")

NAMES = (
    "Chromium, Chrome on Linux (certutil of libnss3-tools)", "Firefox on Linux (certutil of libnss3-tools)",
    "Debian, Ubuntu", "Fedora", "Arch", "Windows", "macOS", "Java", "Node", "SHA-256", "URL", "nc",
    "tcp:// tls:// udp:// http:// https:// ws:// wss://", "127.0.0.1", "::1", "0.0.0.0", "none.lpost",
    "alpha", "beta", "Demo", "Listening Post", "TCP", "UDP", "HTTP", "WebSocket", "SSH", "TLS", "pcapng", "HAR",
    "CSV", "curl", "echo", "Python", "utf-8", "ASCII", "Text",
)  # fmt: skip
"""What stays as it is in every language: names, addresses, and what is data."""


OF_THE_FILE = ("Choice", "HelpedChoice", "KindChoice")
"""Choosers of words that stand so in a workspace file."""


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
        if isinstance(child, QLabel | QAbstractButton) and child.property("role") != "mono":
            yield name, child.text()
        if isinstance(child, QGroupBox):
            yield name, child.title()
        if isinstance(child, QLineEdit | QPlainTextEdit):
            yield f"{name} placeholder", child.placeholderText()
        if isinstance(child, QComboBox) and not child.isEditable() and type(child).__name__ not in OF_THE_FILE:
            yield from ((f"{name} item", child.itemText(at)) for at in range(child.count()))
        if isinstance(child, QTabBar):
            yield from ((f"{name} tab", child.tabText(at)) for at in range(child.count()))
        if isinstance(child, QHeaderView) and child.orientation() == Qt.Horizontal:
            for section in range(child.count()):
                for what, role in (("title", Qt.DisplayRole), ("tooltip of a title", Qt.ToolTipRole)):
                    yield f"{name} {what}", str(child.model().headerData(section, Qt.Horizontal, role) or "")
        if isinstance(child, EventView):
            yield f"{name} placeholder", child._placeholder
        yield f"{name} tooltip", re.sub(r"<[^>]*>", "", child.toolTip())
        yield f"{name} accessible name", child.accessibleName()
    for action in widget.findChildren(QAction):
        yield f"action {action.objectName()}", action.text()
        yield f"action {action.objectName()} tooltip", action.toolTip()


def unmarked(widget: QWidget) -> list[tuple[str, str]]:
    found, fonts = [], set(QFontDatabase().families())
    for where, text in texts(widget):
        rest = re.sub(r"⟦[^⟦⟧]*⟧", "", text)
        for name in NAMES:
            rest = rest.replace(name, "")
        if WORD.search(rest) and "⟦" not in text and not text.startswith("Ctrl+") and text not in fonts:
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


def test_faults(marking: None, open_window: Open) -> None:
    slow = {"kind": "delay", "name": "alpha", "jitter_ms": 5.0, "probability": 0.5, "nth": 2}
    window = open_window(config("alpha", faults=(slow,)), config("beta", 9008))
    window.services.select("beta")
    window.actions_["faults"].trigger()
    assert unmarked(window.faults.dock) == []
    for name in ("alpha", "beta"):
        window.workbench.show_faults(name, 0)
        settle()
        section = window.workbench.pages[name].forms.faults
        assert section is not None
        assert unmarked(section) == []
    window.faults.dock.empty.show_service("beta", "tcp")
    assert unmarked(window.faults.dock) == []


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


def test_a_stream(window: MainWindow) -> None:
    window.streams.show((1, False))
    settle()
    [stream] = window.streams.open
    assert unmarked(stream) == []


# -- texts that no window above shows: what the code gives to a widget goes through tr

TAKE_TEXT = {
    "setText", "setToolTip", "setWindowTitle", "setPlaceholderText", "setAccessibleName", "setAccessibleDescription",
    "setInformativeText", "setDetailedText", "setTitle", "setSuffix", "setPrefix", "setSpecialValueText", "addMenu",
    "QLabel", "QPushButton", "QCheckBox", "QRadioButton", "QGroupBox", "Words", "Wrapped", "Line", "say", "setTabText",
    "setTabToolTip", "set_empty", "getOpenFileName", "getSaveFileName", "mark_accessible",
}  # fmt: skip

SECOND = {"setTabText", "setTabToolTip", "getOpenFileName", "getSaveFileName", "mark_accessible"}
"""Take it as their second argument."""

THE_SAME_EVERYWHERE = {
    "Listening Post", "URL", "Aa", " ms", "tcp:// tls:// udp:// http:// https:// ws:// wss://",
    "GET /users/7?full=1", "HELLO id=17\\r\\n", "GET / HTTP/1.1\\r\\nHost: example\\r\\n\\r\\n",
}  # fmt: skip
"""Names, units, and examples of what is data."""


def given_straight(tree: ast.AST) -> Iterator[ast.expr]:
    """The texts that calls give to widgets and that no translator sees."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in TAKE_TEXT:
                which = call.args[1:2] if name in SECOND else call.args[:1]
                yield from (text for argument in which for text in plain_texts(argument))


def plain_texts(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str) and WORD.search(node.value) and node.value not in THE_SAME_EVERYWHERE:
            yield node
    elif isinstance(node, ast.JoinedStr):
        if any(isinstance(part, ast.Constant) and WORD.search(str(part.value)) for part in node.values):
            yield node
    elif isinstance(node, ast.IfExp):
        yield from (*plain_texts(node.body), *plain_texts(node.orelse))
    elif isinstance(node, ast.BinOp):
        yield from (*plain_texts(node.left), *plain_texts(node.right))
    elif isinstance(node, ast.BoolOp):
        yield from (text for value in node.values for text in plain_texts(value))


def test_what_the_code_gives_to_a_widget_goes_through_tr() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{text.lineno}: {ast.unparse(text)}"
        for path in (ROOT / "ui").rglob("*.py")
        for text in given_straight(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_the_check_finds_what_is_not_prepared() -> None:
    code = (
        "a.setText('Hello there')\nb.setToolTip(f'{n} rows')\nc.setText(self.tr('Fine'))\nd.say('' if x else 'Or so')"
    )
    assert [text.lineno for text in given_straight(ast.parse(code))] == [1, 2, 4]


def test_no_f_string_and_no_sum_is_given_to_tr() -> None:
    """A translator's tool finds only whole literals."""
    wrong = []
    for path in (ROOT / "ui").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            to_tr = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "tr"
            if to_tr and isinstance(call.args[0], ast.JoinedStr | ast.BinOp):  # type: ignore[attr-defined]
                wrong.append(f"{path.name}:{call.lineno}")
    assert wrong == []
