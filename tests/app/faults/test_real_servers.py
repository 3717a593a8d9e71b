"""Faults of a relay in front of nginx and mosquitto: what their clients see, and what the capture has of both legs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from tests import real_servers as real
from tests.app.services.helpers import Desk, Tape, address
from tests.app.services.tls_peers import at_home, ca, program
from tests.helpers import kept_port, until
from tests.real_servers import running

PAGE = b"".join(b"line %04d\n" % number for number in range(2_500))
"""25,000 bytes."""


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "html").mkdir()
    (folder / "html" / "page").write_bytes(PAGE)
    with kept_port() as port, real.nginx(folder, port, f"root {folder}/html; server {{ listen 127.0.0.1:{port}; }}"):
        yield port


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder = tmp_path_factory.mktemp("mosquitto")
    with kept_port() as port:
        user = "user root\n" if os.getuid() == 0 else ""
        (folder / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{user}persistence false\n")
        with running(port, "mosquitto", "-c", str(folder / "conf")):
            yield port


async def before(desk: Desk, port: int, *faults: dict[str, Any], protocol: str = "tcp", **more: Any) -> Any:
    upstream = f"127.0.0.1:{port}" if protocol == "tcp" else f"http://127.0.0.1:{port}"
    return await desk.start(protocol, "relay", options={"upstream": upstream}, faults=faults, seed=7, **more)


def legs(tape: Tape) -> tuple[int, int]:
    """The numbers of the client's connection and of that to the server, of the first pair."""
    opened = tape.all("connection.opened")
    outgoing = [e.conn for e in opened if e.detail.get("outgoing")]
    return next(e.conn for e in opened if not e.detail.get("outgoing")), outgoing[0] if outgoing else 0


# -- nginx and curl

FORMAT = "%{time_starttransfer} %{time_total} %{size_download}"


async def curl(desk: Desk, service: Any, *more: str, output: Path) -> tuple[bytes, int, float, float]:
    """What curl wrote, its exit code, and the seconds until the first byte and the last."""
    url = f"http://127.0.0.1:{address(service)[1]}/page"
    times, _, code = await program(desk, "curl", "-sS", "-o", output, "-w", FORMAT, *more, url)
    first, last, _ = map(float, times.split())
    return output.read_bytes() if output.exists() else b"", code, first, last


Curled = tuple[bytes, int, float, float]

CURL: dict[str, tuple[dict[str, Any], Callable[[Curled], bool]]] = {
    "delay": ({"kind": "delay", "ms": 300.0}, lambda c: c[0] == PAGE and c[1] == 0 and c[2] >= 0.3),
    "rate": ({"kind": "rate", "bytes_per_second": 50_000.0}, lambda c: c[0] == PAGE and c[3] >= 0.4),
    "slice": ({"kind": "slice", "bytes": 1_000, "pause_ms": 10.0}, lambda c: c[0] == PAGE and c[3] >= 0.2),
    "stall": ({"kind": "stall", "ms": 300.0, "on": "received"}, lambda c: c[0] == PAGE and c[2] >= 0.3),
    "cut": ({"kind": "cut", "bytes": 2_000}, lambda c: c[1] == 18 and PAGE.startswith(c[0]) and len(c[0]) > 1_500),
    "close": ({"kind": "close", "on": "received"}, lambda c: (c[0], c[1]) == (b"", 52)),
    "reset": ({"kind": "reset", "on": "received"}, lambda c: (c[0], c[1]) == (b"", 56)),
    "garbage": ({"kind": "garbage"}, lambda c: c[1] in (1, 8)),
    "hang": ({"kind": "hang", "on": "received"}, lambda c: (c[0], c[1]) == (b"", 28)),
}
"""What curl gets of a page of nginx through a relay with this fault. Exit codes: 18 partial file, 52 empty reply,
56 failure in receiving, 28 time is out, 1 and 8 no HTTP."""


@pytest.mark.parametrize("name", CURL)
@pytest_twisted.ensureDeferred
async def test_what_curl_sees_of_nginx(desk: Desk, tape: Tape, nginx: int, name: str, tmp_path: Path):
    fault, seen = CURL[name]
    service = await before(desk, nginx, fault)
    got = await curl(desk, service, "--max-time", "2", output=tmp_path / "got")
    assert seen(got), (got[1:], len(got[0]))
    client, server = legs(tape)
    assert {e.conn for e in await until(lambda: tape.all("fault.applied"))} == {client}
    if fault.get("on") == "received" and name != "stall":
        assert not tape.data("data.sent", server)  # nginx was asked nothing
    else:
        assert PAGE in tape.data("data.received", server)  # and has answered all


@pytest_twisted.ensureDeferred
async def test_both_legs_of_a_corrupted_answer(desk: Desk, tape: Tape, nginx: int, tmp_path: Path):
    fault = {"kind": "corrupt", "how": "bit", "count": 1, "match": "line 0001"}
    service = await before(desk, nginx, fault)
    got, code, _, _ = await curl(desk, service, output=tmp_path / "got")
    assert code == 0
    client, server = legs(tape)
    [applied] = tape.all("fault.applied")
    sent, received = tape.data("data.sent", client), tape.data("data.received", server)
    assert applied.conn == client
    assert applied.payload is not None
    assert applied.payload in received
    assert received.endswith(PAGE)
    assert sent.endswith(got)
    assert sum((one ^ other).bit_count() for one, other in zip(sent, received, strict=True)) == 1
    assert tape.data("data.received", client) == tape.data("data.sent", server)  # the request


@pytest.mark.parametrize("protocol", ["tcp", "http"])
@pytest_twisted.ensureDeferred
async def test_without_a_hit_nothing_is_different(desk: Desk, tape: Tape, nginx: int, protocol: str, tmp_path: Path):
    faults = ({"kind": "reset", "peer": ["192.0.2.1"]}, {"kind": "delay", "ms": 0.0})
    service = await before(desk, nginx, *faults, protocol=protocol)
    for _ in range(3):
        assert (await curl(desk, service, output=tmp_path / "got"))[:2] == (PAGE, 0)


@pytest_twisted.ensureDeferred
async def test_an_outage_that_is_switched_on_and_off(desk: Desk, nginx: int, tmp_path: Path):
    service = await before(desk, nginx, {"name": "outage", "kind": "reset", "on": "received", "enabled": False})
    fault = service.faults.find("outage")
    codes = []
    for on in (False, True, False):
        service.faults.switch(fault, on=on)
        codes.append((await curl(desk, service, output=tmp_path / "got"))[1])
    assert codes == [0, 56, 0]


# -- mosquitto and its clients


async def publish(desk: Desk, service: Any, *more: str, message: str = "hello") -> tuple[str, int]:
    """What ``mosquitto_pub`` says of a message with an acknowledgement, and its exit code."""
    host, port = address(service)
    _, err, code = await program(
        desk, "mosquitto_pub", "-h", host, "-p", str(port), "-q", "1", "-t", "desk/lamp", "-r", "-m", message, *more
    )
    return err.strip(), code


async def retained(desk: Desk, port: int, *more: str) -> tuple[str, str, int]:
    """What a subscriber gets at once, and says, and its exit code."""
    return await program(
        desk, "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-t", "desk/lamp", "-C", "1", "-W", "3", *more
    )


@pytest_twisted.ensureDeferred
async def test_a_late_broker_is_late_for_each_acknowledgement(desk: Desk, tape: Tape, mosquitto: int):
    service = await before(desk, mosquitto, {"kind": "delay", "ms": 200.0})
    began = desk.reactor.seconds()
    assert await publish(desk, service, message="late") == ("", 0)
    assert desk.reactor.seconds() - began >= 0.4  # CONNACK, PUBACK
    assert (await retained(desk, mosquitto))[0] == "late\n"
    client, server = legs(tape)
    assert tape.data("data.received", client) == tape.data("data.sent", server)
    assert tape.data("data.sent", client) == tape.data("data.received", server)
    assert tape.data("data.sent", client)[:1] == b"\x20"  # CONNACK


@pytest_twisted.ensureDeferred
async def test_clients_put_packets_together_again(desk: Desk, tape: Tape, mosquitto: int):
    slices = {"kind": "slice", "bytes": 1, "pause_ms": 1.0}
    service = await before(desk, mosquitto, slices)
    assert await publish(desk, service, message="in pieces") == ("", 0)
    out, err, code = await retained(desk, address(service)[1])
    assert (out, err, code) == ("in pieces\n", "", 0)
    client, _ = legs(tape)
    assert {len(e.payload or b"") for e in tape.all("data.sent", conn=client)} == {1}


@pytest_twisted.ensureDeferred
async def test_a_publisher_that_is_reset_says_so_and_nothing_was_published(desk: Desk, tape: Tape, mosquitto: int):
    assert (await program(desk, "mosquitto_pub", "-p", str(mosquitto), "-r", "-t", "desk/lamp", "-m", "before"))[2] == 0
    service = await before(desk, mosquitto, {"kind": "reset", "on": "received", "match": "desk/lamp"})
    said, code = await publish(desk, service, message="never")
    assert (said, code) == ("Error: The connection was lost.", 7)
    assert (await retained(desk, mosquitto))[0] == "before\n"
    [applied, *_] = tape.all("fault.applied")
    assert b"desk/lamp\x00\x01never" in (applied.payload or b"")


@pytest_twisted.ensureDeferred
async def test_a_subscriber_hears_nothing_while_the_broker_hangs(desk: Desk, tape: Tape, mosquitto: int):
    service = await before(desk, mosquitto, {"kind": "hang"})
    out, _, code = await retained(desk, address(service)[1], "-W", "1")
    assert out == ""
    assert code != 0
    _, server = legs(tape)
    assert tape.data("data.received", server)[:1] == b"\x20"  # the broker has answered


@pytest_twisted.ensureDeferred
async def test_an_mqtt_client_looks_at_the_certificate_of_the_relay(
    desk: Desk, tape: Tape, mosquitto: int, tmp_path: Path
):
    at_home(desk, tmp_path)
    service = await before(desk, mosquitto, {"kind": "tls", "how": "expired", "nth": 1}, tls={})
    trust = ("--cafile", str(ca(desk)))
    said, code = await publish(desk, service, *trust, message="first")
    # The program says and returns something else where the connection breaks before its first packet is out.
    assert "A TLS error occurred." in said
    assert code != 0
    assert await publish(desk, service, *trust, message="second") == ("", 0)
    assert (await retained(desk, mosquitto))[0] == "second\n"
