"""One check on real sockets: targets that are well, silent, slow, endless, and that lie."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import DatagramProtocol, Protocol, ServerFactory
from twisted.internet.task import LoopingCall
from zope.interface import implementer

from app.sending.clients import scheme_for
from app.sending.url import parse
from app.services.own_checks import OwnChecks
from app.services.surroundings import Surroundings
from app.watch.certificates import too_old
from app.watch.check import MOST
from app.watch.config import WatchConfig
from app.watch.connections import Checking
from tests.app.services.tls_peers import at_home
from tests.helpers import closed_port, until


class Says(Protocol):
    """Sends pieces, each a moment after the one before, and closes, or stays."""

    def __init__(self, pieces: tuple[bytes, ...], *, closes: bool = False, after: bool = False) -> None:
        self._pieces, self._closes, self._after = list(pieces), closes, after
        self._call = LoopingCall(self._next)

    def connectionMade(self) -> None:
        if not self._after:
            self._call.start(0.002)

    def dataReceived(self, data: bytes) -> None:
        if self._after and not self._call.running:
            self._call.start(0.002)

    def _next(self) -> None:
        if self._pieces:
            self.transport.write(self._pieces.pop(0))
        else:
            self._call.stop()
            if self._closes:
                self.transport.loseConnection()

    def connectionLost(self, reason: Any) -> None:
        if self._call.running:
            self._call.stop()


@implementer(IPushProducer)
class Endless(Protocol):
    """Sends for ever, as fast as it is read."""

    head = b""
    going = True

    def connectionMade(self) -> None:
        self.transport.write(self.head)
        self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        self.transport.write(b"x" * 20_000)

    def pauseProducing(self) -> None:
        pass

    def stopProducing(self) -> None:
        pass


class EndlessAnswer(Endless):
    head = b"HTTP/1.1 200 OK\r\n\r\n"


def says(*pieces: bytes, **more: bool) -> Any:
    return lambda: Says(pieces, **more)


def page(body: bytes, status: bytes = b"200 OK", length: int | None = None) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body) if length is None else length, body)


@asynccontextmanager
async def target(make: Any):
    """A server whose protocol is what ``make`` returns; its port."""
    from twisted.internet import reactor

    factory = ServerFactory()
    made = []

    def build(_: Any) -> Any:
        made.append(make())
        return made[-1]

    factory.buildProtocol = build
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        yield port.getHost().port
    finally:
        await port.stopListening()
        for one in made:
            if one.transport:
                one.transport.abortConnection()


def config(url: str, **more: Any) -> WatchConfig:
    return WatchConfig("it", url, **{"timeout_seconds": 20.0} | more)


SOON = {"timeout_seconds": 0.15}

CASES = {
    "accepts": (says(), "tcp", {}, ""),
    "greets": (says(b"220 ready\r\n"), "tcp", {"expect": "220"}, ""),
    "answers in pieces": (says(b"P", b"O", b"N", b"G", after=True), "tcp", {"send": "PING", "expect": "PONG"}, ""),
    "answers in pieces, and closes": (says(b"PO", b"NG", closes=True), "tcp", {"expect": "PONG"}, ""),
    "pieces and a pattern": (says(*(b"%d" % i for i in range(10))), "tcp", {"expect_regex": "^0.*9$"}, ""),
    "both": (says(b"PONG"), "tcp", {"expect": "PO", "expect_regex": "NG$"}, ""),
    "never answers": (says(), "tcp", {"send": "PING", "expect": "PONG", **SOON}, "PLACE did not answer within 0.15 s"),
    "says something else": (
        says(b"ERR no\r\n"), "tcp", {"expect": "PONG", **SOON},
        "“PONG” did not come from PLACE within 0.15 s: it sent “ERR no\\r\\n”",
    ),
    "says something else and closes": (
        says(b"ERR", closes=True), "tcp", {"expect": "PONG"},
        "PLACE closed the connection before “PONG” came: it sent “ERR”",
    ),
    "does not match": (
        says(b"ERR", closes=True), "tcp", {"expect_regex": "PO+"},
        "PLACE closed the connection before a match of “PO+” came: it sent “ERR”",
    ),
    "answers endlessly": (Endless, "tcp", {"expect": "PONG"}, "“PONG” is not in the first 262 kB of what came"),
    "no page": (says(page(b"", b"404 Not Found")), "http", {}, "PLACE answered with status 404, not 200..299"),
    "a page": (says(page(b"all well")), "http", {"expect": "well"}, ""),
    "a status that is wanted": (says(page(b"", b"404 Not Found")), "http", {"expect_status": "404"}, ""),
    "another page": (
        says(page(b"sorry")), "http", {"expect": "well"}, "“well” is not in the answer: it sent “sorry”"
    ),
    "a page that lacks its end": (
        says(page(b"all", length=10), closes=True), "http", {},
        "PLACE closed the connection in the middle of its answer, after 3 bytes",
    ),
    "a page that does not end": (
        says(page(b"all", length=10)), "http", SOON, "the answer of PLACE did not end within 0.15 s"
    ),
    "a page that is found before its end": (says(page(b"all", length=10)), "http", {"expect": "all"}, ""),
    "a page without end": (EndlessAnswer, "http", {}, ""),
    "no http": (says(b"220 ready\r\n"), "http", {}, "PLACE does not speak HTTP"),
    "hangs up": (says(closes=True), "http", {}, "PLACE closed the connection before it answered"),
    "no websocket": (says(page(b"hi"), after=True), "ws", {}, "PLACE did not open a WebSocket"),
    "no tls": (says(b"220 ready\r\n"), "tls", {}, "PLACE does not speak TLS"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest_twisted.ensureDeferred
async def test_finds_what_a_target_does(name, checking, tape):
    make, scheme, more, words = CASES[name]
    async with target(make) as port:
        url = parse(f"{scheme}://127.0.0.1:{port}")
        result = await checking.check(config(url.text, **more), url)
    assert result.ok == (not words), result
    assert result.reason.startswith(words.replace("PLACE", f"127.0.0.1:{port}"))
    assert result.ok or words
    assert result.milliseconds > 0
    [opened] = tape.all("connection.opened")
    assert result.conn == opened.conn
    assert len(tape.all("connection.closed")) == 1  # before it says so
    assert len(tape.data("data.received")) < MOST + 200_000
    assert tape.all("failure") == []


@pytest_twisted.ensureDeferred
async def test_nothing_listens(checking):
    with closed_port() as port:
        result = await checking.check(config(f"tcp://127.0.0.1:{port}"), parse(f"tcp://127.0.0.1:{port}"))
    assert not result.ok
    assert result.reason.startswith(f"127.0.0.1:{port} refused the connection: nothing listens there")


@pytest_twisted.ensureDeferred
async def test_no_such_name(checking):
    url = parse("tcp://nobody.invalid:1")
    result = await checking.check(config(url.text), url)
    assert result.reason.startswith("No address is known for the name nobody.invalid")


@pytest_twisted.ensureDeferred
async def test_datagrams(desk, checking):
    echo = await desk.start("udp")
    url = parse(f"udp://{echo.status.host}")
    assert (await checking.check(config(url.text, send="PING"), url)).ok
    assert (await checking.check(config(url.text, send="PING", expect="PING"), url)).ok
    result = await checking.check(config(url.text, send="PING", expect="PONG", **SOON), url)
    assert result.reason == f"“PONG” did not come from {echo.status.host} within 0.15 s: it sent “PING”"

    class Silent(DatagramProtocol):
        pass

    port = desk.reactor.listenUDP(0, Silent(), interface="127.0.0.1")
    place = f"127.0.0.1:{port.getHost().port}"
    result = await checking.check(config("", send="x", **SOON), parse(f"udp://{place}"))
    assert result.reason == f"{place} did not answer within 0.15 s"
    await port.stopListening()
    result = await checking.check(config("", send="x"), parse(f"udp://{place}"))
    assert result.reason.startswith(f"{place} refused")


@pytest_twisted.ensureDeferred
async def test_websockets_are_closed_in_good_order(desk, checking, tape):
    echo = await desk.start("websocket")
    url = parse(f"ws://{echo.status.host}")
    for more in ({}, {"send": "PING", "expect": "PING"}):
        assert (await checking.check(config(url.text, **more), url)).ok
    assert [e.detail["clean"] for e in tape.all("ws.closed")] == [True] * 4
    result = await checking.check(config(url.text, send="PING", expect="PONG", **SOON), url)
    assert not result.ok


@pytest_twisted.ensureDeferred
async def test_certificates(desk, checking, tmp_path):
    """Ours are for 365 days."""
    at_home(desk, tmp_path)
    service = await desk.start("http", "inspector", tls={})
    url = parse(f"https://{service.status.host}")
    result = await checking.check(config(url.text, certificate_days=30), url)
    assert result.ok
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", result.expires)
    result = await checking.check(config(url.text, certificate_days=400), url)
    assert re.fullmatch(
        rf"the certificate of {url.address} expires in 36[45] days, on [\d-]+ [\d:]+ UTC", result.reason
    )
    url = parse(f"tls://localhost:{url.port}")
    assert (await checking.check(config(url.text, certificate_days=400), url)).reason.startswith("the certificate of")


@pytest_twisted.ensureDeferred
async def test_a_certificate_that_nobody_trusts(desk, checking, tmp_path):
    at_home(desk, tmp_path / "elsewhere")
    service = await desk.start("tcp", tls={})
    url = parse(f"tls://{service.status.host}")
    result = await checking.check(config(url.text), url)
    assert result.reason.startswith(f"{url.address} is not trusted: the server's certificate ")
    assert "--insecure" not in result.reason


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("left", "days", "words"),
    [
        (timedelta(days=30), 14, ""),
        (timedelta(days=14), 14, ""),
        (timedelta(seconds=1), 0, ""),
        (timedelta(days=13), 14, "the certificate of here:1 expires in 13 days, on 2026-12-12 12:00 UTC"),
        (timedelta(hours=30), 14, "the certificate of here:1 expires in 30 hours, on 2026-11-30 18:00 UTC"),
        (timedelta(days=-1), 0, "the certificate of here:1 has expired, on 2026-11-28 12:00 UTC"),
    ],
)
def test_when_a_certificate_expires_is_said(left, days, words):
    assert too_old(NOW + left, days, "here:1", NOW) == words


@pytest_twisted.ensureDeferred
async def test_one_that_is_given_up_leaves_no_connection(checking):
    async with target(says()) as port:
        url = parse(f"tcp://127.0.0.1:{port}")
        check = checking.check(config(url.text, expect="x"), url)
        await until(lambda: checking.sender.connections)
        check.cancel()
        with pytest.raises(CancelledError):
            await check
        await until(lambda: not checking.sender.connections)
    assert not checking.sender.conversations


@pytest.mark.parametrize("scheme", ["tcp", "tls", "http", "https", "ws", "wss"])
@pytest.mark.parametrize("connected", [False, True])
@pytest_twisted.ensureDeferred
async def test_one_that_is_given_up_has_no_result(scheme, connected, checking):
    async with target(says()) as port:
        url = parse(f"{scheme}://127.0.0.1:{port}")
        check = checking.check(config(url.text, expect="x"), url)
        if connected:
            await until(lambda: checking.sender.connections)
        check.cancel()
        with pytest.raises(CancelledError):
            await check
        await until(lambda: not checking.sender.connections)


@pytest_twisted.ensureDeferred
async def test_many_bytes_one_by_one_are_not_looked_through_for_each(checking, monkeypatch):
    from app.text.patterns import Pattern

    looks = []
    found_in = Pattern.found_in
    monkeypatch.setattr(Pattern, "found_in", lambda self, data: looks.append(len(data)) or found_in(self, data))
    from twisted.internet.task import Clock

    from app.watch.expecting import Expecting

    clock, found = Clock(), []
    expecting = Expecting(clock, replace(config(""), expect_regex="z"), lambda: found.append(True))
    for _ in range(1000):
        expecting.take(b"a", apart=False)
    clock.advance(1)
    expecting.take(b"z", apart=False)
    expecting.stop()
    assert len(looks) == 3
    assert found == [True]
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize("protocol", ["tcp", "udp", "http", "websocket"])
@pytest_twisted.ensureDeferred
async def test_a_service_of_ours_knows_the_check_among_its_peers(protocol, desk, checking, tape, tmp_path):
    checks = OwnChecks()
    desk.surroundings = Surroundings(tmp_path, tmp_path / "data", checks=checks)
    service = await desk.start(protocol, "inspector" if protocol == "http" else "echo", host="0.0.0.0")
    checking = Checking(desk.reactor, desk.recorder, tmp_path / "data", checks=checks)
    here = service.status.host.replace("0.0.0.0", "127.0.0.1")
    url = parse(f"{scheme_for(protocol, tls=False)}://{here}")
    for target_ in ("its name", url.text):
        send = "" if protocol == "http" else "PING"
        result = await checking.check(WatchConfig("me", target_, send=send, expect=send, timeout_seconds=20), url)
        assert result.ok, result
    await until(lambda: len(tape.all("connection.opened")) == 4)
    assert [e.detail.get("watch") for e in tape.all("connection.opened")] == ["me"] * 4
    assert {e.service for e in tape.all("connection.opened")} == {service.number, checking.sender.number}
    assert checks.of("tcp", here) == ""
    assert not checks._watches
    await checking.sender.close(1)


@pytest_twisted.ensureDeferred
async def test_a_check_is_no_client_of_a_service_and_leaves_no_peer(desk, tape, tmp_path):
    """Only the newest flow of a watch stays: each of its checks comes from another port."""
    checks = OwnChecks()
    desk.surroundings = Surroundings(tmp_path, tmp_path / "data", checks=checks)
    silent, grams = await desk.start("tcp", "discard"), await desk.start("udp")
    checking = Checking(desk.reactor, desk.recorder, tmp_path / "data", checks=checks)
    check = checking.check(config("x", expect="never"), parse(f"tcp://{silent.status.host}"))
    [own] = await until(lambda: silent.connections.values())
    assert silent.clients() == []
    assert own.peer
    check.cancel()
    with pytest.raises(CancelledError):
        await check
    for _ in range(3):
        assert (await checking.check(config("", send="x"), parse(f"udp://{grams.status.host}"))).ok
    assert len(grams.connections) == 1
    await checking.sender.close(1)
