"""Unfinished messages over TCP, and messages that wait for an answer, share the budget of the program."""

from __future__ import annotations

import struct
from typing import Any

import pytest
import pytest_twisted
from autobahn.twisted.websocket import WebSocketServerProtocol

from app.limits import UNFINISHED_BYTES
from app.services.budget import Budget
from app.services.surroundings import Surroundings
from tests.app.services.helpers import Desk, Peer, Tape, address, closed
from tests.app.services.websocket.test_bounds import HANDSHAKE
from tests.helpers import until

MB = 1 << 20

TEXT = "more than 10,485,760 bytes of unfinished messages in the program"

RULE = {"when": "message", "then": ["send ok"]}
SLOW = {"when": "message", "then": ["wait 600", "send ok"]}


def script(framing: str, **more: Any) -> dict[str, Any]:
    return {"framing": framing, "max_message": 16 * MB, "rules": [RULE]} | more


@pytest.fixture
def budget(desk: Desk) -> Budget:
    made = Budget(10 * MB)
    desk.surroundings = Surroundings(budget=made)
    return made


@pytest.mark.parametrize(
    ("responder", "options", "head", "end", "answer"),
    [
        ("int32", {}, struct.pack(">I", 16 * MB), b"", b""),
        ("line", {"max_message": 16 * MB, "welcome": ""}, b"", b"\n", b"\n"),
        ("fragile", {"max_message": 16 * MB}, b"", b"\n", b"\n"),
        ("script", script("delimiter"), b"", b"\n", b"ok\n"),
        ("script", script("length"), struct.pack(">I", 7 * MB), b"", b"\0\0\0\x02ok"),
        ("script", {"framing": "fixed", "size": MB, "rules": [RULE]}, b"", b"", b"ok"),
        ("script", script("gap", gap=60_000), b"", b"", b""),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a12_unfinished_messages_of_tcp_share_the_budget(
    responder: str, options: Any, head: bytes, end: bytes, answer: bytes, desk: Desk, tape: Tape, budget: Budget
) -> None:
    size = 7 * MB if responder != "script" or options["framing"] != "fixed" else MB - 1
    peers = [Peer(await desk.start("tcp", responder, options=options)) for _ in range(2)]
    budget._most = size + MB // 2
    await peers[0].send(head + b"x" * (size - len(head)))
    await until(lambda: budget.total == size)
    await peers[1].send(head + b"x" * (3 * MB // 4))
    await peers[1].end()
    (event,) = tape.all("limit.reached")
    assert event.detail == {"limit": "unfinished_bytes", "value": budget._most}
    assert event.summary == f"{UNFINISHED_BYTES.reached(budget._most).text}: closing"
    assert (await closed(tape)).summary.startswith("closed by us: too much of unfinished messages")
    assert budget.total == size
    if end:
        await peers[0].send(end)
        await peers[0].expect(answer)
    else:
        peers[0].close()
    await until(lambda: not budget.total)


@pytest.mark.parametrize("protocol", ["tcp", "websocket"])
@pytest_twisted.ensureDeferred
async def test_a12_messages_that_wait_for_a_script_are_counted(
    protocol: str, desk: Desk, tape: Tape, budget: Budget
) -> None:
    options = script("length", rules=[SLOW]) if protocol == "tcp" else {"rules": [SLOW]}
    service = await desk.start(protocol, "script", options=options)
    peers = [Peer(service) for _ in range(2)]
    body = b"x" * (6 * MB)
    message = struct.pack(">I", len(body)) + body
    if protocol == "websocket":
        message = struct.pack(">BBQ4s", 0x81, 0xFF, len(body), bytes(4)) + body
        for peer in peers:
            peer.push(HANDSHAKE)
            await peer.expect(b"\r\n\r\n")
    await peers[0].send(message)
    await until(lambda: budget.total == 6 * MB)
    await peers[1].send(message)
    await peers[1].end()
    (event,) = tape.all("limit.reached")
    assert event.detail == {"limit": "unfinished_bytes", "value": 10 * MB}
    assert budget.total == 6 * MB
    await service.stop()
    await until(lambda: not budget.total)


@pytest_twisted.ensureDeferred
async def test_a12_large_heads_share_the_budget(desk: Desk, tape: Tape, budget: Budget) -> None:
    limits = {"field_bytes": 16 * MB}
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * MB  # a longer one is searched for its end again and again
    budget._most = 5 * MB // 2
    services = [await desk.start("http", "inspector", limits=limits), await desk.start("websocket", limits=limits)]
    peers = [Peer(service) for service in services * 2]
    for peer in peers[:2]:
        await peer.send(head)
    await until(lambda: budget.total > 2 * MB)
    for peer in peers[2:]:
        await peer.send(head)
        got = await peer.end()
        assert got.startswith(b"HTTP/1.1 503 ")
        assert UNFINISHED_BYTES.reached(budget._most).text[1:].encode() in got
    assert [e.detail["limit"] for e in tape.all("limit.reached")] == ["unfinished_bytes"] * 2
    await peers[0].send(b"\r\n\r\n")
    await peers[0].expect(b"HTTP/1.1 200 ")
    await until(lambda: budget.total < 5 * MB // 4)
    peers[1].close()
    await until(lambda: not budget.total)


class Endless(WebSocketServerProtocol):
    """Sends 3 MiB of a message of 16 MiB."""

    def onOpen(self) -> None:
        self.transport.write(struct.pack(">BBQ", 2, 127, 16 * MB) + bytes(3 * MB))


@pytest_twisted.ensureDeferred
async def test_a12_unfinished_messages_of_an_upstream_are_counted(desk: Desk, tape: Tape, budget: Budget) -> None:
    upstream = await desk.start("websocket", make=lambda: Endless)
    desk._made.clear()
    host, port = address(upstream)
    relay = await desk.start("websocket", "relay", options={"upstream": f"ws://{host}:{port}"})
    peers = [Peer(relay) for _ in range(4)]
    for peer in peers[:3]:
        peer.push(HANDSHAKE)
        await peer.expect(b"\r\n\r\n")
    await until(lambda: budget.total // MB == 9)  # and a little for each piece
    peers[3].push(HANDSHAKE)
    await until(lambda: tape.all("limit.reached"))
    (event,) = tape.all("limit.reached")
    assert event.summary == f"{TEXT}: closing"
    assert budget.total // MB == 9
    for peer in peers:
        peer.close()
    await until(lambda: not budget.total)
