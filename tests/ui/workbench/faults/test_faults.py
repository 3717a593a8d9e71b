"""The faults of a service on its page: added, edited, arranged, switched, applied while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from app import faults
from app.faults import tables
from app.status import Listening
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from tests.ui.workbench.bench import Bench, bench
from ui.workbench.faults.section import FaultsSection
from ui.workbench.rule_form.fields import FieldRow

pytestmark = [
    pytest.mark.qt_log_ignore(r"^This plugin does not support (raise\(\)|grabbing the keyboard)$", extend=True),
]

SLOW = {"kind": "delay", "name": "slow", "ms": 5.0}
RESET = {"kind": "reset", "name": "second breaks", "nth": 2}


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    with bench(open_window, qtbot, config("echo", 0, faults=(SLOW, RESET)), config("plain", 0)) as made:
        made.page.show_fault(0)
        settle()
        yield made


def section_of(desk: Bench) -> FaultsSection:
    section = desk.page.forms.faults
    assert section is not None
    return section


def editor(desk: Bench, name: str) -> FieldRow:
    for group in section_of(desk).form.groups:
        row = group.row_of(name)
        if isinstance(row, FieldRow):
            return row
    raise KeyError(name)


def type_into(desk: Bench, name: str, text: str) -> None:
    widget = editor(desk, name).editors[name]
    widget.setFocus()
    QTest.keyClick(widget, Qt.Key_A, Qt.ControlModifier)
    QTest.keyClicks(widget, text)


def add(desk: Bench, kind: str) -> None:
    """By the menu of the button."""
    section_of(desk).add_button.click()
    menu = section_of(desk).findChildren(QMenu)[-1]
    next(action for action in menu.actions() if action.text().startswith(f"{kind}: ")).trigger()
    menu.close()
    settle()


def titles(desk: Bench) -> list[tuple[str, str]]:
    model = section_of(desk).model
    return [(row.asks, row.does) for at in range(model.rowCount()) if (row := model.row(at)) is not None]


def test_each_fault_is_a_row_with_its_name_kind_side_and_figures(desk: Bench) -> None:
    assert titles(desk) == [
        ("slow", "delay on sent · 5 ms"),
        ("second breaks", "reset on sent · nth 2"),
    ]


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http", "websocket"])
def test_every_kind_that_fits_can_be_added_and_edited(open_window: Open, qtbot: QtBot, protocol: str) -> None:
    responder = "inspector" if protocol == "http" else "echo"
    kinds = [kind for kind in faults.fitting(protocol) if not kind.tls]
    config_ = config("one", 0, protocol=protocol, responder=responder)
    with bench(open_window, qtbot, config_) as desk:
        desk.page.show_fault(-1)
        for kind in kinds:
            add(desk, kind.name)
            shown = {name for group in section_of(desk).form.groups for name in group.values()}
            assert shown == {option.name for option in tables.options_of(kind, protocol)} - (
                {"on"} if len(kind.sides) == 1 else set()
            )
        assert [table["kind"] for table in desk.page.config().faults] == [kind.name for kind in kinds]


def test_what_is_typed_goes_to_the_running_service_without_a_restart(desk: Bench) -> None:
    desk.start()
    service = desk.post.services["echo"]
    type_into(desk, "ms", "70")
    desk.qtbot.waitUntil(lambda: desk.config.faults[0]["ms"] == 70.0)
    assert desk.post.services["echo"] is service
    assert isinstance(service.status, Listening)
    fault = service.faults.find("slow")
    assert fault is not None
    assert fault.options["ms"] == 70.0
    do(desk.window, "undo")
    desk.qtbot.waitUntil(lambda: desk.config.faults[0]["ms"] == 5.0)
    desk.qtbot.waitUntil(lambda: editor(desk, "ms").editors["ms"].value() == 5.0)
    do(desk.window, "redo")
    desk.qtbot.waitUntil(lambda: desk.config.faults[0]["ms"] == 70.0)


def test_what_is_wrong_is_told_at_its_field_and_the_last_good_state_serves(desk: Bench) -> None:
    desk.page.show_fault(1)
    type_into(desk, "first", "1")
    assert editor(desk, "nth").editors["nth"].property("invalid") is True
    row = section_of(desk).model.row(1)
    assert row is not None
    assert "never reached" in row.mistake
    assert desk.page.header.later.text() == "Not applied yet: 1 mistake"
    desk.page.apply()
    assert desk.config.faults == (SLOW, RESET)
    section_of(desk).view.choose(0)
    desk.page.show_section("socket")
    desk.page.header.later.click()
    assert section_of(desk).isVisible()
    assert section_of(desk).view.at() == 1


def test_the_menu_of_conditions_says_what_each_means(desk: Bench) -> None:
    when = next(group for group in section_of(desk).form.groups if group.row_of("probability"))
    menu = when.offer.menu()
    menu.aboutToShow.emit()
    offered = [action.text() for action in menu.actions()]
    assert "Every: Hit only every nth message or connection; 0: every one" in offered
    assert all(": " in text for text in offered)


def test_kinds_that_need_tls_are_there_and_say_so(desk: Bench) -> None:
    section_of(desk).add_button.click()
    menu = section_of(desk).findChildren(QMenu)[-1]
    off = [action.text() for action in menu.actions() if action.text() and not action.isEnabled()]
    menu.close()
    assert off == ["tls: for a service with TLS"]


def test_the_page_says_which_network_it_is(desk: Bench) -> None:
    section = section_of(desk)
    assert section.networks.text().strip() == "Network"
    section.networks.menu().aboutToShow.emit()
    next(action for action in section.networks.menu().actions() if action.text().startswith("3G")).trigger()
    desk.qtbot.waitUntil(lambda: section.networks.text().strip() == "Network: 3G")


def test_another_kind_keeps_what_it_can(desk: Bench) -> None:
    type_into(desk, "probability", "0.5")
    choice = editor(desk, "kind").editors["kind"]
    choice.setCurrentIndex(choice.findData("stall"))
    desk.qtbot.waitUntil(lambda: desk.config.faults[0]["kind"] == "stall")
    assert desk.config.faults[0] == {"kind": "stall", "name": "slow", "ms": 5.0, "probability": 0.5}
    assert editor(desk, "ms").editors["ms"].value() == 5.0
    assert "jitter_ms" not in {name for group in section_of(desk).form.groups for name in group.values()}


def test_a_fault_is_duplicated_moved_and_removed_by_keys(desk: Bench) -> None:
    view = section_of(desk).view
    view.choose(0)
    QTest.keyClick(view, Qt.Key_Down, Qt.AltModifier)
    desk.qtbot.waitUntil(lambda: desk.config.faults == (RESET, SLOW))
    view.choose(0)
    QTest.keyClick(view, Qt.Key_Delete)
    desk.qtbot.waitUntil(lambda: desk.config.faults == (SLOW,))
    do(desk.window, "undo")
    desk.qtbot.waitUntil(lambda: desk.config.faults == (RESET, SLOW))
    view.choose(1)
    QTest.keyClick(view, Qt.Key_D, Qt.ControlModifier)
    desk.qtbot.waitUntil(lambda: len(desk.config.faults) == 3)
    assert desk.config.faults[2]["kind"] == "delay"
    assert desk.config.faults[2]["name"] != "slow"


def test_faults_are_copied_and_pasted_as_toml(desk: Bench) -> None:
    view = section_of(desk).view
    view.choose(1)
    view.copy()
    assert QApplication.clipboard().text() == '[[service.fault]]\nkind = "reset"\nname = "second breaks"\nnth = 2\n'
    QApplication.clipboard().setText('[[service.fault]]\nkind = "hang"\nms = 100\n')
    view.paste()
    desk.qtbot.waitUntil(lambda: desk.config.faults[-1] == {"kind": "hang", "ms": 100})
    said: list[str] = []
    view.refused.connect(said.append)
    QApplication.clipboard().setText('[[service.fault]]\nkind = "unheard of"\n')
    view.paste()
    assert said[0].startswith('These faults cannot be used here. Number 1: kind "unheard of" is unknown')


def test_a_switch_acts_at_once_and_is_no_change(desk: Bench) -> None:
    view = section_of(desk).view
    view.choose(0)
    QTest.keyClick(view, Qt.Key_Space)
    fault = desk.post.services["echo"].faults.find("slow")
    assert fault is not None
    assert not fault.enabled
    row = section_of(desk).model.row(0)
    assert row is not None
    assert not row.on
    assert desk.config.faults == (SLOW, RESET)
    desk.post.services["echo"].faults.switch(fault, on=True)
    desk.qtbot.waitUntil(lambda: bool(row.on))


def test_once_now_and_the_hits_of_the_current_fault(desk: Bench) -> None:
    desk.start()
    section = section_of(desk)
    section.once_now.click()
    assert section.once_now.text() == "Waits for the next message or connection"
    assert desk.ask(b"PING\n") == b"PING\n"
    desk.qtbot.waitUntil(lambda: section.hits.text() == "2 hits" or section.hits.text() == "1 hit")
    section.hits.click()
    assert desk.window.filter.text() == "service == echo and fault.name == slow"


def test_the_seed_needs_a_restart_and_that_of_the_run_can_be_kept(desk: Bench) -> None:
    desk.start()
    section, seed = section_of(desk), desk.post.services["echo"].faults.seed
    section.refresh()
    assert section.keep.isVisible()
    section.keep.click()
    desk.page.apply()
    assert desk.page.restart.isVisible()
    desk.page.apply(restart=True)
    desk.qtbot.waitUntil(lambda: desk.config.seed == seed)
    desk.qtbot.waitUntil(lambda: isinstance(desk.post.services["echo"].status, Listening))
    assert desk.post.services["echo"].faults.seed == seed


def test_a_wrong_seed_is_told(desk: Bench) -> None:
    section_of(desk).seed.setText("-1")
    assert section_of(desk).seed.property("invalid") is True
    assert desk.page.header.later.text() == "Not applied yet: 1 mistake"


def test_without_a_fault_there_are_networks(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, config("echo", 0)) as desk:
        desk.page.show_fault(-1)
        section = section_of(desk)
        assert section.empty.isVisible()
        assert section.add_button.hasFocus()
        section.empty.buttons[0].click()
        qtbot.waitUntil(lambda: len(desk.config.faults) == 4)
        assert not section.empty.isVisible()
        assert desk.page.settled()


def test_a_service_whose_protocol_has_no_faults_has_no_such_section(open_window: Open) -> None:
    window = open_window(config("one", protocol="ssh", responder="manhole", options={"password": "auto"}))
    page = window.workbench.open("one")
    assert page is not None
    assert page.forms.faults is None
    assert page.config() == window._post.services["one"].config


def test_what_was_changed_in_the_dock_is_on_the_page_and_the_other_way_round(desk: Bench) -> None:
    do(desk.window, "faults")
    dock = desk.window.faults.dock
    row = next(row for row in dock.rows.values() if row.fault.name == "slow")
    row.figures.figures[0].number.setValue(33.0)
    desk.qtbot.waitUntil(lambda: editor(desk, "ms").editors["ms"].value() == 33.0)
    type_into(desk, "ms", "44")
    desk.qtbot.waitUntil(lambda: row.figures.figures[0].number.value() == 44.0)


def test_a_duplicate_and_another_group_keep_faults_and_seed(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, config("echo", 0, faults=(SLOW,), seed=7)) as desk:
        desk.window.service_actions.duplicate("echo")
        qtbot.waitUntil(lambda: "echo-2" in desk.post.services)
        copy = desk.post.services["echo-2"].config
        assert (copy.faults, copy.seed) == ((SLOW,), 7)
        desk.window.edits.replace("echo-2", replace(copy, group="bench"))
        qtbot.waitUntil(lambda: desk.post.services["echo-2"].config.group == "bench")
        assert desk.post.services["echo-2"].config.faults == (SLOW,)
