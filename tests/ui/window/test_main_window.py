"""The window as a whole: what its actions, its filter and its connections do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from PyQt5.QtCore import QPoint, Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import (
    QAction,
    QApplication,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred

from app.post import Post
from app.services.protocols import PROTOCOLS
from app.status import Listening, Stopped, Stopping
from app.workspace.reading import Workspace
from tests.ui.conftest import Open
from tests.ui.desk import Capture, Peer, config, do, memory_post, settle
from ui.sending.dock import SendDock
from ui.services.dialog import ServiceDialog
from ui.settings import Settings
from ui.window.main_window import MainWindow

pytestmark = [
    # Of the offscreen platform, when a dialog is brought to the front or a menu opens.
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$"),
]


@pytest.fixture
def with_rows(open_window: Open, capture: Capture) -> MainWindow:
    """A window on a capture of 100 events of alpha."""
    stored = capture.add([b"event %d" % i for i in range(100)])
    made = open_window(path=capture.path)
    made._post.recorder.range = stored
    made.bridge.ticked.emit(stored)
    return made


# -- actions


def test_start_and_stop_work_for_all_and_are_offered_when_they_can(window: MainWindow) -> None:
    assert not window.actions_["stop_all"].isEnabled()
    do(window, "start_all")
    assert all(isinstance(s.status, Listening) for s in window._post.services.values())
    assert not window.actions_["start_all"].isEnabled()
    do(window, "stop_all")
    assert all(s.status == Stopped() for s in window._post.services.values())


def test_all_can_be_started_while_they_stop(window: MainWindow) -> None:
    do(window, "start_all")
    alpha = window._post.services["alpha"]
    peer = alpha.connections[1] = Peer(1)  # type: ignore[assignment]
    do(window, "stop_all")
    assert alpha.status == Stopping()
    do(window, "start_all")
    alpha.remove_connection(peer)  # type: ignore[arg-type]
    settle()
    assert all(isinstance(s.status, Listening) for s in window._post.services.values())


def test_the_selected_service_is_started_edited_duplicated_and_removed(window: MainWindow) -> None:
    window.services.select("beta")
    do(window, "toggle_service")
    assert isinstance(window._post.services["beta"].status, Listening)
    do(window, "new_service")
    dialog = QApplication.activeModalWidget()
    assert dialog is not None
    assert dialog.windowTitle() == "New service"
    dialog.reject()  # type: ignore[attr-defined]
    settle()
    do(window, "duplicate_service")
    settle()
    assert list(window._post.services) == ["alpha", "beta", "beta-2"]
    do(window, "undo")
    settle()
    window.services.select("beta")
    do(window, "edit_service")
    assert list(window.workbench.pages) == ["beta"]
    do(window, "remove_service")
    assert list(window._post.services) == ["alpha"]
    assert not window.workbench.pages
    assert window.panes.of("beta") is None


def test_without_a_service_nothing_can_be_done_to_it(open_window: Open) -> None:
    window = open_window(post=memory_post()[0])
    for name in ("edit_service", "duplicate_service", "remove_service", "toggle_service", "send", "disconnect"):
        assert not window.actions_[name].isEnabled()


def test_panes_are_gone_through_in_a_circle(window: MainWindow) -> None:
    places = []
    for name in ("previous_pane", "next_pane", "next_pane", "failures"):
        do(window, name)
        places.append(window.panes.tabText(window.panes.currentIndex()))
    assert places == ["beta", "All", "HTTP", "Failures"]


def test_follow_is_on_from_the_start_and_holds_and_follows(with_rows: MainWindow) -> None:
    assert with_rows.actions_["follow"].isChecked()
    do(with_rows, "follow")
    assert not with_rows.panes.current().view.following
    do(with_rows, "follow")
    assert with_rows.panes.current().view.following


def test_clear_and_show_everything_again(with_rows: MainWindow) -> None:
    do(with_rows, "clear")
    assert len(with_rows.panes.current().events) == 0
    do(with_rows, "show_all")
    assert len(with_rows.panes.current().events) == 100


def test_rows_and_payload_are_copied(with_rows: MainWindow, qtbot: QtBot) -> None:
    assert not with_rows.actions_["copy_payload"].isEnabled()
    board = QApplication.clipboard()
    board.clear()
    with_rows.panes.current().view.set_current(41)
    qtbot.waitUntil(with_rows.actions_["copy_payload"].isEnabled)
    do(with_rows, "copy_payload")
    assert board.text() == "event 41"
    do(with_rows, "select_all")
    do(with_rows, "copy_rows")
    qtbot.waitUntil(lambda: board.text().count("\n") == 99)


def test_about_says_the_version_and_the_licence(window: MainWindow) -> None:
    do(window, "about")
    box = window.findChild(QMessageBox)
    assert box is not None
    assert "Listening Post" in box.text()
    assert "GNU General Public License" in box.informativeText()
    box.close()
    settle()


@pytest.mark.usefixtures("dark")
def test_light_and_dark_change_the_whole_window_and_are_remembered(window: MainWindow, settings: Settings) -> None:
    before = window.grab().toImage()
    do(window, "theme")
    assert settings.theme == "light"
    assert window.grab().toImage().pixelColor(5, 300) != before.pixelColor(5, 300)
    do(window, "theme")
    assert settings.theme == "dark"


def test_menus_open_with_what_fits(window: MainWindow) -> None:
    for show, first in (
        (window.menus.of_service, "toggle_service"),
        (window.menus.of_connection, "follow_stream"),
        (lambda at: window.menus.of_events(QMenu(window), at), "follow_stream"),
        (window.menus.of_group, "resolve_group"),
    ):
        show(QPoint(10, 10))
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        assert menu.actions()[0] is window.actions_[first]
        menu.close()
        settle()


def test_a_new_service_can_be_of_any_protocol(window: MainWindow) -> None:
    menus = [button.menu() for button in window.findChildren(QToolButton) if button.menu()]
    [entries] = [menu.actions() for menu in menus if any("service…" in one.text() for one in menu.actions()[:1])]
    assert [action.text() for action in entries] == [f"{protocol.title} service…" for protocol in PROTOCOLS.values()]


# -- filter


def test_the_pane_of_a_duplicate_is_shown(window: MainWindow) -> None:
    window.services.select("beta")
    do(window, "edit_service")
    do(window, "duplicate_service")
    settle()
    assert window.panes.service() == window.services.selected == "beta-2"
    assert window.panes.page() is None


def test_tls_is_ticked_where_the_selected_service_speaks_it(window: MainWindow) -> None:
    action = window.actions_["toggle_tls"]
    assert (action.isEnabled(), action.isChecked()) == (True, False)
    do(window, "toggle_tls")
    settle()
    assert action.isChecked()


def test_the_pane_of_a_new_service_is_shown(window: MainWindow) -> None:
    do(window, "edit_service")
    do(window, "new_service")
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, ServiceDialog)
    name = dialog.config().name
    QTest.mouseClick(dialog.only, Qt.LeftButton)
    settle()
    assert window.panes.service() == window.services.selected == name
    assert window.panes.page() is None


def test_the_filter_looks_once_the_typing_pauses_and_esc_empties_it(with_rows: MainWindow, qtbot: QtBot) -> None:
    found = with_rows.panes.current().events
    do(with_rows, "filter")
    assert with_rows.filter.hasFocus()
    QTest.keyClicks(with_rows.filter, "event 7")
    assert not found.filtered
    qtbot.waitUntil(lambda: found.filtered and not found.scanning)
    assert len(found) == 11
    QTest.keyClick(with_rows.filter, Qt.Key_Escape)
    assert with_rows.filter.text() == ""
    assert with_rows.panes.current().view.hasFocus()
    qtbot.waitUntil(lambda: len(found) == 100)


@pytest.mark.parametrize("key", [Qt.Key_Backspace, Qt.Key_Delete])
def test_deleting_a_word_in_the_filter_removes_no_service_and_no_connection(window: MainWindow, key: Qt.Key) -> None:
    peer = window._post.services["alpha"].connections[1] = Peer(1)  # type: ignore[assignment]
    window.connections.refresh()
    window.connections.setCurrentIndex(window.connections.model().index(0, 0))
    window.filter.setFocus()
    window.filter.setText("one two")
    window.filter.setCursorPosition(7 if key == Qt.Key_Backspace else 0)
    QTest.keyClick(window.filter, key, Qt.ControlModifier)
    assert window.filter.text() in ("one ", "two")
    assert list(window._post.services) == ["alpha", "beta"]
    assert peer.done == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("key", [Qt.Key_Backspace, Qt.Key_Delete])
def test_keys_that_take_away_work_in_their_list_alone(window: MainWindow, key: Qt.Key) -> None:
    peer = window._post.services["alpha"].connections[1] = Peer(1)  # type: ignore[assignment]
    window.connections.refresh()
    window.connections.setCurrentIndex(window.connections.model().index(0, 0))
    mine = window.connections if key == Qt.Key_Backspace else window.services.list
    places = [window.panes.current(), window.connections, window.services.list, window.detail]
    for place in (place for place in places if place is not mine):
        place.setFocus()
        focus = QApplication.focusWidget()
        assert focus is not None
        QTest.keyClick(focus, key, Qt.ControlModifier)
        assert list(window._post.services) == ["alpha", "beta"]
        assert peer.done == []  # type: ignore[attr-defined]
        assert window._status_line.currentMessage().startswith("Nothing is "), place
        window._status_line.clearMessage()
    mine.setFocus()
    QTest.keyClick(mine, key, Qt.ControlModifier)
    settle()
    assert list(window._post.services) == (["alpha", "beta"] if key == Qt.Key_Backspace else ["beta"])
    assert peer.done == (["finish"] if key == Qt.Key_Backspace else [])  # type: ignore[attr-defined]


def test_keys_of_texts_do_nothing_else_in_the_send_dock(window: MainWindow) -> None:
    do(window, "send_message")
    [dock] = window.findChildren(SendDock)
    dock.form.url.setText("http://127.0.0.1:9")
    settle()
    fired: list[str] = []
    for name, action in window.actions_.items():
        action.triggered.disconnect()
        action.triggered.connect(lambda _=False, name=name: fired.append(name))
        action.setEnabled(True)
    texts = [w for w in dock.findChildren(QWidget) if isinstance(w, QLineEdit | QPlainTextEdit) and w.isVisible()]
    assert {dock.form.url, dock.transcript} < {*texts}
    for text in texts:
        for key in (Qt.Key_A, Qt.Key_C, *(() if text.isReadOnly() else (Qt.Key_E, Qt.Key_D, Qt.Key_H, Qt.Key_Z))):
            text.setFocus()
            QTest.keyClick(QApplication.focusWidget(), key, Qt.ControlModifier)
            assert fired == [], (text, key)


def test_what_a_removal_has_done_is_told(window: MainWindow) -> None:
    for number in (1, 2):
        window._post.services["alpha"].connections[number] = Peer(number)  # type: ignore[assignment]
    do(window, "remove_service")
    told = "Removed “alpha”: 2 clients were disconnected. Ctrl+Z brings the service back"
    assert window._status_line.currentMessage() == told
    do(window, "remove_service")
    assert window._status_line.currentMessage() == "Removed “beta”. Ctrl+Z brings the service back"
    do(window, "undo")
    assert list(window._post.services) == ["beta"]
    assert window._status_line.currentMessage() == ""


def test_return_presses_the_button_that_has_the_keyboard(window: MainWindow) -> None:
    do(window, "outposts")
    window.outposts.dock.first.setFocus()
    QTest.keyClick(window.outposts.dock.first, Qt.Key_Return)
    form = window.outposts.dialog
    assert form is not None
    assert form.windowTitle() == "New outpost"
    form.reject()


def test_a_log_stays_in_view_while_its_service_gets_another_name(window: MainWindow) -> None:
    window.panes.setCurrentIndex(window.panes.names().index("alpha"))
    window.panes.current().setFocus()
    window.edits.replace("alpha", config("first"))
    settle()
    assert (window.panes.service(), window.services.selected) == ("first", "first")
    assert window.panes.current().isAncestorOf(QApplication.focusWidget())
    do(window, "undo")
    settle()
    assert (window.panes.service(), window.services.selected) == ("alpha", "alpha")
    window.panes.setCurrentIndex(0)
    do(window, "redo")
    settle()
    assert window.panes.currentIndex() == 0


# -- connections, for real


def test_a_real_peer_appears_is_sent_to_and_disconnected(
    open_window: Open, qtbot: QtBot, logged_failures: object
) -> None:
    from twisted.internet import reactor

    post = Post(reactor, Workspace((config("live", port=0),)))
    window = open_window(config("live", port=0), post=post)
    do(window, "start_all")
    status = post.services["live"].status
    assert isinstance(status, Listening)
    with socket.create_connection(("127.0.0.1", int(status.host.rpartition(":")[2])), 5) as peer:
        peer.setblocking(False)
        qtbot.waitUntil(lambda: bool(post.services["live"].connections))
        window.bridge.ticked.emit(post.recorder.range)
        name = f"127.0.0.1:{peer.getsockname()[1]}"
        assert window.connections.model().index(0, 0).data() == f"#1 {name}"
        assert (window.side.title.text(), window.side.total.text()) == ("CONNECTIONS OF LIVE", "1")
        window.connections.setCurrentIndex(window.connections.model().index(0, 0))
        do(window, "send")
        [dialog] = window.service_actions._sending.values()
        dialog.editor.setPlainText(r"\x00hi")
        QTest.mouseClick(dialog.button, Qt.LeftButton)
        qtbot.waitUntil(lambda: received(peer) == b"\x00hi")
        do(window, "disconnect")
        qtbot.waitUntil(lambda: received(peer) == b"")
        qtbot.waitUntil(lambda: not post.services["live"].connections)
        window.bridge.ticked.emit(post.recorder.range)
        assert window.connections.model().rowCount() == 0
        assert not dialog.button.isEnabled()
        dialog.close()
    over: list[object] = []
    Deferred.fromCoroutine(post.shut_down()).addCallback(over.append)
    qtbot.waitUntil(lambda: bool(over) and not post.recorder._timer)


def received(peer: socket.socket) -> bytes | None:
    try:
        return peer.recv(100)
    except BlockingIOError:
        return None


def test_an_exception_in_a_slot_becomes_one_failure_and_two_are_two(
    open_window: Open, qtbot: QtBot, tmp_path: Path
) -> None:
    from twisted.internet import reactor

    post = Post(reactor)
    opened = post.open(tmp_path / "failures.lpost")
    qtbot.waitUntil(lambda: opened.called)
    window = open_window(post=post, path=tmp_path / "failures.lpost")
    action = QAction(window)

    def fail() -> None:
        raise ValueError("in a slot")

    action.triggered.connect(fail)
    do(window, "failures")
    for count in (1, 2):
        action.trigger()
        qtbot.waitUntil(lambda count=count: len(window.panes.current().events) == count)
    assert window.panes.tabText(window.panes.currentIndex()) == "Failures 2"
    window.panes.current().view.set_current(1)
    qtbot.waitUntil(lambda: window.detail.event_shown() is not None)
    shown = window.detail.event_shown()
    assert shown is not None
    assert shown.summary.startswith("ValueError: in a slot")
    over: list[object] = []
    Deferred.fromCoroutine(post.shut_down()).addCallback(over.append)
    qtbot.waitUntil(lambda: bool(over) and not post.recorder._timer)


# -- the service in view is the one that actions mean


def test_a_tab_of_a_service_selects_it(window: MainWindow) -> None:
    window.panes.setCurrentWidget(window.panes.of("beta"))
    assert window.services.selected == "beta"
    assert window.side.title.text() == "CONNECTIONS OF BETA"
    do(window, "toggle_service")
    assert isinstance(window._post.services["beta"].status, Listening)
    assert isinstance(window._post.services["alpha"].status, Stopped)


def test_a_tab_of_no_service_leaves_the_selected_one(window: MainWindow) -> None:
    window.panes.setCurrentWidget(window.panes.of("beta"))
    for name in ("failures", "http", "conversations"):
        do(window, name)
        assert window.services.selected == "beta"


def test_a_chosen_row_is_selected_and_leaves_the_pane(window: MainWindow, qtbot: QtBot) -> None:
    beta = window.panes.of("beta")
    window.panes.setCurrentWidget(beta)
    with qtbot.waitSignals([window.services.chosen]):
        at = window.services.row_rect("alpha").center()
        QTest.mouseClick(window.services.list.viewport(), Qt.LeftButton, Qt.NoModifier, at)
    assert window.services.selected == "alpha"
    assert window.panes.current() is beta


def test_removing_the_service_in_view_selects_the_one_that_is_then(window: MainWindow) -> None:
    window.panes.setCurrentWidget(window.panes.of("beta"))
    do(window, "remove_service")
    assert window.panes.service() == window.services.selected == "alpha"


def test_the_count_of_failures_shows_the_failures(window: MainWindow) -> None:
    window._post.recorder.record_failure(ValueError("no"))
    window._status_line.refresh()
    QTest.mouseClick(window._status_line.failures, Qt.LeftButton)
    assert window.panes.current() is window.panes.failures
