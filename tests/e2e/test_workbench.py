"""The page of a service in the real window: real keys and mouse, and curl for a client."""

from __future__ import annotations

from tests.e2e.clients import curl, url
from tests.e2e.conftest import Start
from tests.e2e.workspaces import workspace
from tests.helpers import wait_for

SHOP = (
    workspace("shop http mock")
    + """
[service.options]

[[service.options.rules]]
path = "/users/{id}"
body = "first"

[[service.options.rules]]
body = "last"
"""
)


def test_rules_are_switched_edited_and_undone_while_the_service_answers(start: Start) -> None:
    program = start(SHOP, "--start")
    program.wait_up(1)
    address = program.addresses()["shop"]

    def answer() -> bytes:
        return curl(url(address, "/users/7"))

    assert answer() == b"first"
    program.click("lamp of shop")
    program.press("ctrl+e")
    program.press("space")
    wait_for(lambda: answer() == b"last")
    program.press("ctrl+z")
    wait_for(lambda: answer() == b"first")
    program.press("alt+Down")
    wait_for(lambda: answer() == b"last")
    program.press("ctrl+d", "ctrl+z", "ctrl+z")
    wait_for(lambda: answer() == b"first")
    program.click("section Limits of shop")
    program.click("section Rules of shop")
    program.press("alt+t")
    program.display.type(program.window, "GET /users/7")
    program.press("Return", "Escape", "ctrl+q")
    assert program.wait() == 0, program.said()
    assert "Traceback" not in program.said()
