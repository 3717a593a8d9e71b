"""The start page: there while there is nothing to show, and gone as soon as there is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
import pytest_twisted
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app import events
from app.capture.recorder import Stored
from app.post import Post
from app.status import Listening
from app.workspace.reading import Workspace, problems_of
from app.workspace.saving import save
from tests.helpers import until
from tests.ui.conftest import Open
from tests.ui.desk import config, do, memory_post, settle
from ui.services.templates import TEMPLATES
from ui.settings import Settings
from ui.window.main_window import MainWindow


def shown(window: MainWindow) -> bool:
    return window.start_page.isVisible() and not window.panes.isVisible()


@pytest.fixture
def empty(open_window: Open) -> MainWindow:
    window = open_window(post=memory_post()[0])
    window.files._saved = window.edits.state
    return window


def test_it_stands_where_the_panes_are_while_there_is_no_service(empty: MainWindow) -> None:
    assert shown(empty)


def test_with_services_the_panes_are_shown(window: MainWindow) -> None:
    assert not shown(window)


def test_it_goes_when_a_service_comes_and_returns_with_the_last_one(empty: MainWindow, qtbot: QtBot) -> None:
    empty._post.add(config("new"))
    settle()
    assert not shown(empty)
    empty.service_actions.remove("new")
    qtbot.waitUntil(lambda: shown(empty))


def test_it_goes_when_something_is_captured(empty: MainWindow) -> None:
    empty._post.recorder.record(events.LOG, summary="something")
    empty.bridge.ticked.emit(Stored(1, 1, 10))
    assert not shown(empty)


@pytest.mark.parametrize("name", ["failures", "next_pane", "http", "filter"])
def test_it_goes_when_a_pane_is_asked_for(window: MainWindow, name: str) -> None:
    do(window, "start_page")
    assert shown(window)
    do(window, name)
    assert not shown(window)


def test_escape_and_its_button_show_the_panes(window: MainWindow) -> None:
    do(window, "start_page")
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Escape)
    assert not shown(window)
    do(window, "start_page")
    window.start_page.panes.click()
    assert not shown(window)


@pytest.mark.qt_log_ignore(r"^This plugin does not support (raise|propagateSizeHints)\(\)")
@pytest.mark.parametrize("name", ["manual", "whats_new", "shortcuts"])
def test_help_is_one_click_away(empty: MainWindow, name: str) -> None:
    done: list[bool] = []
    empty.actions_[name].triggered.connect(done.append)
    QTest.mouseClick(empty.start_page.offers[name], Qt.LeftButton)
    settle()
    assert done


def test_the_demo_and_the_showcase_are_opened_from_it(empty: MainWindow, qtbot: QtBot) -> None:
    for name, least in (("open_demo", 4), ("open_showcase", 5)):
        empty.middle.show_start_page()
        empty.start_page.offers[name].click()
        qtbot.waitUntil(lambda least=least: len(empty._post.services) >= least and not shown(empty))


def test_recent_workspaces_are_opened_from_it(
    empty: MainWindow, settings: Settings, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "mine.toml"
    save(Workspace((config("mine"),)), path)
    settings.add_recent(path)
    empty.files.changed.emit()
    [offer] = empty.start_page.recent
    assert (offer.accessibleName(), offer.accessibleDescription()) == ("mine.toml", str(tmp_path))
    offer.click()
    qtbot.waitUntil(lambda: list(empty._post.services) == ["mine"])


def test_arrows_go_through_the_offers_and_enter_takes_one(empty: MainWindow, qtbot: QtBot) -> None:
    empty.middle.show_start_page()
    assert empty.start_page.try_it.hasFocus()
    for _ in range(4):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key_Down)
    assert empty.start_page.offers["new_service"].hasFocus()
    while not empty.start_page.offers["open_demo"].hasFocus():
        QTest.keyClick(QApplication.focusWidget(), Qt.Key_Down)
    QTest.keyClick(QApplication.focusWidget(), Qt.Key_Return)
    qtbot.waitUntil(lambda: len(empty._post.services) == 4)


def test_a_first_start_is_one_that_never_closed_a_window(settings: Settings, open_window: Open) -> None:
    assert settings.first_start
    open_window().close()
    assert not settings.first_start


@pytest.mark.parametrize("name", ["mock", "webhook", "device"])
def test_a_template_is_a_service_that_runs_with_one_click(empty: MainWindow, qtbot: QtBot, name: str) -> None:
    QTest.mouseClick(empty.start_page.templates[name], Qt.LeftButton)
    qtbot.waitUntil(lambda: bool(empty._post.services))
    [service] = empty._post.services.values()
    qtbot.waitUntil(lambda: isinstance(service.status, Listening))
    assert empty.services.selected == service.config.name
    if name == "webhook":
        assert (empty.panes.service(), empty.panes.page()) == (service.config.name, None)
    else:
        page = empty.workbench.pages[service.config.name]
        assert empty.panes.page() is page
        assert page.isAncestorOf(QApplication.focusWidget())
    do(empty, "undo")
    qtbot.waitUntil(lambda: not empty._post.services)


def test_what_is_begun_is_shown_though_a_page_is_in_view(empty: MainWindow, qtbot: QtBot) -> None:
    for name in ("mock", "webhook"):
        do(empty, "start_page")
        QTest.mouseClick(empty.start_page.templates[name], Qt.LeftButton)
        qtbot.waitUntil(lambda: all(service.running for service in empty._post.services.values()))
        settle()
    assert (empty.panes.service(), empty.panes.page()) == ("http-webhook", None)


@pytest.mark.parametrize("name", list(TEMPLATES))
def test_templates_have_nothing_wrong(name: str, tmp_path: Path) -> None:
    save(Workspace((TEMPLATES[name].config("127.0.0.1", ()),)), tmp_path / "w.toml")
    assert problems_of(tmp_path / "w.toml") == []


@pytest_twisted.ensureDeferred
async def test_the_example_shows_the_answer_of_an_echo_in_the_send_dock(open_window: Open, tmp_path: Path) -> None:
    from twisted.internet import reactor

    post = Post(reactor, Workspace((config("echo", 0),)))
    await post.open(tmp_path / "x.lpost")
    window = open_window(post=post, path=tmp_path / "x.lpost")
    do(window, "start_page")
    QTest.mouseClick(window.start_page.try_it, Qt.LeftButton)
    transcript = window.sending.dock.transcript
    await until(lambda: transcript.toPlainText().count("hello") == 2)  # what was sent, and the answer
    assert window.sending.dock.isVisible()
    await until(lambda: not shown(window))
    window.sending.stop()
    await post.shut_down()


@pytest_twisted.ensureDeferred
async def test_the_example_is_shown_on_another_port_if_its_own_is_taken(open_window: Open, tmp_path: Path) -> None:
    from twisted.internet import reactor

    with socket.create_server(("127.0.0.1", 0)) as taken:
        post = Post(reactor, Workspace((config("echo", taken.getsockname()[1]),)))
        await post.open(tmp_path / "x.lpost")
        window = open_window(post=post, path=tmp_path / "x.lpost")
        do(window, "start_page")
        QTest.mouseClick(window.start_page.try_it, Qt.LeftButton)
        await until(lambda: window.sending.made and window.sending.dock.transcript.toPlainText().count("hello") == 2)
        assert [isinstance(service.status, Listening) for service in post.services.values()] == [False, True]
        window.sending.stop()
        await post.shut_down()


def test_a_program_is_run_from_it(empty: MainWindow) -> None:
    empty.start_page.offers["run_program"].click()
    dialog = QApplication.activeModalWidget()
    assert dialog is not None
    assert dialog.windowTitle() == "Run a Twisted program"
    dialog.close()


@pytest.mark.parametrize(("width", "columns"), [(1366, 2), (760, 1)])
def test_its_columns_stand_below_each_other_where_it_is_narrow(empty: MainWindow, width: int, columns: int) -> None:
    empty.resize(width, 700)
    settle()
    first, second = empty.start_page.templates["mock"], empty.start_page.offers["open_workspace"]
    beside = first.mapTo(empty, first.rect().topLeft()).x() < second.mapTo(empty, second.rect().topLeft()).x()
    assert beside == (columns == 2)
    assert not empty.start_page.horizontalScrollBar().isVisible()
