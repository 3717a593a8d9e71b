"""Responders' own producers wait for a full transport and for a capture that falls behind."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Protocol, ServerFactory
from zope.interface import implementer

from app.capture import recorder as recorder_module
from app.responders.chargen import LINES
from app.services.tap.valve import Paced
from tests.app.services.helpers import Desk, Peer, Tape, turn
from tests.helpers import until


class Producer:
    def __init__(self) -> None:
        self.told: list[str] = []

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")


def test_it_goes_on_only_when_neither_transport_nor_capture_holds_it():
    producer = Producer()
    paced = Paced(producer, True, False)
    paced.pauseProducing()
    paced.on_pressure(True)
    paced.resumeProducing()
    assert "resume" not in producer.told
    paced.on_pressure(False)
    assert producer.told[-1] == "resume"
    paced.on_pressure(True)
    paced.pauseProducing()
    paced.on_pressure(False)
    assert producer.told[-1] == "pause"
    paced.resumeProducing()
    assert producer.told[-1] == "resume"


def test_one_that_is_asked_for_each_piece_owes_it_until_the_capture_has_caught_up():
    producer = Producer()
    paced = Paced(producer, False, False)
    paced.resumeProducing()
    paced.on_pressure(True)
    paced.resumeProducing()
    assert producer.told == ["resume"]
    paced.on_pressure(False)
    assert producer.told == ["resume", "resume"]
    paced.on_pressure(True)
    paced.on_pressure(False)
    assert producer.told == ["resume", "resume"]


def test_one_that_comes_under_pressure_waits_at_once():
    producer = Producer()
    Paced(producer, True, True)
    assert producer.told == ["pause"]


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "BATCH_BYTES", 100_000)
    monkeypatch.setattr(recorder_module, "PAUSE_ABOVE", 1_000_000)
    monkeypatch.setattr(recorder_module, "RESUME_BELOW", 200_000)


@pytest_twisted.ensureDeferred
async def test_chargen_stops_while_nothing_can_be_stored(desk: Desk, tape: Tape, narrow: None) -> None:
    service = await desk.start("tcp", "chargen")
    tape.stuck = True
    peer = Peer(service)
    await until(lambda: peer.pull() and desk.recorder.pressed)
    (connection,) = service.connections.values()
    for _ in range(100):
        await turn()
        peer.pull()
    sent = connection.sent
    assert sent < 1_300_000
    tape.unstick()
    await until(lambda: peer.pull() and connection.sent > 2 * sent)
    assert bytes(peer.got[: len(LINES) * 100]) == LINES * 100
    peer.close()


@pytest_twisted.ensureDeferred
async def test_chargen_waits_for_a_peer_that_does_not_read(desk: Desk) -> None:
    service = await desk.start("tcp", "chargen")
    peer = Peer(service, receive_buffer=4096)
    await until(lambda: service.connections)
    (connection,) = service.connections.values()
    tap: Any = connection
    before = -1
    while before != connection.sent:
        before = connection.sent
        for _ in range(20):
            await turn()
    assert tap.unsent() < 300_000
    peer.close()


@pytest_twisted.ensureDeferred
async def test_pieces_asked_for_one_by_one_come_all_and_in_order(desk: Desk, tape: Tape, narrow: None) -> None:
    @implementer(IPullProducer)
    class Counting(Protocol):
        count = 0

        def connectionMade(self) -> None:
            self.transport.registerProducer(self, False)  # type: ignore[union-attr,arg-type]

        def resumeProducing(self) -> None:
            self.count += 1
            self.transport.write(b"%07d\n" % self.count * 8192)  # type: ignore[union-attr]
            if self.count == 60:
                self.transport.unregisterProducer()  # type: ignore[union-attr]
                self.transport.loseConnection()  # type: ignore[union-attr]

        def stopProducing(self) -> None:
            pass

    service = await desk.start("tcp", make=lambda: ServerFactory.forProtocol(Counting))
    tape.stuck = True
    peer = Peer(service)
    await until(lambda: peer.pull() and desk.recorder.pressed)
    tape.unstick()
    assert await peer.end() == b"".join(b"%07d\n" % n * 8192 for n in range(1, 61))
