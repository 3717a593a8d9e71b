"""What the capture keeps of what a check receives."""

from __future__ import annotations

import json
from typing import Any

import pytest
import pytest_twisted

from app import events
from app.sending.url import parse
from app.watch.check import MOST
from app.watch.sparing import FIELDS, KEPT, PIECES, Sparing
from tests.app.watch.test_check import Endless, EndlessAnswer, config, target


class Recorder:
    connections = 7

    def __init__(self) -> None:
        self.kept: list[tuple[int, bytes | None, int | None]] = []
        self.details: list[str | None] = []

    def record(
        self, kind: int, service: int, conn: int, payload: Any, summary: Any, detail: Any = None, size: Any = None
    ) -> None:
        assert (service, conn) == (1, 2)
        self.kept.append((kind, payload, len(payload or b"") if size is None else size))
        self.details.append(detail)


def sparing() -> tuple[Any, Recorder]:
    recorder = Recorder()
    return Sparing(recorder), recorder  # type: ignore[arg-type]


@pytest.mark.parametrize("piece", [b"x", b"x" * 100, b"x" * 65_536])
@pytest.mark.parametrize("kind", [events.DATA_RECEIVED, events.DATAGRAM_RECEIVED])
def test_the_beginning_is_kept_and_the_rest_is_counted(kind: int, piece: bytes) -> None:
    spare, recorder = sparing()
    for _ in range(1_000):
        if kind == events.DATA_RECEIVED:
            spare.record(kind, 1, 2, piece)
        else:
            spare.record_datagram(kind, 1, 2, piece)
    spare.record(events.CONNECTION_CLOSED, 1, 2, None, "closed")
    *kept, rest, closed = recorder.kept
    assert closed[0] == events.CONNECTION_CLOSED
    assert sum(len(payload or b"") for _, payload, _ in kept) == min(KEPT, PIECES * len(piece))
    assert len(kept) <= PIECES
    assert rest[1] == b""
    assert sum(size or 0 for _, _, size in recorder.kept) == 1_000 * len(piece)
    assert spare.connections == 7


def test_what_fits_is_kept_as_it_is() -> None:
    spare, recorder = sparing()
    spare.record(events.DATA_RECEIVED, 1, 2, b"PONG")
    spare.record(events.DATA_SENT, 1, 2, b"x" * 10_000)  # what a watch sends is bounded where it is written
    spare.record(events.CONNECTION_CLOSED, 1, 2, None, "closed")
    assert [payload for _, payload, _ in recorder.kept] == [b"PONG", b"x" * 10_000, None]


def test_messages_and_headers_are_cut_too() -> None:
    spare, recorder = sparing()
    received, sent = (json.dumps({"opcode": "text", "direction": direction}) for direction in ("received", "sent"))
    for detail in (received, received, sent):
        spare.record(events.WS_MESSAGE, 1, 2, b"x" * 5_000, "", detail)
    assert [(len(payload or b""), size) for _, payload, size in recorder.kept] == [(KEPT, 5_000), (5_000, 5_000)]
    spare.record(events.HTTP_RESPONSE, 1, 2, None, "", json.dumps({"status": 200, "fields": [["A", "x" * FIELDS]]}))
    assert recorder.details[-1] == '{"status": 200}'


@pytest.mark.parametrize(("scheme", "server"), [("tcp", Endless), ("http", EndlessAnswer)])
@pytest_twisted.ensureDeferred
async def test_an_endless_target_does_not_fill_the_disk(scheme: str, server: Any, checking: Any, tape: Any) -> None:
    async with target(server) as port:
        url = parse(f"{scheme}://127.0.0.1:{port}")
        result = await checking.check(config(url.text, expect="never"), url)
    assert "is not in the first" in result.reason
    came = tape.all("data.received")
    assert sum(len(event.payload) for event in came) == KEPT
    [closed] = tape.all("connection.closed")
    assert (
        sum(len(event.payload) if event.size is None else event.size for event in came)
        == closed.detail["received"]
        > MOST
    )
    assert "more came, which are not kept" in came[-1].summary
