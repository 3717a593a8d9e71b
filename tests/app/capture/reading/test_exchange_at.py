"""The exchange of a noted request or response, read from the bytes beside it."""

from __future__ import annotations

import gzip
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app import events
from app.capture.reading import exchange_at as module
from app.capture.reading.exchange_at import Exchanged, exchange_at, whole_content
from app.capture.reading.store import Store
from app.http.contents import Content
from tests.app.capture.captures import closed, event, make, opened

Row = list[Any]

JSON = [["Content-Type", "application/json"]]


def note(kind: int, conn: int = 1, **detail: Any) -> Row:
    return event(None, kind, conn, summary="note", detail=detail)


def asked(method: str, target: str, body: bytes = b"", conn: int = 1, **more: Any) -> Row:
    return note(events.HTTP_REQUEST, conn, method=method, target=target, fields=JSON, body=len(body), **more)


def answered(status: int = 200, conn: int = 1, fields: Any = (), **more: Any) -> Row:
    return note(events.HTTP_RESPONSE, conn, status=status, reason="OK", fields=list(fields), seconds=0.1, **more)


def request(method: str, target: str, body: bytes = b"") -> bytes:
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def response(body: bytes, *fields: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*lines, "", ""]).encode() + body


def received(data: bytes, conn: int = 1) -> Row:
    return event(data, events.DATA_RECEIVED, conn)


def sent(data: bytes, conn: int = 1) -> Row:
    return event(data, events.DATA_SENT, conn)


def turn(target: str, body: bytes, answer: bytes, conn: int = 1) -> list[Row]:
    """One exchange as a service records it."""
    return [
        received(request("POST", target, body), conn),
        asked("POST", target, body, conn),
        sent(response(answer), conn),
        answered(conn=conn),
    ]


@pytest.fixture
def look(tmp_path: Path) -> Any:
    """Finds the exchange of the event with that number in a capture of some rows."""
    path = tmp_path / "a.lpost"

    def find(rows: list[Row], id: int, **more: Any) -> Exchanged | None:
        if not path.exists():
            make(path, *rows)
        with closing(Store(path)) as store:
            return exchange_at(store, id, **more)

    return find


def bodies(found: Exchanged | None) -> tuple[bytes | None, bytes | None]:
    assert found is not None
    return found.asked and found.asked.data, found.answered and found.answered.data


def test_both_sides_of_every_exchange_of_a_connection_have_their_bodies(look: Any) -> None:
    rows = [opened(1), *turn("/a", b"1", b"one"), *turn("/b", b"22", b"two"), closed(1)]
    for id, wanted in ((3, (b"1", b"one")), (5, (b"1", b"one")), (7, (b"22", b"two")), (9, (b"22", b"two"))):
        found = look(rows, id)
        assert bodies(found) == wanted
        assert (found.request.id, found.response.id) == ((3, 5) if id < 6 else (7, 9))


def test_the_first_byte_of_the_answer_has_its_time(look: Any) -> None:
    rows = [opened(1), *turn("/a", b"1", b"one")]
    rows[3][0] += 5_000_000
    assert look(rows, 3).first_byte - look(rows, 3).request.time == 5_000_000


def test_other_connections_in_between_do_not_matter(look: Any) -> None:
    mixed = [
        row for pair in zip(turn("/a", b"1", b"one"), turn("/b", b"2", b"two", conn=2), strict=True) for row in pair
    ]
    rows = [opened(1), opened(2), *mixed]
    assert bodies(look(rows, 5)) == (b"1", b"one")
    assert bodies(look(rows, 6)) == (b"2", b"two")


def test_a_body_is_undone_as_its_note_says(look: Any) -> None:
    packed = gzip.compress(b"plain")
    fields = [["Content-Encoding", "gzip"], ["Content-Type", "text/plain"]]
    rows = [
        opened(1),
        received(request("GET", "/")),
        asked("GET", "/"),
        sent(response(packed, "Content-Encoding: gzip")),
        answered(fields=fields),
    ]
    assert look(rows, 5).answered == Content(b"plain", len(packed), "text/plain", "", "gzip")


def test_requests_sent_without_waiting_keep_their_own_bodies(look: Any) -> None:
    both = request("POST", "/a", b"1") + request("POST", "/b", b"22") + request("POST", "/c", b"333")
    rows = [
        opened(1), received(both),
        asked("POST", "/a", b"1"), sent(response(b"one")), answered(),
        asked("POST", "/b", b"22"), sent(response(b"two")), answered(),
        asked("POST", "/c", b"333"), sent(response(b"three")), answered(),
    ]  # fmt: skip
    assert [bodies(look(rows, id)) for id in (3, 6, 11)] == [(b"1", b"one"), (b"22", b"two"), (b"333", b"three")]


def test_the_nearest_beginning_does_where_the_connections_own_is_gone(look: Any) -> None:
    rows = [sent(b"rest of an answer"), answered(), *turn("/a", b"1", b"one"), *turn("/b", b"2", b"two")]
    assert bodies(look(rows, 4)) == (b"1", b"one")
    assert bodies(look(rows, 10)) == (b"2", b"two")


def test_without_any_beginning_there_is_no_body(look: Any) -> None:
    rows = [received(b"rest of a body"), asked("POST", "/a", b"1"), sent(response(b"one")), answered()]
    found = look(rows, 2)
    assert (found.request.id, bodies(found)) == (2, (None, None))
    assert look(rows, 4).response.id == 4


def test_a_long_connection_is_read_only_near_the_event(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    monkeypatch.setattr(Store, "these", lambda self, ids: read.extend(ids) or Store._read(self, ids))
    rows = [opened(1), *(row for i in range(2000) for row in turn(f"/{i}", b"%d" % i, b"answer"))]
    assert bodies(look(rows, 7003)) == (b"1750", b"answer")
    assert len(read) < 10


def test_a_bound_is_kept_and_said(look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    rows = [opened(1), received(request("POST", "/", b"x" * 2000)), asked("POST", "/", b"x" * 2000)]
    assert bodies(look(rows, 3)) == (None, None)


def test_only_the_beginning_of_a_large_body_is_kept(look: Any, tmp_path: Path) -> None:
    rows = [opened(1), *turn("/", b"x" * 5000, b"y" * 5000)]
    found = look(rows, 3, kept=100)
    assert found.asked == Content(b"x" * 100, 5000, "application/json", cut=True)
    assert found.answered.cut
    whole = whole_content(tmp_path / "a.lpost", 5)
    assert whole is not None
    assert (whole.data, whole.cut) == (b"y" * 5000, False)


def test_an_answer_under_way_is_there_as_far_as_it_came(look: Any) -> None:
    rows = [opened(1), received(request("GET", "/")), asked("GET", "/"), sent(response(b"12345")[:-2])]
    found = look(rows, 3)
    assert (found.response, found.answered.data, found.answered.whole) == (None, b"123", False)


@pytest.mark.parametrize("outgoing", [True, None])
def test_where_we_asked_the_directions_are_turned(look: Any, outgoing: bool | None) -> None:
    made = opened(1)
    made[7] = made[7][:-1] + ', "outgoing": true}' if outgoing else made[7]  # not said by earlier builds
    rows = [
        made,
        *(row for i in range(2) for row in (
            asked("POST", "/a", b"1", outgoing=True), sent(request("POST", "/a", b"%d" % i)),
            received(response(b"one%d" % i)), answered(outgoing=True),
        )),
    ]  # fmt: skip
    assert [bodies(look(rows, id)) for id in (2, 5, 6, 9)] == [(b"0", b"one0")] * 2 + [(b"1", b"one1")] * 2


def framed(stream: int, data: bytes, kind: int = 0, flags: int = 0) -> bytes:
    return len(data).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + data


TWO_STREAMS = [
    opened(1),
    received(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + framed(0, b"", kind=4) + framed(1, b"head", kind=1)),
    received(framed(1, b"one ") + framed(3, b"head", kind=1, flags=1) + framed(1, b"more", flags=1)[:6]),
    asked("GET", "/b", stream=3),
    received(framed(1, b"more", flags=1)[6:]),
    asked("POST", "/a", b"one more", stream=1),
    answered(stream=3),
    sent(framed(3, b"head", kind=1) + framed(3, b"second", flags=1)),
    sent(framed(1, b"head", kind=1)),
    answered(stream=1, fields=[["Content-Encoding", "gzip"]]),
    sent(framed(1, gzip.compress(b"first"))),
    sent(framed(1, b"", flags=1)),
]


@pytest.mark.parametrize(("ids", "found"), [((6, 10), (b"one more", b"first")), ((4, 7), (b"", b"second"))])
def test_bodies_of_http_2_are_those_of_the_stream(
    look: Any, tmp_path: Path, ids: tuple[int, int], found: tuple[bytes, bytes]
) -> None:
    asked_for, other = (look(TWO_STREAMS, id) for id in ids)
    assert (asked_for.request.id, asked_for.response.id) == (other.request.id, other.response.id) == ids
    assert bodies(asked_for) == bodies(other) == found
    assert asked_for.asked.whole
    assert asked_for.answered.whole
    whole = whole_content(tmp_path / "a.lpost", ids[1])
    assert whole is not None
    assert whole.data == found[1]


def test_bodies_of_http_2_are_not_known_where_the_connection_began_too_far_away(look: Any) -> None:
    found = look(TWO_STREAMS[1:], 5)
    assert (found.request.id, found.response.id, bodies(found)) == (5, 9, (None, None))


def test_what_are_no_frames_are_no_bodies(look: Any) -> None:
    found = look([opened(1), received(b"\xff" * 20), asked("GET", "/", stream=1), sent(framed(1, b"x"))], 3)
    assert bodies(found) == (None, b"x")


def test_a_refusal_has_no_request(look: Any) -> None:
    rows = [opened(1), received(b"nonsense\r\n"), note(events.HTTP_RESPONSE, status=400, refused="no"), closed(1)]
    found = look(rows, 3)
    assert (found.request, found.response.id) == (None, 3)


def test_other_events_are_of_no_exchange(look: Any) -> None:
    rows = [opened(1), received(b"x")]
    assert look(rows, 2) is None
    assert look(rows, 99) is None
