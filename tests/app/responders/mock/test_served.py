"""The mock responder on real sockets, with curl."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.services.http import http1_ending
from tests.app.responders.curl import at, curl
from tests.app.services.helpers import Desk, Peer, Tape, closed
from tests.helpers import until

RULES = [
    {"path": "/pay", "method": "POST", "status": 503, "times": 2, "body": "again"},
    {"path": "/pay", "body": "paid"},
    {"path": "/parts", "body": "one two three", "chunks": 3, "pause": 0.01},
    {"path": "/page", "file": "page.html", "template": True},
    {"path": "/close", "drop": "close"},
    {"path": "/reset", "drop": "reset"},
    {"path": "/hang", "drop": "hang"},
    {"path": "/late", "delay": 30.0},
]


async def start(desk: Desk, folder: Path, **more: Any) -> Any:
    at(desk, folder)
    (folder / "page.html").write_text("<p>{{query.name}}</p>")
    return await desk.start("http", "mock", options={"rules": RULES}, **more)


@pytest.mark.parametrize("tls", [None, {}])
@pytest_twisted.ensureDeferred
async def test_curl_is_answered_by_the_rules(tls: Any, desk: Desk, tape: Tape, tmp_path: Path) -> None:
    service = await start(desk, tmp_path, tls=tls)
    assert [(await curl(desk, service, "/pay", "-d", "x")).out for _ in range(3)] == ["again", "again", "paid"]
    assert (await curl(desk, service, "/parts")).out == "one two three"
    assert (await curl(desk, service, "/page?name=Ann")).out == "<p>Ann</p>"
    assert (await curl(desk, service, "/nothing", "-o", "/dev/null", "-w", "%{http_code}")).out == "404"
    assert (await curl(desk, service, "/parts", "-I", "-o", "/dev/null", "-w", "%{http_code}")).out == "200"
    assert not tape.all("failure")


@pytest.mark.parametrize(("path", "code"), [("/close", 52), ("/reset", 56)])
@pytest_twisted.ensureDeferred
async def test_a_dropped_connection_is_what_curl_says(
    path: str, code: int, desk: Desk, tape: Tape, tmp_path: Path
) -> None:
    service = await start(desk, tmp_path)
    assert (await curl(desk, service, path)).code == code
    await closed(tape)
    assert not tape.all("http.response", "failure")


@pytest.mark.parametrize("path", ["/close", "/reset"])
@pytest_twisted.ensureDeferred
async def test_over_http2_only_the_stream_is_reset(path: str, desk: Desk, tape: Tape, tmp_path: Path) -> None:
    service = await start(desk, tmp_path, tls={})
    said = await curl(desk, service, path)
    assert said.code == 92  # HTTP/2 stream was not closed cleanly
    assert not tape.all("failure")


@pytest.mark.parametrize("path", ["/hang", "/late"])
@pytest.mark.parametrize("tls", [None, {}])
@pytest_twisted.ensureDeferred
async def test_who_waits_and_leaves_leaves_nothing_behind(
    tls: Any, path: str, desk: Desk, tape: Tape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1_ending, "LOOK_AFTER", 0.1)
    service = await start(desk, tmp_path, tls=tls, limits={"idle_seconds": 3.0})
    said = await curl(desk, service, path, "--max-time", "0.3")
    assert said.code == 28  # it took too long
    await closed(tape)
    assert not tape.all("http.response", "failure")


@pytest_twisted.ensureDeferred
async def test_what_hangs_ends_with_the_service(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    service = await start(desk, tmp_path)
    peer = Peer(service)
    await peer.send(b"GET /hang HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: tape.all("http.request"))
    await service.stop(0.05)
    assert await peer.end() == b""
    assert not tape.all("failure")
