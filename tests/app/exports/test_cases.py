"""Exports of what real clients did with the real program."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from haralyzer import HarParser

from tests.helpers import closed_port, kept_port, run, serving, wait_for

WORKSPACE = """
version = 1

[[service]]
name = "web"
protocol = "http"
listen = "127.0.0.1:{web}"
responder = "inspector"
[service.limits]
message_bytes = 1000
field_bytes = 2000
[service.options]
compression = true

[[service]]
name = "gate"
protocol = "http"
listen = "127.0.0.1:0"
responder = "relay"
[service.options]
upstream = "http://127.0.0.1:{web}"
hosts = ["test"]

[[service]]
name = "broken"
protocol = "http"
listen = "127.0.0.1:0"
responder = "relay"
[service.options]
upstream = "http://127.0.0.1:{closed}"
hosts = ["test"]

[[service]]
name = "wire"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "relay"
[service.options]
upstream = "127.0.0.1:{web}"

[[service]]
name = "silent"
protocol = "http"
listen = "127.0.0.1:0"
responder = "mock"
[[service.options.rules]]
path = "/slow"
delay = 60
[[service.options.rules]]
path = "/cookie"
answer_fields = ["Set-Cookie: a=1; Path=/x; Max-Age=60; HttpOnly; Secure; SameSite=Lax"]

[[service]]
name = "hasty"
protocol = "http"
listen = "127.0.0.1:0"
responder = "inspector"
[service.limits]
idle_seconds = 0.5

[[service]]
name = "talk"
protocol = "websocket"
listen = "127.0.0.1:0"
responder = "echo"
"""


class Scene:
    """A running program with one service of each kind, and what was exported of its capture."""

    def __init__(self, folder: Path, at: dict[str, tuple[str, int]]) -> None:
        self.folder, self.at, self.capture = folder, at, folder / "c.lpost"

    def ask(self, service: str, data: bytes, *, close: bool = False) -> bytes:
        """Send bytes; what comes back until the service closes."""
        with socket.create_connection(self.at[service], 10) as client:
            client.settimeout(20)
            client.sendall(data)
            if close:
                client.shutdown(socket.SHUT_WR)
            parts = []
            while part := client.recv(65536):
                parts.append(part)
            return b"".join(parts)

    def get(self, service: str, target: str, *fields: str) -> bytes:
        lines = [f"GET {target} HTTP/1.1", "Host: test", "Connection: close", *fields]
        return self.ask(service, "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")

    def stored(self, filter: str) -> None:
        """Wait until events that fit are in the capture."""
        wait_for(lambda: run("query", self.capture, filter, "--count").stdout.strip() not in ("", "0"))

    def har(self, filter: str = "", capture: Path | None = None) -> list[dict[str, Any]]:
        out = self.folder / "out.har"
        done = run("export", capture or self.capture, out, "--filter", filter)
        assert (done.returncode, done.stderr) == (0, "")
        found = json.loads(out.read_text())
        assert len(HarParser(found).har_data["entries"]) == len(found["log"]["entries"])
        entries: list[dict[str, Any]] = found["log"]["entries"]
        assert [e["startedDateTime"] for e in entries] == sorted(e["startedDateTime"] for e in entries)
        return entries


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with kept_port() as web, closed_port() as closed:
        (folder / "w.toml").write_text(WORKSPACE.format(web=web, closed=closed))
        with serving(folder / "w.toml", folder / "c.lpost", "--trust") as program:
            at = wait_for(lambda: len(found := program.wait_up()) == 7 and found)
            yield Scene(folder, at)


def test_c1_an_answer_that_fits_brings_its_whole_exchange(scene: Scene) -> None:
    assert scene.get("broken", "/lost?c1=1", "X-Mark: here").startswith(b"HTTP/1.1 502")
    scene.get("web", "/other")
    scene.stored("http.status == 502")
    (entry,) = scene.har("http.status == 502")
    assert (entry["request"]["method"], entry["request"]["url"]) == ("GET", "http://test/lost?c1=1")
    assert {"name": "X-Mark", "value": "here"} in entry["request"]["headers"]
    assert entry["response"]["status"] == 502
    assert entry["response"]["content"]["text"]


@pytest.mark.parametrize(
    "filter",
    [
        "http.target contains whole", "http.fields contains mark-of-request",
        "http.target contains whole and http.status == 200",
        "payload contains mark-of-request", "mark-of-request", "kind == http.request and http.target contains whole",
        'not (http.target == "/x" or http.status exists) or http.target contains whole',
    ],
)  # fmt: skip
def test_c1_each_way_to_name_an_exchange_brings_it_whole(scene: Scene, filter: str) -> None:
    scene.get("web", "/whole", "X-Mark: mark-of-request")
    scene.get("web", "/nothing")
    scene.stored("http.target contains whole")
    found = scene.har(filter)
    assert {(e["request"]["url"], e["response"]["status"]) for e in found} == {("http://test/whole", 200)}
    assert all(e["response"]["content"]["text"] for e in found)


def test_c1_what_else_its_connection_carried_is_left_out(scene: Scene) -> None:
    head = b" HTTP/1.1\r\nHost: test\r\n"
    scene.ask("web", b"GET /kept-1" + head + b"\r\nGET /kept-2" + head + b"Connection: close\r\n\r\n")
    scene.stored("http.target == /kept-2")
    assert [entry["request"]["url"] for entry in scene.har("http.target == /kept-1")] == ["http://test/kept-1"]


@pytest.mark.parametrize(
    ("sent", "status", "method", "url"),
    [
        (b"GET /bad HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "GET", "/bad"),
        (b"POST /413 HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n" + b"x" * 5000, 413, "POST", "/413"),
        (b"GET /" + b"long" * 5000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414, "GET", "/longlong"),
        (b"GET /431 HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 5000 + b"\r\n\r\n", 431, "GET", "/431"),
        (b"GET /505 HTTP/7.0\r\nHost: a\r\n\r\n", 505, "GET", "/505"),
    ],
)
def test_c2_a_refused_request_is_an_exchange(scene: Scene, sent: bytes, status: int, method: str, url: str) -> None:
    before = len(scene.har(f"http.status == {status}"))
    assert scene.ask("web", sent).startswith(b"HTTP/1.1 %d " % status)
    wait_for(lambda: len(scene.har(f"http.status == {status}")) > before)
    entry = scene.har(f"http.status == {status}")[-1]
    assert entry["request"]["method"] == method
    assert f"{url}" in entry["request"]["url"]
    assert entry["response"]["status"] == status
    assert entry["response"]["comment"].startswith("refused: ")
    assert entry["response"]["content"]["text"]
    assert entry in scene.har()


@pytest.mark.parametrize("rest", [b"X-Unfin", b"Content-Length: 10\r\n\r\nab"])
def test_c2_a_request_that_came_too_slowly_is_an_exchange_with_its_real_time(scene: Scene, rest: bytes) -> None:
    target = f"/408-{len(rest)}"
    sent = f"POST {target} HTTP/1.1\r\nHost: test\r\n".encode() + rest
    assert scene.ask("hasty", sent).startswith(b"HTTP/1.1 408 ")
    found = wait_for(lambda: [e for e in scene.har("http.status == 408") if target in e["request"]["url"]])
    assert [(e["request"]["method"], e["response"]["status"]) for e in found] == [("POST", 408)]
    assert found[0]["request"]["url"] == f"http://test{target}"
    assert found[0]["response"]["content"]["text"]
    assert found[0]["time"] > 400


def test_c3_the_size_of_a_compressed_answer_is_that_of_what_was_compressed(scene: Scene) -> None:
    scene.get("web", "/c3" + "x" * 500, "Accept-Encoding: gzip")
    scene.stored("http.target contains /c3")
    (entry,) = scene.har("http.target contains /c3")
    content = entry["response"]["content"]
    assert any(h["value"] == "gzip" for h in entry["response"]["headers"])
    assert content["size"] == len(content["text"].encode())
    assert content["compression"] == content["size"] - entry["response"]["bodySize"] > 0


def test_c4_a_websocket_that_the_program_opened_has_its_url_and_headers(scene: Scene, tmp_path: Path) -> None:
    host, port = scene.at["talk"]
    url = f"ws://{host}:{port}/chat/7?token=x"
    done = run("send", url, "hello", "--field", "X-Asked: yes", "--capture", tmp_path / "ours.lpost")
    assert (done.returncode, done.stdout) == (0, "hello")
    (entry,) = scene.har(capture=tmp_path / "ours.lpost")
    assert entry["request"]["url"] == url
    assert {"name": "X-Asked", "value": "yes"} in entry["request"]["headers"]
    assert (entry["response"]["status"], entry["serverIPAddress"]) == (101, host)
    assert any(h["name"].lower() == "sec-websocket-accept" for h in entry["response"]["headers"])
    assert [(m["type"], m["data"]) for m in entry["_webSocketMessages"]] == [("send", "hello"), ("receive", "hello")]
    theirs = next(e for e in scene.har("service == talk") if "/chat/7" in e["request"]["url"])
    assert theirs["request"]["url"] == url
    assert {"name": "X-Asked", "value": "yes"} in theirs["request"]["headers"]


def test_c5_an_unanswered_request_says_why_and_how_long(scene: Scene) -> None:
    with socket.create_connection(scene.at["silent"], 10) as client:
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n")
        scene.stored("http.target == /slow")
        (hanging,) = scene.har("http.target == /slow")
        assert hanging["response"]["_error"]
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    scene.stored('service == silent and reason contains "reset"')
    (reset,) = scene.har("http.target == /slow")
    assert "reset" in reset["response"]["_error"]
    assert reset["time"] > 0
    assert (reset["response"]["status"], reset["response"]["bodySize"]) == (0, -1)


def test_c5_a_cookie_has_its_attributes_and_a_binary_body_its_coding(scene: Scene) -> None:
    scene.get("silent", "/cookie")
    body = bytes(range(256))
    head = b"POST /binary HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/octet-stream\r\n"
    scene.ask("web", head + b"Content-Length: 256\r\n\r\n" + body)
    scene.stored("http.target == /binary")
    (cookie,) = scene.har("http.target == /cookie")[0]["response"]["cookies"]
    assert cookie.pop("expires").endswith("Z")
    assert cookie == {
        "name": "a", "value": "1", "path": "/x", "httpOnly": True, "secure": True, "sameSite": "Lax",
    }  # fmt: skip
    (entry,) = scene.har("http.target == /binary")
    posted = entry["request"]["postData"]
    assert "encoding" not in posted
    assert posted["text"].encode(posted["_encoding"]) == body
    assert not entry["connection"].isdecimal()


def test_c5_sizes_of_headers_are_those_on_the_wire(scene: Scene) -> None:
    request = b"GET /sizes HTTP/1.1\r\nHost:  test\r\nConnection: close\r\nX-Odd:no-space\r\n\r\n"
    answer = scene.ask("web", request)
    scene.stored("http.target == /sizes")
    (entry,) = scene.har("http.target == /sizes")
    assert entry["request"]["headersSize"] == len(request)
    assert entry["response"]["headersSize"] == answer.index(b"\r\n\r\n") + 4
    assert entry["response"]["bodySize"] == len(answer) - entry["response"]["headersSize"]


@pytest.mark.parametrize("service", ["gate", "wire"])
def test_c22_a_connection_between_two_services_is_in_the_packets_once(scene: Scene, service: str) -> None:
    scene.get(service, f"/c22-{service}")
    scene.stored(f"service == web and http.target == /c22-{service}")
    out = scene.folder / "c22.pcapng"
    assert run("export", scene.capture, out, "--filter", f"service == web or service == {service}").returncode == 0
    command = ["tshark", "-n", "-r", str(out), "-d", "tcp.port==1-65535,http", "-Y"]
    wrong = "tcp.analysis.flags and not tcp.analysis.window_update"
    assert subprocess.run([*command, wrong], capture_output=True, text=True, check=True).stdout == ""
    asked = subprocess.run(
        [*command, f'http.request.uri contains "/c22-{service}"'], capture_output=True, text=True, check=True
    )
    assert len(asked.stdout.splitlines()) == 2  # the client's and the relay's
    # Each side alone is there when it is asked for.
    for name in ("web", service):
        assert run("export", scene.capture, out, "--filter", f"service == {name}").returncode == 0
        asked = subprocess.run(
            [*command, f'http.request.uri contains "/c22-{service}"'], capture_output=True, text=True, check=True
        )
        assert asked.stdout, name


@pytest.mark.parametrize("sent", ["Müller".encode("latin-1"), "Müller".encode()])
def test_c14_a_header_is_found_by_its_text_however_it_was_encoded(scene: Scene, sent: bytes) -> None:
    target = f"/c14-{len(sent)}"
    head = f"GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n".encode()
    scene.ask("web", head + b"X-Name: " + sent + b'\r\nX-Quoted: "a\\b"\r\n\r\n')
    scene.stored(f"http.target == {target}")
    for filter in (
        'http.fields contains "Müller"',
        "http.fields matches /Müll[e]r/",
        r"""http.fields contains '"a\\b"'""",
    ):
        for condition in (filter, f'http.fields contains "X-Name" and {filter}'):
            found = run("query", scene.capture, f"{condition} and http.target == {target}", "--count")
            assert (found.stdout, found.stderr) == ("1\n", ""), condition
            assert len(scene.har(f"{condition} and http.target == {target}")) == 1
