"""Messages that never come to their end: one budget for all, and memory that comes back."""

from __future__ import annotations

import gc
import struct
from typing import Any

import pytest
import pytest_twisted

from app.services.budget import Budget
from app.services.surroundings import Surroundings
from app.services.websocket.port import RecordedMessages
from app.websocket import fragments
from tests.app.services.helpers import Desk, Peer, Tape, closed
from tests.app.services.websocket.test_bounds import HANDSHAKE
from tests.helpers import until

MB = 1 << 20
SHORT = b"\x82\x82\0\0\0\0hi"


async def begun(service: Any, size: int) -> Peer:
    """A client that has sent ``size`` bytes of a message of 16 MiB."""
    peer = Peer(service)
    peer.push(HANDSHAKE)
    await peer.expect(b"\r\n\r\n")
    del peer.got[:]
    await peer.send(struct.pack(">BBQ4s", 1, 0xFF, 16 * MB, bytes(4)) + b"x" * size)
    return peer


@pytest_twisted.ensureDeferred
async def test_a12_unfinished_messages_share_a_budget_and_give_it_back(desk: Desk, tape: Tape) -> None:
    budget = Budget(20 * MB)
    desk.surroundings = Surroundings(budget=budget)
    service = await desk.start("websocket")
    one = await begun(service, 15 * MB)
    await until(lambda: 15 * MB <= budget.total < 16 * MB)
    two = await begun(service, 6 * MB)
    got = await two.expect(b"\x03\xf5")  # 1013
    assert b"more than 20,971,520 bytes of unfinished messages in the program" in got
    (event,) = tape.all("limit.reached")
    assert event.detail == {"limit": "unfinished_bytes", "value": 20 * MB}
    assert 15 * MB <= budget.total < 16 * MB
    await one.send(b"x" * MB + b"\x80\x80\0\0\0\0")  # it is complete
    await until(lambda: not budget.total)
    await one.expect(16 * MB)


@pytest_twisted.ensureDeferred
async def test_a12_closed_connections_keep_no_message(desk: Desk, tape: Tape) -> None:
    service = await desk.start("websocket")
    gc.disable()  # the memory is to come back before it runs
    try:
        peer = await begun(service, 5 * MB)
        budget = service.surroundings.budget
        await until(lambda: 5 * MB <= budget.total < 6 * MB)
        peer.close()
        await closed(tape)
        protocols: list[Any] = [o for o in gc.get_objects() if isinstance(o, RecordedMessages)]
        assert not any(p.data or p.message_data or p.frame_data for p in protocols)
        assert not budget.total
    finally:
        gc.enable()


@pytest_twisted.ensureDeferred
@pytest.mark.parametrize("size", [0, 2])
async def test_a_message_of_too_many_fragments_closes_with_1009(
    size: int, desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 1 << 14
    monkeypatch.setattr(fragments, "FEWEST", most)
    service = await desk.start("websocket", "discard", limits={"message_bytes": MB})
    peer = Peer(service)
    peer.push(HANDSHAKE)
    await peer.expect(b"\r\n\r\n")
    peer.push(b"\x02\x80\0\0\0\0" + (b"\x00" + bytes((0x80 | size,)) + b"\0\0\0\0" + b"x" * size) * most)
    assert b"a message of more than 16,384 fragments" in await peer.expect(b"\x03\xf1")
    (event,) = tape.all("limit.reached")
    assert event.detail == {"limit": "fragments", "value": most}
    assert not service.surroundings.budget.total


def test_four_mib_in_fragments_of_64_bytes_are_not_too_many() -> None:
    """Autobahn's cases 9.3.1 and 9.4.1, and as many again."""
    assert max(fragments.FEWEST, (16 * MB) >> fragments.SHIFT) >= 4 * (4 * MB // 64)


@pytest_twisted.ensureDeferred
async def test_a_message_that_a_pausing_responder_keeps_counts_until_it_goes_on(desk: Desk, tape: Tape) -> None:
    budget = Budget(20 * MB)
    desk.surroundings = Surroundings(budget=budget)
    rules = [{"when": "message", "then": ["wait 3600"]}]
    service = await desk.start("websocket", "script", options={"rules": rules})
    one = await begun(service, 15 * MB)
    await one.send(b"x" * MB + b"\x80\x80\0\0\0\0" + SHORT)
    await until(lambda: tape.all("ws.message"))
    two = await begun(service, 15 * MB)
    await two.send(b"x" * MB + b"\x80\x80\0\0\0\0")
    assert b"of unfinished messages in the program" in await two.expect(b"\x03\xf5")  # 1013
    one.close()
    two.close()
