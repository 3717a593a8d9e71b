"""The page of a service: opened, applied while it runs, closed, renamed."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from PyQt5 import sip
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.services.protocols import PROTOCOLS
from app.status import Failed, Listening
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from tests.ui.workbench.bench import FLAKY, REST, USERS, Bench, bench, shop
from ui.looks import theme
from ui.window.main_window import MainWindow
from ui.workbench.page.header import ServiceHeader
from ui.workbench.page.service_page import ServicePage


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    with bench(open_window, qtbot, shop(), config("echo", 0)) as made:
        yield made


# -- opening and closing


def test_a_double_click_on_a_service_opens_its_page(window: MainWindow) -> None:
    view = window.services.list.viewport()
    at = window.services.row_rect("beta").center()
    QTest.mouseClick(view, Qt.LeftButton, pos=at)
    QTest.mouseDClick(view, Qt.LeftButton, pos=at)
    page = window.panes.currentWidget()
    assert isinstance(page, ServicePage)
    assert page.service == "beta"
    assert window.panes.tabText(window.panes.currentIndex()) == "beta: settings"
    assert not window.panes.tabIcon(window.panes.currentIndex()).isNull()
    assert not window.detail.isVisible()


def test_ctrl_e_opens_the_page_of_the_selected_service_once(window: MainWindow) -> None:
    window.services.select("alpha")
    for _ in range(2):
        QTest.keyClick(window, Qt.Key_E, Qt.ControlModifier)
        settle()
    assert list(window.workbench.pages) == ["alpha"]
    assert window.panes.page() is window.workbench.pages["alpha"]


def test_escape_goes_back_to_the_pane_and_ctrl_w_closes(window: MainWindow) -> None:
    pane = window.panes.current()
    page = window.workbench.open("alpha")
    assert page is not None
    QTest.keyClick(page.header.name, Qt.Key_Escape)
    assert window.panes.currentWidget() is pane
    assert pane.view.hasFocus()
    assert window.detail.isVisible()
    window.workbench.open("alpha")
    QTest.keyClick(window, Qt.Key_W, Qt.ControlModifier)
    settle()
    assert not window.workbench.pages
    assert window.panes.currentWidget() is pane


def test_the_page_of_a_removed_service_is_closed(desk: Bench) -> None:
    desk.window.services.select("shop")
    do(desk.window, "remove_service")
    desk.qtbot.waitUntil(lambda: not desk.window.workbench.pages)
    assert desk.window.panes.page() is None


@pytest.mark.parametrize("protocol", list(PROTOCOLS))
def test_every_service_has_a_page_with_its_sections(open_window: Open, protocol: str) -> None:
    responder = PROTOCOLS[protocol].default
    window = open_window(config("one", protocol=protocol, responder=responder))
    page = window.workbench.open("one")
    assert page is not None
    tabs = page.header.sections
    titles = [tabs.tabText(at) for at in range(tabs.count())]
    assert titles[0] == "Answer"
    assert titles[-2:] == ["Socket", "Restart"]
    assert ("TLS" in titles) == (protocol in ("tcp", "http", "websocket"))
    assert page.settled()
    assert page.config() == window._post.services["one"].config


# -- applied while it runs


def test_what_is_typed_goes_to_the_running_service(desk: Bench) -> None:
    desk.start()
    service = desk.post.services["shop"]
    assert desk.get("/flaky") == (503, "no")
    QTest.mouseClick(desk.rules.view.viewport(), Qt.LeftButton, pos=desk.row_point(1))
    desk.type_into(desk.editor("status").lineEdit(), "507")
    desk.until_rules(lambda rules: rules[1].get("status") == 507)
    assert desk.get("/flaky") == (507, "no")
    assert desk.post.services["shop"] is service
    assert isinstance(service.status, Listening)


def test_a_click_into_the_status_lets_a_number_replace_it(desk: Bench) -> None:
    QTest.mouseClick(desk.rules.view.viewport(), Qt.LeftButton, pos=desk.row_point(1))
    desk.window.activateWindow()
    line = desk.editor("status").lineEdit()
    QTest.mouseClick(line, Qt.LeftButton)
    QTest.keyClicks(line, "507")
    assert desk.editor("status").value() == 507
    QTest.mouseClick(line, Qt.LeftButton, pos=line.rect().topRight() - QPoint(2, -8))
    assert line.selectedText() == ""


def test_a_status_has_no_other_words_than_its_own(desk: Bench) -> None:
    for typed, taken in (
        ("404", 404),
        ("404 not f", 404),
        ("299", 299),
        ("200 OK503", "200 OK503"),
        ("no", "no"),
        ("9" * 5000, "9" * 5000),
    ):
        desk.rules.view.choose(1)
        desk.editor("status").setEditText(typed)
        assert desk.editor("status").value() == taken, typed


def test_what_is_wrong_stays_in_the_form_and_the_last_good_state_serves(desk: Bench) -> None:
    desk.start()
    desk.rules.view.choose(1)
    path = desk.editor("path")
    desk.type_into(path, "~^/fla(ky")
    assert desk.page.header.later.text() == "Not applied yet: 1 mistake"
    assert path.property("invalid") is True
    row = desk.rules.rules.row(1)
    assert row is not None
    assert "not a regular expression" in row.mistake
    desk.page.apply()
    settle()
    assert desk.tables()[1] == FLAKY
    assert desk.get("/flaky") == (503, "no")
    QTest.keyClicks(path, ")")
    desk.until_rules(lambda rules: rules[1]["path"] == "~^/fla(ky)")
    assert not desk.page.header.later.isVisible()
    assert desk.get("/flaky") == (503, "no")


def test_the_mistake_is_a_click_away(desk: Bench) -> None:
    desk.rules.view.choose(1)
    desk.type_into(desk.editor("path"), "~(")
    desk.rules.view.choose(0)
    desk.page.show_section("limits")
    QTest.mouseClick(desk.page.header.later, Qt.LeftButton)
    assert desk.rules.view.at() == 1
    assert QApplication.focusWidget() is desk.editor("path")


def test_a_new_address_waits_for_a_restart_while_it_runs(desk: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    desk.start()
    page = desk.page
    page.show_section("socket")
    assert page.restart.isHidden()
    desk.type_into(page.sections.address.port, str(port))
    assert page.restart.isVisible()
    page.apply()
    settle()
    assert desk.config.port == 0
    QTest.mouseClick(page.restart.apply_button, Qt.LeftButton)
    desk.qtbot.waitUntil(lambda: desk.config.port == port)
    desk.qtbot.waitUntil(lambda: isinstance(desk.post.services["shop"].status, Listening))
    assert page.restart.isHidden()
    assert page.settled()


def test_what_waits_can_be_discarded(desk: Bench) -> None:
    desk.start()
    desk.page.show_section("socket")
    desk.type_into(desk.page.sections.address.port, "9999")
    QTest.mouseClick(desk.page.restart.discard, Qt.LeftButton)
    assert desk.page.sections.address.port.text() == "0"
    assert desk.page.restart.isHidden()


def test_while_it_is_stopped_everything_is_applied_at_once(desk: Bench) -> None:
    desk.page.show_section("socket")
    desk.type_into(desk.page.sections.address.port, "9123")
    desk.qtbot.waitUntil(lambda: desk.config.port == 9123)


def test_limits_are_taken_while_it_runs(desk: Bench) -> None:
    desk.start()
    service = desk.post.services["shop"]
    desk.page.show_section("limits")
    editor = desk.page.sections.pages["limits"].form._rows["connections"][0]
    desk.type_into(editor, "7")
    desk.qtbot.waitUntil(lambda: desk.config.limits.get("connections") == 7)
    assert desk.post.services["shop"] is service


def test_the_focus_going_elsewhere_applies_at_once(desk: Bench) -> None:
    desk.rules.view.choose(1)
    desk.type_into(desk.editor("status").lineEdit(), "502")
    desk.rules.view.setFocus()
    settle()
    assert desk.tables()[1]["status"] == 502


def test_ctrl_return_applies_at_once(desk: Bench) -> None:
    desk.rules.view.choose(1)
    desk.type_into(desk.editor("status").lineEdit(), "502")
    QTest.keyClick(desk.editor("status").lineEdit(), Qt.Key_Return, Qt.ControlModifier)
    settle()
    assert desk.tables()[1]["status"] == 502


# -- undo


def test_undo_takes_back_what_was_typed_as_one_step(desk: Bench) -> None:
    desk.rules.view.choose(1)
    desk.type_into(desk.editor("status").lineEdit(), "50")
    desk.type_into(desk.editor("status").lineEdit(), "504")
    desk.rules.view.setFocus()
    desk.until_rules(lambda rules: rules[1]["status"] == 504)
    QTest.keyClick(desk.rules.view, Qt.Key_Z, Qt.ControlModifier)
    desk.until_rules(lambda rules: rules[1]["status"] == 503)
    assert desk.editor("status").value() == 503
    assert desk.rules.view.at() == 1
    assert desk.rules.view.hasFocus()


# -- name and state


def test_a_page_is_kept_when_its_service_is_renamed(desk: Bench) -> None:
    desk.type_into(desk.page.header.name, "store")
    QTest.keyClick(desk.page.header.name, Qt.Key_Return)
    desk.qtbot.waitUntil(lambda: "store" in desk.post.services)
    assert desk.window.workbench.pages == {"store": desk.page}
    assert desk.window.panes.tabText(desk.window.panes.currentIndex()) == "store: settings"
    do(desk.window, "undo")
    desk.qtbot.waitUntil(lambda: "shop" in desk.post.services)
    assert desk.window.workbench.pages == {"shop": desk.page}
    assert desk.page.header.name.text() == "shop"


def test_a_name_that_is_taken_is_told(desk: Bench) -> None:
    desk.type_into(desk.page.header.name, "echo")
    QTest.keyClick(desk.page.header.name, Qt.Key_Return)
    settle()
    assert desk.page.header.name.property("invalid") is True
    assert desk.page.header.later.isVisible()
    assert list(desk.post.services) == ["shop", "echo"]


def test_why_it_failed_stands_on_the_page(desk: Bench) -> None:
    desk.post.services["shop"]._set(Failed("Port 9480 is in use. Choose another port."))
    assert desk.page.status.label.text() == "Port 9480 is in use. Choose another port."
    assert desk.page.status.isVisible()
    QTest.mouseClick(desk.page.header.button, Qt.LeftButton)
    desk.qtbot.waitUntil(lambda: isinstance(desk.post.services["shop"].status, Listening))
    assert not desk.page.status.isVisible()


def test_the_address_is_a_click_away(desk: Bench) -> None:
    QTest.mouseClick(desk.page.header._address, Qt.LeftButton, pos=QPoint(5, 5))
    port = desk.page.sections.address.port
    assert port.hasFocus()
    assert port.isVisible()


def test_the_sections_have_one_place_at_each_width(desk: Bench) -> None:
    header = ServiceHeader(desk.post.services["shop"])
    for title in ("Rules", "Answer", "Limits"):
        header.sections.addTab(title)
    header.show()
    found: list[list[bool]] = []
    widths = range(200, header.sizeHint().width() + header.sections.sizeHint().width() + 100, 3)
    for turn in (widths, widths, reversed(widths)):
        found.append([])
        for width in turn:
            header.resize(width, 200)
            header.resize(width, 100)  # as when what is below needs the room
            found[-1].append(header._first.indexOf(header.sections) >= 0)
    header.close()
    growing, again, shrinking = found
    assert growing == again == shrinking[::-1] == sorted(growing)
    assert {True, False} == set(growing)


def test_edit_below_the_list_leads_to_the_port(desk: Bench) -> None:
    desk.window.workbench.close("shop")
    desk.post.services["shop"]._set(Failed("Port 9480 is in use. Choose another port."))
    desk.window.services.select("shop")
    settle()
    QTest.mouseClick(desk.window.services.trouble.edit, Qt.LeftButton)
    port = desk.window.workbench.pages["shop"].sections.address.port
    assert port.hasFocus()
    assert port.selectedText() == port.text()


def test_another_responder_has_other_sections(desk: Bench) -> None:
    desk.page.show_section("answer")
    combo = desk.page.sections.answer.responder
    combo.setCurrentIndex(combo.findData("inspector"))
    combo.activated.emit(combo.currentIndex())
    desk.qtbot.waitUntil(lambda: desk.config.responder == "inspector")
    assert desk.page.rules is None
    do(desk.window, "undo")
    desk.qtbot.waitUntil(lambda: desk.config.responder == "mock")
    assert desk.tables() == [USERS, FLAKY, REST]
    assert desk.titles() == ["GET /users/{id}", "/flaky", "any"]


def test_a_page_that_is_closed_with_a_mistake_has_it_when_it_is_opened_again(desk: Bench) -> None:
    desk.rules.view.choose(1)
    desk.type_into(desk.editor("path"), "~(")
    desk.window.workbench.close("shop")
    assert desk.window.workbench.open("shop") is desk.page
    assert desk.editor("path").value() == "~("


def test_pages_that_are_closed_leave_nothing_behind(desk: Bench) -> None:
    workbench, name = desk.window.workbench, "shop"

    def count() -> int:
        return len(QApplication.allWidgets())

    workbench.close(name)
    workbench.open(name)
    workbench.close(name)
    settle()
    before = count()
    for _ in range(8):
        workbench.open(name)
        workbench.close(name)
        settle()
    assert count() <= before


@pytest.mark.parametrize("applied", [True, False], ids=["settled", "mistake"])
def test_a_page_that_is_gone_hears_of_nothing_any_more(desk: Bench, applied: bool) -> None:
    desk.start()
    if not applied:
        desk.type_into(desk.page.header.name, "echo")
    page, bridge = desk.page, desk.window.bridge
    desk.window.workbench.close("shop")
    if not applied:
        desk.window.service_actions.remove("shop")
        desk.qtbot.waitUntil(lambda: not desk.window.workbench._kept)
    settle()
    assert sip.isdeleted(page)
    bridge.ticked.emit(bridge._stored)
    bridge.status_changed.emit(desk.post.services["echo"])
    bridge.services_changed.emit()
    desk.window.edits.changed.emit()
    theme.notifier.changed.emit(theme.current())
    theme.notifier.fonts_changed.emit()
    desk.window.side.services.list.setFocus()
    settle()


def test_an_open_page_leaves_the_panes_as_low_as_they_can_be(desk: Bench) -> None:
    window = desk.window
    window.resize(1366, 768)
    window.panes.setCurrentWidget(window.panes.all)
    settle()
    window.browser.setSizes([1, 700])
    settle()
    with_page = window.browser.sizes()[0]
    window.workbench.close("shop")
    settle()
    window.browser.setSizes([1, 700])
    settle()
    assert with_page <= window.browser.sizes()[0] + 8  # its tab has a button, which may be higher


@pytest.mark.usefixtures("dark")
def test_tab_goes_over_header_try_rules_and_form(desk: Bench) -> None:
    desk.rules.view.choose(0)
    desk.page.header.name.setFocus()
    seen: list[str] = []
    for _ in range(40):
        focus = QApplication.focusWidget()
        assert focus is not None
        seen.append(focus.accessibleName() or getattr(focus, "text", lambda: "")())
        if seen[-1] == "+ More":
            break
        QTest.keyClick(focus, Qt.Key_Tab)
    assert seen == [
        "Name", "Sections", " Start", "Try it", "Headers and body of the request", "Captured", "Rules", "+ Rule",
        "Paste", "Reset counts", "Method", "Path", "+ Condition", "Status", "Delay", "Headers", "Template", "Body",
        "+ More",
    ]  # fmt: skip
