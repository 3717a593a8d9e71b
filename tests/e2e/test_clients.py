"""Real clients talk to the services of the real window; the capture holds what each of them did."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from app.events import CONNECTION_CLOSED, DATAGRAM_SENT
from tests.e2e.clients import PAGE, chromium, curl, datagram, netcat, page_server, socat, url
from tests.e2e.program import Program, chosen, payload, stored
from tests.e2e.workspaces import DESK, DESK_V6

Desk = Callable[[str], Program]


@pytest.fixture(params=[DESK, DESK_V6], ids=["ipv4", "ipv6"])
def either(request: pytest.FixtureRequest, desk: Desk) -> Program:
    """A program whose services listen on IPv4, and one on IPv6."""
    return desk(request.param)


def _flow(program: Program, service: str, wanted: int, before: int) -> list[dict[str, Any]]:
    """The events of the one connection that ``service`` had since event ``before``, once ``wanted`` came."""

    def is_new(event: Any) -> bool:
        return event.id > before and event.service == service

    program.wait_event(lambda e: is_new(e) and e.kind == wanted)
    events = [e for e in program.events() if e["id"] > before and e["service"] == service]
    assert len({e["conn"] for e in events}) == 1
    return events


def _last(program: Program) -> int:
    return int(stored(program.capture)[-1].id)


def test_socat_gets_back_what_it_sent_by_tcp(either: Program) -> None:
    """Opened, received, sent, closed: each once, with the bytes and both addresses."""
    before, address = _last(either), either.addresses()["tcp-echo"]
    data = bytes(range(256)) + b"\r\nend"
    assert socat("TCP", address, data) == data
    events = _flow(either, "tcp-echo", CONNECTION_CLOSED, before)
    assert [e["kind"] for e in events] == ["connection.opened", "data.received", "data.sent", "connection.closed"]
    assert payload(events, "data.received") == payload(events, "data.sent") == data
    assert {e["peer"] for e in events} == {events[0]["detail"]["peer"]}
    assert events[-1]["summary"] == "closed by the peer"
    assert events[-1]["detail"]["received"] == events[-1]["detail"]["sent"] == len(data)


def test_netcat_gets_back_what_it_sent_by_tcp(either: Program) -> None:
    before, address = _last(either), either.addresses()["tcp-echo"]
    assert netcat(address, b"hello from nc\n") == b"hello from nc\n"
    events = _flow(either, "tcp-echo", CONNECTION_CLOSED, before)
    assert payload(events, "data.received") == payload(events, "data.sent") == b"hello from nc\n"


def test_socat_gets_back_its_datagram(either: Program) -> None:
    before, address = _last(either), either.addresses()["udp-echo"]
    assert datagram(address, b"\x01\x07\x00\xff") == b"\x01\x07\x00\xff"
    events = _flow(either, "udp-echo", DATAGRAM_SENT, before)
    assert payload(events, "datagram.received") == payload(events, "datagram.sent") == b"\x01\x07\x00\xff"
    assert len(chosen(events, "datagram.received")) == 1


def test_curl_is_told_hello(either: Program) -> None:
    before, address = _last(either), either.addresses()["http-inspector"]
    assert curl("-i", url(address, "/hello")).endswith(b"\r\n\r\nHello, World!")
    events = _flow(either, "http-inspector", CONNECTION_CLOSED, before)
    assert [e["summary"] for e in chosen(events, "http.request")] == ["GET /hello"]
    assert chosen(events, "http.response")[0]["detail"]["status"] == 200
    assert payload(events, "data.received").startswith(b"GET /hello HTTP/1.1\r\n")
    assert payload(events, "data.sent").endswith(b"Hello, World!")


def test_curl_sees_its_fields_in_their_order_and_case(desk: Desk) -> None:
    program = desk(DESK)
    before, address = _last(program), program.addresses()["http-inspector"]
    args = ["-X", "PATCH", "-H", "x-ODD-Case: 1", "-H", "X-odd-case: 2", "--data-binary", "@-"]
    seen = json.loads(curl(*args, url(address, "/a/b?c=%20d"), data="grüße".encode()))
    assert (seen["method"], seen["target"], seen["version"]) == ("PATCH", "/a/b?c=%20d", "HTTP/1.1")
    odd = [field for field in seen["fields"] if field[0].lower() == "x-odd-case"]
    assert odd == [["x-ODD-Case", "1"], ["X-odd-case", "2"]]
    events = _flow(program, "http-inspector", CONNECTION_CLOSED, before)
    assert chosen(events, "http.request")[0]["detail"]["fields"] == seen["fields"]
    assert payload(events, "data.received").endswith("\r\n\r\ngrüße".encode())


def test_curl_gets_no_body_for_head(desk: Desk) -> None:
    program = desk(DESK)
    before, address = _last(program), program.addresses()["http-inspector"]
    assert curl("--head", url(address, "/hello")).startswith(b"HTTP/1.1 200 OK\r\n")
    events = _flow(program, "http-inspector", CONNECTION_CLOSED, before)
    assert [e["summary"] for e in chosen(events, "http.request")] == ["HEAD /hello"]
    assert payload(events, "data.sent").endswith(b"\r\n\r\n")


def test_curl_may_send_its_body_in_chunks(desk: Desk) -> None:
    program = desk(DESK)
    before, address = _last(program), program.addresses()["http-inspector"]
    body = b"chunk" * 20_000
    sent = curl("-T", "-", "-X", "POST", "-H", "Expect:", url(address, "/up"), data=body)
    assert b"chunk" * 20_000 in sent
    events = _flow(program, "http-inspector", CONNECTION_CLOSED, before)
    assert chosen(events, "http.request")[0]["size"] == len(body)
    raw = payload(events, "data.received")
    assert b"Transfer-Encoding: chunked\r\n" in raw
    assert raw.endswith(b"\r\n0\r\n\r\n")


def test_websockets_talks_to_the_echo(either: Program) -> None:
    """Text, binary, ping, subprotocol, close code and reason are recorded besides the raw bytes."""
    before, address = _last(either), either.addresses()["ws-echo"]
    with connect(url(address, "/chat?x=1", "ws"), subprotocols=["v2", "v1"], proxy=None) as client:  # type: ignore[list-item]
        assert client.subprotocol == "v2"
        client.send("grüße")
        assert client.recv(5) == "grüße"
        client.send(b"\x00\xff")
        assert client.recv(5) == b"\x00\xff"
        assert client.ping(b"are you there").wait(5)
        client.close(4000, "that is all")
    events = _flow(either, "ws-echo", CONNECTION_CLOSED, before)
    [opened], [closed] = chosen(events, "ws.opened"), chosen(events, "ws.closed")
    assert (opened["detail"]["offered"], opened["detail"]["subprotocol"]) == (["v2", "v1"], "v2")
    assert (closed["detail"]["their_code"], closed["detail"]["their_reason"]) == (4000, "that is all")
    messages = [(e["detail"]["opcode"], e["detail"]["direction"], e["payload"]) for e in chosen(events, "ws.message")]
    assert messages == [
        ("text", "received", "grüße".encode()),
        ("text", "sent", "grüße".encode()),
        ("binary", "received", b"\x00\xff"),
        ("binary", "sent", b"\x00\xff"),
        ("ping", "received", b"are you there"),
    ]
    assert payload(events, "data.received").startswith(b"GET /chat?x=1 HTTP/1.1\r\n")


def test_a_page_in_chromium_talks_to_the_echo(desk: Desk, tmp_path: Path) -> None:
    program = desk(DESK)
    before, address = _last(program), program.addresses()["ws-echo"]
    with page_server(PAGE % url(address, "/", "ws")) as page:
        dom = chromium(page, tmp_path)
    lines = dom.partition('<pre id="out">')[2].partition("</pre>")[0].splitlines()
    assert lines == ["open chat.v2", "text grüße from a page", "binary 0,1,254,255", "close 4001 seen enough true"]
    events = _flow(program, "ws-echo", CONNECTION_CLOSED, before)
    [closed] = chosen(events, "ws.closed")
    assert (closed["detail"]["their_code"], closed["detail"]["their_reason"]) == (4001, "seen enough")
    received = [e["payload"] for e in chosen(events, "ws.message") if e["detail"]["direction"] == "received"]
    assert received == ["grüße from a page".encode(), b"\x00\x01\xfe\xff"]
    assert chosen(events, "ws.opened")[0]["detail"]["origin"].startswith("http://127.0.0.1")
