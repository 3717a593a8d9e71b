"""app.sending.resending: what caused a failure causes it again."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import DatagramProtocol
from twisted.web.resource import Resource

from app.sending import resending
from app.sending.resending import as_it_came, send_again
from tests.app.sending.conftest import desk, talker, tape
from tests.app.services.helpers import address
from tests.helpers import until

__all__ = ["desk", "talker", "tape"]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resending, "WAIT", 20.0)


class Breaks(Resource):
    """Answers with an exception."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        raise ValueError(request.content.read())


class Stumbles(DatagramProtocol):
    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        raise ValueError(datagram)


def port(service: Any) -> str:
    return "{}:{}".format(*address(service))


@pytest_twisted.ensureDeferred
async def test_bytes_over_tcp_break_the_responder_again(
    desk: Any, tape: Any, talker: Any, logged_failures: Any
) -> None:
    service = await desk.start("tcp", "fragile")
    words = await send_again(talker.sender, f"tcp://{port(service)}", b"a\nfail\n")
    [failure] = tape.all("failure")
    assert failure.payload == b"fail\n"  # the line that caused it, and not all that came with it
    assert failure.service == service.number
    assert words.startswith(f"Sent 7 B to {port(service)} again: ")
    assert words.endswith(f"Closed by {port(service)}.")
    assert len(logged_failures(ValueError)) == 1


@pytest_twisted.ensureDeferred
async def test_so_does_a_datagram(desk: Any, tape: Any, talker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resending, "WAIT", 0.05)
    service = await desk.start("udp", make=Stumbles)
    words = await send_again(talker.sender, f"udp://{port(service)}", b"abc")
    [failure] = await until(lambda: tape.all("failure"))
    assert failure.payload == b"abc"
    assert words == f"Sent 3 B to {port(service)} again: nothing came back."


@pytest_twisted.ensureDeferred
async def test_a_request_is_sent_as_the_bytes_that_it_was(
    desk: Any, tape: Any, talker: Any, logged_failures: Any
) -> None:
    service = await desk.start("http", make=Breaks)
    head = b"POST /x?y HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"4\r\nbody\r\n0\r\n\r\n"
    await talker.talk(f"tcp://{port(service)}", chunked)
    await until(lambda: tape.all("failure"))
    [first] = tape.all("failure")
    words = await send_again(talker.sender, f"http://{port(service)}/", first.payload)
    assert "came back" in words
    _, second = tape.all("failure")
    assert second.payload.startswith(b"POST /x?y HTTP/1.1\r\n")
    assert second.payload.endswith(b"\r\n\r\nbody")
    assert second.detail["group"] == first.detail["group"]
    assert logged_failures(ValueError)


@pytest_twisted.ensureDeferred
async def test_a_service_that_is_gone_is_told_in_words(desk: Any, talker: Any) -> None:
    service = await desk.start("tcp", "fragile")
    where = port(service)
    await service.stop()
    words = await send_again(talker.sender, f"tcp://{where}", b"x")
    assert where in words
    assert "refused" in words.lower() or "nothing listens" in words.lower()


@pytest.mark.parametrize(
    ("url", "payload", "where"),
    [
        ("tcp://127.0.0.1:7", b"x", "tcp://127.0.0.1:7"),
        ("tls://127.0.0.1:7", b"x", "tls://127.0.0.1:7"),
        ("udp://[::1]:7", b"x", "udp://[::1]:7"),
        ("http://127.0.0.1:7/", b"GET / HTTP/1.1\r\n\r\n", "tcp://127.0.0.1:7"),
        ("https://127.0.0.1:7/", b"x", "tls://127.0.0.1:7"),
        ("ws://127.0.0.1:7/", b"GET / HTTP/1.1\r\n\r\n", "tcp://127.0.0.1:7"),
        ("wss://127.0.0.1:7/", b"a message", "wss://127.0.0.1:7/"),
    ],
)
def test_only_a_message_of_a_websocket_is_sent_as_one(url: str, payload: bytes, where: str) -> None:
    assert as_it_came(url, payload) == (where, payload)


def test_a_request_of_http_2_is_sent_in_the_form_of_http_1() -> None:
    _, data = as_it_came("https://127.0.0.1:7/", b"PUT /x HTTP/2\r\nhost: x\r\n\r\nbody")
    assert data == b"PUT /x HTTP/1.1\r\nhost: x\r\n\r\nbody"
