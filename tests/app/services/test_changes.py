"""Services that take other options while they run, on real sockets."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import h2.events
import pytest
import pytest_twisted
from twisted.internet.protocol import ServerFactory

from app.options import Option, with_defaults
from app.responders import Responder, add, errors, remove
from app.responders.echo import Echo
from app.responders.trial import Message, Request
from app.services.changes import live_changes
from app.services.config import ServiceConfig
from app.services.errors import OptionWrongError, ResponderBrokenError
from app.services.http import port
from app.services.service import Service
from app.services.settings import HTTP
from app.status import Failed, Stopped
from tests.app.responders.context import build
from tests.app.services.h2_peer import H2Peer
from tests.app.services.helpers import Desk, Peer, Tape, address
from tests.app.services.websocket_frames import FINAL, TEXT, Raw, frame
from tests.helpers import until


def changed(service: Service, **options: Any) -> bool:
    """Give a service these options and take the others away; whether it took them without a restart."""
    return service.apply(replace(service.config, options=options))


async def ask(peer: Peer, path: str = "/", *headers: str, ends: bytes) -> bytes:
    """What answers on a connection that stays open; ``ends`` is the end of the answer."""
    peer.got.clear()
    lines = (f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", "")
    peer.push("\r\n".join(lines).encode())
    return await peer.expect(ends)


# -- HTTP


@pytest_twisted.ensureDeferred
async def test_a_mock_answers_an_open_connection_by_its_new_rules(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "mock", options={"rules": [{"path": "/a", "body": "old"}]})
    peer = Peer(service)
    await ask(peer, "/a", ends=b"old")
    assert changed(service, rules=[{"path": "/a", "body": "new"}], otherwise=410)
    await ask(peer, "/a", ends=b"new")
    assert b"410 Gone" in await ask(peer, "/c", ends=b"]\n}\n")
    assert service.hits() == (2,)
    assert [log.summary for log in tape.all("log")] == ["changed while it runs: rules, otherwise"]
    assert tape.all("log")[0].detail == {"changed": ["rules", "otherwise"]}
    assert len(tape.all("connection.opened")) == 1


@pytest_twisted.ensureDeferred
async def test_options_of_every_http_service_hold_from_the_next_request_on(desk: Desk) -> None:
    """And what the responder holds stays: that of ``rest`` is in memory."""
    service = await desk.start("http", "rest")
    peer = Peer(service)
    body = b'{"a": 1}'
    peer.push(
        b"PUT /things/1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (len(body), body)
    )
    await peer.expect(b"201 Created")
    await until(lambda: b"\r\n\r\n" in peer.pull().got and peer.got.rstrip().endswith(b"}"))
    assert changed(service, cors=["https://example.org"], fields=["X-Extra: yes"])
    got = await ask(peer, "/things/1", "Origin: https://example.org", ends=b"}")
    assert b"X-Extra: yes" in got
    assert b"Access-Control-Allow-Origin: https://example.org" in got
    assert changed(service, tokens=["secret"])
    assert b"401" in await ask(peer, "/things/1", ends=b"or a token.\n")
    assert b'"a"' in await ask(peer, "/things/1", "Authorization: Bearer secret", ends=b"}")
    assert changed(service)
    got = await ask(peer, "/things/1", ends=b"}")
    assert b"X-Extra" not in got
    assert changed(service, hosts=["local"])
    assert service.hits() == ()


def test_a_connection_of_http2_asks_the_new_resource_in_the_new_way(desk: Desk) -> None:
    old, new = build("mock", "http", {"rules": [{"body": "old"}]}), build("mock", "http", {"rules": [{"body": "new"}]})
    peer = H2Peer(desk, old)
    assert b"".join(data for data in bodies(peer, peer.ask())) == b"old"
    options = with_defaults(HTTP, {"tokens": ["secret"]})
    port._adapt(peer.tap.factory, port.RecordedSite(new, peer.clock, common=port.Common("x", options), http2=True))
    assert b"".join(bodies(peer, peer.ask())) == b"This service asks for a name and password, or a token.\n"
    assert b"".join(bodies(peer, peer.ask(("authorization", "Bearer secret")))) == b"new"


def bodies(peer: H2Peer, stream: int) -> list[bytes]:
    return [e.data for e in peer.events if isinstance(e, h2.events.DataReceived) and e.stream_id == stream]


@pytest_twisted.ensureDeferred
async def test_a_folder_is_exchanged_for_another(desk: Desk, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.txt").write_text(name)
    service = await desk.start("http", "static", options={"root": str(tmp_path / "one")})
    peer = Peer(service)
    await ask(peer, "/x.txt", ends=b"one")
    assert changed(service, root=str(tmp_path / "two"))
    await ask(peer, "/x.txt", ends=b"two")


# -- scripts


@pytest_twisted.ensureDeferred
async def test_a_script_takes_new_rules_on_open_connections(desk: Desk) -> None:
    service = await desk.start("tcp", "script", options={"rules": [{"then": ["send old"]}]})
    peer, other = Peer(service), Peer(service)
    peer.push(b"x")
    await peer.expect(b"old")
    assert changed(service, rules=[{"when": "text", "match": "x", "then": ["send new"]}])
    for one in (peer, other):
        one.push(b"x")
        await one.expect(b"new")
    assert service.hits() == (3,)
    await service.stop()
    assert service.hits() == (3,)
    await service.start()
    assert service.hits() == (0,)


@pytest_twisted.ensureDeferred
async def test_a_websocket_script_does_so_too(desk: Desk) -> None:
    service = await desk.start("websocket", "script", options={"rules": [{"then": ["send old"]}]})
    peer = Raw(service)
    await peer.open()
    peer.say(frame(TEXT, b"x"))
    await until(lambda: len(peer.frames()) == 1)
    assert service.apply(
        replace(service.config, options={"rules": [{"then": ["send new"]}]}, limits={"ping_seconds": 60.0})
    )
    peer.say(frame(TEXT, b"x"))
    later = Raw(service)
    await later.open()
    later.say(frame(TEXT, b"x"))
    await until(lambda: len(peer.frames()) == 2 and later.frames())
    assert peer.frames() == [(FINAL | TEXT, b"old"), (FINAL | TEXT, b"new")]
    assert later.frames() == [(FINAL | TEXT, b"new")]
    assert service.hits() == (3,)


@pytest_twisted.ensureDeferred
async def test_a_udp_script_does_so_too(desk: Desk) -> None:
    service = await desk.start("udp", "script", options={"rules": [{"then": ["send old"]}]})
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setblocking(False)

        async def said() -> bytes:
            client.sendto(b"x", address(service))
            return bytes(await until(lambda: _received(client)))

        assert await said() == b"old"
        assert changed(service, rules=[{"then": ["send new"]}])
        assert await said() == b"new"
    assert service.hits() == (2,)
    assert len(service.connections) == 1


def _received(client: socket.socket) -> bytes | None:
    try:
        return client.recv(100)
    except BlockingIOError:
        return None


# -- other services


@pytest_twisted.ensureDeferred
async def test_a_banner_is_new_for_new_connections(desk: Desk) -> None:
    service = await desk.start("tcp", "banner", options={"text": "old"})
    first = Peer(service)
    await first.expect(b"old")
    assert changed(service, text="new")
    await Peer(service).expect(b"new")
    assert not first.pull().ended


@pytest_twisted.ensureDeferred
async def test_limits_hold_for_the_next_connection(desk: Desk) -> None:
    service = await desk.start()
    first = Peer(service)
    first.push(b"x")
    await first.expect(b"x")
    assert service.apply(replace(service.config, limits={"connections": 1, "idle_seconds": 0.2}))
    assert await Peer(service).end() == b""
    first.push(b"y")
    await first.expect(b"xy")
    assert service.apply(replace(service.config, limits={}))
    second = Peer(service)
    second.push(b"x")
    await second.expect(b"x")


@pytest_twisted.ensureDeferred
async def test_a_silence_that_is_watched_from_now_on_ends_connections(desk: Desk) -> None:
    service = await desk.start()
    assert service.apply(replace(service.config, limits={"idle_seconds": 0.1}))
    peer = Peer(service)
    assert await peer.end() == b""
    peer = Peer(service)
    assert service.apply(replace(service.config, limits={}))
    peer.push(b"x")
    await peer.expect(b"x")


@pytest_twisted.ensureDeferred
async def test_datagrams_are_limited_from_the_next_on(desk: Desk, tape: Tape) -> None:
    service = await desk.start("udp")
    assert service.apply(replace(service.config, limits={"message_bytes": 3}))
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.sendto(b"long", address(service))
        await until(lambda: tape.all("limit.reached"))
    assert not tape.all("datagram.sent")


@pytest_twisted.ensureDeferred
async def test_clients_of_a_broadcast_hear_each_other_before_and_after_a_change(desk: Desk) -> None:
    service = await desk.start("websocket", "broadcast")
    before = Raw(service)
    await before.open()
    assert changed(service, subprotocols=["chat"])
    after = Raw(service)
    await after.open(b"Sec-WebSocket-Protocol: other, chat\r\n")
    after.say(frame(TEXT, b"x"))
    await until(before.frames)
    before.say(frame(TEXT, b"y"))
    await until(after.frames)
    assert (before.frames(), after.frames()) == ([(FINAL | TEXT, b"x")], [(FINAL | TEXT, b"y")])
    assert not changed(service, echo=True)  # which the broadcast does not take


# -- what needs a restart, or is wrong


@pytest.mark.parametrize(
    ("more", "changes"),
    [
        ({}, ()),
        ({"autostart": True}, ()),
        ({"options": {"rules": [], "otherwise": 404}}, ()),  # the defaults, written down
        ({"options": {"otherwise": 500, "cors": ["*"]}, "limits": {"message_bytes": 9}},
         ("otherwise", "cors", "message_bytes")),
        ({"name": "b"}, None),
        ({"port": 1}, None),
        ({"host": "127.0.0.2"}, None),
        ({"tls": {}}, None),
        ({"socket": {"no_delay": False}}, None),
        ({"responder": "inspector"}, None),
    ],
)  # fmt: skip
def test_only_options_and_limits_change_while_it_runs(more: dict[str, Any], changes: Any) -> None:
    old = ServiceConfig("a", "http", "127.0.0.1", 0, "mock")
    assert live_changes(old, replace(old, **more)) == changes


def test_an_option_that_is_not_live_needs_a_restart() -> None:
    old = ServiceConfig("a", "tcp", "127.0.0.1", 0, "script")
    assert live_changes(old, replace(old, options={"framing": "gap", "rules": []})) is None
    group = ServiceConfig("a", "udp", "127.0.0.1", 0, "echo")
    assert live_changes(group, replace(group, options={"broadcast": True})) is None


@pytest_twisted.ensureDeferred
async def test_what_is_wrong_is_refused_and_the_last_good_rules_answer(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "mock", options={"rules": [{"body": "good"}]})
    peer, before = Peer(service), service.config
    with pytest.raises(OptionWrongError, match="The option rules of mock number 1: status must be at least 200"):
        changed(service, rules=[{"status": 1}])
    assert service.config is before
    await ask(peer, ends=b"good")
    assert not tape.all("log")


@pytest_twisted.ensureDeferred
async def test_a_responder_that_cannot_be_built_anew_answers_as_before(desk: Desk, tape: Tape) -> None:
    def lucky(options: Any, context: Any) -> Any:
        if options["size"] == 13:
            raise ValueError("no luck")
        return ServerFactory.forProtocol(Echo)

    add(Responder("lucky", "", {"tcp": lucky}, (Option("size", int, 0, "Size", live=True),)))
    try:
        service = await desk.start("tcp", "lucky")
        with pytest.raises(ResponderBrokenError, match="no luck"):
            changed(service, size=13)
        assert service.config.options == {}
        assert len(tape.all("failure")) == 1
        peer = Peer(service)
        peer.push(b"x")
        await peer.expect(b"x")
        assert changed(service, size=12)
    finally:
        remove("lucky")


@pytest_twisted.ensureDeferred
async def test_a_service_that_does_not_run_takes_any_change_of_its_own(desk: Desk) -> None:
    service = desk.service("tcp", "script", host="192.0.2.1", options={"rules": [{}, {}]})
    assert service.hits() == (0, 0)
    assert isinstance(await service.start(), Failed)
    assert service.apply(replace(service.config, host="127.0.0.1"))
    assert service.status == Stopped()
    assert not service.apply(replace(service.config, name="other"))
    assert not service.apply(replace(service.config, protocol="udp"))
    await service.start()
    assert address(service)[0] == "127.0.0.1"


# -- trials


@pytest_twisted.ensureDeferred
async def test_a_trial_counts_from_where_the_service_is_and_counts_nothing(desk: Desk) -> None:
    rules = [{"path": "/a", "times": 1, "body": "first"}, {"body": "{{call}}", "template": True}]
    service = await desk.start("http", "mock", options={"rules": rules})
    assert (await service.trial(Request("GET", "/a"))).rule == 0
    peer = Peer(service)
    await ask(peer, "/a", ends=b"first")
    for _ in range(2):
        found = await service.trial(Request("GET", "/a"))
        assert (found.rule, found.answer.body) == (1, b"1")
    moved = {"rules": [rules[1], {**rules[0], "times": 2}]}
    assert (await service.trial(Request("GET", "/a"), moved)).answer.body == b"1"
    turned = {"rules": [{**rules[0], "times": 2}]}
    assert (await service.trial(Request("GET", "/a"), turned)).rule == 0
    assert service.hits() == (1, 0)
    assert (await desk.service("http", "mock").trial(Request())).rule is None


_OF_ALL = {"tokens": ["secret"], "cors": ["https://example.org"], "fields": ["X-Extra: yes"], "hosts": ["local"]}


@pytest.mark.parametrize(
    ("asked", "status", "rule"),
    [
        (Request("GET", "/a", (("Host", "localhost"),)), 401, None),
        (Request("GET", "/a", (("Host", "localhost"), ("Authorization", "Bearer secret"))), 200, 0),
        (Request("GET", "/b", (("Host", "x.localhost"), ("Authorization", "Bearer secret"))), 404, None),
        (Request("GET", "/a", (("Host", "example.org"), ("Authorization", "Bearer secret"))), 421, None),
        (Request("GET", "http://example.org/a", (("Host", "localhost"),)), 421, None),
        (
            Request("OPTIONS", "/a", (
                ("Host", "localhost"), ("Origin", "https://example.org"), ("Access-Control-Request-Method", "PUT"),
            )), 204, None,
        ),
        (Request("GET", "/a", (
            ("Host", "localhost"), ("Origin", "https://example.org"), ("Authorization", "Bearer secret"),
        )), 200, 0),
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_a_trial_has_what_the_options_of_every_http_service_do(
    asked: Request, status: int, rule: int | None, desk: Desk
) -> None:
    service = await desk.start("http", "mock", options={"rules": [{"path": "/a", "body": "x"}], **_OF_ALL})
    found = await service.trial(asked)
    assert (found.rule, found.answer.status) == (rule, status)
    peer = Peer(service)
    lines = (f"{asked.method} {asked.target} HTTP/1.1", *(f"{name}: {value}" for name, value in asked.headers), "", "")
    peer.push("\r\n".join(lines).encode())
    got = await peer.expect(found.answer.body or b"\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    assert first == f"HTTP/1.1 {status} {found.answer.reason}"
    assert body == found.answer.body
    assert without_date(found.answer.headers) == without_date(tuple(field.split(": ", 1)) for field in fields)


def without_date(headers: Any) -> list[Any]:
    return sorted(header for header in headers if header[0] != "Date")


@pytest_twisted.ensureDeferred
async def test_a_trial_of_a_script_is_on_the_next_connection(desk: Desk) -> None:
    rules = [{"when": "connected", "nth": 2, "then": ["send two"]}, {"then": ["send {{conn}}"]}]
    service = await desk.start("tcp", "script", options={"rules": rules})
    peer = Peer(service)
    peer.push(b"x")
    await peer.expect(1)
    assert (await service.trial(Message(when="connected", nth=0))).rule == 0
    assert (await service.trial(Message(b"x"))).steps[0].sends == b"2"
    with pytest.raises(errors.NoRulesError):
        await desk.service().trial(Message())
