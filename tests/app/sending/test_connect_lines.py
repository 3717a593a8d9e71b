"""Lines to paste, as the programs that they name understand them."""

from __future__ import annotations

import os
import sys
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.threads import deferToThread
from twisted.internet.utils import getProcessOutputAndValue

from app.sending import connect_lines
from app.services.surroundings import Surroundings
from app.services.tls import authority
from tests.app.services.conftest import desk, tape
from tests.app.services.helpers import address
from tests.helpers import run_bytes, until

__all__ = ["desk", "tape"]

CASES = [
    (protocol, tls, title)
    for protocol, tls, titles in (
        ("tcp", False, ("nc", "Python", "Listening Post")),
        ("tcp", True, ("openssl", "Python", "Listening Post")),
        ("udp", False, ("nc", "Python", "Listening Post")),
        ("http", False, ("curl", "Python", "Listening Post")),
        ("http", True, ("curl", "Python", "Listening Post")),
        ("websocket", False, ("Python", "Listening Post")),
        ("websocket", True, ("Python", "Listening Post")),
    )
    for title in titles
]


class Shown(ProcessProtocol):
    """What a program shows, and whether it has ended."""

    def __init__(self) -> None:
        self.out, self.ended = b"", False

    def outReceived(self, data: bytes) -> None:
        self.out += data

    def processEnded(self, reason: Any) -> None:
        self.ended = True


async def typed(desk: Any, line: str, environment: dict[str, str]) -> bytes:
    """What comes back of a line that is typed to a program, which would then wait for more."""
    shown = Shown()
    process = desk.reactor.spawnProcess(shown, "/bin/sh", ["sh", "-c", f"exec {line}"], environment)
    process.write(b"hello\n")
    await until(lambda: b"hello" in shown.out or shown.ended)
    if not shown.ended:
        process.signalProcess("KILL")
        await until(lambda: shown.ended)
    return shown.out


@pytest.mark.parametrize(("protocol", "tls", "title"), CASES)
@pytest_twisted.ensureDeferred
async def test_each_line_reaches_the_service(desk: Any, tmp_path: Path, protocol: str, tls: bool, title: str) -> None:
    data = tmp_path / "listening-post"
    desk.surroundings = Surroundings(data=data)
    responder = "inspector" if protocol == "http" else "echo"
    host, port = address(await desk.start(protocol, responder, **({"tls": {}} if tls else {})))
    ca = authority.of(data).path if tls else None
    found = {line.title: line.text for line in connect_lines.lines(protocol, host, port, tls=tls, ca=ca)}
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "python3").symlink_to(sys.executable)
    (bin_ / "listening-post").write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    (bin_ / "listening-post").chmod(0o755)
    environment = {"PATH": f"{bin_}:/usr/bin:/bin", "XDG_DATA_HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    if title in ("nc", "openssl"):
        assert b"hello" in await typed(desk, found[title], environment)
        return
    out, err, _ = await getProcessOutputAndValue("/bin/sh", ["-c", found[title]], env=environment, reactor=desk.reactor)
    if title == "Listening Post":  # the shell has told what it gives the program, which is loaded already
        args = [word.decode() for word in out.split(b"\0")[:-1]]
        done = await deferToThread(run_bytes, *args, environment={**os.environ, "XDG_DATA_HOME": str(tmp_path)})
        out, err = done.stdout, done.stderr
    assert b"hello" in out or b"GET" in out, (found[title], out, err)


def test_a_service_on_loopback_is_reached_there_only() -> None:
    assert connect_lines.addresses("127.0.0.1") == ["127.0.0.1"]
    assert connect_lines.addresses("localhost") == ["localhost"]


def test_a_service_on_all_addresses_is_reached_at_the_machines_own() -> None:
    found = connect_lines.addresses("0.0.0.0")
    assert found[0] == "127.0.0.1"
    assert all(ip_address(host).version == 4 for host in found)
    assert connect_lines.addresses("::")[:2] == ["127.0.0.1", "::1"]
    own = connect_lines.own_addresses()
    assert not any(ip_address(host).is_loopback or ip_address(host).is_link_local for host in own)
    assert own == list(dict.fromkeys(own))


def test_an_ipv6_address_is_written_in_brackets_where_a_url_needs_them() -> None:
    found = {line.title: line.text for line in connect_lines.lines("http", "::1", 9080)}
    assert found["curl"] == "curl -i 'http://[::1]:9080/'"
    assert connect_lines.lines("tcp", "::1", 9007)[0].text == "nc ::1 9007"


def test_ssh_has_a_line_of_its_own() -> None:
    assert [line.text for line in connect_lines.lines("ssh", "127.0.0.1", 9022)] == ["ssh -p 9022 127.0.0.1"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"password": "auto"}, "the password that the log tells at each start (filter by kind == log)"),
        ({"password": "hunter2"}, "the password in its options"),
        ({"authorized_keys": "keys"}, "a key of keys"),
        ({"authorized_keys": "keys", "password": "hunter2"}, "a key of keys, or the password in its options"),
    ],
)
def test_ssh_says_what_lets_in_and_tells_no_secret(options: dict[str, str], words: str) -> None:
    assert connect_lines.login("ssh", options) == f"Any user name will do, with {words}."


def test_a_service_that_lets_in_anybody_asks_for_nothing() -> None:
    assert connect_lines.login("tcp", {"password": "x"}) == connect_lines.login("ssh", {}) == ""


def test_a_path_with_a_blank_is_quoted() -> None:
    line = connect_lines.lines("http", "localhost", 1, tls=True, ca=Path("/a b/ca.pem"))[0].text
    assert line == "curl -i --cacert '/a b/ca.pem' https://localhost:1/"
