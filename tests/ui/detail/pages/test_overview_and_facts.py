"""The pages Overview, WebSocket and TLS: what is said, and what stands beside it."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from app import events
from tests.ui.detail.page_samples import shown
from tests.ui.event_samples import event
from ui.detail.page import Subject
from ui.detail.pages.exchange import ExchangePage
from ui.detail.pages.facts import FactsPage
from ui.detail.pages.tls import TLSPage
from ui.detail.pages.websocket import WebSocketPage

pytestmark = pytest.mark.usefixtures("dark")


def read(page: FactsPage) -> dict[str, str]:
    """The facts by name."""
    lines = (line.strip().partition("\t") for line in page.sheet.text().split("\n"))
    return {name: value for name, _, value in lines}


def test_a_capture_from_elsewhere_may_hold_anything(qtbot: QtBot) -> None:
    for detail in ({}, {"fields": 1}, {"fields": [1, ["a"], ["b", None]], "target": 7, "body": "x", "seconds": "y"}):
        for kind in (events.HTTP_REQUEST, events.HTTP_RESPONSE):
            shown(qtbot, ExchangePage(), event(kind, None, detail=detail))
        for kind in (events.WS_OPENED, events.WS_MESSAGE, events.WS_CLOSED):
            shown(qtbot, WebSocketPage(), event(kind, None, detail=detail))
        shown(qtbot, TLSPage(), event(events.TLS_FAILED, None, detail=detail))


def test_a_websocket_message_has_its_opcode_and_payload(qtbot: QtBot) -> None:
    message = event(events.WS_MESSAGE, b'{"a":1}', detail={"opcode": "text", "direction": "received"})
    page = shown(qtbot, WebSocketPage(), message)
    assert [read(page)[name] for name in ("opcode", "direction", "size")] == ["text  (0x1)", "received", "7 bytes"]
    assert page.body.code.toPlainText() == '{\n  "a": 1\n}'
    page.show_subject(Subject(event(events.WS_MESSAGE, b"\0\xff", detail={"opcode": "binary", "direction": "sent"})))
    assert read(page)["opcode"] == "binary  (0x2)"
    assert page.body.hex.data() == b"\0\xff"


def test_a_close_code_has_its_meaning(qtbot: QtBot) -> None:
    detail = {
        "clean": True, "code": 1001, "reason": "bye", "their_code": 1001, "their_reason": "bye",
        "our_code": None, "our_reason": None,
    }  # fmt: skip
    page = shown(qtbot, WebSocketPage(), event(events.WS_CLOSED, None, detail=detail))
    assert read(page)["closed"] == "cleanly: both sides sent a close frame"
    text = page.sheet.text()
    assert text.count("Going away: a server goes down, or a browser leaves the page") == 2
    assert not page.body.isVisible()


def test_extensions_are_said_as_in_their_field(qtbot: QtBot) -> None:
    words = "PerMessageDeflate(is_server = True, server_no_context_takeover = True, server_max_window_bits = 12)"
    page = shown(qtbot, WebSocketPage(), event(events.WS_OPENED, None, detail={"extensions": [words], "target": "/"}))
    wanted = "permessage-deflate; server_no_context_takeover; server_max_window_bits=12"
    assert read(page)["extensions"] == wanted


def test_a_failed_handshake_shows_what_came(qtbot: QtBot) -> None:
    detail = {"reason": "plain HTTP on a TLS port", "openssl": []}
    page = shown(qtbot, TLSPage(), event(events.TLS_FAILED, b"GET / HTTP/1.1\r\n", detail=detail))
    assert read(page)["reason"] == "plain HTTP on a TLS port"
    assert page.body.heading.text() == "FIRST BYTES RECEIVED  ·  16 bytes"
    assert page.body.text.toPlainText() == "GET / HTTP/1.1\\r\n"


def test_copy_takes_the_selection_of_the_body_or_the_facts(qtbot: QtBot) -> None:
    message = event(events.WS_MESSAGE, b"words here", detail={"opcode": "text", "direction": "sent"})
    page = shown(qtbot, WebSocketPage(), message)
    assert page.copied().startswith("opcode\ttext")
    page.body.text.selectAll()
    assert page.copied() == "words here"
