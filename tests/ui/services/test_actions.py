"""The user's actions on services and connections."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from PyQt5.QtWidgets import QMainWindow
from pytestqt.qtbot import QtBot
from twisted.internet.testing import MemoryReactorClock

from app.post import Post
from app.services.service import Service
from app.status import Failed, Listening, Stopped, Stopping
from tests.ui.desk import Peer, config, memory_post, settle
from ui.bridge import Bridge
from ui.edits import Edits
from ui.programs.actions import ProgramActions
from ui.services.actions import ServiceActions
from ui.services.checks import FIRST_PORTS, free_port, suggested_port
from ui.services.dialog import ServiceDialog
from ui.settings import Settings

pytestmark = [
    # Of the offscreen platform, when a dialog is brought to the front.
    pytest.mark.qt_log_ignore(r"^This plugin does not support raise\(\)$"),
]


class Desk:
    def __init__(self, post: Post, reactor: MemoryReactorClock, acts: ServiceActions, bridge: Bridge) -> None:
        self.post, self.reactor, self.acts, self.bridge = post, reactor, acts, bridge

    def service(self, name: str = "alpha") -> Service:
        return self.post.services[name]

    def join(self, number: int, name: str = "alpha") -> Peer:
        peer = self.service(name).connections[number] = Peer(number)  # type: ignore[assignment]
        return peer  # type: ignore[return-value]


@pytest.fixture
def desk(qtbot: QtBot, tmp_path: Path) -> Iterator[Desk]:
    post, reactor = memory_post(config("alpha"), config("beta", 9008))
    bridge = Bridge(post)
    window = QMainWindow()
    qtbot.addWidget(window)
    window.show()
    edits = Edits(post, window)
    programs = ProgramActions(post, edits, Settings(tmp_path / "window.ini"), window, print)
    yield Desk(post, reactor, ServiceActions(post, edits, bridge, window, programs), bridge)
    bridge.close()


def accept(dialog: ServiceDialog | None) -> None:
    assert dialog is not None
    assert dialog.ok.isEnabled()
    QTest.mouseClick(dialog.ok, Qt.LeftButton)
    settle()


def test_toggle_starts_what_is_down_and_stops_what_is_up(desk: Desk) -> None:
    desk.acts.toggle("alpha")
    assert isinstance(desk.service().status, Listening)
    desk.acts.toggle("alpha")
    assert desk.service().status == Stopped()
    desk.service()._set(Failed("in use"))
    desk.acts.toggle("alpha")
    assert isinstance(desk.service().status, Listening)


def test_toggle_of_one_that_stops_or_is_gone_changes_nothing(desk: Desk) -> None:
    desk.acts.toggle("alpha")
    desk.join(1)
    desk.acts.toggle("alpha")
    assert desk.service().status == Stopping()
    desk.acts.toggle("alpha")
    assert desk.service().status == Stopping()
    desk.acts.toggle("nobody")


def test_start_all_and_stop_all_are_for_all(desk: Desk) -> None:
    desk.acts.start_all()
    assert all(isinstance(s.status, Listening) for s in desk.post.services.values())
    desk.acts.stop_all()
    assert all(s.status == Stopped() for s in desk.post.services.values())


def test_a_new_service_is_added_at_the_end(desk: Desk) -> None:
    dialog = desk.acts.create("udp")
    dialog.name.setText("new one")
    accept(dialog)
    assert list(desk.post.services) == ["alpha", "beta", "new one"]
    assert desk.service("new one").config.protocol == "udp"


def test_a_cancelled_dialog_adds_nothing(desk: Desk) -> None:
    desk.acts.create().reject()
    settle()
    assert list(desk.post.services) == ["alpha", "beta"]


def test_editing_asks_for_the_page(desk: Desk) -> None:
    wanted: list[str] = []
    desk.acts.edit_wanted.connect(wanted.append)
    desk.acts.edit("alpha")
    desk.acts.edit("nobody")
    assert wanted == ["alpha"]


def test_enter_creates_and_starts_and_the_other_button_only_creates(desk: Desk) -> None:
    dialog = desk.acts.create()
    dialog.name.setText("up")
    QTest.keyClick(dialog.name, Qt.Key_Return)
    settle()
    assert isinstance(desk.service("up").status, Listening)
    dialog = desk.acts.create()
    dialog.name.setText("down")
    QTest.mouseClick(dialog.only, Qt.LeftButton)
    settle()
    assert desk.service("down").status == Stopped()


def test_a_duplicate_has_a_name_and_a_port_of_its_own(desk: Desk) -> None:
    desk.acts.duplicate("alpha")
    desk.acts.duplicate("alpha")
    settle()
    assert list(desk.post.services) == ["alpha", "beta", "alpha-2", "alpha-3"]
    assert len({config.port for config in desk.post.configs()}) == 4


@pytest.mark.parametrize(("protocol", "kind"), [("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)])
def test_a_duplicate_has_no_port_that_another_program_has(protocol: str, kind: int, desk: Desk) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if protocol == "tcp":
            other.listen()
        taken = other.getsockname()[1]
        like = replace(desk.service().config, protocol=protocol)
        fillers = [replace(like, port=port) for port in range(FIRST_PORTS[protocol], taken)]
        assert suggested_port(protocol, fillers) == taken
        assert free_port(like, fillers) > taken


def test_a_duplicate_of_the_longest_name_can_be_saved(desk: Desk) -> None:
    desk.post.add(config("n" * 60, 9010))
    desk.acts.duplicate("n" * 60)
    settle()
    assert len(desk.post.services) == 4


def test_a_duplicate_is_up_if_the_service_is(desk: Desk) -> None:
    added: list[str] = []
    desk.acts.added.connect(added.append)
    desk.acts.toggle("alpha")
    for name in ("alpha", "beta"):
        desk.acts.duplicate(name)
        settle()
    assert added == ["alpha-2", "beta-2"]
    assert isinstance(desk.service("alpha-2").status, Listening)
    assert desk.service("beta-2").status == Stopped()


def test_tls_is_switched_on_and_off_and_that_can_be_undone(desk: Desk) -> None:
    for on in (True, False):
        desk.acts.toggle_tls("alpha")
        settle()
        assert (desk.service().config.tls is not None) == on
    desk.acts._edits.undo()
    settle()
    assert desk.service().config.tls == {}
    desk.acts.toggle_tls("nobody")


def test_faults_that_need_tls_go_with_it_and_come_back(desk: Desk) -> None:
    broken, reset = {"kind": "tls", "how": "expired"}, {"kind": "reset"}
    desk.post.add(config("gamma", 9010, tls={}, faults=(broken, reset)))
    desk.acts.toggle_tls("gamma")
    settle()
    assert desk.service("gamma").config.faults == (reset,)
    desk.acts._edits.undo()
    settle()
    assert desk.service("gamma").config.faults == (broken, reset)


def test_what_cannot_speak_tls_is_left_alone(desk: Desk) -> None:
    desk.post.add(config("udp", 9010, protocol="udp"))
    desk.acts.toggle_tls("udp")
    settle()
    assert desk.service("udp").config.tls is None


def test_removing_stops_first(desk: Desk) -> None:
    desk.acts.toggle("alpha")
    service = desk.service()
    desk.acts.remove("alpha")
    assert service.status == Stopped()
    assert list(desk.post.services) == ["beta"]


@pytest.mark.parametrize("act", ["edit", "duplicate", "remove"])
def test_what_is_not_there_is_left_alone(desk: Desk, act: str) -> None:
    assert getattr(desk.acts, act)("nobody") is None
    assert list(desk.post.services) == ["alpha", "beta"]


def test_what_is_sent_goes_to_its_connection(desk: Desk) -> None:
    peer = desk.join(1)
    dialog = desk.acts.send(desk.service(), peer)
    dialog.editor.setPlainText(r"hi\n")
    QTest.mouseClick(dialog.button, Qt.LeftButton)
    assert peer.done == [b"hi\n"]


def test_a_connection_has_one_dialog_and_a_new_one_after_it_was_closed(desk: Desk) -> None:
    one, two = desk.join(1), desk.join(2)
    first = desk.acts.send(desk.service(), one)
    assert desk.acts.send(desk.service(), one) is first
    assert desk.acts.send(desk.service(), two) is not first
    first.close()
    settle()
    again = desk.acts.send(desk.service(), one)
    assert again is not first
    assert again.isVisible()


@pytest.mark.parametrize("how", ["connection ends", "service is removed"])
def test_a_dialog_says_that_its_connection_is_gone(desk: Desk, how: str) -> None:
    dialog = desk.acts.send(desk.service(), desk.join(1))
    dialog.editor.setPlainText("too late")
    del desk.service().connections[1]
    if how == "service is removed":
        desk.acts.remove("alpha")
    desk.bridge.ticked.emit(desk.post.recorder.range)
    assert not dialog.button.isEnabled()
    assert "ended" in dialog.words.text()
    desk.bridge.ticked.emit(desk.post.recorder.range)
    dialog.close()
    settle()
    desk.bridge.ticked.emit(desk.post.recorder.range)


def test_disconnect_closes_in_good_order_and_asked_again_at_once(desk: Desk) -> None:
    one, two = desk.join(1), desk.join(2)
    desk.acts.disconnect_peer(one)
    desk.acts.disconnect_peer(two)
    desk.acts.disconnect_peer(one)
    assert one.done == ["finish", "abort"]
    assert two.done == ["finish"]


def test_b5_a_host_is_allowed_beside_those_that_were(desk: Desk) -> None:
    for host in ("a.example", "b.example"):
        desk.acts.allow_host("alpha", host)
        settle()
    assert desk.service().config.options["hosts"] == ["a.example", "b.example"]
    assert not desk.service().refused_host


def test_what_was_typed_for_a_connection_is_there_again_until_it_ends(desk: Desk) -> None:
    peer = desk.join(1)
    dialog = desk.acts.send(desk.service(), peer)
    dialog.editor.setPlainText("half a message")
    QTest.keyClick(dialog, Qt.Key_Escape)
    settle()
    assert not dialog.isVisible()
    assert desk.acts.send(desk.service(), peer) is dialog
    assert dialog.editor.toPlainText() == "half a message"
    dialog.close()
    desk.service().connections.clear()
    desk.bridge.ticked.emit(None)
    assert desk.acts._sending == {}
