"""Streams: one connection as a conversation, read on while the capture grows."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import events
from app.capture import errors
from app.capture.reading import store as store_module
from app.capture.reading import streams
from app.capture.reading.pieces import Piece
from app.capture.reading.store import Store
from app.capture.reading.streams import BYTES, EXCHANGES, MESSAGES, About, News, Stream
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, batch, closed, event, opened

ASKED = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
ANSWERED = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n"
REQUEST: dict[str, Any] = {
    "method": "POST", "target": "/orders", "version": "HTTP/1.1", "fields": [["Host", "x"]], "body": 4,
}  # fmt: skip
RESPONSE: dict[str, Any] = {"status": 201, "reason": "Created", "fields": [["Server", "y"]], "body": 3}


class Growing:
    """A capture to which batches are added, and a store that reads it."""

    def __init__(self, path: Path, protocol: str = "tcp") -> None:
        self.path = path
        self._file = CaptureFile(path, "run", LIMIT)
        self._services = [("echo", protocol)]
        self._sequence = 0
        self.add(opened(1), opened(2))
        self.store = Store(path)

    def add(self, *rows: list[Any]) -> None:
        self._sequence += 1
        self._file.store(batch(self._sequence, *rows, services=self._services if self._sequence == 1 else None))

    def about(self, conn: int = 1) -> About:
        found = streams.about(self.store, conn)
        assert found is not None
        return found

    def stream(self, form: str = BYTES, conn: int = 1, **more: Any) -> Stream:
        return Stream(conn, self.about(conn).first, form, **more)

    def close(self) -> None:
        self.store.close()
        self._file.close()


@pytest.fixture
def growing(tmp_path: Path) -> Iterator[Growing]:
    with closing(Growing(tmp_path / "a.lpost")) as made:
        yield made


def received(data: bytes, conn: int = 1) -> list[Any]:
    return event(data, events.DATA_RECEIVED, conn)


def sent(data: bytes, conn: int = 1) -> list[Any]:
    return event(data, events.DATA_SENT, conn)


def note(kind: int, detail: dict[str, Any], **more: Any) -> list[Any]:
    return event(more.pop("payload", None), kind, 1, detail=detail, summary=more.pop("summary", "note"), **more)


def read_on(stream: Stream, store: Store) -> list[News]:
    """What it reads until nothing is left."""
    found = [stream.read(store)]
    while not found[-1].complete:
        found.append(stream.read(store))
    return found


def pieces(news: list[News]) -> list[Piece]:
    return [piece for one in news for piece in one.pieces]


# -- against a model


@dataclass
class Model:
    """All bytes of one connection, in order, with their sides."""

    data: list[tuple[bool, bytes]]

    def side(self, received: bool) -> bytes:
        return b"".join(data for side, data in self.data if side is received)


STEP = st.tuples(st.sampled_from([1, 2]), st.booleans(), st.binary(max_size=12))
BATCHES = st.lists(st.lists(STEP, min_size=1, max_size=8), min_size=1, max_size=6)


@given(BATCHES, st.integers(1, 40), st.lists(st.booleans(), min_size=6, max_size=6))
@settings(max_examples=60)
def test_what_is_found_is_the_end_of_what_passed_and_what_is_left_out_is_counted(
    batches: list[list[tuple[int, bool, bytes]]], limit: int, looks: list[bool]
) -> None:
    with TemporaryDirectory() as folder, closing(Growing(Path(folder) / "a.lpost")) as growing:
        stream, model, news = growing.stream(limit=limit), Model([]), []
        for number, steps in enumerate(batches):
            growing.add(*(received(data, conn) if side else sent(data, conn) for conn, side, data in steps))
            model.data += [(side, data) for conn, side, data in steps if conn == 1]
            if looks[number]:
                news += read_on(stream, growing.store)
        news += read_on(stream, growing.store)
        for side in (True, False):
            shown = b""
            for one in news:
                if one.skipped[not side]:
                    shown = b""
                shown += b"".join(piece.data for piece in one.pieces if piece.received is side)
            whole = model.side(side)
            assert whole.endswith(shown)
            total = sum(one.skipped[not side] for one in news) + sum(
                len(piece.data) for piece in pieces(news) if piece.received is side
            )
            assert total == len(whole)
        assert (news[-1].received, news[-1].sent) == (len(model.side(True)), len(model.side(False)))
        for one in news:
            assert sum(map(len, (piece.data for piece in one.pieces))) <= limit or len(one.pieces) == 1


@given(BATCHES)
@settings(max_examples=30)
def test_saving_a_side_gives_all_its_bytes(batches: list[list[tuple[int, bool, bytes]]]) -> None:
    with TemporaryDirectory() as folder, closing(Growing(Path(folder) / "a.lpost")) as growing:
        model = Model([(side, data) for steps in batches for conn, side, data in steps if conn == 1])
        for steps in batches:
            growing.add(*(received(data, conn) if side else sent(data, conn) for conn, side, data in steps))
        for side in (True, False):
            out = io.BytesIO()
            assert streams.save(growing.path, growing.about(), side, out) == len(model.side(side))
            assert out.getvalue() == model.side(side)


# -- bytes


def test_the_order_of_both_sides_is_kept(growing: Growing) -> None:
    growing.add(received(b"a"), sent(b"b"), received(b"c"))
    found = pieces(read_on(growing.stream(), growing.store))
    assert [(piece.received, piece.data) for piece in found] == [(True, b"a"), (False, b"b"), (True, b"c")]


def test_long_captures_are_read_in_steps(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "CHUNK", 10)
    for number in range(5):
        growing.add(*(received(b"%d" % number, 1 + i % 2) for i in range(10)))
    news = read_on(growing.stream(), growing.store)
    assert len(news) == 6
    assert [len(one.pieces) for one in news] == [0, 0, 0, 0, 0, 25]


def test_a_closed_connection_is_read_no_further(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    growing.add(received(b"a"), closed(1))
    stream = growing.stream()
    assert read_on(stream, growing.store)[-1].ended
    monkeypatch.setattr(store_module.Store, "marks", lambda *_: pytest.fail("read on"))
    assert stream.read(growing.store).complete


def test_what_could_not_be_read_is_read_again(growing: Growing, monkeypatch: pytest.MonkeyPatch) -> None:
    growing.add(received(ASKED), note(events.HTTP_REQUEST, REQUEST), sent(ANSWERED))
    growing.add(note(events.HTTP_RESPONSE, RESPONSE))
    for form in (BYTES, EXCHANGES):
        stream = growing.stream(form)
        with monkeypatch.context() as patch:
            patch.setattr(
                store_module.Store,
                "these",
                lambda *_: (_ for _ in ()).throw(errors.UnreadableCaptureError(path="", reason="")),
            )
            with pytest.raises(errors.UnreadableCaptureError):
                stream.read(growing.store)
        assert [piece.received for piece in pieces(read_on(stream, growing.store))] == [True, False]


def test_datagrams_are_kept_apart(growing: Growing) -> None:
    growing.add(event(b"a", events.DATAGRAM_RECEIVED, 1), event(b"b", events.DATAGRAM_SENT, 1))
    found = pieces(read_on(growing.stream(), growing.store))
    assert [(piece.title, piece.received, piece.data) for piece in found] == [
        ("datagram", True, b"a"), ("datagram", False, b"b"),
    ]  # fmt: skip


def test_saving_can_be_stopped(growing: Growing) -> None:
    growing.add(received(b"a"), received(b"b"))
    out = io.BytesIO()
    assert streams.save(growing.path, growing.about(), True, out, lambda _: False) == 1


# -- exchanges


def exchange(*, outgoing: bool = False) -> list[list[Any]]:
    more = {"outgoing": True} if outgoing else {}
    asked, answered = note(events.HTTP_REQUEST, REQUEST | more), note(events.HTTP_RESPONSE, RESPONSE | more)
    if outgoing:  # noted before its bytes
        return [asked, sent(ASKED[:30]), sent(ASKED[30:]), received(ANSWERED), answered]
    return [received(ASKED[:30]), received(ASKED[30:]), asked, sent(ANSWERED), answered]


@pytest.mark.parametrize("outgoing", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_exchanges_have_their_heads_and_bodies(growing: Growing, outgoing: bool, count: int) -> None:
    row = opened(3)
    row[7] = json.dumps({"peer": "x:1", "host": "x:2", "outgoing": outgoing})
    growing.add(row)
    for _ in range(count):
        growing.add(*([*event[:3], 3, *event[4:]] for event in exchange(outgoing=outgoing)))
    found = pieces(read_on(growing.stream(EXCHANGES, 3), growing.store))
    assert [(p.received is not outgoing, p.title, p.head, p.data) for p in found] == [
        (True, "POST /orders HTTP/1.1", "Host: x", b"body"), (False, "201 Created", "Server: y", b"yes"),
    ] * count  # fmt: skip


def test_an_exchange_comes_when_it_is_answered(growing: Growing) -> None:
    rows = exchange()
    stream = growing.stream(EXCHANGES)
    growing.add(*rows[:3])
    assert pieces(read_on(stream, growing.store)) == []
    growing.add(*rows[3:])
    assert len(pieces(read_on(stream, growing.store))) == 2


def test_a_request_without_an_answer_comes_when_the_connection_is_closed(growing: Growing) -> None:
    growing.add(*exchange()[:3], closed(1))
    found = pieces(read_on(growing.stream(EXCHANGES), growing.store))
    assert [piece.title for piece in found] == ["POST /orders HTTP/1.1", "no answer"]


def test_what_was_refused_is_shown_with_its_answer(growing: Growing) -> None:
    refused = note(events.HTTP_RESPONSE, {"status": 400, "refused": "no request line"})
    growing.add(received(b"nonsense\r\n\r\n"), refused, closed(1))
    found = pieces(read_on(growing.stream(EXCHANGES), growing.store))
    assert [piece.title for piece in found] == ["(what could not be read)", "400 no request line"]


def test_exchanges_are_parsed_in_steps_and_only_the_last_are_kept(
    growing: Growing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "STEP_BYTES", 300)
    for _ in range(20):
        growing.add(*exchange())
    news = read_on(growing.stream(EXCHANGES, limit=60), growing.store)
    assert len(news) > 5
    assert all(sum(piece.size for piece in one.pieces) <= 60 for one in news)
    assert news[-1].pieces[-1].data == b"yes"
    assert sum(map(sum, (one.skipped for one in news))) > 0


# -- messages


def test_messages_are_those_of_a_websocket(growing: Growing) -> None:
    growing.add(
        note(events.WS_OPENED, {}, summary="/updates"),
        note(events.WS_MESSAGE, {"opcode": "text", "direction": "received"}, payload=b"hi"),
        received(b"\x81\x82masked"),
        note(events.WS_MESSAGE, {"opcode": "binary", "direction": "sent"}, payload=b"\0"),
        note(events.WS_CLOSED, {"code": 1000}, summary="1000"),
    )
    found = pieces(read_on(growing.stream(MESSAGES), growing.store))
    assert [(piece.received, piece.title, piece.data) for piece in found] == [
        (None, "opened  /updates", b""), (True, "text", b"hi"), (False, "binary", b"\0"), (None, "closed  1000", b""),
    ]  # fmt: skip


# -- what a connection is


def test_a_connection_is_best_read_as_what_it_carries(tmp_path: Path, growing: Growing) -> None:
    assert growing.about().forms == (BYTES,)
    growing.add(*exchange())
    assert (growing.about().form, growing.about().forms) == (EXCHANGES, (EXCHANGES, BYTES))
    with closing(Growing(tmp_path / "b.lpost", "websocket")) as other:
        assert other.about().form == MESSAGES


def test_a_connection_says_whose_it_is(growing: Growing) -> None:
    found = growing.about(2)
    assert (found.service, found.peer, found.host, found.first) == ("echo", "127.0.0.1:5", "127.0.0.1:9007", 2)
    assert streams.about(growing.store, 3) is None


def test_a_live_connection_is_found_by_the_number_that_it_has_in_this_run(tmp_path: Path) -> None:
    path = tmp_path / "a.lpost"
    Growing(path).close()
    again = CaptureFile(path, "another run", LIMIT)
    again.store(batch(1, opened(1, "127.0.0.1:77"), services=[("echo", "tcp")]))
    with closing(Store(path)) as store:
        assert getattr(streams.about(store, 1, live=True), "peer", "") == "127.0.0.1:77"
        assert getattr(streams.about(store, 1), "peer", "") == "127.0.0.1:5"
    again.close()
