"""Changes of the workspace, undone and redone."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PyQt5.QtCore import Qt
from PyQt5.QtTest import QTest
from pytestqt.qtbot import QtBot
from twisted.internet.testing import MemoryReactorClock

from app.services.service import GRACE
from app.status import Listening, Stopped, Stopping
from app.workspace.message import Message
from app.workspace.reading import Workspace
from tests.ui.desk import Peer, config, do, memory_post, settle
from ui.edits import Edits
from ui.window.main_window import MainWindow


class Desk:
    def __init__(self) -> None:
        self.reactor: MemoryReactorClock
        self.post, self.reactor = memory_post(config("a"), config("b", 9008), config("c", 9009))
        self.edits = Edits(self.post)
        self.touched: list[str] = []
        self.edits.touched.connect(self.touched.append)

    def names(self) -> list[str]:
        return list(self.post.services)

    def start(self, name: str, *, with_peer: bool = False) -> None:
        """Start a service, with a connection that closes only when it is aborted."""
        service = self.post.services[name]
        from twisted.internet.defer import Deferred

        Deferred.fromCoroutine(service.start())
        assert isinstance(service.status, Listening)
        if with_peer:
            service.connections[1] = Stubborn(1, service)  # type: ignore[assignment]


class Stubborn(Peer):
    """Closes only when it is aborted."""

    def __init__(self, number: int, service: object) -> None:
        super().__init__(number)
        self._service = service

    def abort(self) -> None:
        self._service.remove_connection(self)  # type: ignore[attr-defined]


@pytest.fixture
def desk(qtbot: QtBot) -> Desk:
    return Desk()


def test_every_kind_of_change_is_undone_and_redone(desk: Desk) -> None:
    edits, states = desk.edits, [desk.post.state()]
    steps = [
        lambda: edits.add(config("d", 9010)),
        lambda: edits.replace("a", config("first", 9100)),
        lambda: edits.remove("b"),
        lambda: edits.reorder(["d", "first"], "order"),
        lambda: edits.set_messages([Message("m", "udp://127.0.0.1:1")], "adding message “m”"),
        lambda: edits.change("everything", Workspace((config("z"),))),
    ]
    for step in steps:
        step()
        states.append(desk.post.state())
    assert [[service.name for service in state.services] for state in states] == [
        ["a", "b", "c"], ["a", "b", "c", "d"], ["first", "b", "c", "d"], ["first", "c", "d"], ["d", "first", "c"],
        ["d", "first", "c"], ["z"],
    ]  # fmt: skip
    for state in reversed(states[:-1]):
        edits.undo()
        assert desk.post.state() == edits.state == state
    edits.undo()
    for state in states[1:]:
        edits.redo()
        assert desk.post.state() == state
    assert edits.stack.undoText() == "everything"


def test_a_step_that_changes_nothing_is_none(desk: Desk) -> None:
    desk.edits.replace("a", config("a"))
    desk.edits.replace("nobody", config("d"))
    desk.edits.remove("nobody")
    desk.edits.reorder(["a", "b"], "order")
    assert desk.edits.stack.count() == 0


def test_steps_are_called_by_what_they_did(desk: Desk) -> None:
    desk.edits.add(config("d", 9010))
    desk.edits.replace("a", config("first"))
    desk.edits.remove("b")
    desk.edits.replace("c", config("c", 1), "rule 3 of “c”")
    assert [desk.edits.stack.text(i) for i in range(4)] == [
        "adding “d”", "editing “a”", "removing “b”", "rule 3 of “c”"
    ]  # fmt: skip


def test_what_is_the_same_stays_up_with_its_connections(desk: Desk) -> None:
    desk.start("a", with_peer=True)
    before = desk.post.services["a"]
    desk.edits.remove("b")
    desk.edits.replace("c", config("c", 9100))
    desk.edits.reorder(["c", "a"], "order")
    desk.edits.undo()
    desk.edits.undo()
    desk.edits.undo()
    assert desk.post.services["a"] is before
    assert isinstance(before.status, Listening)
    assert list(before.connections) == [1]


def test_undo_starts_what_was_up_when_it_was_removed(desk: Desk) -> None:
    desk.start("a")
    desk.edits.remove("a")
    desk.edits.remove("b")
    desk.edits.undo()
    desk.edits.undo()
    assert isinstance(desk.post.services["a"].status, Listening)
    assert desk.post.services["b"].status == Stopped()


def test_redo_of_an_addition_starts_it_if_it_was_up_when_it_was_undone(desk: Desk) -> None:
    desk.edits.add(config("d", 9010))
    desk.edits.undo()
    desk.edits.redo()
    assert desk.post.services["d"].status == Stopped()
    desk.start("d")
    desk.edits.undo()
    desk.edits.redo()
    assert isinstance(desk.post.services["d"].status, Listening)


def test_a_renamed_service_stays_up_both_ways(desk: Desk) -> None:
    desk.start("a")
    desk.edits.replace("a", config("z"))
    assert isinstance(desk.post.services["z"].status, Listening)
    desk.edits.undo()
    assert isinstance(desk.post.services["a"].status, Listening)
    desk.edits.redo()
    assert desk.names() == ["z", "b", "c"]
    assert isinstance(desk.post.services["z"].status, Listening)


def test_steps_wait_for_each_other_while_a_service_stops(desk: Desk) -> None:
    desk.start("a", with_peer=True)
    desk.edits.remove("a")
    desk.edits.remove("b")
    assert isinstance(desk.post.services["a"].status, Stopping)
    desk.edits.undo()
    desk.edits.undo()
    desk.edits.redo()  # Ctrl+Z Ctrl+Z Ctrl+Shift+Z, before the first is done
    assert desk.names() == ["a", "b", "c"]
    assert [service.name for service in desk.edits.state.services] == ["b", "c"]
    desk.reactor.advance(GRACE)
    assert desk.names() == ["b", "c"]
    desk.edits.undo()
    assert isinstance(desk.post.services["a"].status, Listening)


def test_changes_in_a_row_with_the_same_merge_are_one_step(desk: Desk) -> None:
    for port in (1, 2, 3):
        desk.edits.replace("a", config("a", port), "port of “a”", merge="a port")
    desk.edits.replace("a", config("z", 3), merge="a name")
    desk.edits.replace("z", config("y", 3), merge="a name")
    assert desk.edits.stack.count() == 2
    desk.start("y")
    desk.edits.undo()
    assert isinstance(desk.post.services["a"].status, Listening)
    desk.edits.undo()
    assert desk.post.services["a"].config == config("a")


def test_merged_changes_that_end_where_they_began_are_no_step(desk: Desk) -> None:
    desk.edits.replace("a", config("a", 1), merge="a port")
    desk.edits.replace("a", config("a"), merge="a port")
    assert desk.edits.stack.count() == 0
    assert desk.post.services["a"].config == config("a")


def test_a_name_that_was_taken_meanwhile_gets_a_number(desk: Desk) -> None:
    assert desk.edits.add(config("a", 9010)) == "a-2"
    desk.edits.replace("b", config("a", 9008))
    assert desk.names() == ["a", "a-3", "c", "a-2"]


def test_the_service_that_a_step_changed_is_told(desk: Desk) -> None:
    desk.edits.add(config("d", 9010))
    desk.edits.replace("a", config("z"))
    desk.edits.remove("b")
    desk.edits.undo()
    desk.edits.undo()
    assert desk.touched == ["d", "z", "b", "a"]


def test_another_workspace_clears_the_stack_and_nothing_is_changed_while_it_comes(desk: Desk) -> None:
    desk.start("a", with_peer=True)
    desk.edits.replace("b", config("b", 1))
    desk.edits.load(lambda: desk.post.load(Workspace((config("new"),))))
    assert desk.edits.loading
    desk.edits.add(config("d"))
    desk.edits.undo()
    desk.reactor.advance(GRACE)
    assert not desk.edits.loading
    assert desk.names() == ["new"]
    assert (desk.edits.stack.count(), desk.edits.state) == (0, Workspace((config("new"),)))


OPERATIONS = st.lists(
    st.sampled_from(["add", "remove", "replace", "rename", "reorder", "undo", "redo", "start", "stop", "wait"]),
    max_size=40,
)


@given(OPERATIONS)
def test_whatever_is_done_while_services_stop_ends_in_the_state_that_was_last_wanted(operations: list[str]) -> None:
    desk, number = Desk(), count(1)
    edits, past, future = desk.edits, [desk.post.state()], list[Workspace]()
    for operation in operations:
        names = [service.name for service in edits.state.services]
        first = names[0] if names else "none"
        match operation:
            case "add":
                edits.add(config(f"n{next(number)}", 9100))
            case "remove":
                edits.remove(first)
            case "replace":
                edits.replace(first, config(first, 9200 + next(number)))
            case "rename":
                edits.replace(first, config(f"n{next(number)}", 9200))
            case "reorder":
                edits.reorder(names[::-1], "order")
            case "undo":
                edits.undo()
                if len(past) > 1:
                    future.append(past.pop())
            case "redo":
                edits.redo()
                if future:
                    past.append(future.pop())
            case "start" if first in desk.post.services and not desk.post.services[first].running:
                desk.start(first, with_peer=True)
            case "stop" if first in desk.post.services:
                desk.post.services[first].stop()
            case "wait":
                desk.reactor.advance(GRACE)
        if operation in ("add", "remove", "replace", "rename", "reorder") and edits.state != past[-1]:
            past.append(edits.state)
            future.clear()
        assert edits.state == past[-1]
    for _ in operations:
        desk.reactor.advance(GRACE)
    assert desk.post.state() == past[-1]
    assert (edits._pending, edits.stack.count(), edits.stack.index()) == (0, len(past) + len(future) - 1, len(past) - 1)
    assert not any(isinstance(service.status, Stopping) for service in desk.post.services.values())


# -- in the window


def test_ctrl_z_brings_back_what_ctrl_delete_removed(window: MainWindow) -> None:
    window.services.select("alpha")
    window.services.list.setFocus()
    QTest.keyClick(window.services.list, Qt.Key_Delete, Qt.ControlModifier)
    settle()
    assert list(window._post.services) == ["beta"]
    assert window.services.selected == "beta"
    assert window.isWindowModified()
    assert window.actions_["undo"].text() == "&Undo removing “alpha”"
    QTest.keyClick(window, Qt.Key_Z, Qt.ControlModifier)
    settle()
    assert list(window._post.services) == ["alpha", "beta"]
    assert window.services.selected == "alpha"
    assert not window.isWindowModified()
    assert not window.actions_["undo"].isEnabled()
    QTest.keyClick(window, Qt.Key_Z, Qt.ControlModifier | Qt.ShiftModifier)  # type: ignore[call-overload]
    settle()
    assert list(window._post.services) == ["beta"]
    assert window.actions_["redo"].text() == "Re&do"


def test_saved_messages_are_undone_and_the_dock_shows_it(window: MainWindow) -> None:
    do(window, "send_message")
    saved = window.sending.dock.saved
    saved.save(Message("hello", "tcp://127.0.0.1:1"))
    settle()
    assert [saved.list.item(row).text() for row in range(saved.list.count())] == ["hello"]
    do(window, "undo")
    assert saved.list.count() == 0
    do(window, "redo")
    assert [message.name for message in window._post.messages] == ["hello"]


def test_the_mark_of_the_title_follows_what_was_saved(window: MainWindow) -> None:
    window.edits.replace("alpha", replace(window._post.services["alpha"].config, port=1))
    assert window.isWindowModified()
    window.files._saved = window.edits.state
    do(window, "undo")
    assert window.isWindowModified()
    do(window, "redo")
    assert not window.isWindowModified()
