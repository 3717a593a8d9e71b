"""app.responders.relay.responder on WebSocket, with the ``websockets`` package on the client's side."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.utils import getProcessOutputAndValue

from app.responders.relay.upstream import Upstream
from tests.app.responders.relay.test_responder import at, free_ports
from tests.app.services.helpers import Desk, Peer, Tape
from tests.app.services.websocket_frames import OPENING, Raw
from tests.helpers import closed_port, until

CLIENT = """
import json, sys
from websockets.sync.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
found = {"got": []}
try:
    with connect(sys.argv[1], subprotocols=json.loads(sys.argv[2]) or None, max_size=None, open_timeout=20) as ws:
        found["subprotocol"] = ws.subprotocol
        for message in json.loads(sys.argv[3]):
            ws.send(message)
            found["got"].append(ws.recv(timeout=20))
        big = bytes(range(256)) * 20_000
        ws.send(big)
        found["big"] = ws.recv(timeout=20) == big
        found["pong"] = ws.ping(b"are you there").wait(20)
        ws.close(int(sys.argv[4]), "bye")
        found["code"] = ws.close_code
except InvalidStatus as e:
    found["status"] = e.response.status_code
    found["reason"] = (e.response.body or b"").decode()
except ConnectionClosed as e:
    found["closed"] = [e.rcvd.code, e.rcvd.reason] if e.rcvd else None
print(json.dumps(found))
"""


async def client(desk: Desk, service: Any, protocols: Any = (), messages: Any = (), code: int = 1000) -> Any:
    arguments = ["-c", CLIENT, f"ws://{at(service)}/", json.dumps(protocols), json.dumps(messages), str(code)]
    out, err, status = await getProcessOutputAndValue(sys.executable, arguments, env=os.environ, reactor=desk.reactor)
    assert status == 0, err.decode()
    return json.loads(out)


async def relayed(desk: Desk, responder: str = "echo", options: Any = None, **more: Any) -> Any:
    upstream = await desk.start("websocket", responder, options=options or {})
    return await desk.start("websocket", "relay", options={"upstream": f"ws://{at(upstream)}/there?x=1", **more})


@pytest_twisted.ensureDeferred
async def test_messages_pings_and_close_codes_pass(desk: Desk, tape: Tape):
    service = await relayed(desk)
    found = await client(desk, service, messages=["hello", "wörld"], code=3210)
    assert found["got"] == ["hello", "wörld"]
    assert found["big"]
    assert found["pong"]
    assert found["code"] == 3210
    upstream, relay = desk.services[0].number, service.number
    await until(lambda: len(tape.all("ws.closed")) == 2)
    assert {e.detail["their_code"] for e in tape.all("ws.closed")} == {3210}
    assert [e.detail["target"] for e in tape.all("ws.opened") if e.service == upstream] == ["/there?x=1"]
    pings = [e for e in tape.all("ws.message") if e.service == upstream and e.detail["opcode"] == "ping"]
    assert [e.payload for e in pings] == [b"are you there"]
    outgoing = [e.conn for e in tape.all("connection.opened") if e.detail.get("outgoing") and e.service == relay]
    assert b"101 Switching" in tape.data("data.received", outgoing[0])


@pytest_twisted.ensureDeferred
async def test_c7_path_and_query_are_passed_on(desk: Desk, tape: Tape):
    upstream = await desk.start("websocket", "echo")
    service = await desk.start("websocket", "relay", options={"upstream": f"ws://{at(upstream)}/base"})
    peer = Raw(service)
    peer.say(OPENING.replace(b"/chat?x=1", b"/chat/7?token=x") + b"\r\n")
    await until(lambda: len(tape.all("ws.opened")) == 2)
    seen = {e.service: e.detail["target"] for e in tape.all("ws.opened")}
    assert seen == {upstream.number: "/base/chat/7?token=x", service.number: "/chat/7?token=x"}
    peer.reset()


@pytest_twisted.ensureDeferred
async def test_the_upstream_chooses_the_subprotocol(desk: Desk):
    service = await relayed(desk, options={"subprotocols": ["two"]})
    found = await client(desk, service, ["one", "two"])
    assert found["subprotocol"] == "two"
    found = await client(desk, service)
    assert found["subprotocol"] is None


@pytest_twisted.ensureDeferred
async def test_what_the_upstream_refuses_is_refused(desk: Desk, tape: Tape):
    upstream = await desk.start("http", "inspector")
    service = await desk.start("websocket", "relay", options={"upstream": f"ws://{at(upstream)}"})
    found = await client(desk, service)
    assert found["status"] == 502
    assert any("The connection to ws://" in e.summary for e in tape.all("log"))


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_is_not_there_is_502_in_words(desk: Desk, tape: Tape):
    with closed_port() as port:
        service = await desk.start("websocket", "relay", options={"upstream": f"ws://127.0.0.1:{port}"})
        found = await client(desk, service)
    assert found["status"] == 502
    assert any("refused the connection" in e.summary for e in tape.all("log"))


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_says_nothing_is_504_in_words(desk: Desk, tape: Tape):
    silent = await desk.start("tcp", "discard")
    service = await desk.start("websocket", "relay", options={"upstream": f"ws://{at(silent)}", "connect_seconds": 0.1})
    found = await client(desk, service)
    assert found["status"] == 504
    assert found["reason"].startswith(f"ws://{at(silent)} did not answer within 0.1 s. ")
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_client_is_not_timed_while_its_upstream_is_waited_for(desk: Desk, tape: Tape):
    silent = await desk.start("tcp", "discard")
    service = await desk.start("websocket", "relay", options={"upstream": f"ws://{at(silent)}"})
    peer = Peer(service)
    peer.push(OPENING + b"\r\n")
    await until(lambda: tape.all("data.received"))
    protocols = [connection.wrappedProtocol for connection in service.connections.values()]
    assert [p.openHandshakeTimeoutCall for p in protocols if p.factory.isServer] == [None]
    peer.reset()


@pytest_twisted.ensureDeferred
async def test_a_relay_that_is_stopped_closes_the_connection_whose_handshake_it_waits_for(desk: Desk, tape: Tape):
    silent = await desk.start("tcp", "discard")
    service = await desk.start("websocket", "relay", options={"upstream": f"ws://{at(silent)}"})
    peer = Peer(service)
    peer.push(OPENING + b"\r\n")
    await until(lambda: silent.connections)
    await service.stop()
    await until(lambda: not silent.connections and not service.connections)


@pytest_twisted.ensureDeferred
async def test_a_relay_that_is_stopped_ends_its_attempt_to_reach_the_upstream(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tape: Tape
):
    connecting = Deferred[Any]()
    monkeypatch.setattr(Upstream, "connect", lambda self, factory: connecting)
    service = await desk.start("websocket", "relay", options={"upstream": "ws://127.0.0.1:9"})
    peer = Peer(service)
    peer.push(OPENING + b"\r\n")
    await until(lambda: tape.all("data.received"))
    await service.stop()
    await until(lambda: connecting.called)
    assert not service.connections


@pytest_twisted.ensureDeferred
async def test_a_relay_to_itself_ends(desk: Desk, tape: Tape):
    [port] = free_ports(1)
    service = await desk.start("websocket", "relay", port=port, options={"upstream": f"ws://127.0.0.1:{port}"})
    found = await client(desk, service)
    assert found["status"] == 508
    assert any("leads back to this relay" in e.summary for e in tape.all("log"))


@pytest_twisted.ensureDeferred
async def test_an_upstream_on_tls(desk: Desk):
    upstream = await desk.start("websocket", "echo", tls={})
    service = await desk.start("websocket", "relay", options={"upstream": f"wss://{at(upstream)}", "verify": False})
    assert (await client(desk, service, messages=["hi"]))["got"] == ["hi"]


@pytest_twisted.ensureDeferred
async def test_an_upstream_on_tls_that_is_not_trusted_is_502_in_words(desk: Desk, tape: Tape):
    upstream = await desk.start("websocket", "echo", tls={})
    desk.surroundings = type(desk.surroundings)(data=desk.surroundings.data / "elsewhere")
    service = await desk.start("websocket", "relay", options={"upstream": f"wss://{at(upstream)}"})
    found = await client(desk, service)
    assert found["status"] == 502
    assert " is not trusted: the server's certificate (" in found["reason"]
    assert any(e.summary.endswith("set the option verify to false.") for e in tape.all("log"))
