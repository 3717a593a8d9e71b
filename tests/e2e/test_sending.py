"""Open in Send, Send and Escape, with real keys."""

from __future__ import annotations

from app.events import HTTP_RESPONSE
from tests.e2e.clients import curl, url
from tests.e2e.conftest import Start
from tests.e2e.workspaces import DESK


def test_a_captured_request_is_sent_again_with_two_keys(start: Start) -> None:
    program = start(DESK, "--start")
    program.wait_up(5)
    inspector = program.addresses()["http-inspector"]
    curl("--data-binary", '{"a": "\\u00fc"}', "-H", "Content-Type: application/json", url(inspector, "/orders?x=1"))
    program.wait_event(lambda e: e.kind == HTTP_RESPONSE)
    program.press("ctrl+shift+h")
    program.click_row(0)
    program.rows("/orders?x=1")
    program.press("End")
    # The keyboard is at the URL of the dock, once that is open: only there is the text with a scheme.
    where = url(inspector, "/orders?x=1")
    copied = program.copied(lambda: program.press("ctrl+j", "ctrl+a", "ctrl+c"), where)
    assert copied.rstrip("\n") == where
    program.press("ctrl+Return")
    program.wait_event(lambda e: e.kind == HTTP_RESPONSE and e.service == "http-inspector", 2)
    program.screenshot("sent-again")
    first, second = (
        event["detail"] for event in program.events()
        if event["kind"] == "http.request" and event["service"] == "http-inspector"
    )  # fmt: skip
    assert [second[key] for key in ("method", "target", "body")] == [first[key] for key in ("method", "target", "body")]
    assert ["Content-Type", "application/json"] in second["fields"]
    program.press("Escape")
    assert "\t/orders?x=1" in program.copied(lambda: program.press("ctrl+c"), "\t/orders?x=1")
    program.screenshot("closed")
