"""The window's own buttons, clicked; its panes, read through their own Copy."""

from __future__ import annotations

import socket
from pathlib import Path

from app.events import CONNECTION_CLOSED, FAILURE, SERVICE_STOPPED
from tests.e2e.clients import curl, socat, url
from tests.e2e.conftest import Start
from tests.e2e.display import wait_shown
from tests.e2e.program import Program, chosen
from tests.e2e.workspaces import DESK, ECHO
from tests.helpers import wait_for
from ui.looks.theme import DARK

FAIL_FRAME = "self.process(message)"


def _cause_failure(program: Program) -> None:
    socat("TCP", program.addresses()["sensor"], b"fine\nfail\n")
    program.wait_event(lambda e: e.kind == FAILURE)
    program.wait_event(lambda e: e.kind == CONNECTION_CLOSED)


def test_start_all_starts_all_and_lights_their_lamps(start: Start) -> None:
    program = start(DESK)
    services = ("sensor", "tcp-echo", "udp-echo", "http-inspector", "ws-echo")
    assert all(program.color(f"lamp of {name}") != DARK.good for name in services)
    program.screenshot("stopped")
    program.click("start all")
    program.wait_up(5)
    for name in services:
        wait_shown(lambda name=name: program.color(f"lamp of {name}") == DARK.good, 30)
    program.screenshot("started")
    assert set(program.addresses()) == set(services)


def test_the_button_of_a_card_starts_and_stops_that_service_only(start: Start) -> None:
    program = start(DESK)
    program.click("button of http-inspector")
    program.wait_up(1)
    address = program.addresses()["http-inspector"]
    assert curl(url(address, "/hello")) == b"Hello, World!"
    program.click("lamp of sensor")  # or this would be a double click, which starts only
    program.click("button of http-inspector")
    program.wait_event(lambda e: e.kind == SERVICE_STOPPED)
    with socket.socket() as client:
        assert client.connect_ex(address) != 0
    assert {e["service"] for e in program.events()} == {"http-inspector"}


def test_keys_start_and_stop(start: Start) -> None:
    """F5 for the selected service, Ctrl+R and Ctrl+Shift+R for all."""
    program = start(DESK)
    program.press("F5")
    program.wait_up(1)
    assert set(program.addresses()) == {"sensor"}
    program.press("ctrl+r")
    program.wait_up(5)
    program.press("ctrl+shift+r")
    program.wait_event(lambda e: e.kind == SERVICE_STOPPED, 5)


def test_the_pane_shows_every_event_of_the_capture(start: Start) -> None:
    """Rows, numbers, peers, sizes and summaries are those that query prints."""
    program = start(DESK, "--start")
    program.wait_up(5)
    before = program.screenshot("pane-before")
    addresses = program.addresses()
    curl("--data", "a=1", url(addresses["http-inspector"], "/orders"))
    socat("TCP", addresses["tcp-echo"], b"hello echo\n")
    program.wait_event(lambda e: e.kind == CONNECTION_CLOSED, 2)
    events = program.events()
    rows = program.rows(f"\n{events[-1]['id']}\t")
    assert [int(row[0]) for row in rows] == [e["id"] for e in events]
    assert [(row[3], row[5], row[6]) for row in rows] == [
        (e["service"], e["peer"] or "", e["kind"]) for e in events
    ]  # fmt: skip
    assert [row[7].replace(",", "") for row in rows] == ["" if e["size"] is None else str(e["size"]) for e in events]
    assert [row[8] for row in rows] == [e["summary"] for e in events]
    assert program.screenshot("pane-after") != before


def test_a_failure_stands_once_in_its_pane_with_its_traceback(start: Start) -> None:
    """Failures tab, its row and Copy clicked: the traceback names the frame and the line."""
    program = start(DESK, "--start")
    program.wait_up(5)
    _cause_failure(program)
    program.click("pane Failures")
    program.click_row(0)
    [row] = program.rows("Processing failed")
    assert (row[3], row[6]) == ("sensor", "failure")
    assert "ValueError: Processing failed" in row[8]
    program.click_row(0)
    program.screenshot("failure")
    copied = program.copied(lambda: program.click("copy detail"), "Traceback")
    assert 'raise ValueError("Processing failed")' in copied
    assert FAIL_FRAME in copied


def test_a_failure_is_captured_once_with_frames_locals_and_bytes(start: Start) -> None:
    program = start(DESK, "--start")
    program.wait_up(5)
    _cause_failure(program)
    program.press("ctrl+q")
    assert program.wait() == 0
    events = program.events()
    [failure] = chosen(events, "failure")
    assert failure["service"] == "sensor"
    assert failure["payload"] == b"fail\n"
    assert failure["conn"] == chosen(events, "connection.opened")[0]["conn"]
    assert failure["detail"]["type"].endswith("ValueError")
    assert failure["detail"]["message"] == "Processing failed"
    frame = failure["detail"]["frames"][-1]
    assert frame["function"] == "process"
    assert (Path(frame["file"]).name, frame["line"]) == ("fragile.py", 23)
    assert [23, '            raise ValueError("Processing failed")'] in frame["source"]
    assert dict(frame["locals"])["line"] == "b'fail'"
    [closed] = chosen(events, "connection.closed")
    assert closed["summary"].startswith("closed after a failure")


def test_a_failure_stops_nothing_else(start: Start) -> None:
    program = start(DESK, "--start")
    program.wait_up(5)
    _cause_failure(program)
    addresses = program.addresses()
    assert socat("TCP", addresses["sensor"], b"after\n") == b"after\n"
    assert curl(url(addresses["http-inspector"], "/hello")) == b"Hello, World!"


def test_the_filter_shows_only_what_contains_its_text(start: Start) -> None:
    program = start(ECHO, "--start")
    program.wait_up(1)
    address = program.addresses()["tcp-echo"]
    for word in (b"apple", b"pear"):
        socat("TCP", address, word)
    program.wait_event(lambda e: e.kind == CONNECTION_CLOSED, 2)
    program.press("ctrl+f")
    program.display.type(program.window, "pear")
    program.click_row(0)  # from now on keys are the pane's
    wait_for(lambda: [row[8] for row in program.rows("\t")] == ["pear", "pear"], 60)
    program.screenshot("filtered")


def _select_connection(program: Program) -> None:
    program.click("lamp of tcp-echo")  # or two of these clicks would be a double click, which opens a dialog
    program.click("connection")


def test_a_click_on_disconnect_closes_that_connection(start: Start) -> None:
    program = start(ECHO, "--start")
    program.wait_up(1)
    with socket.create_connection(program.addresses()["tcp-echo"], 5) as client:
        client.settimeout(10)
        wait_shown(lambda: _select_connection(program) or program.color("connection") == DARK.selection, 30)
        program.press("ctrl+BackSpace")
        assert client.recv(10) == b""
    program.wait_event(lambda e: e.kind == CONNECTION_CLOSED)
    assert chosen(program.events(), "connection.closed")[0]["summary"] == "closed by us"
