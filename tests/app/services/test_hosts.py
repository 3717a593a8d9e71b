"""Who may ask for what: names in Host, and origins of web pages (DNS rebinding)."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.services.hosts import Hosts, is_name
from app.services.surroundings import Surroundings
from tests.app.services.helpers import Desk, Peer, Tape

ASK = b"GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n"
UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n%s"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


OURS = ["127.0.0.1", "127.0.0.1:80", "[::1]:9007", "[::1]", "192.168.7.1:1", "127.1", "localhost", "LOCALHOST:8"]
NAMED = ["a.b.localhost", "localhost.", "known.example:1", "deep.down.tunnel.example"]


@pytest.mark.parametrize("authority", [*OURS, *NAMED])
def test_b5_who_is_answered(authority: str) -> None:
    assert not Hosts([]).refuse("")
    assert not Hosts(["Known.example", "*.tunnel.example", "local"]).refuse(authority)


@pytest.mark.parametrize("authority", ["evil.example", "localhost.evil.example:80", "127.0.0.1.nip.io", "xlocalhost"])
def test_b5_who_is_not(authority: str) -> None:
    refused: list[str] = []
    hosts = Hosts(["known.example", "*.tunnel.example"], refused.append)
    assert hosts.refuse(authority) == authority.partition(":")[0] == refused[0]
    assert hosts.refuse_origin(f"https://{authority}") == refused[0]
    assert hosts.refuse("tunnel.example")
    assert not Hosts(["*"]).refuse(authority)


PAGES = ["http://203.0.113.5", "http://203.0.113.5:8000", "https://[2001:db8::1]", "http://1.2.3.4.5", "http://10.1"]


@pytest.mark.parametrize("origin", PAGES)
def test_b5_a_page_from_a_foreign_address_is_refused(origin: str) -> None:
    hosts = Hosts(["198.51.100.7"])
    assert hosts.refuse_origin(origin, "127.0.0.1:80")
    assert not hosts.refuse_origin(origin, origin.partition("//")[2].partition("]:")[0])  # where it was loaded from
    assert not hosts.refuse_origin("http://198.51.100.7:1")  # it is named
    assert not Hosts(["*"]).refuse_origin(origin)


def test_b5_a_page_from_an_address_of_this_machine_is_accepted() -> None:
    for origin in ("http://127.0.0.1", "http://127.9.9.9:80", "http://[::1]:1", "http://[::ffff:127.0.0.1]"):
        assert not Hosts([]).refuse_origin(origin), origin
    for address in {str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}:
        assert not Hosts([]).refuse_origin(f"http://{address}:8080")
    assert Hosts([]).refuse_origin("http://224.0.0.1")


def test_b5_what_the_option_may_hold() -> None:
    assert all(map(is_name, ("local", "*", "a.example", "*.a.example", "my_box")))
    assert not any(map(is_name, ("", "http://a", "a:80", "a b", "*a", "a.*")))


async def service(desk: Desk, tmp_path: Path, protocol: str, responder: str, **options: Any) -> Any:
    desk.surroundings = Surroundings(tmp_path, tmp_path)
    needed = {"relay": {"upstream": f"{'http' if protocol == 'http' else 'ws'}://127.0.0.1:1"}, "static": {"root": "."}}
    return await desk.start(protocol, responder, options=needed.get(responder, {}) | options)


async def first_line(where: Any, asked: bytes) -> tuple[bytes, bytes]:
    peer = Peer(where)
    await peer.send(asked)
    head, _, _ = (await peer.expect(b"\r\n\r\n")).partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    got = await peer.expect(len(head) + 4 + (int(length[1]) if length else 0))
    line, _, rest = got.partition(b"\r\n")
    peer.close()
    return line, rest


@pytest.mark.parametrize("responder", ["rest", "static", "relay"])
@pytest_twisted.ensureDeferred
async def test_b5_http_that_holds_data_does_not_answer_to_foreign_names(
    responder: str, desk: Desk, tape: Tape, tmp_path: Path
) -> None:
    made = await service(desk, tmp_path, "http", responder)
    line, rest = await first_line(made, ASK % b"evil.example")
    assert line == b"HTTP/1.1 421 Misdirected Request"
    assert b'hosts = ["evil.example"]' in rest
    (event,) = tape.all("limit.reached")
    assert event.detail == {"limit": "hosts", "value": [], "host": "evil.example", "status": 421}
    assert event.summary == "refused: asked for as evil.example, which the option hosts does not name"
    assert made.refused_host == "evil.example"
    assert b" 421 " in (await first_line(made, ASK.replace(b"/ ", b"http://evil.example/ ") % b"localhost"))[0]
    assert b" 421 " not in (await first_line(made, ASK % b"localhost:9"))[0]


@pytest.mark.parametrize("responder", ["inspector", "mock", "sse"])
@pytest_twisted.ensureDeferred
async def test_b5_others_answer_to_any_unless_they_are_closed(responder: str, desk: Desk, tmp_path: Path) -> None:
    asked = ASK % b"a.tunnel.example"
    assert b" 421 " not in (await first_line(await service(desk, tmp_path, "http", responder), asked))[0]
    closed = await service(desk, tmp_path, "http", responder, hosts=["local"])
    assert b" 421 " in (await first_line(closed, asked))[0]
    named = await service(desk, tmp_path, "http", responder, hosts=["local", "*.tunnel.example"])
    assert b" 421 " not in (await first_line(named, asked))[0]


@pytest.mark.parametrize("responder", ["rooms", "broadcast", "relay"])
@pytest_twisted.ensureDeferred
async def test_b5_websocket_knows_names_and_origins(responder: str, desk: Desk, tape: Tape, tmp_path: Path) -> None:
    made = await service(desk, tmp_path, "websocket", responder)
    line, rest = await first_line(made, UPGRADE % (b"evil.example", b""))
    assert line.startswith(b"HTTP/1.1 421 ")
    assert b"option hosts, which does not have evil.example" in rest
    line, rest = await first_line(made, UPGRADE % (b"127.0.0.1", b"Origin: https://evil.example:444\r\n"))
    assert line.startswith(b"HTTP/1.1 403 ")
    assert b"web pages of evil.example may not connect, since the option hosts does not have it" in rest
    assert [e.detail["host"] for e in tape.all("limit.reached")] == ["evil.example"] * 2
    for origin in (b"", b"Origin: http://localhost:3000\r\n"):
        line, _ = await first_line(made, UPGRADE % (b"127.0.0.1", origin))
        assert line.split()[1] in (b"101", b"502")
    for origin in PAGES:
        line, _ = await first_line(made, UPGRADE % (b"127.0.0.1", b"Origin: %b\r\n" % origin.encode()))
        assert line.startswith(b"HTTP/1.1 403 ")
    line, _ = await first_line(made, UPGRADE % (b"192.0.2.5:8080", b"Origin: http://192.0.2.5:80\r\n"))
    assert line.split()[1] in (b"101", b"502")
    known = await service(desk, tmp_path, "websocket", responder, origins=["https://evil.example:*"])
    line, _ = await first_line(known, UPGRADE % (b"127.0.0.1", b"Origin: https://evil.example:444\r\n"))
    assert line.split()[1] in (b"101", b"502")


@pytest_twisted.ensureDeferred
async def test_b5_an_echo_takes_any_page_unless_it_is_closed(desk: Desk, tmp_path: Path) -> None:
    asked = UPGRADE % (b"a.example", b"Origin: https://a.example\r\n")
    assert b" 101 " in (await first_line(await service(desk, tmp_path, "websocket", "echo"), asked))[0]
    closed = await service(desk, tmp_path, "websocket", "echo", hosts=["local"])
    assert b" 421 " in (await first_line(closed, asked))[0]
