"""Actions on faults, on connections, and on seeds."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from PyQt5.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from app.events import CONNECTION_OPENED, DATA_RECEIVED, FAULT_APPLIED, SERVICE_STARTED, Event
from app.status import Listening
from tests.ui.conftest import Open
from tests.ui.desk import config, do, settle
from tests.ui.workbench.bench import Bench, bench
from ui.actions.action import Place
from ui.faults.strikes import STRIKES

ASKED = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
SLOW = {"kind": "delay", "name": "slow", "ms": 1.0}


@pytest.fixture
def desk(open_window: Open, qtbot: QtBot) -> Iterator[Bench]:
    with bench(open_window, qtbot, config("echo", 0), config("slow", 0, faults=(SLOW,))) as made:
        made.start()
        yield made


@pytest.fixture
def client(desk: Bench) -> Iterator[socket.socket]:
    """A connection to ``echo``, which is the current one of the list."""
    status = desk.post.services["echo"].status
    assert isinstance(status, Listening)
    with socket.create_connection(("127.0.0.1", int(status.host.rpartition(":")[2])), 20) as made:
        made.settimeout(20)
        desk.window.services.select("echo")
        connections = desk.window.connections
        desk.qtbot.waitUntil(lambda: connections.model().rowCount() == 1)
        connections.setCurrentIndex(connections.model().index(0, 0))
        connections.setFocus()
        settle()
        yield made


def by_hand(desk: Bench) -> list[tuple[str, str]]:
    return [(fault.kind.name, fault.on) for fault in desk.post.services["echo"].faults.all if fault.only]


def received(desk: Bench, client: socket.socket) -> Any:
    """What comes, read beside the event loop."""
    from twisted.internet import threads

    found: list[Any] = []

    def read() -> Any:
        try:
            return client.recv(1000)
        except OSError as e:
            return type(e)

    threads.deferToThread(read).addCallback(found.append)
    desk.qtbot.waitUntil(lambda: bool(found))
    return found[0]


@pytest.mark.parametrize("name", [name for name in STRIKES if name != "fault_reset"])
def test_each_is_set_on_the_selected_connection_alone_and_lifted(desk: Bench, client: socket.socket, name: str) -> None:
    do(desk.window, name)
    assert by_hand(desk) == [(table["kind"], table.get("on", "received" if table["kind"] == "freeze" else "sent"))
                             for table in STRIKES[name]]  # fmt: skip
    do(desk.window, "fault_lift")
    assert by_hand(desk) == []
    client.sendall(b"PING")
    assert received(desk, client) == b"PING"


def test_a_connection_of_a_service_without_faults_is_reset(desk: Bench, client: socket.socket) -> None:
    do(desk.window, "fault_reset")
    assert received(desk, client) is ConnectionResetError


def test_the_next_answer_is_cut_in_half(desk: Bench, client: socket.socket) -> None:
    do(desk.window, "fault_cut")
    client.sendall(b"12345678")
    assert received(desk, client) == b"1234"
    assert received(desk, client) == b""


def test_the_next_answer_of_an_open_http_connection_is_cut_too(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, config("web", 0, protocol="http", responder="inspector")) as desk:
        desk.start()
        status = desk.post.services["web"].status
        assert isinstance(status, Listening)
        with socket.create_connection(("127.0.0.1", int(status.host.rpartition(":")[2])), 20) as client:
            client.settimeout(20)
            client.sendall(ASKED)
            assert received(desk, client).startswith(b"HTTP/1.1 200 OK")
            connections = desk.window.connections
            qtbot.waitUntil(lambda: connections.model().rowCount() == 1)
            connections.setCurrentIndex(connections.model().index(0, 0))
            do(desk.window, "fault_cut")
            client.sendall(ASKED)
            answer = b""
            while data := received(desk, client):
                answer += data
            head, _, body = answer.partition(b"\r\n\r\n")
            length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
            assert 0 < len(body) < int(length.partition(b":")[2])


def test_what_hangs_comes_not_and_the_dock_shows_it_and_lifts_it(desk: Bench, client: socket.socket) -> None:
    do(desk.window, "fault_freeze")
    do(desk.window, "faults")
    [row] = [row for row in desk.window.faults.dock.rows.values() if row.fault.only]
    assert row.kind.text() == f"on connection #{row.fault.only}"
    assert not row.switch.isVisible()
    client.sendall(b"PING")
    row.once_now.click()
    assert received(desk, client) == b"PING"
    desk.qtbot.waitUntil(lambda: not [row for row in desk.window.faults.dock.rows.values() if row.fault.only])


def test_a_row_of_an_open_connection_does_too_and_one_of_a_closed_connection_says_so(
    desk: Bench, client: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    [number] = desk.post.services["echo"].connections
    found = [SimpleNamespace(live=number)]
    window = desk.window
    monkeypatch.setattr(window.faults._reader, "read", lambda read, nothing, done: done(found))
    monkeypatch.setattr(window.faults, "_connection", lambda: (1_000 + number, False))
    window.faults.fault_stall()
    assert by_hand(desk) == [("stall", "sent"), ("stall", "received")]
    assert window.statusBar().currentMessage() == f"Nothing passes on connection #{number} for 5 s"
    window.faults.fault_lift()
    assert by_hand(desk) == []
    window.faults.fault_lift()
    assert window.statusBar().currentMessage() == f"Connection #{number} has no fault to remove"
    found[:] = [SimpleNamespace(live=None)]
    window.faults.fault_reset()
    assert window.statusBar().currentMessage() == "This connection is no longer open"


def test_a_udp_peer_cannot_be_reset(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, config("beacon", 0, protocol="udp")) as desk:
        desk.start()
        status = desk.post.services["beacon"].status
        assert isinstance(status, Listening)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(b"PING", ("127.0.0.1", int(status.host.rpartition(":")[2])))
            connections = desk.window.connections
            qtbot.waitUntil(lambda: connections.model().rowCount() == 1)
            connections.setCurrentIndex(connections.model().index(0, 0))
            do(desk.window, "fault_reset")
        assert "does not have this fault" in desk.window.statusBar().currentMessage()


def test_the_menus_of_connections_and_rows_have_all_of_it(desk: Bench, client: socket.socket) -> None:
    menu = QMenu(desk.window)
    desk.window.actions_.fill(menu, Place.STRIKES)
    names = [action.objectName() for action in menu.actions() if action.objectName()]
    assert names == [*STRIKES, "fault_lift"]
    assert all(action.isEnabled() for action in menu.actions())


def shown(desk: Bench, event: Event) -> None:
    """Have the window show an event."""
    desk.window.browser._wanted = event.id
    desk.window.browser._on_event(event.id, event)
    settle()


def hit(seed: int = 99, fault: str = "slow") -> Event:
    detail = {"fault": fault, "kind": "delay", "on": "sent", "message": 1, "seed": seed, "words": "1 ms late"}
    return Event(1, 0, FAULT_APPLIED, "slow", 7, None, 0, "slow: 1 ms late", payload=b"PING", detail=detail)


def test_from_a_hit_to_its_fault_and_to_its_hits(desk: Bench) -> None:
    shown(desk, hit())
    do(desk.window, "fault_hits")
    assert desk.window.filter.text() == "service == slow and fault.name == slow"
    shown(desk, hit())
    do(desk.window, "fault_of_event")
    section = desk.window.workbench.pages["slow"].forms.faults
    assert section is not None
    assert section.isVisible()
    assert section.view.at() == 0


def test_repeat_with_this_seed_is_a_step_that_can_be_undone(desk: Bench) -> None:
    shown(desk, hit())
    do(desk.window, "repeat_seed")
    desk.qtbot.waitUntil(lambda: desk.post.services["slow"].config.seed == 99)
    do(desk.window, "undo")
    desk.qtbot.waitUntil(lambda: desk.post.services["slow"].config.seed == 0)
    started = replace(hit(), kind=SERVICE_STARTED, detail={"host": "127.0.0.1:1", "seed": 5})
    shown(desk, started)
    do(desk.window, "repeat_seed")
    desk.qtbot.waitUntil(lambda: desk.post.services["slow"].config.seed == 5)


def test_a_fault_with_a_seed_of_its_own_repeats_without_that(open_window: Open, qtbot: QtBot) -> None:
    with bench(open_window, qtbot, config("slow", 0, faults=({**SLOW, "seed": 99},))) as desk:
        shown(desk, hit())
        do(desk.window, "repeat_seed")
        assert "has a seed of its own" in desk.window.statusBar().currentMessage()
        assert desk.config.seed == 0


def test_the_seed_of_the_run_is_kept_from_the_menu_of_the_service(desk: Bench) -> None:
    desk.window.services.select("slow")
    desk.window.service_actions.toggle("slow")
    desk.qtbot.waitUntil(lambda: isinstance(desk.post.services["slow"].status, Listening))
    seed = desk.post.services["slow"].faults.seed
    do(desk.window, "repeat_run")
    desk.qtbot.waitUntil(lambda: desk.post.services["slow"].config.seed == seed)
    desk.qtbot.waitUntil(lambda: isinstance(desk.post.services["slow"].status, Listening))
    assert desk.post.services["slow"].faults.seed == seed


@pytest.mark.parametrize("kind", [DATA_RECEIVED, CONNECTION_OPENED])
def test_what_is_no_hit_has_no_fault(desk: Bench, kind: int) -> None:
    shown(desk, replace(hit(), kind=kind, detail={}))
    for name in ("fault_hits", "fault_of_event", "repeat_seed"):
        assert not desk.window.actions_[name].isEnabled()


def test_all_off_from_the_menu(desk: Bench) -> None:
    do(desk.window, "faults_off")
    assert not any(fault.enabled for fault in desk.post.services["slow"].faults.all)


def test_the_card_says_that_a_service_fails_on_purpose(desk: Bench) -> None:
    model = desk.window.services._model
    row = model.rows[model.at("slow")]
    assert row.faults == ("slow",)  # type: ignore[union-attr]
    assert "Fails on purpose by 1 fault: slow" in row.spoken
    do(desk.window, "faults_off")
    desk.qtbot.waitUntil(lambda: model.rows[model.at("slow")].faults == ())  # type: ignore[union-attr]
