"""The tabs: which panes there are, and which of them works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from PyQt5.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from twisted.internet.defer import Deferred

from app import events
from app.failures.record import record
from app.post import Post
from app.services.config import ServiceConfig
from tests.ui.desk import BASE, Capture, InstantReader, config, memory_post, settle
from ui.looks import theme
from ui.looks.theme import Fonts
from ui.panes.event_columns import COLUMNS
from ui.panes.event_pane import EventPane
from ui.panes.tabs import CONVERSATIONS, FAILURES, HTTP, PaneTabs
from ui.window.main_window import MainWindow

pytestmark = pytest.mark.usefixtures("dark")

ALPHA, BETA = 4, 5
"""Where the panes of the services stand."""


class Desk:
    """A Post and its tabs."""

    def __init__(self, post: Post, tabs: PaneTabs) -> None:
        self.post, self.tabs = post, tabs

    def names(self) -> list[str]:
        return [self.tabs.tabText(i) for i in range(self.tabs.count())]

    def show(self, index: int) -> EventPane:
        self.tabs.setCurrentIndex(index)
        return self.tabs.current()

    def change(self, name: str, new: ServiceConfig | None) -> None:
        """Replace or remove a service as the window does."""
        work = self.post.replace(name, new) if new else self.post.remove(name)
        Deferred.fromCoroutine(work)  # type: ignore[arg-type]
        self.tabs.rebuild()
        settle()


@pytest.fixture
def desk(reader: InstantReader, qtbot: QtBot) -> Iterator[Desk]:
    post, _ = memory_post(config("alpha"), config("beta", 9008))
    tabs = PaneTabs(post, reader)  # type: ignore[arg-type]
    qtbot.addWidget(tabs)
    tabs.resize(900, 300)
    with qtbot.waitExposed(tabs):
        tabs.show()
    return Desk(post, tabs)


def ids(pane: EventPane) -> list[int]:
    return [pane.events.id_at(i) for i in range(len(pane.events))]


def test_the_panes_that_are_always_there_stand_before_those_of_the_services(desk: Desk) -> None:
    assert desk.names() == ["All", HTTP, CONVERSATIONS, FAILURES, "alpha", "beta"]


def test_a_service_pane_shows_only_its_service(desk: Desk, capture: Capture, qtbot: QtBot) -> None:
    capture.add([b"a"] * 2, service=1)
    desk.tabs.on_stored(capture.add([b"b"] * 3, service=2))
    assert ids(desk.show(0)) == [1, 2, 3, 4, 5]
    beta = desk.show(BETA)
    qtbot.waitUntil(lambda: ids(beta) == [3, 4, 5])


def test_the_failures_pane_shows_only_failures_and_its_tab_counts_them(
    desk: Desk, capture: Capture, qtbot: QtBot
) -> None:
    assert desk.names()[3] == FAILURES
    for i in range(2):
        desk.post.recorder.record_failure(ValueError(i))
    capture.add([b"x"])
    desk.tabs.on_stored(capture.add([None] * 2, kind=events.FAILURE, summary="ValueError"))
    assert desk.names()[3] == f"{FAILURES} 2"
    failures = desk.show(3)
    qtbot.waitUntil(lambda: ids(failures) == [2, 3])


def test_failures_that_are_resolved_count_no_more(desk: Desk, capture: Capture, qtbot: QtBot) -> None:
    def failing(text: str) -> list[Any]:
        detail = json.dumps({"group": text, **record(ValueError(text)).as_json()})
        return [BASE, events.FAILURE, 1, 0, None, None, f"ValueError: {text}", detail]

    told: list[int] = []
    desk.tabs.unresolved_changed.connect(told.append)
    desk.post.recorder.failures = 3
    desk.tabs.on_stored(capture.store([*failing("a"), *failing("a"), *failing("b")]))
    qtbot.waitUntil(lambda: desk.tabs.failures.unresolved == 3)
    assert desk.names()[3] == f"{FAILURES} 3"
    for group, left in (("a", f"{FAILURES} 1"), ("b", FAILURES)):
        desk.tabs.failures._resolving = True
        resolved = [BASE, events.FAILURE_RESOLVED, 0, 0, None, None, "resolved", json.dumps({"group": group})]
        desk.tabs.on_stored(capture.store(resolved))
        qtbot.waitUntil(lambda left=left: desk.names()[3] == left)
    assert told == [3, 1, 0]
    desk.show(3)
    assert desk.tabs.failures.title.text() == "All 3 failures are resolved"


def test_a_pane_that_is_not_in_view_rests_and_catches_up_when_shown(desk: Desk, capture: Capture, qtbot: QtBot) -> None:
    alpha = desk.show(ALPHA)
    desk.show(0)
    desk.tabs.on_stored(capture.add([b"a"] * 4))
    assert len(alpha.events) == 0
    assert not alpha.events.active
    desk.show(ALPHA)
    qtbot.waitUntil(lambda: ids(alpha) == [1, 2, 3, 4])


def test_a_filter_holds_in_every_pane_that_is_looked_at(desk: Desk, capture: Capture, qtbot: QtBot) -> None:
    desk.tabs.on_stored(capture.add([b"yes", b"no", b"yes"]))
    desk.tabs.set_filter("yes")
    alpha = desk.show(ALPHA)
    qtbot.waitUntil(lambda: ids(alpha) == [1, 3])
    desk.tabs.set_filter("")
    assert ids(desk.show(0)) == [1, 2, 3]


def test_panes_come_and_go_with_their_services_and_keep_their_order(desk: Desk) -> None:
    desk.post.add(config("gamma", 9009))
    desk.tabs.rebuild()
    assert desk.names() == ["All", HTTP, CONVERSATIONS, FAILURES, "alpha", "beta", "gamma"]
    desk.change("alpha", config("first"))
    assert desk.names() == ["All", HTTP, CONVERSATIONS, FAILURES, "first", "beta", "gamma"]
    desk.change("beta", None)
    assert desk.names() == ["All", HTTP, CONVERSATIONS, FAILURES, "first", "gamma"]


def test_a_changed_service_keeps_its_pane_and_what_it_shows(desk: Desk, capture: Capture, qtbot: QtBot) -> None:
    alpha = desk.show(ALPHA)
    desk.tabs.on_stored(capture.add([b"a"] * 2))
    qtbot.waitUntil(lambda: len(alpha.events) == 2)
    desk.change("alpha", config("alpha", 9999))
    assert desk.tabs.current() is alpha
    assert len(alpha.events) == 2


def test_removing_the_service_in_view_shows_another_pane(desk: Desk, capture: Capture, reader: InstantReader) -> None:
    desk.show(ALPHA)
    reader.holding = True
    desk.tabs.on_stored(capture.add([b"a"] * 2))
    desk.change("alpha", None)
    reader.release()
    assert desk.tabs.of("alpha") is None
    assert desk.tabs.current().events.active


@pytest.mark.parametrize("name", ["All", "Failures", "a & b", "<b>bold</b>", "n" * 60, "שלום"])
def test_any_name_that_a_service_may_have_makes_a_tab(desk: Desk, capture: Capture, qtbot: QtBot, name: str) -> None:
    desk.post.add(config(name, 9010))
    desk.tabs.rebuild()
    assert desk.tabs.count() == 7
    pane = desk.tabs.of(name)
    assert pane is desk.tabs.widget(6)
    assert desk.tabs.tabText(6).replace("&&", "&").rstrip("…") in name
    assert "<b>" not in desk.tabs.tabToolTip(6)
    assert desk.tabs.tabBar().tabRect(6).width() < 300
    assert desk.tabs.widget(0) is desk.tabs.all
    assert desk.tabs.widget(3) is desk.tabs.failures


def test_an_ampersand_in_a_name_is_no_shortcut(desk: Desk) -> None:
    desk.post.add(config("a & b", 9010))
    desk.tabs.rebuild()
    assert desk.tabs.tabText(6) == "a && b"


def test_news_of_a_pane_out_of_view_are_not_passed_on(desk: Desk, capture: Capture, qtbot: QtBot) -> None:
    alpha = desk.show(ALPHA)
    desk.show(0)
    with qtbot.assertNotEmitted(desk.tabs.current_changed), qtbot.assertNotEmitted(desk.tabs.following_changed):
        alpha.view.set_following(False)
        alpha.view.current_changed.emit(7)


def test_another_tab_tells_its_own_current_event_and_whether_it_follows(
    desk: Desk, capture: Capture, qtbot: QtBot
) -> None:
    desk.tabs.on_stored(capture.add([b"a"] * 3))
    desk.tabs.current().view.set_current(0)
    with qtbot.waitSignals(
        [desk.tabs.current_changed, desk.tabs.following_changed],
        check_params_cbs=[lambda id: id == 0, lambda following: following is True],
    ):
        desk.show(2)
    with qtbot.waitSignals(
        [desk.tabs.current_changed, desk.tabs.following_changed],
        check_params_cbs=[lambda id: id == 1, lambda following: following is False],
    ):
        desk.show(0)


def test_columns_are_as_wide_in_every_pane_that_comes(desk: Desk) -> None:
    header = desk.tabs.current().view.header
    header.resizeSection(3, 222)
    desk.tabs.restore_columns(header.saveState())
    desk.post.add(config("gamma", 9009))
    desk.tabs.rebuild()
    panes = [desk.tabs.widget(i) for i in range(desk.tabs.count())]
    assert {pane.view.header.sectionSize(3) for pane in panes if pane.columns is COLUMNS} == {222}


def test_a_pane_that_is_first_shown_after_a_change_of_letters_is_as_wide_as_the_others(
    desk: Desk, capture: Capture, qtbot: QtBot, qapp: QApplication
) -> None:
    """Its view is made then; until it is, the pane keeps up with the capture, and takes the widths of columns."""
    desk.tabs.resize(2400, 300)  # no column is left out
    header = desk.tabs.all.view.header
    header.resizeSection(3, 300)
    desk.tabs.restore_columns(header.saveState())
    assert not desk.tabs.of("alpha")._is_made()  # type: ignore[union-attr]
    theme.apply(qapp, theme.DARK, Fonts(15, "", 15))
    desk.tabs.on_stored(capture.add([b"a"] * 2, service=1))
    alpha = desk.show(ALPHA)
    qtbot.waitUntil(lambda: ids(alpha) == [1, 2])
    settle()
    assert alpha.view.isVisible()
    assert alpha.view.geometry() == alpha.rect()
    assert header.sectionSize(3) > 400
    assert alpha.view.header.sectionSize(3) == header.sectionSize(3)


def test_empty_panes_say_what_to_do_first(desk: Desk) -> None:
    said = [desk.show(i).view._placeholder for i in range(desk.tabs.count())]
    assert "Press Start all" in said[0]
    assert "Nothing has reached alpha yet" in said[ALPHA]
    assert "No HTTP exchange yet" in said[1]
    assert "No conversation yet" in said[2]
    assert "No failure so far" in said[3]


def test_columns_have_their_widths_again_after_the_window_was_narrow(window: MainWindow) -> None:
    header = window.panes.all.view.header

    def widths() -> list[int]:
        """Those of all columns but the last, which stretches."""
        return [header.sectionSize(at) for at in range(header.count() - 1)]

    window.resize(1500, 700)
    settle()
    wide = widths()
    assert 0 not in wide
    for width in (1300, 1100, 950, window.minimumSizeHint().width(), 1000, 1500):
        window.resize(width, 700)
        settle()
    assert widths() == wide
