"""Nothing is lost by accident: the real program, with real keys and connections."""

from __future__ import annotations

from contextlib import closing
from socket import create_connection, socket

from app.events import SERVICE_STARTED, SERVICE_STOPPED
from tests.e2e.conftest import Start
from tests.e2e.program import Program
from tests.e2e.workspaces import ECHO


def answers(client: socket) -> bool:
    client.sendall(b"still here")
    return client.recv(100) == b"still here"


def started(program: Program, count: int) -> None:
    program.wait_event(lambda event: event.kind == SERVICE_STARTED, count)


def test_keys_of_a_text_edit_the_text_and_remove_no_service(start: Start) -> None:
    program = start(ECHO, "--start")
    started(program, 1)
    with closing(create_connection(program.addresses()["tcp-echo"])) as client:
        assert answers(client)
        program.press("ctrl+m", "ctrl+a")  # the Send dock, with the keyboard in its address
        program.display.type(program.window, "tcp first last")
        program.press("ctrl+BackSpace", "Home", "ctrl+Delete", "ctrl+shift+r", "ctrl+l")
        copied = program.copied(lambda: program.press("ctrl+a", "ctrl+c"), "first")
        program.screenshot("text keys in the send dock")
        assert copied.rstrip("\n") == "first "
        assert answers(client)
        kinds = [event["kind"] for event in program.events()]
        assert "connection.closed" not in kinds
        assert "service.stopped" not in kinds
        assert "*" not in program.title()


def test_undo_brings_a_service_back_up(start: Start) -> None:
    program = start(ECHO, "--start")
    started(program, 1)
    program.click("lamp of tcp-echo")
    program.press("ctrl+Delete")
    program.wait_event(lambda event: event.kind == SERVICE_STOPPED)
    program.press("ctrl+z")
    started(program, 2)
    program.press("ctrl+shift+z", "ctrl+z", "ctrl+shift+z", "ctrl+z")
    started(program, 4)
    with closing(create_connection(program.addresses()["tcp-echo"])) as client:
        assert answers(client)
    assert "*" not in program.title()
