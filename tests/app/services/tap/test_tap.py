"""What the Tap records, and what a responder's failure does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import error
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolNegotiationFactory
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from app.services.tap.factory import TapFactory
from app.status import Stopped
from tests.app.services.helpers import Desk, Peer, Tape, closed
from tests.helpers import until


class Echo(Protocol):
    """Echoes, and does what some lines say."""

    def dataReceived(self, data: bytes) -> None:
        if data == b"fail":
            raise ValueError("in dataReceived")
        if data == b"exit":
            raise SystemExit(3)
        if data == b"lose":
            self.transport.loseConnection()
        elif data == b"abort":
            self.transport.abortConnection()
        elif data == b"big":
            self.transport.write(bytes(8_000_000))
        else:
            self.transport.write(data)


def factory(kind: Callable[[], Protocol] = Echo) -> ServerFactory:
    made = ServerFactory()
    made.noisy = False
    made.buildProtocol = lambda addr: kind()  # type: ignore[assignment]
    return made


# -- what is recorded


@pytest_twisted.ensureDeferred
async def test_a_connection_is_recorded_from_its_beginning_to_its_end(desk: Desk, tape: Tape) -> None:
    service = await desk.start()
    peer = Peer(service)
    for word in (b"one", b"\0\xff\r\n", b"three"):
        peer.push(word)
        await peer.expect(word)
    peer.close()
    end = await closed(tape)
    assert tape.kinds() == [
        "service.started",
        "connection.opened",
        *["data.received", "data.sent"] * 3,
        "connection.closed",
    ]
    opened = tape.all("connection.opened")[0]
    assert opened.detail["peer"].startswith("127.0.0.1:")
    assert opened.detail["host"] == service.status.host  # type: ignore[union-attr]
    assert {e.conn for e in tape.all()[1:]} == {opened.conn} != {0}
    assert tape.data("data.received") == tape.data("data.sent") == b"one\0\xff\r\nthree"
    assert end.detail.pop("seconds") > 0
    assert end.detail == {"reason": "closed by the peer", "received": 12, "sent": 12, "unsent": 0}
    assert (service.opened, service.received, service.sent) == (1, 12, 12)


@pytest.mark.parametrize(
    ("word", "reason"),
    [(b"lose", "closed by us"), (b"abort", "aborted by us"), (b"fail", "closed after a failure")],
)
@pytest_twisted.ensureDeferred
async def test_the_end_says_who_brought_it(
    word: bytes, reason: str, desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    peer = Peer(await desk.start(make=factory))
    peer.push(word)
    await peer.end()
    assert (await closed(tape)).detail["reason"] == reason
    logged_failures(ValueError)


@pytest_twisted.ensureDeferred
async def test_a_reset_is_told_from_a_close(desk: Desk, tape: Tape) -> None:
    peer = Peer(await desk.start())
    peer.push(b"x")
    await peer.expect(b"x")
    peer.reset()
    assert (await closed(tape)).summary == "reset by the peer"


def test_a_time_out_is_told_from_a_reset(desk: Desk, tape: Tape) -> None:
    tap = TapFactory(factory(), desk.service())._tap
    for reason, words in (
        (error.TCPTimedOutError(), "timed out: the peer no longer answered"),
        (error.ConnectionLost(), "reset by the peer"),
    ):
        wire = tap(TapFactory(factory(), desk.services[0]), Echo())
        assert wire._reason(Failure(reason)) == words


@pytest_twisted.ensureDeferred
async def test_the_end_says_how_much_was_not_sent(desk: Desk, tape: Tape) -> None:
    service = await desk.start(make=factory)
    peer = Peer(service, receive_buffer=4096)
    peer.push(b"big")
    await until(lambda: service.connections)
    (tap,) = service.connections.values()
    await until(lambda: tap._wire.dataBuffer)  # type: ignore[attr-defined]
    peer.reset()
    end = await closed(tape)
    assert end.detail["sent"] == 8_000_000
    assert 1_000_000 < end.detail["unsent"] < 8_000_000
    assert "not sent" in end.summary


@pytest_twisted.ensureDeferred
async def test_what_is_written_after_the_end_is_not_recorded_as_sent(desk: Desk, tape: Tape) -> None:
    protocols: list[Any] = []

    def keep() -> Echo:
        protocols.append(Echo())
        return protocols[-1]  # type: ignore[no-any-return]

    service = await desk.start(make=lambda: factory(keep))
    for end in ("close", "reset"):
        peer = Peer(service)
        peer.push(b"x")
        await peer.expect(b"x")
        getattr(peer, end)()
    await closed(tape, 2)
    for protocol in protocols:
        protocol.transport.write(b"too late")
        protocol.transport.writeSequence([b"too", b"late"])
    aborted = Peer(service)
    await until(lambda: len(protocols) == 3)
    protocols[2].transport.abortConnection()
    protocols[2].transport.write(b"too late")
    await aborted.end()
    await closed(tape, 3)
    assert tape.data("data.sent") == b"xx"


@pytest_twisted.ensureDeferred
async def test_ten_megabytes_in_one_write_are_recorded_in_order(desk: Desk, tape: Tape) -> None:
    sent = b"".join(b"%09d\n" % i for i in range(1_000_000))
    peer = Peer(await desk.start())
    await peer.send(sent)
    await peer.expect(len(sent))
    peer.close()
    await closed(tape)
    assert peer.got == sent
    assert tape.data("data.received") == sent
    assert tape.data("data.sent") == sent


@pytest_twisted.ensureDeferred
async def test_two_thousand_connections_that_reset_leave_nothing_behind(desk: Desk, tape: Tape) -> None:
    service = await desk.start()
    for count in range(100, 2001, 100):
        peers = [Peer(service) for _ in range(100)]
        for i, peer in enumerate(peers):
            if i % 2:
                peer.push(b"half a mess")
            peer.reset()
        await until(lambda count=count: service.opened == count and not service.connections)
    await closed(tape, 2000)
    opened = [e.conn for e in tape.all("connection.opened")]
    assert len(opened) == len(set(opened)) == service.opened == 2000
    assert sorted(e.conn for e in tape.all("connection.closed")) == sorted(opened)
    assert service.connections == {}
    assert desk.reactor.getReaders().count(service._port) == 1


# -- failures


class FailsAtOnce(Echo):
    def connectionMade(self) -> None:
        raise ValueError("in connectionMade")


class FailsAtLast(Echo):
    def connectionLost(self, reason: Any = None) -> None:
        raise ValueError("in connectionLost")


@implementer(IHalfCloseableProtocol)
class FailsHalfway(Echo):
    def readConnectionLost(self) -> None:
        raise ValueError("in readConnectionLost")

    def writeConnectionLost(self) -> None:
        """Not reached."""


@pytest.mark.parametrize(
    ("kind", "payload"),
    [(FailsAtOnce, None), (Echo, b"fail"), (FailsHalfway, None), (FailsAtLast, None)],
)
@pytest_twisted.ensureDeferred
async def test_what_a_responder_lets_out_is_recorded_once_with_its_connection(
    kind: type[Protocol], payload: bytes | None, desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    kinds = [Echo, kind, Echo]
    service = await desk.start(make=lambda: factory(lambda: kinds.pop(0)()))
    before, failing = Peer(service), Peer(service)
    await until(lambda: service.opened == 2)
    after = Peer(service)
    failing.push(b"fail" if payload else b"x")
    if not payload:
        await failing.expect(b"x")
        failing.finish_sending()
    await failing.end()
    await closed(tape)
    for peer in (before, after):
        peer.push(b"still here")
        await peer.expect(b"still here")
        peer.close()
    await closed(tape, 3)
    (failure,) = tape.all("failure")
    opened = tape.all("connection.opened")
    assert failure.conn == opened[1].conn
    assert failure.payload == payload
    assert failure.summary.startswith("ValueError: in ")
    logged_failures(ValueError)


@pytest_twisted.ensureDeferred
async def test_a_failure_in_connection_made_leaves_the_connection_as_twisted_does(
    desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    service = await desk.start(make=lambda: factory(FailsAtOnce))
    peer = Peer(service)
    peer.push(b"x")
    await peer.expect(b"x")
    (tap,) = service.connections.values()
    assert tap._wire.producer is not None  # type: ignore[attr-defined]
    peer.close()
    assert (await closed(tape)).summary == "closed by the peer"
    assert len(logged_failures(ValueError)) == 1


@pytest_twisted.ensureDeferred
async def test_a_responder_that_exits_ends_only_its_connection(desk: Desk, tape: Tape, logged_failures: Any) -> None:
    peer = Peer(await desk.start(make=factory))
    peer.push(b"exit")
    await peer.end()
    assert (await closed(tape)).summary == "closed after a failure"
    assert tape.all("failure")[0].payload == b"exit"
    assert len(logged_failures(SystemExit)) == 1


@pytest.mark.parametrize(
    ("answer", "reason", "failures"),
    [(ValueError("in buildProtocol"), "closed after a failure", 1), (None, "refused by the responder", 0)],
)
@pytest_twisted.ensureDeferred
async def test_a_connection_without_a_protocol_is_recorded_and_closed(
    answer: Exception | None, reason: str, failures: int, desk: Desk, tape: Tape
) -> None:
    answers: list[Any] = [answer, Echo]

    def build() -> Any:
        nxt = answers.pop(0)
        if isinstance(nxt, Exception):
            raise nxt
        return nxt and nxt()

    service = await desk.start(make=lambda: factory(build))
    refused, taken = Peer(service), Peer(service)
    await refused.end()
    taken.push(b"x")
    await taken.expect(b"x")
    taken.close()
    await closed(tape, 2)
    first = tape.all(conn=tape.all("connection.opened")[0].conn)
    assert [e.kind for e in first] == ["connection.opened", *["failure"] * failures, "connection.closed"]
    assert first[0].detail["peer"].startswith("127.0.0.1:")
    assert first[-1].summary == reason
    assert service.opened == 2
    assert not service.connections


@pytest_twisted.ensureDeferred
async def test_a_factory_that_cannot_be_stopped_does_not_keep_the_service_up(desk: Desk, tape: Tape) -> None:
    class Bad(ServerFactory):
        noisy = False

        def stopFactory(self) -> None:
            raise ValueError("in stopFactory")

    service = await desk.start(make=Bad)
    await service.stop()
    assert service.status == Stopped()
    assert [e.summary[:28] for e in tape.all("failure")] == ["ValueError: in stopFactory  "[:28]]


@pytest.mark.parametrize("offered", [None, [b"h2", b"http/1.1"]])
def test_alpn_protocols_pass_through(offered: list[bytes] | None, desk: Desk) -> None:
    wrapped: Any = factory()
    if offered:
        wrapped = implementer(IProtocolNegotiationFactory)(type("F", (ServerFactory,), {}))()
        wrapped.acceptableProtocols = lambda: offered
    tapped = TapFactory(wrapped, desk.service())
    assert IProtocolNegotiationFactory.providedBy(tapped)
    assert tapped.acceptableProtocols() == (offered or [])
