"""For screen readers and keyboards: every control has a name, the focus goes round in order, nothing overlaps."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenuBar,
    QScrollArea,
    QTabBar,
    QToolBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import responders
from app.events import FAILURE, Event
from app.options import Option
from app.services.protocols import PROTOCOLS
from tests.ui.conftest import Open
from tests.ui.desk import Capture, config, do, settle
from tests.ui.dialogs import NAMES, Make, makers
from ui.forms.table import TableEditor
from ui.looks import theme
from ui.looks.theme import Fonts
from ui.sending.message_form import DATA, OPTIONS, MessageForm
from ui.services.dialog import ServiceDialog
from ui.settings import Settings
from ui.window.main_window import MainWindow

# Of the offscreen platform.
pytestmark = pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True)


def nameless(top: QWidget) -> list[str]:
    """What takes the focus in ``top`` and has no name that could be read out."""
    named = {label.buddy() for label in top.findChildren(QLabel) if label.text()}
    taking = [widget for widget in top.findChildren(QWidget) if _takes_focus(widget)]
    return [_told(widget) for widget in taking if not _name(widget) and widget not in named]


def _takes_focus(widget: QWidget) -> bool:
    if widget.focusPolicy() == Qt.NoFocus or widget.focusProxy() is not None or widget.isHidden():
        return False
    parent = widget.parentWidget()
    while parent is not None:
        # Parts of a control that speaks for them.
        if isinstance(parent, QComboBox | QAbstractSpinBox | QTabBar) or (parent.isHidden() and not parent.isWindow()):
            return False
        parent = parent.parentWidget()
    # Bars are gone through by their entries.
    return not isinstance(widget, QMenuBar | QToolBar)


def _name(widget: QWidget) -> str:
    if widget.accessibleName():
        return widget.accessibleName()
    return widget.text() if isinstance(widget, QAbstractButton | QLabel) else ""


def _told(widget: QWidget) -> str:
    parents, parent = [], widget.parentWidget()
    while parent is not None:
        parents.append(type(parent).__name__)
        parent = parent.parentWidget()
    return f"{type(widget).__name__} in {' in '.join(parents[:4])}"


# -- names


def test_every_control_of_the_window_has_a_name(window: MainWindow) -> None:
    window.detail.show_event(Event(1, 0, FAILURE, "", None, None, 0, "", payload=b"{}"))
    for index in range(window.panes.count()):
        window.panes.setCurrentIndex(index)
        settle()
        assert nameless(window) == [], window.panes.tabText(index)
    for index in range(window.detail.tabs.count()):
        window.detail.tabs.setCurrentIndex(index)
        settle()
        assert nameless(window) == [], window.detail.tabs.tabText(index)
    do(window, "send_message")
    form = window.sending.dock.form
    for url in ("tcp://127.0.0.1:9", "https://127.0.0.1:9/"):
        form.url.setText(url)
        window.sending.dock.answer.wait()
        for index in range(form.tabs.count()):
            form.tabs.setCurrentIndex(index)
            window.sending.dock.answer.tabs.setCurrentIndex(index)
            settle()
            assert nameless(window) == []
    do(window, "start_page")
    do(window, "palette")
    assert nameless(window) == []


def test_every_control_of_faults_has_a_name(open_window: Open) -> None:
    slow = {"kind": "delay", "name": "slow", "jitter_ms": 5.0, "nth": 2, "peer": ["10.0.0.7"]}
    window = open_window(config("alpha", faults=(slow, {"kind": "reset"})), config("beta", 9008))
    window.services.select("beta")
    do(window, "faults")
    assert nameless(window.faults.dock) == []
    for name in ("alpha", "beta"):
        window.workbench.show_faults(name, 0)
        settle()
        assert nameless(window.workbench.pages[name]) == []


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_every_control_of_the_service_dialog_has_a_name(qtbot: QtBot, protocol: str) -> None:
    for responder in responders.serving(protocol):
        dialog = _service(qtbot, protocol, responder.name)
        for index in range(dialog.tabs.count()):
            dialog.tabs.setCurrentIndex(index)
            assert nameless(dialog) == [], (responder.name, dialog.tabs.tabText(index))
        for editor in dialog.findChildren(TableEditor):
            editor._add()
        settle()
        assert nameless(dialog) == [], responder.name
        dialog.close()


def _service(qtbot: QtBot, protocol: str, responder: str) -> ServiceDialog:
    dialog = ServiceDialog(config("x", 9000, protocol=protocol, responder=responder), [])
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


@pytest.fixture
def dialogs(window: MainWindow, settings: Settings, capture: Capture, tmp_path: Path) -> dict[str, Make]:
    capture.add([b"x"])
    return makers(window, settings, capture, tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_every_control_of_a_dialog_has_a_name(dialogs: dict[str, Make], name: str) -> None:
    dialog = dialogs[name]()
    dialog.show()
    settle()
    assert nameless(dialog) == []
    tabs = getattr(dialog, "tabs", None)
    for index in range(tabs.count() if tabs is not None else 0):
        tabs.setCurrentIndex(index)
        settle()
        assert nameless(dialog) == []
    dialog.close()
    settle()


def test_every_action_is_explained(window: MainWindow) -> None:
    for name, action in window.actions_.items():
        assert action.toolTip(), name
        assert action.text(), name


# -- focus


def test_tab_goes_from_the_bar_over_services_and_connections_to_panes_and_detail(window: MainWindow) -> None:
    stations = {
        "bar": window.toolbar, "services": window.services, "connections": window.connections,
        "panes": window.panes, "detail": window.detail,
    }  # fmt: skip
    window.detail.show_event(Event(1, 0, FAILURE, "", None, None, 0, "", payload=b"{}"))
    window.filter.setFocus()
    seen: list[str] = []
    for _ in range(60):
        focus = QApplication.focusWidget()
        assert focus is not None
        at = next((n for n, widget in stations.items() if widget is focus or widget.isAncestorOf(focus)), _told(focus))
        if not seen or seen[-1] != at:
            seen.append(at)
        if len(seen) > 1 and focus is window.filter:
            break
        QTest.keyClick(focus, Qt.Key_Tab)
    assert seen == ["bar", "services", "connections", "panes", "detail", "bar"]


# -- room


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize("size", [10, 15])
@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_no_words_of_the_service_dialog_are_cut_or_overlap(
    qtbot: QtBot, qapp: QApplication, protocol: str, size: int
) -> None:
    theme.apply(qapp, theme.DARK, Fonts(size, "", size))
    for responder in responders.serving(protocol):
        dialog = _service(qtbot, protocol, responder.name)
        for editor in dialog.findChildren(TableEditor):
            editor._add()
        settle()
        for form in dialog.findChildren(QWidget):
            assert crowded(form) == [], responder.name
        dialog.close()


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize("size", [10, 15])
@pytest.mark.parametrize("name", ["settings", "capture", "connect", "send", "export", "save"])
def test_no_words_of_a_dialog_are_cut_or_overlap(
    dialogs: dict[str, Make], qapp: QApplication, name: str, size: int
) -> None:
    theme.apply(qapp, theme.DARK, Fonts(size, "", size))
    dialog = dialogs[name]()
    dialog.show()
    settle()
    for part in (dialog, *dialog.findChildren(QWidget)):
        assert crowded(part) == []
    dialog.close()
    settle()


@pytest.mark.usefixtures("dark")
def test_the_window_fits_a_small_screen_with_large_letters(open_window: Open, qapp: QApplication) -> None:
    theme.apply(qapp, theme.DARK, Fonts(15, "", 15))
    window = open_window()
    do(window, "send_message")
    least = window.minimumSizeHint()
    assert (least.width() <= 1366, least.height() <= 768) == (True, True)


@pytest.mark.usefixtures("dark")
def test_fields_of_the_send_dock_are_as_tall_as_large_letters(qtbot: QtBot, qapp: QApplication) -> None:
    theme.apply(qapp, theme.DARK, Fonts(15, "", 15))
    form = MessageForm()
    qtbot.addWidget(form)
    form.resize(900, 400)
    form.show()
    settle()
    for tab, fields in ((DATA, (form.url, form.types)), (OPTIONS, (form.times, form.every))):
        form.tabs.setCurrentIndex(tab)
        settle()
        for field in fields:
            assert field.height() >= field.sizeHint().height()


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize("before", [10, 15])
@pytest.mark.parametrize("size", [9, 10, 15, 20])
@pytest.mark.parametrize("room", [0, 2000])
def test_d1_no_field_of_the_send_dock_is_cut_whatever_the_letters(
    qtbot: QtBot, qapp: QApplication, before: int, size: int, room: int
) -> None:
    """Those chosen before it is shown, and while it is; in little room, and in much."""
    theme.apply(qapp, theme.DARK, Fonts(before, "", before))
    form = MessageForm()
    qtbot.addWidget(form)
    form.url.setText("https://127.0.0.1:9443/")
    form.show()
    settle()
    theme.apply(qapp, theme.DARK, Fonts(size, "", size))
    settle()
    for times, every in ((1, 0), (0, 20), (form.times.maximum(), form.every.maximum())):
        form.times.setValue(times)
        form.every.setValue(every)
        settle()
        form.resize(max(room, form.minimumSizeHint().width()), 400)
        settle()
        always = (form.url, form.method, form.button)
        for tab, more in ((DATA, (form.types,)), (OPTIONS, (form.times, form.every, form.keep))):
            form.tabs.setCurrentIndex(tab)
            settle()
            for field in (*always, *more):
                assert field.isVisible()
                assert field.height() >= field.sizeHint().height()
            for field in (*always[1:], *(one for one in more if one not in (form.times, form.every))):
                assert field.width() >= field.sizeHint().width()
        for number in (form.times, form.every):
            line = number.findChild(QLineEdit)
            assert line.width() >= line.fontMetrics().horizontalAdvance(number.text())
            assert not room or number.width() >= number.sizeHint().width()


def crowded(parent: QWidget) -> list[str]:
    """Which widgets that lie beside each other in ``parent`` overlap, and which words are cut off below."""
    if isinstance(parent, QAbstractScrollArea | QComboBox | QAbstractSpinBox | QLineEdit | QTabBar | QToolBar):
        return []
    if parent.layout() is None or not parent.isVisible():
        return []
    beside = [child for child in parent.children() if isinstance(child, QWidget) and child.isVisible()]
    beside = [child for child in beside if not child.isWindow() and child.height() and child.width()]
    found = [
        f"{_told(a)} over {_told(b)}"
        for at, a in enumerate(beside)
        for b in beside[at + 1 :]
        if a.geometry().intersects(b.geometry())
    ]
    for label in beside:
        if isinstance(label, QLabel) and label.hasHeightForWidth():
            needed = label.heightForWidth(label.width())
            if needed > label.height():
                found.append(f"cut: {label.text()}")
    return found


@pytest.mark.usefixtures("dark")
def test_what_is_crowded_is_found(qtbot: QtBot) -> None:
    from PyQt5.QtWidgets import QVBoxLayout

    parent = QWidget()
    qtbot.addWidget(parent)
    column = QVBoxLayout(parent)
    one, two = QLabel("one"), QLabel("two " * 50)
    two.setWordWrap(True)
    for label in (one, two):
        column.addWidget(label)
    parent.show()
    settle()
    assert crowded(parent) == []
    one.setGeometry(two.geometry())
    two.resize(60, 10)
    assert len(crowded(parent)) == 2


def test_an_option_of_each_type_has_a_named_editor(qtbot: QtBot) -> None:
    from ui.forms.form import OptionForm

    declared = (
        Option("flag", bool, False, "A flag"), Option("lines", list, [], "Lines"), Option("text", str, "", "Text"),
        Option("kind", str, "a", "Kind", choices=("a", "b")), Option("file", str, "", "A file", path="file"),
    )  # fmt: skip
    form = OptionForm(declared, {})
    scroll = QScrollArea()
    scroll.setFocusPolicy(Qt.NoFocus)
    scroll.setWidget(form)
    qtbot.addWidget(scroll)
    scroll.show()
    assert nameless(scroll) == []


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_every_control_of_the_page_of_a_service_has_a_name(open_window: Open, protocol: str) -> None:
    serving = list(responders.serving(protocol))
    rules = {one.name: {"rules": [{}]} if one.rulebook is not None else {} for one in serving}
    window = open_window(
        *(
            config(name, 9000 + at, protocol=protocol, responder=name, options=options)
            for at, (name, options) in enumerate(rules.items())
        )
    )
    for responder in serving:
        page = window.workbench.open(responder.name)
        assert page is not None
        for index in range(page.header.sections.count()):
            page.header.sections.setCurrentIndex(index)
            settle()
            assert nameless(page) == [], (responder.name, page.header.sections.tabText(index))
        window.workbench.close(responder.name)


@pytest.mark.usefixtures("dark")
@pytest.mark.parametrize("size", [10, 15])
def test_the_page_of_a_service_fits_a_small_window(open_window: Open, qapp: QApplication, size: int) -> None:
    theme.apply(qapp, theme.DARK, Fonts(size, "", size))
    rules = [{"path": "/users/{id}", "template": True, "body": "{}"}]
    window = open_window(config("shop", protocol="http", responder="mock", options={"rules": rules}))
    page = window.workbench.open("shop")
    assert page is not None
    least = page.minimumSizeHint()
    assert least.width() <= (560 if size == 10 else 760)
    assert least.height() <= (420 if size == 10 else 560)
