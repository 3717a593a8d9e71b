"""HTTP/2 by ALPN, with clients that are not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.endpoints import HostnameEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.protocol import Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.utils import getProcessOutputAndValue

from app.services.surroundings import Surroundings
from tests.app.services.helpers import Desk, Tape, address
from tests.helpers import until


@pytest.fixture(autouse=True)
def _data(desk: Desk, tmp_path: Path) -> None:
    desk.surroundings = Surroundings(tmp_path, tmp_path)


async def start(desk: Desk, make: Callable[[], Any] | None = None, **more: Any) -> Any:
    return await desk.start("http", "inspector", make, tls={}, **more)


async def curl(desk: Desk, service: Any, *args: str, path: str = "/", ok: int = 0) -> bytes:
    host, port = address(service)
    url = f"https://{host}:{port}{path}"
    out, err, code = await getProcessOutputAndValue(
        "/usr/bin/env", ["curl", "-sSk", "--http2", "--path-as-is", *args, url], reactor=desk.reactor
    )
    assert code == ok, err
    return bytes(out)


@pytest_twisted.ensureDeferred
async def test_curl_negotiates_http2(desk: Desk, tape: Tape) -> None:
    service = await start(desk)
    out = await curl(desk, service, "-w", "%{http_version} %{http_code}", "-d", "body", "-H", "x-odd: 1", path="/a?b")
    assert out.endswith(b"}\n2 200")
    described = json.loads(out[:-5])
    host, port = address(service)
    assert described["fields"][0] == ["host", f"{host}:{port}"]
    assert described["fields"][-3:] == [
        ["x-odd", "1"],
        ["content-length", "4"],
        ["content-type", "application/x-www-form-urlencoded"],
    ]
    assert (described["method"], described["target"], described["body"]) == ("POST", "/a?b", "body")
    (asked,), (answered,) = tape.all("http.request"), tape.all("http.response")
    assert (asked.detail["version"], asked.detail["stream"], asked.detail["body"]) == ("HTTP/2", 1, 4)
    assert asked.detail["fields"] == described["fields"]
    assert (answered.detail["status"], answered.detail["stream"]) == (200, 1)
    assert dict(answered.detail["fields"])["content-type"] == "application/json"
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_http1_is_spoken_on_the_same_port(desk: Desk, tape: Tape) -> None:
    service = await start(desk)
    assert await curl(desk, service, "--http1.1", path="/hello") == b"Hello, World!"
    assert tape.all("http.request")[0].detail["version"] == "HTTP/1.1"


@pytest_twisted.ensureDeferred
async def test_http2_can_be_left_out(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "inspector", tls={"http2": False})
    assert await curl(desk, service, "-w", "%{http_version}", path="/hello") == b"Hello, World!1.1"


@pytest_twisted.ensureDeferred
async def test_it_is_not_offered_without_tls(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "inspector")
    host, port = address(service)
    _, _, code = await getProcessOutputAndValue(
        "/usr/bin/env", ["curl", "-sS", "--http2-prior-knowledge", f"http://{host}:{port}/"], reactor=desk.reactor
    )
    assert code != 0
    assert tape.all("http.response")[0].detail["status"] == 505 or "refused" in tape.all("http.response")[0].detail


@pytest_twisted.ensureDeferred
async def test_ten_megabytes_come_and_go(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    body = bytes(range(32, 127)) * 110_000
    (tmp_path / "body").write_bytes(body)
    service = await start(desk)
    out = await curl(desk, service, "--data-binary", f"@{tmp_path / 'body'}")
    assert json.loads(out)["body"] == body.decode()
    assert tape.all("http.response")[0].size == len(out)


@pytest_twisted.ensureDeferred
async def test_many_streams_share_a_connection(desk: Desk, tape: Tape) -> None:
    service = await start(desk)
    host, port = address(service)
    url = f"https://{host}:{port}/hello?[1-300]"
    command = ["curl", "-sSk", "--http2", "-Z", "--parallel-max", "50", url]
    out, err, code = await getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
    assert code == 0, err  # curl shows its progress there, silent or not
    assert out == b"Hello, World!" * 300
    assert service.opened < 5
    assert len(tape.all("http.response")) == 300
    assert not tape.all("failure", "limit.reached")


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest_twisted.ensureDeferred
async def test_a_body_that_is_too_large_is_told_over_tls(version: str, desk: Desk, tape: Tape, tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(bytes(20 << 20))
    service = await start(desk)
    args = ("-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:", "--data-binary", f"@{tmp_path / 'body'}")
    host, port = address(service)
    command = ["curl", "-sk", version, *args, f"https://{host}:{port}/"]
    out, _, _ = await getProcessOutputAndValue("/usr/bin/env", command, reactor=desk.reactor)
    assert out == b"413"
    assert tape.all("limit.reached")[0].summary == "refused: a body of more than 16,777,216 bytes"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest_twisted.ensureDeferred
async def test_options_are_those_of_both_versions(version: str, desk: Desk, tape: Tape) -> None:
    options = {"users": ["a:b"], "compression": True, "fields": ["X-More: 1"], "cors": ["*"]}
    service = await start(desk, options=options)
    asked = ("-w", " %{http_code} %{header_json}", "-H", "Origin: https://page.example")
    assert b" 401 " in await curl(desk, service, version, *asked)
    out = await curl(desk, service, version, *asked, "-u", "a:b", "--compressed", path=f"/{'x' * 1000}")
    body, _, fields = out.rpartition(b" 200 ")
    assert json.loads(body)["target"] == f"/{'x' * 1000}"
    found = json.loads(fields)
    assert (found["content-encoding"], found["x-more"], found["access-control-allow-origin"]) == (["br"], ["1"], ["*"])


@pytest_twisted.ensureDeferred
async def test_stop_closes_silent_connections_at_once(desk: Desk, tape: Tape) -> None:
    service = await start(desk)
    host, port = address(service)
    trusting = CertificateOptions(acceptableProtocols=[b"h2"])
    endpoint = wrapClientTLS(trusting, HostnameEndpoint(desk.reactor, host, port))
    silent = await connectProtocol(endpoint, Protocol())
    silent.transport.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    await until(lambda: tape.all("data.sent"))
    await service.stop()
    assert {e.detail["reason"] for e in tape.all("connection.closed")} == {"closed by us"}
