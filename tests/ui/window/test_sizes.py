"""The window fits small screens: nothing in it asks for more than 900 by 600, or 1280 by 720 with large letters."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtGui import QFontMetrics
from PyQt5.QtWidgets import QApplication, QPushButton, QScrollArea, QToolBar

from app.events import FAILURE, Event
from app.status import Failed, Listening
from app.watch.config import WatchConfig
from tests.ui.conftest import Open
from tests.ui.desk import Peer, config, do, settle
from ui.looks import theme
from ui.looks.theme import Fonts
from ui.services.rows import ServiceRow
from ui.window.main_window import MainWindow
from ui.workbench.page.service_page import ServicePage

pytestmark = pytest.mark.usefixtures("dark")

ROOM = {10: (900, 600), 15: (1280, 720)}
"""Least width and height that the window may need, by the size of letters in points."""


@pytest.fixture(params=list(ROOM))
def window(request: pytest.FixtureRequest, open_window: Open, qapp: QApplication) -> MainWindow:
    """One with thirty services that have long names, with letters of each size."""
    theme.apply(qapp, theme.DARK, Fonts(request.param, "", request.param))
    return open_window(
        *(config(f"a-service-with-quite-a-long-name-{i:02}", 9100 + i, group=f"group {i % 3}") for i in range(30))
    )


def least(window: MainWindow) -> tuple[bool, bool]:
    """Whether the width and the height fit that the window needs now."""
    settle()
    width, height = ROOM[theme.notifier.fonts.size]
    hint = window.minimumSizeHint()
    return hint.width() <= width, hint.height() <= height


def test_no_pane_page_or_notice_needs_more_room(window: MainWindow) -> None:
    window.detail.show_event(Event(1, 0, FAILURE, "", None, None, 0, "", payload=b"{}"))
    for tabs in (window.panes, window.detail.tabs):
        for index in range(tabs.count()):
            tabs.setCurrentIndex(index)
            assert least(window) == (True, True), tabs.tabText(index)
    window.notices.say("Something went wrong, which takes quite some words to say. " * 5)
    window._post.recorder.on_trouble("no room left for /a/very/long/path/" + "x" * 200)
    window._post.recorder.pause()
    assert least(window) == (True, True)
    do(window, "start_page")
    assert least(window) == (True, True)


def test_the_send_dock_needs_no_more_room_and_does_not_make_the_window_grow(window: MainWindow) -> None:
    window.resize(*ROOM[theme.notifier.fonts.size])
    settle()
    before = window.size()
    do(window, "send_message")
    assert least(window) == (True, True)
    assert window.size() == before
    for url in ("https://127.0.0.1:9443/a/long/path?with=a&query=string", "ws://127.0.0.1:1/", "udp://127.0.0.1:1"):
        window.sending.dock.form.url.setText(url)
        assert least(window) == (True, True), url
    assert window.size() == before


def test_docks_make_room_for_each_other_and_the_window_does_not_grow(window: MainWindow) -> None:
    """Where there is room, they lie side by side; otherwise the one that was shown first is closed."""
    commands = {"send_message": window.sending, "faults": window.faults, "watches": window.watches}
    commands |= {"charts": window.charts, "alerts": window.alerts}
    window.resize(*ROOM[theme.notifier.fonts.size])
    settle()
    before = window.size()
    for name in commands:
        do(window, name)
        assert least(window) == (True, True), name
        assert window.size() == before, name
        assert [one for one in commands if commands[one].dock.isVisible()][-1:] == [name]
    wide = sum(commands[one].dock._needed() for one in ("alerts", "send_message", "faults")) + 10
    window.resize(wide, 900)
    for name in ("send_message", "faults"):
        do(window, name)
    shown = {one for one in commands if commands[one].dock.isVisible()}
    assert shown == {"alerts", "send_message", "faults"}
    spare = [commands[one].dock.width() - commands[one].dock._needed() for one in shown]
    assert min(spare) >= -2
    assert max(spare) < 40
    do(window, "charts")
    do(window, "watches")
    assert not window.alerts.dock.isVisible()
    assert window.watches.dock.isVisible()
    assert window.width() == wide


def test_a_row_of_a_dock_is_whole_at_the_least_width_that_the_dock_gets_beside_another(window: MainWindow) -> None:
    name = "a-service-with-quite-a-long-name-00"
    watches = [WatchConfig("a watch with quite a long name, too", name), WatchConfig("b", "tcp://127.0.0.1:1")]
    window.edits.set_watches(watches, "add")
    slow = {"kind": "delay", "name": "a fault with quite a long name", "jitter_ms": 5.0, "probability": 0.5}
    config = window._post.services[name].config
    window.edits.replace(name, replace(config, faults=(slow,)))
    settle()
    for command, commands in (("watches", window.watches), ("faults", window.faults)):
        do(window, command)
        settle()
        room = commands.dock.characters * window.fontMetrics().horizontalAdvance("0")
        assert commands.dock.rows
        for row in commands.dock.rows.values():
            row.arrange(room)
            assert row.minimumSizeHint().width() <= room, command


@pytest.mark.parametrize("points", ROOM)
def test_the_dock_and_the_page_of_faults_need_no_more_room(open_window: Open, qapp: QApplication, points: int) -> None:
    slow = {"kind": "delay", "name": "a fault with quite a long name " * 2, "jitter_ms": 5.0, "nth": 2}
    rate = {"kind": "rate", "bytes_per_second": 1e10}
    theme.apply(qapp, theme.DARK, Fonts(points, "", points))
    window = open_window(config("a-service-with-quite-a-long-name", 9100, faults=(slow, rate)), config("b", 9101))
    window.resize(*ROOM[points])
    settle()
    before = window.size()
    do(window, "faults")
    assert least(window) == (True, True), points
    assert window.size() == before
    for name in ("a-service-with-quite-a-long-name", "b"):
        window.workbench.show_faults(name, 0)
        assert least(window) == (True, True), (points, name)
    dock = window.faults.dock
    [rows] = [area for area in dock.findChildren(QScrollArea) if area.isVisible()]
    assert not rows.horizontalScrollBar().isVisible(), points


@pytest.mark.parametrize("size", ROOM)
@pytest.mark.parametrize(
    ("protocol", "responder"), [("tcp", "script"), ("http", "mock"), ("http", "relay"), ("websocket", "script")]
)
def test_no_page_of_a_service_needs_more_room(
    open_window: Open, qapp: QApplication, protocol: str, responder: str, size: int
) -> None:
    theme.apply(qapp, theme.DARK, Fonts(size, "", size))
    options = {"relay": {"upstream": "127.0.0.1:1"}}.get(responder, {"rules": [{}]})
    window = open_window(
        config("a-service-with-quite-a-long-name", protocol=protocol, responder=responder, options=options)
    )
    window.services.select("a-service-with-quite-a-long-name")
    do(window, "edit_service")
    do(window, "send_message")
    assert least(window) == (True, True), (size, window.minimumSizeHint())
    page = window.panes.currentWidget()
    assert isinstance(page, ServicePage)
    assert page.header.name.cursorPosition() == 0  # a name that is cut is cut at its end


@pytest.mark.parametrize("points", [10, 20])
def test_what_is_tried_on_a_page_is_whole_above_the_send_dock(
    open_window: Open, qapp: QApplication, points: int
) -> None:
    theme.apply(qapp, theme.DARK, Fonts(points, "", points))
    window = open_window(config("alpha", protocol="http", responder="mock", options={"rules": [{"path": "/a"}]}))
    window.resize(900, 600)
    do(window, "edit_service")
    rules = window.workbench.pages["alpha"].rules
    assert rules is not None
    rules.bar.say("no rule matches: 404")
    rules.bar.show_answer.setChecked(True)
    do(window, "send_message")
    settle()
    assert rules.bar.height() >= rules.bar.minimumSizeHint().height()
    assert not rules.splitter.isVisible()
    window.sending.dock.close()
    rules.bar.show_answer.setChecked(False)
    settle()
    assert rules.splitter.isVisible()


def test_services_that_fail_and_figures_that_grow_need_no_more_room(window: MainWindow) -> None:
    for i, service in enumerate(window._post.services.values()):
        service._set(
            Failed("It cannot, for reasons. " * 40 + "/" + "x" * 200) if i % 3 else Listening(service.config.listen)
        )
        service.connections.update({k: Peer(k) for k in range(1_000)})
    window._post.recorder.lost_before(123_456_789)
    for _ in range(3):
        window._post.recorder.record_failure(ValueError())
    window.bridge.measured.emit()
    window.services.select("a-service-with-quite-a-long-name-01")
    assert window.services.trouble.isVisible()
    assert least(window) == (True, True)


def test_what_happened_is_in_view_in_every_pane_whatever_goes_for_it(window: MainWindow) -> None:
    """Columns that matter less are left out, and come back with their widths; nothing has to be scrolled sideways."""
    window.resize(*ROOM[theme.notifier.fonts.size])
    settle()
    stay = {"All": ("time", "service", "direction", "kind", "summary"), "HTTP": ("time", "method", "target", "status")}
    stay |= {"Conversations": ("conn", "service", "peer", "reason")}
    for index, names in enumerate(stay.values()):
        window.panes.setCurrentIndex(index)
        settle()
        view = window.panes.current().view
        shown = {column.name for at, column in enumerate(view.columns) if not view.header.isSectionHidden(at)}
        assert shown >= set(names)
        assert view.horizontalScrollBar().maximum() == 0
        widths = [view.header.sectionSize(at) for at in range(len(view.columns) - 1)]
        window.resize(2400, 800)
        settle()
        assert not any(view.header.isSectionHidden(at) for at in range(len(view.columns)))
        now = [view.header.sectionSize(at) for at in range(len(view.columns) - 1)]
        for column, was, then in zip(view.columns, widths, now, strict=False):
            assert was in (0, then) or column.stretch
        window.resize(*ROOM[theme.notifier.fonts.size])
        settle()


def test_the_send_dock_is_whole_after_each_pane_was_looked_at(window: MainWindow) -> None:
    """The failures' two lists want more height than other panes; that is scrolled, and not taken from the dock."""
    window.resize(*ROOM[theme.notifier.fonts.size])
    for index in range(window.panes.count()):
        window.panes.setCurrentIndex(index)
        settle()
    window.panes.setCurrentIndex(0)
    do(window, "send_message")
    form = window.sending.dock.form
    form.url.setText("http://127.0.0.1:9480/hello")
    settle()
    assert form.visibleRegion().boundingRect() == form.rect()
    assert form.url.width() >= form.url.fontMetrics().horizontalAdvance("http://127.0.0.1:9480")


def test_the_hints_of_the_send_dock_are_not_cut(window: MainWindow) -> None:
    window.resize(*ROOM[theme.notifier.fonts.size])
    do(window, "send_message")
    form = window.sending.dock.form
    for url in ("tcp://127.0.0.1:9407", "http://127.0.0.1:9480/hello"):
        form.url.setText(url)
        for at in range(form.types.count()):
            form.types.setCurrentIndex(at)
            settle()
            hint = form.body.help
            assert hint.height() >= hint.heightForWidth(hint.width()), hint.text()


@pytest.mark.parametrize(("points", "size"), [(10, (900, 600)), (15, (1280, 720)), (20, (1440, 900))])
@pytest.mark.parametrize("compact", [False, True])
def test_names_of_services_can_be_read_with_large_letters(
    open_window: Open, qapp: QApplication, points: int, size: tuple[int, int], compact: bool
) -> None:
    theme.apply(qapp, theme.DARK, Fonts(points, "", points))
    window = open_window(*(config(f"service-{i:02}", 59_100 + i, protocol="http") for i in range(30)))
    window.services.set_compact(compact)
    window.resize(*size)
    settle()
    view = window.services.list
    row = view.model().row(view.model().index(view.model().at("service-00")))
    assert isinstance(row, ServiceRow)
    at = view.delegate.layout_of(view.rect_of(view.model().at("service-00")))
    marks = view.delegate.marks(row, at).values()
    end = min([at.figures_left if compact else at.first.right(), *(one.left() for one in marks)])
    port = QFontMetrics(view.delegate.fonts.mono).horizontalAdvance(row.port) if compact else 0
    assert end - at.first.left() >= port + view.delegate.fonts.name_room() * 7 // 8


@pytest.mark.parametrize("points", ROOM)
def test_no_button_of_a_page_is_cut(open_window: Open, qapp: QApplication, points: int) -> None:
    theme.apply(qapp, theme.DARK, Fonts(points, "", points))
    rules = {"rules": [{"path": "/a"}]}
    window = open_window(config("shop", protocol="http", responder="mock", options=rules, faults=({"kind": "delay"},)))
    window.resize(*ROOM[points])
    page = window.workbench.open("shop")
    assert page is not None
    for key in ("rules", "answer", "faults", "tls", "limits", "socket"):
        page.show_section(key)
        settle()
        cut = [
            button.text()
            for button in page.findChildren(QPushButton)
            if button.isVisible() and button.width() < button.minimumSizeHint().width()
        ]
        assert cut == [], (points, key)
    window.resize(1800, 900)
    page.show_section("rules")
    settle()
    assert page.rules is not None
    assert page.rules.reset_button.isVisible()


def test_services_give_room_to_the_panes_and_get_it_back(open_window: Open) -> None:
    window = open_window()
    window.resize(900, 600)
    settle()
    narrow = window.middle.sizes()[0]
    window.resize(1500, 600)
    settle()
    assert narrow < 300 <= window.middle.sizes()[0]
    window.middle.moveSplitter(500, 1)
    window.resize(900, 600)
    window.close()
    again = open_window()
    again.resize(1500, 600)
    settle()
    assert again.middle.sizes()[0] == 500


def cut_titles(window: MainWindow) -> list[tuple[str, str]]:
    """The pane and the title of each column that is too narrow for its title."""
    cut = []
    for index in range(window.panes.count()):
        window.panes.setCurrentIndex(index)
        settle()
        header = window.panes.current().view.header
        for column in range(header.count()):
            if not header.isSectionHidden(column):
                text = header.model().headerData(column, Qt.Horizontal)
                bold = header.font()
                bold.setBold(True)
                arrow = 10 if header.isSortIndicatorShown() and header.sortIndicatorSection() == column else 0
                if header.sectionSize(column) < QFontMetrics(bold).horizontalAdvance(text or "") + arrow:
                    cut.append((window.panes.tabText(index), text))
    return cut


def test_the_headings_of_columns_are_not_cut(window: MainWindow) -> None:
    window.resize(*ROOM[theme.notifier.fonts.size])
    settle()
    assert cut_titles(window) == []


@pytest.mark.parametrize("sizes", [(15, 10), (15, 15), (18, 9)])
def test_they_are_whole_after_the_letters_have_grown(
    open_window: Open, qapp: QApplication, sizes: tuple[int, int]
) -> None:
    theme.apply(qapp, theme.DARK, Fonts(10, "", 10))
    window = open_window(config("web", protocol="http", responder="inspector"))
    before = window.panes.columns()
    theme.apply(qapp, theme.DARK, Fonts(sizes[0], "", sizes[1]))
    settle()
    assert cut_titles(window) == []
    window.panes.restore_columns(before)
    assert cut_titles(window) == []
    window.panes.setCurrentIndex(1)
    header = window.panes.current().view.header
    for column in range(header.count()):
        header.setSortIndicator(column, Qt.DescendingOrder)
        assert cut_titles(window) == [], column


def test_the_number_of_connections_is_whole_beside_any_name(window: MainWindow) -> None:
    window.resize(*ROOM[theme.notifier.fonts.size])
    service = window._post.services["a-service-with-quite-a-long-name-00"]
    service._set(Listening("127.0.0.1:9100"))
    service.connections.update({k: Peer(k) for k in range(12_345)})
    window.services.select(service.config.name)
    window.bridge.ticked.emit(window._post.recorder.range)
    settle()
    assert window.side.total.text() == "12,345"
    assert window.side.total.width() >= window.side.total.sizeHint().width()
    assert window.side.title.toolTip()  # the name is cut, and whole here


def test_the_toolbar_folds_what_does_not_fit(window: MainWindow) -> None:
    window.resize(600, 600)
    settle()
    bar = window.findChild(QToolBar, "toolbar")
    assert bar.width() <= 600 + 2
    more = bar.findChild(object, "qt_toolbar_ext_button")
    assert more is not None


def test_the_button_of_the_capture_stays_in_the_toolbar(window: MainWindow) -> None:
    bar = window.findChild(QToolBar, "toolbar")
    for width in (1366, 1280, 1100, 1000, 900, 800, 700, 1366):
        window.resize(width, 600)
        settle()
        button = window.capture_button
        assert button.isVisible(), width
        assert bar.rect().contains(button.geometry()), width
        assert window.filter.width() >= 160
    assert button.toolButtonStyle() == Qt.ToolButtonTextBesideIcon
    window.resize(900, 600)
    theme.apply(QApplication.instance(), theme.DARK, Fonts(15, "", 10))  # type: ignore[arg-type]
    settle()
    assert button.isVisible()
    assert bar.rect().contains(button.geometry())


def test_the_compact_list_shows_eighteen_services_on_a_small_screen(open_window: Open, qapp: QApplication) -> None:
    theme.apply(qapp, theme.DARK, Fonts())
    window = open_window(*(config(f"service {i}", 9100 + i) for i in range(30)))
    window.resize(1366, 768)
    do(window, "compact_services")
    settle()
    view = window.services.list.viewport().rect()
    rows = [row for row in window.services._model.rows if isinstance(row, ServiceRow)]
    assert sum(view.contains(window.services.row_rect(row.name)) for row in rows) >= 18
