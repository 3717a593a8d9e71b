"""The pages of HTTP, WebSocket and TLS: what is said, and what stands beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app import events
from app.capture.reading.exchange_at import Exchanged
from app.http.contents import Content
from tests.ui.detail.page_samples import said, shown
from tests.ui.event_samples import TIME, event
from ui.detail.page import Subject
from ui.detail.pages.facts import FactsPage
from ui.detail.pages.http import HTTPPage
from ui.detail.pages.tls import TLSPage
from ui.detail.pages.websocket import WebSocketPage

pytestmark = pytest.mark.usefixtures("dark")

FORM = [["Cookie", "sid=1; theme=dark"], ["Content-Type", "application/x-www-form-urlencoded"]]


def request(fields: Any = (), body: int | None = 0, target: str = "/orders?dry_run=1&x=%C3%A9", **more: Any) -> Any:
    detail = {"method": "POST", "target": target, "version": "HTTP/1.1", "fields": list(fields), "body": body, **more}
    return event(events.HTTP_REQUEST, None, summary="POST", detail=json.loads(json.dumps(detail)))


def response(fields: Any = (), body: int = 0, **more: Any) -> Any:
    detail = {"status": 200, "reason": "OK", "fields": list(fields), "body": body, "seconds": 0.25, **more}
    return event(events.HTTP_RESPONSE, None, summary="200", detail=json.loads(json.dumps(detail)))


def read(page: FactsPage) -> dict[str, str]:
    """The facts by name."""
    lines = (line.strip().partition("\t") for line in page.sheet.text().split("\n"))
    return {name: value for name, _, value in lines}


def test_a_request_has_its_line_fields_query_cookies_and_form(qtbot: QtBot) -> None:
    asks = request(FORM, 12)
    found = Exchanged(asks, response(), Content(b"a=1&b=%C3%B6", 12, FORM[1][1]), None, TIME + 1_500_000)
    page = shown(qtbot, HTTPPage(), Subject(asks, found))
    facts = read(page)
    assert facts["request"] == "POST /orders?dry_run=1&x=%C3%A9 HTTP/1.1"
    assert facts["answer"] == "200 OK  (event 10417)"
    assert [facts[name] for name in ("dry_run", "x", "sid", "theme", "a", "b")] == ["1", "é", "1", "dark", "1", "ö"]
    assert (facts["first byte"], facts["answered"]) == ("after 1.5 ms", "after 0.0 ms")
    assert page.body.views.currentWidget() is page.body.text
    assert page.body.heading.text() == "BODY  ·  application/x-www-form-urlencoded  ·  12 bytes"


def test_a_refused_response_without_times_has_no_heading_for_them(qtbot: QtBot) -> None:
    refused = event(events.HTTP_RESPONSE, None, summary="400", detail={"status": 400, "refused": "TLS on a plain port"})
    facts = read(shown(qtbot, HTTPPage(), Subject(refused, None)))
    assert facts["refused"] == "TLS on a plain port"
    assert "timing" not in facts


def test_the_parts_of_a_multipart_body_are_listed(qtbot: QtBot) -> None:
    fields = [["Content-Type", "multipart/form-data; boundary=XX"]]
    data = (
        b'--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nA picture\r\n'
        b'--XX\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        b"\x89PNG\r\n--XX--\r\n"
    )
    asks = request(fields, len(data))
    content = Content(data, len(data), "multipart/form-data")
    facts = read(shown(qtbot, HTTPPage(), Subject(asks, Exchanged(asks, None, content))))
    assert (facts["title"], facts["file"]) == ("A picture", "file a.png, image/png, 4 bytes")
    assert facts["answer"] == "none, or not yet"


def test_a_response_has_its_request_cookies_and_decoded_body(qtbot: QtBot) -> None:
    fields = [["Set-Cookie", "sid=1; HttpOnly"], ["Content-Encoding", "gzip"]]
    answer = response(fields, 30)
    content = Content(b'{"a":1}', 30, "application/json", coding="gzip")
    page = shown(qtbot, HTTPPage(), Subject(answer, Exchanged(request(), answer, None, content)))
    facts = read(page)
    assert facts["to"] == "POST /orders?dry_run=1&x=%C3%A9  (event 10417)"
    assert facts["sid"] == "1; HttpOnly"
    assert page.body.heading.text() == "BODY  ·  application/json  ·  7 bytes  ·  gzip, 30 bytes sent"
    assert page.body.code.toPlainText() == '{\n  "a": 1\n}'


def test_a_body_that_was_not_read_yet_or_cannot_be_is_said(qtbot: QtBot) -> None:
    page = shown(qtbot, HTTPPage(), Subject(request(body=5), read=False))
    assert page.body.words.text() == "Reading…"
    page.show_subject(Subject(request(body=5, stream=1)))
    assert page.body.words.text().startswith("The body of 5 bytes came in HTTP/2 frames")
    page.show_subject(Subject(request()))
    assert not page.body.isVisible()


def test_a_body_of_unknown_length_is_there_when_it_was_read(qtbot: QtBot) -> None:
    asks = request(body=None)
    page = shown(qtbot, HTTPPage(), Subject(asks, read=False))
    assert page.body.isVisible()
    page.show_subject(Subject(asks, Exchanged(asks, None, Content(b"words", 5))))
    assert page.body.text.toPlainText() == "words"


def test_a_body_that_is_cut_says_so(qtbot: QtBot) -> None:
    answer = response(body=5000)
    content = Content(b"x" * 100, 5000, cut=True, whole=False)
    page = shown(qtbot, HTTPPage(), Subject(answer, Exchanged(None, answer, None, content)))
    words = "This is the beginning, 100 bytes, of a body of 5,000 bytes. The body did not come to its end."
    assert said(page.body.notice) == words


def test_bytes_are_shown_as_hex(qtbot: QtBot) -> None:
    answer = response(body=3)
    page = shown(qtbot, HTTPPage(), Subject(answer, Exchanged(None, answer, None, Content(b"\0\1\2", 3))))
    assert page.body.views.currentWidget() is page.body.hex
    assert page.body.hex.data() == b"\0\1\2"


def test_a_refusal_says_why(qtbot: QtBot) -> None:
    refused = event(events.HTTP_RESPONSE, None, detail={"status": 400, "refused": "a bad line"})
    page = shown(qtbot, HTTPPage(), Subject(refused, Exchanged(None, refused)))
    assert (read(page)["answer"], read(page)["refused"]) == ("400", "a bad line")
    assert not page.body.isVisible()


def test_a_capture_from_elsewhere_may_hold_anything(qtbot: QtBot) -> None:
    for detail in ({}, {"fields": 1}, {"fields": [1, ["a"], ["b", None]], "target": 7, "body": "x", "seconds": "y"}):
        for kind in (events.HTTP_REQUEST, events.HTTP_RESPONSE):
            shown(qtbot, HTTPPage(), event(kind, None, detail=detail))
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
    assert read(page)["closed"] == "by the rules: both sides said so"
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
    assert page.body.heading.text() == "FIRST BYTES THAT CAME  ·  16 bytes"
    assert page.body.text.toPlainText() == "GET / HTTP/1.1\\r\n"


def test_copy_takes_the_selection_of_the_body_or_the_facts(qtbot: QtBot) -> None:
    message = event(events.WS_MESSAGE, b"words here", detail={"opcode": "text", "direction": "sent"})
    page = shown(qtbot, WebSocketPage(), message)
    assert page.copied().startswith("opcode\ttext")
    page.body.text.selectAll()
    assert page.copied() == "words here"
