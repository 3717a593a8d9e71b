"""The dock of faults: rows, switches, sliders, networks, and what it leads to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app import faults
from app.faults.hits import LiveFault
from app.faults.presets import PRESETS
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from tests.ui.workbench.bench import Bench, bench
from ui.faults.dock import MOST, FaultsDock
from ui.faults.row import FaultRow
from ui.faults.sliders import POSITIONS, figures

SLOW = {"kind": "delay", "name": "slow", "ms": 200.0, "jitter_ms": 50.0}
RESET = {"kind": "reset", "name": "second breaks", "nth": 2}


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    echo = config("echo", 0, faults=(SLOW, RESET))
    with bench(open_window, qtbot, echo, config("plain", 0)) as made:
        do(made.window, "faults")
        yield made


def dock_of(desk: Bench) -> FaultsDock:
    return desk.window.faults.dock


def row_of(desk: Bench, name: str) -> FaultRow:
    return next(row for row in dock_of(desk).rows.values() if row.fault.name == name)


def live(desk: Bench, name: str) -> LiveFault:
    fault = desk.post.services["echo"].faults.find(name)
    assert fault is not None
    return fault


def test_each_fault_of_each_service_has_a_row_in_their_order(desk: Bench) -> None:
    rows = list(dock_of(desk).rows.values())
    assert [(row.name.text(), row.kind.text()) for row in rows] == [
        ("echo · slow", "delay on sent"), ("echo · second breaks", "reset on sent"),
    ]  # fmt: skip
    assert [[figure.option.name for figure in row.figures.figures] for row in rows] == [
        ["ms"], ["nth"],
    ]  # fmt: skip
    assert dock_of(desk).figures.text() == "2 of 2 active, 0 hits"


@pytest.mark.parametrize(
    ("kind", "protocol", "table", "found"),
    [
        ("refuse", "tcp", {}, []),  # a closed port tells no connections apart: a slider would only be refused
        ("refuse", "udp", {}, []),
        ("refuse", "tcp", {"how": "unaccepted"}, []),
        ("refuse", "tcp", {"how": "reset"}, ["probability"]),
        ("close", "tcp", {}, ["probability"]),
        ("lose", "udp", {}, ["probability"]),
        ("delay", "udp", {"probability": 0.5}, ["ms", "probability"]),
    ],
)
def test_a_slider_is_there_for_what_can_be_set(
    kind: str, protocol: str, table: dict[str, Any], found: list[str]
) -> None:
    declared = faults.find(kind)
    assert declared is not None
    assert [option.name for option in figures(declared, {"kind": kind, **table}, protocol)] == found


@pytest.mark.parametrize("varies", [0.0, 50.0, 12_345.25])
def test_how_much_it_varies_can_be_read_whole(desk: Bench, varies: float) -> None:
    field = row_of(desk, "slow").figures.figures[0].beside
    assert field is not None
    field.show_value(varies)
    settle()
    room = field.lineEdit().contentsRect().width()
    assert room >= field.fontMetrics().horizontalAdvance(field.text()) + 4, field.text()


def test_a_switch_acts_at_once_and_is_no_change_of_the_workspace(desk: Bench) -> None:
    QTest.mouseClick(row_of(desk, "slow").switch, Qt.LeftButton)
    assert not live(desk, "slow").enabled
    assert desk.window.edits.state.services[0].faults == (SLOW, RESET)
    QTest.keyClick(row_of(desk, "slow").switch, Qt.Key_Space)
    assert live(desk, "slow").enabled


def test_a_switch_shows_what_was_switched_elsewhere(desk: Bench) -> None:
    service = desk.post.services["echo"]
    service.faults.switch(live(desk, "slow"), on=False)
    desk.qtbot.waitUntil(lambda: not row_of(desk, "slow").switch.isChecked())


def test_a_slider_changes_the_running_fault_and_the_steps_are_one(desk: Bench) -> None:
    figure = row_of(desk, "slow").figures.figures[0]
    steps = desk.window.edits.stack.count()
    for position in range(POSITIONS // 2, POSITIONS + 1, 100):
        figure.slider.setValue(position)
        settle()
    desk.qtbot.waitUntil(lambda: live(desk, "slow").options["ms"] == 10_000.0)
    assert figure.number.value() == 10_000.0
    assert desk.window.edits.stack.count() == steps + 1
    do(desk.window, "undo")
    desk.qtbot.waitUntil(lambda: live(desk, "slow").options["ms"] == 200.0)
    desk.qtbot.waitUntil(lambda: row_of(desk, "slow").figures.figures[0].number.value() == 200.0)


def test_what_is_typed_may_be_more_than_the_slider_has(desk: Bench) -> None:
    number = row_of(desk, "slow").figures.figures[0].number
    number.setValue(60_000.0)
    desk.qtbot.waitUntil(lambda: live(desk, "slow").options["ms"] == 60_000.0)
    assert row_of(desk, "slow").figures.figures[0].slider.value() == POSITIONS


def test_a_value_that_contradicts_another_is_told_at_its_figure(open_window: Open, qtbot: QtBot) -> None:
    fault = {"kind": "reset", "name": "x", "nth": 2, "first": 5}
    with bench(open_window, qtbot, config("echo", 0, faults=(fault,))) as desk:
        do(desk.window, "faults")
        figure = next(f for f in row_of(desk, "x").figures.figures if f.option.name == "nth")
        figure.number.setValue(9)
        qtbot.waitUntil(lambda: figure.number.property("invalid") is True)
        assert "never reached" in figure.number.toolTip()
        assert desk.config.faults == (fault,)
        figure.number.setValue(4)
        qtbot.waitUntil(lambda: desk.config.faults[0]["nth"] == 4)
        assert figure.number.property("invalid") is False


def test_once_now_hits_what_comes_next_and_the_row_counts(desk: Bench) -> None:
    desk.start()
    row = row_of(desk, "second breaks")
    row.once_now.click()
    assert row.kind.text() == "reset on sent, waits for the next"
    with pytest.raises(ConnectionResetError):
        _ask(desk)
    desk.qtbot.waitUntil(lambda: row.hits.text() == "1 hit")
    assert row.kind.text() == "reset on sent"


def _ask(desk: Bench) -> None:
    import socket

    from twisted.internet import threads

    from app.status import Listening

    status = desk.post.services["echo"].status
    assert isinstance(status, Listening)
    port = int(status.host.rpartition(":")[2])

    def talk() -> BaseException | None:
        try:
            with socket.create_connection(("127.0.0.1", port), 20) as client:
                client.sendall(b"PING\n")
                client.recv(100)
        except OSError as e:
            return e
        return None

    found: list[BaseException | None] = []
    threads.deferToThread(talk).addCallback(found.append)
    desk.qtbot.waitUntil(lambda: bool(found))
    if found[0] is not None:
        raise found[0]


def test_hits_lead_to_the_events_and_the_menu_to_the_form(desk: Bench) -> None:
    row_of(desk, "slow").hits.click()
    assert desk.window.filter.text() == "service == echo and fault.name == slow"
    assert desk.window.panes.current() is desk.window.panes.all
    row_of(desk, "second breaks").page_wanted.emit()
    settle()
    section = desk.page.forms.faults
    assert section is not None
    assert section.isVisible()
    assert section.view.at() == 1


def test_all_off_is_one_press(desk: Bench) -> None:
    dock_of(desk).all_off.click()
    assert [fault.enabled for fault in desk.post.services["echo"].faults.all] == [False, False]
    desk.qtbot.waitUntil(lambda: dock_of(desk).figures.text() == "0 of 2 active, 0 hits")
    assert not dock_of(desk).all_off.isEnabled()


def test_without_faults_the_dock_says_what_to_do_and_offers_networks(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, config("echo", 0)) as desk:
        desk.window.services.select("echo")
        do(desk.window, "faults")
        dock = dock_of(desk)
        assert dock.empty.isVisible()
        assert [button.accessibleName() for button in dock.empty.buttons] == [
            f"{preset.title}: {preset.figures}" for preset in PRESETS
        ]
        dock.empty.buttons[4].click()
        qtbot.waitUntil(lambda: len(dock.rows) == 4)
        assert {table["kind"] for table in desk.config.faults} == {"rate", "delay"}
        assert not dock.empty.isVisible()


def test_another_network_takes_the_place_of_the_first_and_leaves_what_is_not_its(desk: Bench) -> None:
    desk.window.services.select("echo")
    dock = dock_of(desk)
    for preset in (PRESETS[0], PRESETS[4]):
        dock.put_preset(preset)
        wanted = (SLOW, RESET, *preset.tables("tcp"))
        desk.qtbot.waitUntil(lambda wanted=wanted: desk.config.faults == wanted)
    dock.put_preset(None)
    desk.qtbot.waitUntil(lambda: desk.config.faults == (SLOW, RESET))


def test_the_button_and_the_menu_say_which_network_it_is(desk: Bench) -> None:
    desk.window.services.select("echo")
    dock = dock_of(desk)

    def chosen() -> list[str]:
        menu = dock.networks.menu()
        menu.aboutToShow.emit()
        return [action.text().partition(":")[0] for action in menu.actions() if action.isChecked()]

    assert dock.networks.text().strip() == "Network of echo"
    assert chosen() == []
    assert not dock.networks.menu().actions()[-1].isEnabled()  # there is none to take away
    dock.put_preset(PRESETS[3])
    desk.qtbot.waitUntil(lambda: dock.networks.text().strip() == "Network of echo: 3G")
    assert chosen() == ["3G"]
    assert dock.networks.menu().actions()[-1].isEnabled()
    desk.window.services.select("plain")
    desk.qtbot.waitUntil(lambda: dock.networks.text().strip() == "Network of plain")
    assert chosen() == []


def test_a_row_says_when_its_fault_acts_beside_what_its_sliders_say(open_window: Open, qtbot: QtBot) -> None:
    outage = {"kind": "reset", "name": "outage", "from_seconds": 20.0, "until_seconds": 30.0, "period_seconds": 30.0}
    with bench(open_window, qtbot, config("echo", 0, faults=(outage,))) as made:
        do(made.window, "faults")
        row = row_of(made, "outage")
        assert [figure.option.name for figure in row.figures.figures] == ["probability"]
        assert row.kind.text() == "reset on sent · from 20 s, until 30 s, period 30 s"
        row.once_now.click()
        qtbot.waitUntil(lambda: row.kind.text() == "reset on sent, waits for the next")


def test_fields_of_figures_are_of_one_width(desk: Bench) -> None:
    desk.window.services.select("echo")
    dock_of(desk).put_preset(PRESETS[3])
    desk.qtbot.waitUntil(lambda: len(dock_of(desk).rows) == 6)
    settle()
    widths = {figure.number.width() for row in dock_of(desk).rows.values() for figure in row.figures.figures}
    assert len(widths) == 1


def test_thousands_of_changes_are_shown_in_batches(desk: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    refresh = FaultRow.refresh
    monkeypatch.setattr(FaultRow, "refresh", lambda row: (shown.append(row), refresh(row)))
    here = desk.post.services["echo"].faults
    fault = live(desk, "slow")
    for _ in range(5_000):
        fault.hits += 1
        here.changed.emit(here)
    desk.qtbot.waitUntil(lambda: row_of(desk, "slow").hits.text() == "5,000 hits")
    assert len(shown) < 50


def test_no_more_rows_than_can_be_handled(open_window: Open, qtbot: QtBot) -> None:
    many = tuple({"kind": "reset", "name": f"r{number}"} for number in range(60))
    with bench(open_window, qtbot, config("a", 0, faults=many), config("b", 0, faults=many)) as desk:
        do(desk.window, "faults")
        dock = dock_of(desk)
        assert len(dock.rows) == MOST
        assert any(
            label.text() == "20 more faults are on the pages of their services" for label in dock.findChildren(QLabel)
        )


def test_escape_closes_it_and_the_keyboard_goes_back(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, config("echo", 0, faults=(SLOW,))) as desk:
        with qtbot.waitActive(desk.window):
            desk.window.activateWindow()
        desk.window.services.list.setFocus()
        do(desk.window, "faults")
        assert row_of(desk, "slow").switch.hasFocus()
        QTest.keyClick(row_of(desk, "slow").switch, Qt.Key_Escape)
        assert not dock_of(desk).isVisible()
        assert desk.window.services.list.hasFocus()


def test_every_kind_has_a_row_that_can_be_used(open_window: Open, qtbot: QtBot) -> None:
    kinds = [kind for kind in faults.fitting("tcp") if not kind.tls]
    tables = tuple({"kind": kind.name, "name": f"a {kind.name}"} for kind in kinds)
    with bench(open_window, qtbot, config("echo", 0, faults=tables)) as desk:
        do(desk.window, "faults")
        for row in dock_of(desk).rows.values():
            assert bool(row.figures.figures) == (row.fault.kind.name != "refuse")  # whose port is closed or not
            for figure in row.figures.figures:
                assert figure.number.accessibleName().startswith(f"echo · {row.fault.name}: ")
