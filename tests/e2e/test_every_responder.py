"""Each responder on each of its protocols, with and without TLS, answering clients of other projects.

One ``serve`` runs them all. Nobody here trusts the local authority by itself: clients are told of
its certificate, as their users would.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import struct
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from app import responders
from app.services.protocols import PROTOCOLS
from app.services.settings import SECURABLE
from tests.e2e.clients import Address, curl, datagram, netcat, socat
from tests.helpers import Serve, kept_port, serving, wait_for

OPTIONS: dict[tuple[str, str], str] = {
    ("banner", "tcp"): r"text = '220 ready\r\n'",
    ("script", "tcp"): """framing = "delimiter"
[[service.options.rules]]
when = "regex"
match = 'hello (\\w+)'
then = ['send hi {{1}}', 'close']""",
    ("script", "udp"): """[[service.options.rules]]
when = "text"
match = "ping"
then = ['send pong {{crc16 | hex}}']""",
    ("script", "websocket"): """[[service.options.rules]]
when = "text"
match = "ping"
then = ['send pong', 'close']""",
    ("relay", "tcp"): 'upstream = "127.0.0.1:{tcp-line}"',
    ("relay", "udp"): 'upstream = "127.0.0.1:{udp-echo}"',
    ("relay", "http"): 'upstream = "http://127.0.0.1:{http-rest}"',
    ("relay", "websocket"): 'upstream = "ws://127.0.0.1:{websocket-echo}"',
    ("static", "http"): 'root = "files"',
    ("mock", "http"): """[[service.options.rules]]
path = "/users/{id}"
template = true
body = 'user {{path.id}}'""",
    ("sse", "http"): "interval = 0.01\ncount = 3\ndata = 'tick {{count}}'",
    ("manhole", "ssh"): 'authorized_keys = "key.pub"',
}


@dataclass(frozen=True)
class Case:
    """One service of the table."""

    responder: str
    protocol: str
    tls: bool = False

    @property
    def name(self) -> str:
        return f"{self.protocol}-{self.responder}{'-tls' if self.tls else ''}"


def cases() -> list[Case]:
    """All responders on all their protocols; a new one is included automatically."""
    return [
        Case(responder.name, protocol, tls)
        for protocol in PROTOCOLS
        for responder in responders.serving(protocol)
        if responder.name in responders.built_in()
        for tls in ((False, True) if protocol in SECURABLE else (False,))
    ]


CASES = cases()


def workspace(ports: dict[str, int]) -> str:
    tables = ["version = 1"]
    for case in CASES:
        options = OPTIONS.get((case.responder, case.protocol), "")
        for name, port in ports.items():
            options = options.replace(f"{{{name}}}", str(port))
        tables.append(
            f'[[service]]\nname = "{case.name}"\nprotocol = "{case.protocol}"\n'
            f'listen = "127.0.0.1:{ports[case.name]}"\nresponder = "{case.responder}"\n[service.options]\n{options}\n'
            + ("[service.tls]\n" if case.tls else "")
        )
    return "\n".join(tables)


@dataclass
class Bench:
    """All services up."""

    folder: Path
    ports: dict[str, int]
    serve: Serve

    @property
    def authority(self) -> str:
        return str(self.folder / "data" / "listening-post" / "authority" / "listening-post-ca.crt")

    def address(self, case: Case) -> Address:
        return "127.0.0.1", self.ports[case.name]

    def kinds(self, case: Case) -> set[str]:
        """The captured events of a service."""
        return {e["kind"] for e in map(json.loads, list(self.serve.lines)) if e["service"] == case.name}

    def talk(self, case: Case, data: bytes) -> bytes:
        """Send ``data`` over TCP or TLS and half-close. Returns all data received."""
        if not case.tls:
            return socat("TCP", self.address(case), data)
        where = f"OPENSSL:localhost:{self.ports[case.name]},cafile={self.authority},pf=ip4"
        done = subprocess.run(["socat", "-t", "5", "-", where], input=data, capture_output=True, timeout=20, check=True)
        return done.stdout

    def curl(self, case: Case, target: str, *args: str) -> bytes:
        scheme = "https" if case.tls else "http"
        version = ["--http2", "--cacert", self.authority] if case.tls else ["--http1.1"]
        return curl(*version, *args, f"{scheme}://127.0.0.1:{self.ports[case.name]}{target}")

    def websocket(self, case: Case) -> connect:
        context = ssl.create_default_context(cafile=self.authority) if case.tls else None
        scheme = "wss" if case.tls else "ws"
        return connect(f"{scheme}://127.0.0.1:{self.ports[case.name]}/", ssl=context, proxy=None)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("every")
    (folder / "files").mkdir()
    (folder / "files" / "index.html").write_text("<h1>home</h1>")
    key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")]
    subprocess.run(key, check=True, timeout=20)
    with pytest.MonkeyPatch.context() as patch, ExitStack() as kept:
        ports = {case.name: kept.enter_context(kept_port()) for case in CASES}
        (folder / "w.toml").write_text(workspace(ports))
        patch.setenv("XDG_DATA_HOME", str(folder / "data"))
        with serving(folder / "w.toml", folder / "x.lpost", "--trust") as serve:
            wait_for(lambda: len(serve.wait_up()) == len(CASES) or serve.process.poll() is not None, 60)
            assert serve.process.poll() is None, serve.said
            yield Bench(folder, ports, serve)


# -- TCP


def tcp_echo(bench: Bench, case: Case) -> None:
    assert bench.talk(case, b"hello") == b"hello"


def tcp_discard(bench: Bench, case: Case) -> None:
    assert bench.talk(case, b"hello") == b""


def tcp_chargen(bench: Bench, case: Case) -> None:
    host, port = bench.address(case)
    command = f"nc {host} {port}"
    if case.tls:
        command = f"openssl s_client -quiet -CAfile {bench.authority} -connect {host}:{port} 2>/dev/null"
    line = f"{command} < /dev/null | head -c 1000"
    got = subprocess.run(["sh", "-c", line], capture_output=True, timeout=20, check=True).stdout
    assert got.splitlines()[0] == bytes(range(32, 104))
    assert got.splitlines()[1] == bytes(range(33, 105))


def tcp_banner(bench: Bench, case: Case) -> None:
    assert bench.talk(case, b"") == b"220 ready\r\n"


def tcp_line(bench: Bench, case: Case) -> None:
    assert bench.talk(case, b"one\ntwo\n") == b"welcome\none\ntwo\n"


tcp_relay = tcp_line
"""Its upstream."""


def tcp_int32(bench: Bench, case: Case) -> None:
    assert bench.talk(case, struct.pack("!I", 3) + b"abc") == struct.pack("!I", 3) + b"cba"


def tcp_fragile(bench: Bench, case: Case) -> None:
    assert bench.talk(case, b"fine\n") == b"fine\n"


def tcp_script(bench: Bench, case: Case) -> None:
    assert bench.talk(case, b"hello world\n") == b"hi world\n"


# -- UDP


def udp_echo(bench: Bench, case: Case) -> None:
    assert datagram(bench.address(case), b"hello") == b"hello"


udp_relay = udp_echo
"""Its upstream."""


def udp_discard(bench: Bench, case: Case) -> None:
    assert socat("UDP", bench.address(case), b"hello", linger=0.2) == b""


def udp_chargen(bench: Bench, case: Case) -> None:
    assert len(datagram(bench.address(case), b"\n" * 60)) <= 512


def udp_script(bench: Bench, case: Case) -> None:
    assert datagram(bench.address(case), b"ping").startswith(b"pong ")


# -- HTTP


def http_inspector(bench: Bench, case: Case) -> None:
    told = json.loads(bench.curl(case, "/a?b=c", "-H", "X-A: 1"))
    assert (told["method"], told["target"]) == ("GET", "/a?b=c")
    assert told["version"] == ("HTTP/2" if case.tls else "HTTP/1.1")


def http_static(bench: Bench, case: Case) -> None:
    assert bench.curl(case, "/") == b"<h1>home</h1>"
    assert bench.curl(case, "/index.html", "-r", "1-2") == b"h1"


def http_rest(bench: Bench, case: Case) -> None:
    made = bench.curl(case, "/things", "-H", "Content-Type: application/json", "-d", '{"name": "a"}')
    number = json.loads(made)["id"]
    assert json.loads(bench.curl(case, f"/things/{number}")) == {"id": number, "name": "a"}


http_relay = http_rest
"""Its upstream."""


def http_mock(bench: Bench, case: Case) -> None:
    assert bench.curl(case, "/users/7") == b"user 7"


def http_sse(bench: Bench, case: Case) -> None:
    assert [line for line in bench.curl(case, "/", "-N").splitlines() if line.startswith(b"data:")] == [
        b"data: tick 1",
        b"data: tick 2",
        b"data: tick 3",
    ]


# -- WebSocket


def at_once(answers: Callable[[Bench, Case], Awaitable[None]]) -> Callable[[Bench, Case], None]:
    """Runs a conversation to its end.

    On asyncio: the client of ``websockets`` that blocks reads and writes one TLS connection from two threads, which
    Python's ssl does not lock before 3.13 (https://github.com/python/cpython/issues/124984); its request was lost
    now and then.
    """

    @wraps(answers)
    def run(bench: Bench, case: Case) -> None:
        asyncio.run(asyncio.wait_for(answers(bench, case), 20))

    return run


@at_once
async def websocket_echo(bench: Bench, case: Case) -> None:
    async with bench.websocket(case) as client:
        await client.send("hello")
        await client.send(b"\0\xff")
        assert [await client.recv(), await client.recv()] == ["hello", b"\0\xff"]


websocket_relay = websocket_echo
"""Its upstream."""


@at_once
async def websocket_discard(bench: Bench, case: Case) -> None:
    async with bench.websocket(case) as client:
        await client.send("hello")
        await (await client.ping())


@at_once
async def websocket_script(bench: Bench, case: Case) -> None:
    async with bench.websocket(case) as client:
        await client.send("ping")
        assert [message async for message in client] == ["pong"]


@at_once
async def websocket_broadcast(bench: Bench, case: Case) -> None:
    async with bench.websocket(case) as one, bench.websocket(case) as other:
        await one.send("hello")
        assert await other.recv() == "hello"


@at_once
async def websocket_rooms(bench: Bench, case: Case) -> None:
    async with bench.websocket(case) as one, bench.websocket(case) as other:
        for client in (one, other):
            await client.send(json.dumps({"type": "subscribe", "room": "a"}))
            assert json.loads(await client.recv())["type"] != "error"
        await one.send(json.dumps({"type": "publish", "room": "a", "data": 7}))
        got: dict[str, object] = {}
        while got.get("data") != 7:
            got = json.loads(await other.recv())
        assert got["room"] == "a"


# -- SSH


def ssh_manhole(bench: Bench, case: Case) -> None:
    options = ["StrictHostKeyChecking=no", f"UserKnownHostsFile={bench.folder / 'known'}", "BatchMode=yes"]
    command = ["ssh", "-tt", "-F", "none", "-i", str(bench.folder / "key"), "-p", str(bench.ports[case.name])]
    command += [part for option in options for part in ("-o", option)]
    with subprocess.Popen(
        [*command, "me@127.0.0.1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        # As a person does it: what is typed before there is a prompt may be lost.
        shown = b""
        for typed, answer in ((b"len(services)\r", str(len(CASES)).encode()), (b"exit()\r", b"")):
            while not shown.rstrip().endswith(b">>>"):
                part = client.stdout.read1(4096)
                assert part, shown
                shown += part
            client.stdin.write(typed)
            client.stdin.flush()
            while answer not in shown:
                part = client.stdout.read1(4096)
                assert part, shown
                shown += part
        client.stdout.read()
        assert client.wait(30) == 0


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_answers(bench: Bench, case: Case) -> None:
    answer: Callable[[Bench, Case], None] = globals()[f"{case.protocol}_{case.responder}"]
    answer(bench, case)
    wait_for(lambda: "connection.opened" in bench.kinds(case))


def test_each_is_in_the_table() -> None:
    """The entries that a new responder needs, to be tested like all others."""
    assert {f"{case.protocol}_{case.responder}" for case in CASES} <= set(globals())


def test_netcat_and_openssl_are_served_too(bench: Bench) -> None:
    assert netcat(bench.address(Case("echo", "tcp")), b"hello") == b"hello"
    where = f"127.0.0.1:{bench.ports['tcp-script-tls']}"
    command = ["openssl", "s_client", "-quiet", "-verify_return_error", "-CAfile", bench.authority, "-connect", where]
    done = subprocess.run(command, input=b"hello openssl\n", capture_output=True, timeout=20, check=False)
    assert done.stdout == b"hi openssl\n"
