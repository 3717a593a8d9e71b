"""The list of services and the button of the capture, with a real mouse and real keys."""

from __future__ import annotations

import tomllib

from app.events import CAPTURE_PAUSED, CAPTURE_RESUMED, DATA_RECEIVED
from tests.e2e.clients import socat
from tests.e2e.conftest import Start
from tests.e2e.display import wait_shown
from tests.e2e.program import Program, chosen, stored
from tests.e2e.workspaces import DESK, ECHO
from tests.helpers import wait_for


def names(program: Program) -> list[str]:
    """Of the services, in the order of the file."""
    return [service["name"] for service in tomllib.loads(program.workspace.read_text())["service"]]


def test_a_row_is_dragged_and_the_order_is_saved_and_undone(start: Start) -> None:
    program = start(DESK)
    before = names(program)
    x, y = program.at(f"lamp of {before[0]}")
    program.display.drag(program.at(f"lamp of {before[3]}"), (x + 60, y - 8))
    program.press("ctrl+s")
    wait_shown(lambda: names(program) != before)
    assert names(program) == [before[3], *before[:3], *before[4:]]
    program.press("ctrl+z", "ctrl+s")
    wait_shown(lambda: names(program) == before)


def test_alt_and_an_arrow_move_the_selected_row(start: Start) -> None:
    program = start(DESK)
    before = names(program)
    program.click(f"lamp of {before[1]}")
    program.press("alt+Up", "ctrl+s")
    wait_shown(lambda: names(program)[:2] == [before[1], before[0]])


def test_the_menu_of_capturing_pauses_while_traffic_runs(start: Start) -> None:
    program = start(ECHO, "--start")
    program.wait_up(1)
    address = program.addresses()["tcp-echo"]
    socat("TCP", address, b"before\n")
    program.wait_event(lambda e: e.kind == DATA_RECEIVED)
    program.click("capture")
    program.press("Down", "Return")
    program.wait_event(lambda e: e.kind == CAPTURE_PAUSED)
    assert socat("TCP", address, b"nobody sees this\n") == b"nobody sees this\n"
    program.screenshot("paused")
    program.press("ctrl+p")
    program.wait_event(lambda e: e.kind == CAPTURE_RESUMED)
    socat("TCP", address, b"after\n")
    program.wait_event(lambda e: e.payload == b"after\n")
    program.press("ctrl+q")
    assert program.wait() == 0
    events = program.events()
    received = b"".join(event["payload"] for event in chosen(events, "data.received"))
    assert received == b"before\nafter\n"
    [mark] = chosen(events, "capture.resumed")
    assert mark["detail"]["count"] == 2
    assert len(chosen(events, "connection.opened")) == len(chosen(events, "connection.closed")) == 3


def test_a_new_capture_is_begun_by_its_keys_while_a_peer_is_connected(start: Start) -> None:
    program = start(ECHO, "--start")
    program.wait_up(1)
    address = program.addresses()["tcp-echo"]
    socat("TCP", address, b"in the first\n")
    program.wait_event(lambda e: e.payload == b"in the first\n")
    program.press("ctrl+alt+n")
    folder = program.folder / "data" / "listening-post" / "captures"
    [second] = wait_for(lambda: list(folder.glob("*.lpost")))
    wait_for(lambda: stored(second))
    socat("TCP", address, b"in the second\n")
    wait_for(lambda: any(event.payload == b"in the second\n" for event in stored(second)))
    program.press("ctrl+q")
    assert program.wait() == 0
    assert not [event for event in program.events() if event["payload"] == b"in the second\n"]


def test_the_example_of_the_start_page_is_one_key_away(start: Start) -> None:
    program = start(ECHO)
    program.press("alt+Home", "Return")
    program.wait_event(lambda e: e.payload == b"hello\n" and e.kind == DATA_RECEIVED)
    program.screenshot("tried")
