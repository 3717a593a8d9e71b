"""Every way to end the program: exit code 0, and all events stored."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from app.events import DATA_SENT, SERVICE_STARTED
from tests.e2e.clients import socat
from tests.e2e.conftest import Start
from tests.e2e.display import wait_shown
from tests.e2e.program import Program, chosen, command, payload, stored
from tests.e2e.workspaces import DESK, ECHO
from tests.helpers import Load, wait_for

CLIENTS = 4


def agree(program: Program) -> None:
    """Answer the question about the clients that are connected."""
    program.display.press(program.wait_window("Quit"), "Return")


WAYS: dict[str, Callable[[Program], object]] = {
    "close button": lambda program: (program.close(), agree(program)),
    "ctrl+q": lambda program: (program.press("ctrl+q"), agree(program)),
    "SIGINT": lambda program: program.signal(signal.SIGINT),
    "SIGTERM": lambda program: program.signal(signal.SIGTERM),
}


@pytest.mark.parametrize("leave", WAYS.values(), ids=WAYS.keys())
def test_leaving_under_traffic_stores_everything(start: Start, leave: Callable[[Program], object]) -> None:
    """Exit code 0 while clients continue to send; all data that they received is in the capture."""
    program = start(DESK, "--start")
    program.wait_up(5)
    load = Load(program.addresses()["tcp-echo"], CLIENTS)
    try:
        wait_for(lambda: load.total() > 10_000, 60)
        leave(program)
        assert program.wait() == 0, program.said()
    finally:
        load.stop()
    events = program.events()
    assert [e["id"] for e in events] == list(range(1, len(events) + 1))
    for peer, echoed in load.echoed().items():
        sent = payload(events, "data.sent", peer=peer)
        assert echoed
        assert sent.startswith(echoed)
        assert sent == payload(events, "data.received", peer=peer)
    assert len(chosen(events, "connection.opened")) == len(chosen(events, "connection.closed")) == CLIENTS
    assert len(chosen(events, "service.started")) == len(chosen(events, "service.stopped")) == 5
    assert "Traceback" not in program.said()


def test_after_kill_the_capture_is_good(start: Start) -> None:
    """Data that a client received is stored without further action, and survives ``kill -9``."""
    program = start(ECHO, "--start")
    program.wait_up(1)
    load = Load(program.addresses()["tcp-echo"], CLIENTS)
    try:
        wait_for(lambda: load.total() > 10_000, 60)
        before = load.echoed()
        wait_for(lambda: _has(program, before), 60)
        program.signal(signal.SIGKILL)
        program.wait()
    finally:
        load.stop()
    events = program.events()
    assert [e["id"] for e in events] == list(range(1, len(events) + 1))
    for peer, echoed in before.items():
        assert payload(events, "data.sent", peer=peer).startswith(echoed)


def _has(program: Program, echoed: dict[str, bytes]) -> bool:
    """Whether all of it is in the capture by now."""
    sent = dict.fromkeys(echoed, b"")
    for event in stored(program.capture):
        if event.kind == DATA_SENT:
            sent[event.peer] += event.payload
    return all(sent[peer].startswith(data) for peer, data in echoed.items())


def test_unsaved_changes_are_asked_about(start: Start) -> None:
    """A new service, then the close button: Cancel stays, Discard leaves."""
    program = start(ECHO)
    program.press("ctrl+n")
    dialog = program.wait_window("New service")
    program.display.press(dialog, "alt+c")
    wait_shown(lambda: not program.windows("New service"))
    wait_shown(lambda: program.title().startswith("desk.toml*"), 30)
    text = program.workspace.read_text()

    program.close()
    question = program.wait_window("Unsaved changes")
    program.screenshot("unsaved")
    program.display.press(question, "Escape")
    wait_shown(lambda: not program.windows("Unsaved changes"))
    assert program.process.poll() is None

    program.close()
    question = program.wait_window("Unsaved changes")
    program.display.press(question, "alt+d")
    assert program.wait() == 0
    assert program.workspace.read_text() == text


def test_sigterm_does_not_wait_for_an_answer(start: Start) -> None:
    program = start(DESK, "--start")
    program.wait_up(5)
    program.press("ctrl+n")
    program.display.press(program.wait_window("New service"), "alt+c")
    wait_shown(lambda: program.title().startswith("desk.toml*"), 30)
    program.close()
    program.wait_window("Unsaved changes")
    program.signal(signal.SIGTERM)
    assert program.wait() == 0
    assert len(chosen(program.events(), "service.stopped")) == 5


def test_saved_changes_are_not_asked_about(start: Start) -> None:
    program = start(ECHO)
    program.press("ctrl+n")
    program.display.press(program.wait_window("New service"), "alt+c")
    wait_shown(lambda: program.title().startswith("desk.toml*"), 30)
    program.press("ctrl+s")
    wait_shown(lambda: program.title().startswith("desk.toml "), 30)
    assert program.workspace.read_text().count("[[service]]") == 2
    program.close()
    assert program.wait() == 0


def test_the_window_comes_back_with_the_services_started_again(start: Start) -> None:
    """A second run appends nothing to the first one's events but its own."""
    first = start(ECHO, "--start", command=command())
    first.wait_up(1)
    assert socat("TCP", first.addresses()["tcp-echo"], b"one") == b"one"
    first.press("ctrl+q")
    assert first.wait() == 0
    count = len(first.events())
    second = start(ECHO, "--start", command=command())
    second.wait_event(lambda e: e.kind == SERVICE_STARTED, 2)
    second.press("ctrl+q")
    assert second.wait() == 0
    events = second.events()
    assert [e["id"] for e in events] == list(range(1, count + 3))
