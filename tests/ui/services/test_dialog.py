"""The service dialog: its suggestions, its checks, and the resulting configuration."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import responders
from app.responders import Option, Responder
from app.services.config import ServiceConfig
from ui.forms.form import OptionForm
from ui.forms.table import TableEditor
from ui.services.checks import place_problem, suggested_name, suggested_port
from ui.services.dialog import ServiceDialog
from ui.services.section_page import SectionPage

TCP = ServiceConfig("tcp-echo", "tcp", "127.0.0.1", 9007, "echo")
HTTP = ServiceConfig("http-inspector", "http", "127.0.0.1", 9080, "inspector", True)
OTHERS = (TCP, HTTP)

Open = Callable[..., ServiceDialog]


@pytest.fixture
def dialog(qtbot: QtBot) -> Open:
    def opened(config: ServiceConfig | None = None, protocol: str = "tcp") -> ServiceDialog:
        found = ServiceDialog(config, [other for other in OTHERS if other is not config], None, protocol)
        qtbot.addWidget(found)
        with qtbot.waitExposed(found):
            found.show()
        return found

    return opened


def said(widget: QWidget) -> list[str]:
    """The visible problems."""
    return [w.text() for w in widget.findChildren(QLabel) if w.property("role") == "error" and w.isVisible()]


def choose(form: ServiceDialog, protocol: str) -> None:
    form.protocol.setCurrentIndex(form.protocol.findData(protocol))


@pytest.mark.parametrize(
    ("protocol", "wanted"),
    [
        ("tcp", ServiceConfig("tcp-echo-2", "tcp", "127.0.0.1", 9008, "echo")),
        ("udp", ServiceConfig("udp-echo", "udp", "127.0.0.1", 9008, "echo")),
        ("http", ServiceConfig("http-inspector-2", "http", "127.0.0.1", 9081, "inspector")),
        ("websocket", ServiceConfig("ws-echo", "websocket", "127.0.0.1", 9081, "echo")),
    ],
)
def test_a_new_service_is_right_from_the_start(dialog: Open, protocol: str, wanted: ServiceConfig) -> None:
    form = dialog(protocol=protocol)
    assert form.config() == wanted
    assert form.ok.isEnabled()
    assert said(form) == []
    assert form.focusWidget() is form.name


def test_a_new_manhole_has_a_password_so_that_it_starts(dialog: Open) -> None:
    assert dialog(protocol="ssh").config().options == {"password": "auto"}
    form = dialog()
    choose(form, "ssh")
    assert form.config().options == {"password": "auto"}
    keys = ServiceConfig("keys", "ssh", "127.0.0.1", 9022, "manhole", options={"authorized_keys": "keys"})
    assert dialog(keys).config() == keys


def test_suggestions_go_round_what_is_taken() -> None:
    taken = [ServiceConfig(name, "tcp", "::1", port, "echo") for name, port in (("tcp-echo", 9007), ("tcp-echo-2", 0))]
    assert suggested_name("tcp", "echo", taken) == "tcp-echo-3"
    assert suggested_port("tcp", taken) == 9008


@pytest.mark.parametrize("config", OTHERS)
def test_what_it_begins_with_comes_back_as_it_was(dialog: Open, config: ServiceConfig) -> None:
    form = dialog(config)
    assert form.config() == config
    assert form.ok.isEnabled()
    assert form.windowTitle() == "New service"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "The name is missing."),
        ("  ", "The name is missing."),
        ("http-inspector", "“http-inspector” is taken. Give each service its own name."),
        ("x" * 61, "The name must be one line of at most 60 characters."),
        ("a\u202eb", "The name must not have a control or invisible character: number 2 is U+202E."),
    ],
)
def test_a_wrong_name_is_told_beneath_it(dialog: Open, name: str, words: str) -> None:
    form = dialog(TCP)
    form.name.setText(name)
    assert said(form) == [words]
    assert not form.ok.isEnabled()
    assert form.name.property("invalid")
    assert form.name.accessibleDescription() == words
    form.name.setText("fine")
    assert said(form) == []
    assert form.ok.isEnabled()
    assert not form.name.property("invalid")


def test_rules_are_not_edited_here_and_stay(dialog: Open) -> None:
    rules = [{"path": f"/{number}", "body": "{}"} for number in range(5)]
    made = ServiceConfig("api", "http", "127.0.0.1", 9300, "mock", options={"rules": rules, "otherwise": 500})
    form = dialog(made)
    assert form.findChild(TableEditor) is None
    words = "You edit the rules on the page of the service, which opens next."
    assert form.rules.text() == f"/0 → 200 json\n/1 → 200 json\n/2 → 200 json\n…\n{words}"
    form.responder.setCurrentText("echo" if form.responder.findText("echo") >= 0 else "inspector")
    assert form.rules.isHidden()
    form.responder.setCurrentText("mock")
    assert form.config().options == {"rules": rules, "otherwise": 500}


@pytest.mark.parametrize("host", ["", "1.2.3", "no spaces", "1:2", "[::1", "exa mple.org"])
def test_a_wrong_host_is_told(dialog: Open, host: str) -> None:
    form = dialog(TCP)
    form.host.setEditText(host)
    (words,) = said(form)
    assert words.startswith("Enter an address: " if not host else f"“{host}” is not an address. Use ")
    assert words.endswith("a number like 127.0.0.1 or ::1, or a name like localhost.")
    assert form.host.property("invalid")
    assert not form.ok.isEnabled()


@pytest.mark.parametrize("port", ["", "x", "65536", "-1", "9 0", "٣"])
def test_a_wrong_port_is_told(dialog: Open, port: str) -> None:
    form = dialog(TCP)
    form.port.setText(port)
    assert said(form) == ["The port must be a number from 1 to 65535, or 0 for any free one."]
    assert form.port.property("invalid")
    assert not form.ok.isEnabled()


def test_an_address_of_another_service_is_told(dialog: Open) -> None:
    form = dialog(TCP)
    form.port.setText("9080")
    assert said(form) == ["127.0.0.1:9080 is taken by “http-inspector”. Choose another port."]
    choose(form, "udp")
    assert said(form) == []
    choose(form, "tcp")
    assert not form.ok.isEnabled()
    form.host.setEditText("::1")
    assert form.ok.isEnabled()


def test_an_address_that_takes_in_anothers_is_refused_as_the_workspace_would() -> None:
    others = [ServiceConfig("web", "http", "127.0.0.1", 9080, "inspector")]
    assert place_problem("tcp", "0.0.0.0", 9080, others) == "127.0.0.1:9080 is taken by “web”. Choose another port"
    assert place_problem("udp", "0.0.0.0", 9080, others) is None
    assert place_problem("tcp", "::1", 9080, others) is None
    assert place_problem("tcp", "127.0.0.1", 0, others) is None


def test_port_zero_is_never_taken(dialog: Open) -> None:
    form = dialog(TCP)
    form.port.setText("0")
    assert form.ok.isEnabled()
    assert "Any free port" in [label.text() for label in form.findChildren(QLabel)]


@pytest.mark.parametrize(
    ("host", "exposed"), [("0.0.0.0", True), ("::", True), ("pi.local", True), ("::1", False), ("localhost", False)]
)
def test_an_exposed_address_is_warned_of(dialog: Open, host: str, exposed: bool) -> None:
    form = dialog(TCP)
    form.host.setEditText(host)
    warnings = [w.text() for w in form.findChildren(QLabel) if w.property("role") == "warning" and w.isVisible()]
    assert warnings == (["⚠ Others on the network can reach it."] if exposed else [])
    assert form.ok.isEnabled()


@pytest.mark.parametrize(("typed", "host", "port"), [("[::1]:99", "::1", "99"), ("localhost:0", "localhost", "0")])
def test_a_whole_address_is_taken_apart(dialog: Open, typed: str, host: str, port: str) -> None:
    form = dialog(TCP)
    form.host.setEditText(typed)
    form.host.lineEdit().editingFinished.emit()
    assert (form.host.currentText(), form.port.text()) == (host, port)


def test_brackets_around_a_host_are_taken_off(dialog: Open) -> None:
    form = dialog(TCP)
    form.host.setEditText("[::1]")
    assert form.config().host == "::1"


def test_what_is_typed_for_a_host_is_not_completed(dialog: Open, qtbot: QtBot) -> None:
    form = dialog(TCP)
    form.host.lineEdit().selectAll()
    qtbot.keyClicks(form.host.lineEdit(), "::")
    assert form.host.currentText() == "::"


def test_another_protocol_keeps_host_and_typed_name_and_takes_its_responder(dialog: Open) -> None:
    form = dialog()
    form.name.setText("mine")
    form.host.setEditText("::1")
    form.port.setText("1234")
    choose(form, "http")
    assert form.config() == ServiceConfig("mine", "http", "::1", 1234, "inspector")
    offered = [form.responder.itemData(index) for index in range(form.responder.count())]
    assert offered == [responder.name for responder in responders.serving("http")]


def test_suggestions_follow_the_protocol_until_someone_types(dialog: Open) -> None:
    form = dialog()
    choose(form, "http")
    assert (form.name.text(), form.port.text()) == ("http-inspector-2", "9081")
    form = dialog(TCP)
    choose(form, "http")
    assert (form.name.text(), form.port.text()) == ("tcp-echo", "9007")


def test_a_responder_says_in_one_line_what_it_does(dialog: Open) -> None:
    form = dialog()
    form.responder.setCurrentIndex(form.responder.findData("fragile"))
    shown = [label.text() for label in form.findChildren(QLabel) if label.isVisible()]
    assert "Echoes lines; the line “fail” raises ValueError" in shown
    assert form.config().name == "tcp-fragile"


def test_options_of_a_responder_survive_a_look_at_another(dialog: Open) -> None:
    given = ServiceConfig("ws", "websocket", "::1", 9081, "echo", options={"subprotocols": ["a"]})
    form = dialog(given)
    assert form.config() == given
    choose(form, "http")
    assert form.config().options == {}
    choose(form, "websocket")
    assert form.config() == given


def test_only_options_that_fit_the_protocol_are_shown(dialog: Open) -> None:
    form = dialog()
    assert not [editor for editor in form.findChildren(QPlainTextEdit) if editor.isVisible()]
    choose(form, "websocket")
    form.tabs.setCurrentIndex(1)
    editor = next(editor for editor in form.findChildren(QPlainTextEdit) if editor.accessibleName() == "Subprotocols")
    editor.setPlainText("chat")
    assert form.config().options == {"subprotocols": ["chat"]}
    choose(form, "udp")
    assert not editor.isVisible()
    assert form.config().options == {}
    assert form.ok.isEnabled()
    choose(form, "websocket")
    assert form.config().options == {"subprotocols": ["chat"]}


def test_each_protocol_has_its_pages(dialog: Open) -> None:
    def titles() -> list[str]:
        return [form.tabs.tabText(i) for i in range(form.tabs.count())]

    form = dialog()
    assert titles() == ["Service", "TLS", "Limits", "Socket", "Restart"]
    choose(form, "udp")
    assert titles() == ["Service", "UDP", "Limits", "Socket", "Restart"]
    choose(form, "http")
    assert titles() == ["Service", "HTTP", "TLS", "Limits", "Socket", "Restart"]
    choose(form, "tcp")
    assert titles() == ["Service", "TLS", "Limits", "Socket", "Restart"]


def page(form: ServiceDialog, section: str) -> SectionPage:
    form.tabs.setCurrentWidget(form._scrolls[section, form._protocol()])
    return form._pages[section, form._protocol()]


def test_tls_is_switched_on_as_a_whole(dialog: Open) -> None:
    form = dialog()
    tls = page(form, "tls")
    assert form.config().tls is None
    assert not tls.form.isEnabled()
    assert tls.switch is not None
    tls.switch.setChecked(True)
    assert form.config().tls == {}
    assert tls.form.isEnabled()
    tls.form._rows["minimum"][0].setCurrentIndex(1)
    assert form.config().tls == {"minimum": "1.3"}
    tls.switch.setChecked(False)
    assert form.config().tls is None


def test_so_is_the_restart(dialog: Open) -> None:
    form = dialog()
    restart = page(form, "restart")
    assert form.config().restart is None
    assert restart.switch is not None
    assert restart.switch.text() == "Start a&gain automatically"
    restart.switch.setChecked(True)
    assert form.config().restart == {}
    restart.form._rows["attempts"][0].setText("3")
    assert form.config().restart == {"attempts": 3}


def test_a_page_with_a_problem_is_marked_and_bars_the_way(dialog: Open) -> None:
    form = dialog()
    limits = page(form, "limits")
    limits.form._rows["connections"][0].setText("0")
    assert not form.ok.isEnabled()
    assert [form.tabs.tabIcon(i).isNull() for i in range(form.tabs.count())] == [True, True, False, True, True]
    limits.form._rows["connections"][0].setText("7")
    assert form.ok.isEnabled()
    assert form.config().limits == {"connections": 7}


def test_all_settings_that_it_begins_with_come_back_as_they_were(dialog: Open) -> None:
    given = ServiceConfig(
        "api", "http", "127.0.0.1", 9080, "inspector",
        options={"cors": ["*"]}, tls={"minimum": "1.3"}, limits={"connections": 7}, socket={"backlog": 5},
    )  # fmt: skip
    form = dialog(given)
    assert form.config() == given
    choose(form, "tcp")
    assert (form.config().options, form.config().tls, form.config().limits) == ({}, None, {})
    choose(form, "http")
    assert form.config() == given


def test_enter_accepts_and_escape_cancels(dialog: Open, qtbot: QtBot) -> None:
    form = dialog()
    form.name.setText("")
    qtbot.keyClick(form.name, Qt.Key_Return)
    assert form.isVisible()
    form.name.setText("x")
    qtbot.keyClick(form.host.lineEdit(), Qt.Key_Return)
    assert form.result() == QDialog.Accepted
    form = dialog()
    qtbot.keyClick(form.name, Qt.Key_Escape)
    assert not form.isVisible()
    assert form.result() == QDialog.Rejected


RICH = Responder(
    "rich",
    "Has all there is",
    {},
    (
        Option("text", str, "hi", "Text"),
        Option("limit", int, 3, "Limit", minimum=1, maximum=10),
        Option("delay", float, 0.5, "Delay", "s", 0),
        Option("upper", bool, False, "Upper"),
        Option("words", list, ["a"], "Words"),
        Option("elsewhere", int, 0, "Elsewhere", protocols=("udp",)),
    ),
)


@pytest.fixture
def rich(monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Callable[..., OptionForm]:
    monkeypatch.setattr(responders, "find", lambda name: RICH if name == "rich" else None)

    def opened(**given: Any) -> OptionForm:
        form = OptionForm(RICH.options_for("tcp"), given)
        qtbot.addWidget(form)
        form.show()
        return form

    return opened


def editors(form: OptionForm) -> list[Any]:
    return [w for w in form.findChildren((QLineEdit, QCheckBox, QPlainTextEdit)) if w.parent() is form]


def test_options_at_their_defaults_are_left_out(rich: Callable[..., OptionForm]) -> None:
    assert rich().options() == {}
    assert rich(limit=3).options() == {"limit": 3}


def test_each_type_of_option_has_an_editor(rich: Callable[..., OptionForm], qtbot: QtBot) -> None:
    form = rich()
    text, limit, delay, upper, words = editors(form)
    with qtbot.waitSignal(form.changed):
        text.setText("")
    limit.setText("10")
    delay.setText("2")
    with qtbot.waitSignal(form.changed):
        upper.setChecked(True)
    words.setPlainText("a, b\n\nc")
    assert form.check()
    assert form.options() == {"text": "", "limit": 10, "delay": 2.0, "upper": True, "words": ["a, b", "c"]}


@pytest.mark.parametrize(
    ("place", "typed", "words"),
    [
        (1, "many", "Must be a whole number, as in 3."),
        (1, "", "Must be a whole number, as in 3."),
        (1, "1.5", "Must be a whole number, as in 3."),
        (1, "0", "Must be at least 1."),
        (1, "11", "Must be at most 10."),
        (2, "-1", "Must be at least 0."),
        (2, "soon", "Must be a number, as in 0.5."),
    ],
)
def test_a_wrong_option_is_told(rich: Callable[..., OptionForm], place: int, typed: str, words: str) -> None:
    form = rich()
    editor = editors(form)[place]
    editor.setText(typed)
    assert not form.check()
    assert said(form) == [words]
    assert editor.property("invalid")


# -- how tall it is


@pytest.mark.parametrize(("protocol", "responder"), [("tcp", "banner"), ("websocket", "broadcast"), ("tcp", "echo")])
def test_it_is_as_tall_as_its_content(dialog: Open, protocol: str, responder: str) -> None:
    form = dialog(ServiceConfig("x", protocol, "127.0.0.1", 9999, responder))
    page = form._scroll
    assert page.height() >= page.sizeHint().height()
    assert page.height() - page.sizeHint().height() < 8


def test_it_grows_and_shrinks_with_the_responder_and_grows_for_a_page(dialog: Open) -> None:
    form = dialog(ServiceConfig("x", "http", "127.0.0.1", 9999, "mock"))
    tall = form.height()
    form.responder.setCurrentIndex(form.responder.findData("inspector"))
    small = form.height()
    assert small < tall
    form.tabs.setCurrentIndex(form.tabs.count() - 3)  # of TLS
    assert form.height() > small


def test_it_grows_for_what_comes_as_one_types(dialog: Open, qtbot: QtBot) -> None:
    form = dialog()
    small = form.height()
    form.host.setEditText("no address at all")
    qtbot.waitUntil(lambda: form.height() > small)
    assert not form._scroll.verticalScrollBar().isVisible()


def test_words_give_back_the_room_that_longer_ones_took(dialog: Open, qtbot: QtBot) -> None:
    form = dialog()
    words = form._place_words
    before = words.height()
    form.host.setEditText("no address at all")
    qtbot.waitUntil(lambda: words.height() > before)
    form.host.setEditText("::1")
    qtbot.waitUntil(lambda: words.height() == before)


def test_the_buttons_stay_on_the_screen_when_it_grows(dialog: Open, qtbot: QtBot) -> None:
    form = dialog()
    screen = form.screen().availableGeometry()
    form.move(0, screen.bottom() - form.height())
    form.responder.setCurrentText("script")
    qtbot.waitUntil(lambda: screen.contains(form.frameGeometry()))


def stops(form: ServiceDialog) -> list[str]:
    """The widgets that Tab visits, from the name until it returns there."""
    form.name.setFocus()
    found = []
    for _ in range(50):
        at = form.focusWidget()
        found.append(at.accessibleName() or at.text().replace("&", ""))
        form.focusNextChild()
        if form.focusWidget() is form.name:
            break
    return found


def test_tab_goes_down_the_page_and_then_to_the_buttons(dialog: Open, qtbot: QtBot) -> None:
    top, autostart = ["Name", "Protocol", "Address", "Port", "Responder"], "Start it when the workspace is opened"
    end = ["Create and start", "Create", "Cancel", "Pages of the service"]
    form = dialog(protocol="http")
    form.responder.setCurrentText("static")
    assert stops(form) == [*top, "Root", "Index", "Listing", "Fallback", "Hidden", autostart, "Cancel", end[-1]]
    form.responder.setCurrentText("mock")
    assert stops(form) == [*top, "Otherwise", autostart, *end]
    choose(form, "tcp")
    form.tabs.setCurrentIndex(1)
    form.tabs.tabBar().setFocus()
    form.focusNextChild()
    assert form.focusWidget().text() == "Speak &TLS"
    form.focusNextChild()
    assert form.focusWidget() is form.ok


@pytest.mark.parametrize("config", [None, TCP])
def test_no_two_parts_of_a_page_have_the_same_letter(dialog: Open, config: ServiceConfig | None) -> None:
    form = dialog(config)
    words = [part.text() for part in form.findChildren((QLabel, QAbstractButton)) if part.isVisible()]
    letters = re.findall(r"&(\w)", " ".join(words).lower())
    assert "n" in letters
    assert len(set(letters)) == len(letters)


def test_a_copy_keeps_its_faults_but_for_those_that_its_new_protocol_has_not(dialog: Open) -> None:
    hang, reset = {"kind": "hang"}, {"kind": "reset"}
    form = dialog(ServiceConfig("copy", "tcp", "127.0.0.1", 9100, "echo", faults=(hang, reset), seed=7))
    assert form.config().faults == (hang, reset)
    choose(form, "udp")
    assert (form.config().faults, form.config().seed) == ((hang,), 7)


def test_a_page_that_is_first_shown_by_key_begins_at_its_first_field(dialog: Open, qtbot: QtBot) -> None:
    form = dialog(protocol="tcp")
    form.name.setFocus()
    for _ in range(form.tabs.count() - 1):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key_Tab, Qt.ControlModifier)
        page = next(one for one in form._pages.values() if form.tabs.currentWidget().isAncestorOf(one))
        first = page.switch or next(iter(page.form._rows.values()))[0]
        assert first.hasFocus() or first.isAncestorOf(QApplication.focusWidget())
