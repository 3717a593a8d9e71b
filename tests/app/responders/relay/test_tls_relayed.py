"""The relay with TLS on either side, or both: ends that come early, late or wrong, and certificates."""

from __future__ import annotations

import contextlib
import os
import ssl
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from zope.interface import implementer

from app.services.tls import transport as tls_transport
from tests.app.responders.relay.test_responder import at
from tests.app.services.helpers import Desk, Peer, Tape
from tests.app.services.tls_peers import SecurePeer, at_home, certificate, pem, trusting
from tests.helpers import until


@pytest.fixture(autouse=True)
def _at_home(desk: Desk, tmp_path: Path) -> None:
    at_home(desk, tmp_path)


@implementer(IHalfCloseableProtocol)
class Late(Protocol):
    """Answers some time after its peer has half-closed, and closes."""

    def connectionMade(self) -> None:
        self.got = b""

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def readConnectionLost(self) -> None:
        self.factory.clock.callLater(0.3, self._answer)  # type: ignore[union-attr]

    def _answer(self) -> None:
        self.transport.write(b"you sent %d" % len(self.got))  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        """Its own half-close."""


async def late(desk: Desk, **more: Any) -> Any:
    factory: Any = Factory.forProtocol(Late)
    factory.clock = desk.reactor
    return await answering(desk, factory, **more)


async def answering(desk: Desk, factory: Any, **more: Any) -> Any:
    """Start a service that uses ``factory``. Services that are started later use their own responders."""
    from app import responders
    from app.services import service

    started = await desk.start("tcp", make=lambda: factory, **more)
    desk._patch.setattr(service, "build", responders.build)
    return started


async def relay(desk: Desk, upstream: Any, tls: Any = None) -> Any:
    options = {"upstream": at(upstream), "tls": upstream.config.tls is not None, "verify": False}
    return await desk.start("tcp", "relay", options=options, tls=tls)


@pytest_twisted.ensureDeferred
async def test_an_answer_may_come_long_after_the_clients_end(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_transport, "CLOSING_SECONDS", 0.05)
    service = await relay(desk, await late(desk, tls={}))
    peer = Peer(service)
    await peer.send(b"x" * 300_000)
    peer.finish_sending()
    assert await peer.end() == b"you sent 300000"
    await until(lambda: not service.connections)


@pytest_twisted.ensureDeferred
async def test_so_it_may_after_the_end_of_a_client_on_tls(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_transport, "CLOSING_SECONDS", 0.05)
    service = await relay(desk, await late(desk, tls={}), tls={})
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"hello")
    peer.say_goodbye()
    await until(lambda: peer.hear() == b"you sent 5" and peer.closed_by_tls)
    peer.close()
    await until(lambda: not service.connections)


class OldLate(Protocol):
    """The same over TLS 1.2, by Python's ssl, which continues to send after its peer's close_notify."""

    def connectionMade(self) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._secure = self.factory.context.wrap_bio(self._in, self._out, server_side=True)  # type: ignore[union-attr]
        self._shaken, self._got = False, b""

    def dataReceived(self, data: bytes) -> None:
        self._in.write(data)
        with contextlib.suppress(ssl.SSLWantReadError):
            if not self._shaken:
                self._secure.do_handshake()
                self._shaken = True
            while piece := self._read():
                self._got += piece
            self.factory.clock.callLater(0.3, self._answer)  # type: ignore[union-attr]
        self._flush()

    def _read(self) -> bytes:
        with contextlib.suppress(ssl.SSLZeroReturnError):
            return self._secure.read(1 << 16)
        return b""

    def _answer(self) -> None:
        self._secure.write(b"you sent %d" % len(self._got))
        self._flush()
        self.transport.loseConnection()  # type: ignore[union-attr]

    def _flush(self) -> None:
        self.transport.write(self._out.read())  # type: ignore[union-attr]


@pytest_twisted.ensureDeferred
async def test_so_it_may_with_tls_1_2_where_the_upstream_goes_on(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    factory: Any = Factory.forProtocol(OldLate)
    factory.clock, factory.context = desk.reactor, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    factory.context.maximum_version = ssl.TLSVersion.TLSv1_2
    (tmp_path / "own.pem").write_bytes(pem(*certificate("localhost")))
    factory.context.load_cert_chain(tmp_path / "own.pem")
    port = desk.reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        upstream = f"127.0.0.1:{port.getHost().port}"
        options = {"upstream": upstream, "tls": True, "verify": False}
        service = await desk.start("tcp", "relay", options=options)
        peer = Peer(service)
        await peer.send(b"x" * 100_000)
        peer.finish_sending()
        assert await peer.end() == b"you sent 100000"
        await until(lambda: not service.connections)
    finally:
        await port.stopListening()


class Uploads(Protocol):
    """Sends all its data, and continues to read."""

    def connectionMade(self) -> None:
        self.transport.write(b"all of it")  # type: ignore[union-attr]
        self.transport.loseWriteConnection()  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.factory.got += data  # type: ignore[union-attr]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("tls", [None, {}])
@pytest_twisted.ensureDeferred
async def test_a_client_on_tls_may_send_long_after_the_upstreams_end(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch, tls: Any, version: ssl.TLSVersion
) -> None:
    monkeypatch.setattr(tls_transport, "CLOSING_SECONDS", 0.05)
    factory: Any = Factory.forProtocol(Uploads)
    factory.got = b""
    service = await relay(desk, await answering(desk, factory, tls=tls), tls={})
    context = trusting(desk)
    context.maximum_version = version
    peer = await SecurePeer(service, context).shake()
    await until(lambda: peer.hear() == b"all of it" and peer.closed_by_tls)
    later: Any = []
    desk.reactor.callLater(0.3, later.append, True)
    await until(lambda: later)
    await peer.say(b"and mine")
    await until(lambda: factory.got == b"and mine")
    peer.say_goodbye()
    peer.close()
    await until(lambda: not service.connections)


@pytest.mark.parametrize("tls", [None, {}])
@pytest_twisted.ensureDeferred
async def test_what_came_before_an_end_without_close_notify_is_passed_on(desk: Desk, tape: Tape, tls: Any) -> None:
    ended: list[Any] = []

    class Slow(Protocol):
        """Reads nothing for a while."""

        got = 0

        def connectionMade(self) -> None:
            self.transport.pauseProducing()  # type: ignore[union-attr]
            self.factory.clock.callLater(0.3, self.transport.resumeProducing)  # type: ignore[union-attr]

        def dataReceived(self, data: bytes) -> None:
            self.got += len(data)

        def connectionLost(self, reason: Any = None) -> None:
            ended.append((self.got, reason.value.__class__.__name__))

    factory: Any = Factory.forProtocol(Slow)
    factory.clock = desk.reactor
    service = await relay(desk, await answering(desk, factory, tls=tls), tls={})
    peer = await SecurePeer(service, trusting(desk)).shake()
    await until(lambda: len(service.connections) == 2)
    await peer.say(os.urandom(3_000_000))
    peer.finish_sending()
    await until(lambda: ended)
    assert ended == [(3_000_000, "ConnectionDone")]
    await until(lambda: not service.connections)
    ends = {e.detail["reason"] for e in tape.all("connection.closed") if e.service == service.number}
    assert ends == {"closed by the peer, without close_notify", "closed by us"}


@pytest_twisted.ensureDeferred
async def test_a_reset_on_tls_is_passed_on(desk: Desk, tape: Tape) -> None:
    upstream = await desk.start("tcp", "echo", tls={})
    service = await relay(desk, upstream, tls={})
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"x")
    await until(lambda: peer.hear() == b"x")
    peer.reset()
    await until(lambda: not upstream.connections)
    [reason] = [e.detail["reason"] for e in tape.all("connection.closed") if e.service == upstream.number]
    assert reason == "reset by the peer"
