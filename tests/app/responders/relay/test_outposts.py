"""app.responders.relay.outposts: upstreams that are services of outposts, which come, go and move."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import pytest_twisted

from app import events
from app.options import problems
from app.responders.relay.errors import UpstreamAwayError
from app.responders.relay.outposts import Located, locator, nowhere, reference
from app.responders.relay.responder import RESPONDER
from app.services.service import Service
from tests.app.responders.context import BareContext, build
from tests.app.responders.relay.test_balance import served
from tests.app.responders.relay.test_balanced_relayed import request
from tests.app.responders.relay.test_udp_relayed import Sender
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.app.services.websocket_frames import OPENING
from tests.helpers import until

ONE, TWO = "rack-1/echo", "rack-2/echo"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("rack-2/echo", ("rack-2", "echo")), (" rack-2/echo ", ("rack-2", "echo")), ("a b/c/d", ("a b", "c/d")),
        ("echo", None), ("/echo", None), ("rack-2/", None), ("127.0.0.1:80", None), ("a:1/x", None),
        ("http://a/b", None), ("http:/a", None), ("a/b\nc", None), ("", None),
    ],
)  # fmt: skip
def test_what_names_the_service_of_an_outpost(text: str, found: tuple[str, str] | None):
    assert reference(text) == found


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http", "websocket"])
def test_it_is_an_upstream_as_any_other_also_beside_others(protocol: str):
    other = {"http": "http://a:1", "websocket": "ws://a:1"}.get(protocol, "a:1")
    for given in ({"upstream": ONE}, {"upstreams": [ONE, other]}):
        assert list(problems(RESPONDER.options_for(protocol), given)) == []
    [(_, words)] = problems(RESPONDER.options_for(protocol), {"upstream": "nothing"})
    assert words.endswith("or outpost/service.")


def test_one_that_is_away_is_passed_over_and_is_back_as_soon_as_its_outpost_says_so():
    context = BareContext()
    context.located[ONE] = Located("10.0.0.1", 80)
    among = build("relay", "tcp", {"upstreams": [ONE, TWO]}, context).balance
    assert [served(among) for _ in range(4)] == [1] * 4
    context.located[TWO] = Located("10.0.0.2", 80)
    assert [served(among) for _ in range(4)] == [2, 1, 2, 1]
    del context.located[ONE]
    among.look()
    assert [member.reason for member in among.members] == ["it is stopped there", ""]
    assert [(kind, detail["upstream"]) for kind, detail in context.recorded] == [
        (events.UPSTREAM_FAILED, TWO), (events.UPSTREAM_RECOVERED, TWO), (events.UPSTREAM_FAILED, ONE),
    ]  # fmt: skip


def test_one_that_refused_before_its_outpost_said_that_it_stopped_does_not_wait_when_it_is_back():
    context = BareContext()
    context.located = {name: Located("10.0.0.1", port) for port, name in enumerate((ONE, TWO), 1)}
    among = build("relay", "tcp", {"upstreams": [ONE, TWO]}, context).balance
    assert served(among, 1) == 2
    among.look()
    assert "refused" in among.members[0].reason
    gone = context.located.pop(ONE)
    among.look()
    context.located[ONE] = gone
    assert {served(among), served(among)} == {1, 2}
    assert [kind for kind, _ in context.recorded] == [events.UPSTREAM_FAILED, events.UPSTREAM_RECOVERED]


def test_one_that_was_stopped_and_started_before_its_outpost_told_of_either_is_tried_again_at_once():
    context = BareContext()
    context.located = {name: Located("10.0.0.1", port) for port, name in enumerate((ONE, TWO), 1)}
    among = build("relay", "tcp", {"upstreams": [ONE, TWO]}, context).balance
    assert served(among, 1) == 2
    assert [served(among) for _ in range(3)] == [2, 2, 2]
    context.located[ONE] = replace(context.located[ONE], news=1)
    assert [served(among, 1) for _ in range(3)] == [2, 2, 2]  # once
    context.located[ONE] = replace(context.located[ONE], news=2)
    assert {served(among), served(among)} == {1, 2}


def test_a_watch_on_where_it_listens_now_counts():
    context = BareContext()
    context.located = {ONE: Located("10.0.0.1", 80), TWO: Located("10.0.0.2", 80)}
    context.down.add("10.0.0.1:80")
    among = build("relay", "tcp", {"upstreams": [ONE, TWO]}, context).balance
    assert [served(among) for _ in range(3)] == [2, 2, 2]
    context.located[ONE] = Located("10.0.0.1", 81)
    assert {served(among), served(among)} == {1, 2}


@pytest.mark.parametrize(("datagrams", "words"), [(True, "it is not a UDP service"), (False, "it is a UDP service")])
def test_a_service_of_the_other_transport_is_away(datagrams: bool, words: str):
    where = locator(ONE, lambda outpost, service: Located("10.0.0.1", 80, datagrams=not datagrams), datagrams=datagrams)
    with pytest.raises(UpstreamAwayError, match=words):
        where()


def test_a_program_that_reads_no_outposts_says_so():
    with pytest.raises(UpstreamAwayError, match="rack-1/echo is not reachable: no outposts are read here"):
        nowhere("rack-1", "echo")


# -- on sockets


class Outposts:
    """What is known of the services of outposts."""

    def __init__(self, desk: Desk) -> None:
        self.services: dict[str, Service] = {}
        desk.surroundings = replace(desk.surroundings, locate=self.locate)

    def locate(self, outpost: str, service: str) -> Located:
        found = self.services.get(f"{outpost}/{service}")
        if found is None:
            raise UpstreamAwayError(address=f"{outpost}/{service}", reason="its status there is stopped")
        return Located(*address(found), datagrams=found.config.protocol == "udp")


@pytest_twisted.ensureDeferred
async def test_tcp_follows_one_that_stops_and_comes_back_at_another_port(desk: Desk, tape: Tape):
    outposts = Outposts(desk)
    relay = await desk.start("tcp", "relay", options={"upstream": ONE})
    assert await Peer(relay).end() == b""
    for _ in range(2):
        outposts.services[ONE] = await desk.start("tcp", "echo")
        peer = Peer(relay)
        await peer.send(b"hello")
        await peer.expect(b"hello")
    assert [e.detail["upstream"] for e in tape.all("upstream.failed")] == [ONE]
    assert [service.opened for service in desk.services if service.config.responder == "echo"] == [1, 1]
    told = [e.summary for e in tape.all("log") if e.summary]
    assert any(line.startswith("rack-1/echo is not reachable: its status there is stopped") for line in told)


@pytest_twisted.ensureDeferred
async def test_tcp_with_tls_is_secured_where_it_is_now(desk: Desk):
    outposts = Outposts(desk)
    outposts.services[ONE] = await desk.start("tcp", "echo", tls={})
    relay = await desk.start("tcp", "relay", options={"upstream": ONE, "tls": True, "verify": False})
    peer = Peer(relay)
    await peer.send(b"hello")
    await peer.expect(b"hello")


@pytest.mark.parametrize("tls", [False, True])
@pytest_twisted.ensureDeferred
async def test_http_takes_no_kept_connection_to_where_it_was(desk: Desk, tape: Tape, tls: bool):
    outposts = Outposts(desk)
    relay = await desk.start("http", "relay", options={"upstream": ONE, "tls": tls, "verify": False})
    peer, places = Peer(relay), []
    await peer.send(request())
    assert b" 502 " in await peer.expect(b"outpost says that the service listens.\n")
    for _ in range(2):
        peer.got = b""
        outposts.services[ONE] = await desk.start("http", "inspector", tls={} if tls else None)
        places.append("{}:{}".format(*address(outposts.services[ONE])))
        await peer.send(request())
        await peer.expect(places[-1].encode())  # it answers with the headers: Host is where it was connected
    assert [one.config.responder for one in desk.services if one.opened] == ["relay", "inspector", "inspector"]
    assert [e.detail["upstream"] for e in tape.all("http.response") if e.detail.get("upstream")] == [ONE] * 2


@pytest_twisted.ensureDeferred
async def test_a_websocket_is_opened_where_it_is_now(desk: Desk):
    outposts = Outposts(desk)
    relay = await desk.start("websocket", "relay", options={"upstream": ONE})
    away = Peer(relay)
    await away.send(OPENING + b"\r\n")
    assert (await away.end()).startswith(b"HTTP/1.1 502 ")
    outposts.services[ONE] = await desk.start("websocket", "echo")
    peer = Peer(relay)
    await peer.send(OPENING + b"\r\n")
    assert b" 101 " in await peer.expect(b"\r\n\r\n")
    peer.close()
    await until(lambda: not relay.connections)
    assert [(member.open, member.served) for member in relay.upstreams()] == [(0, 1)]


@pytest_twisted.ensureDeferred
async def test_udp_follows_it_in_the_middle_of_a_clients_datagrams(desk: Desk, tape: Tape):
    outposts = Outposts(desk)
    relay = await desk.start("udp", "relay", options={"upstreams": [ONE, TWO]})
    sender = Sender(address(relay))
    with closing(sender.socket):
        sender.socket.setblocking(False)

        async def echoed(word: bytes) -> None:
            def pull() -> Any:
                try:
                    return sender.socket.recv(100)
                except BlockingIOError:
                    return None

            sender.send(word)
            assert await until(pull) == word

        sender.send(b"lost")
        await until(lambda: tape.all("upstream.failed"))
        outposts.services[ONE] = await desk.start("udp", "echo")
        await echoed(b"one")
        del outposts.services[ONE]
        outposts.services[TWO] = await desk.start("udp", "echo")
        await echoed(b"two")
        outposts.services[TWO] = await desk.start("udp", "echo")
        await echoed(b"moved")
        assert [member.open for member in relay.upstreams()] == [0, 1]
        await relay.stop()
    assert [service.opened for service in desk.services if service.config.responder == "echo"] == [1, 1, 1]
