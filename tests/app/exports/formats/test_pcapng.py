"""pcapng, read back by tshark and capinfos."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from app import events
from app.events import Event, Note
from app.exports.formats import pcapng
from tests.app.exports.formats.conversations import Clock, Conversation, as_events, conversations, looked_at, tool

ONE = Conversation(
    "127.0.0.1:40001", "127.0.0.1:9007", [(True, b"ping\n"), (False, b"pong\n")], "closed by the peer", 1
)


def exported(found: list[Event], folder: Path) -> Path:
    path = folder / "x.pcapng"
    with open(path, "wb") as out:
        pcapng.write(found, out)
    return path


def fields(path: Path, *names: str, only: str = "") -> list[list[str]]:
    command = ["tshark", "-r", path, "-T", "fields", *(part for name in names for part in ("-e", name))]
    return [line.split("\t") for line in tool(*command, *(("-Y", only) if only else ())).splitlines()]


@given(conversations())
@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_tshark_puts_random_conversations_together_to_the_same_bytes(tmp_path: Path, found: list[Conversation]) -> None:
    path = exported(as_events(found), tmp_path)
    talks = {stream: conversation for stream, conversation in enumerate(found) if conversation.pieces}
    _, together = looked_at(path, streams=[*talks])
    assert together == [(c.bytes(received=True), c.bytes(received=False)) for c in talks.values()]


def test_times_are_those_of_the_events_to_the_nanosecond(tmp_path: Path) -> None:
    found = as_events([ONE])
    path = exported(found, tmp_path)
    texts = [time for (time,) in fields(path, "frame.time_epoch", only="tcp.len > 0")]
    times = [float(text) for text in texts]
    data = [event.time for event in found if event.kind in events.RAW]
    assert [round(time * 1e9) // 1000 for time in times] == [time // 1000 for time in data]
    assert texts[0].replace(".", "") == str(data[0])


def test_addresses_ports_and_the_services_name_are_there(tmp_path: Path) -> None:
    path = exported(as_events([ONE]), tmp_path)
    names = ("ip.src", "tcp.srcport", "ip.dst", "tcp.dstport", "frame.interface_name")
    assert fields(path, *names)[0] == ["127.0.0.1", "40001", "127.0.0.1", "9007", "tcp-echo"]


@pytest.mark.parametrize(
    ("reason", "flags"),
    [
        ("closed by the peer", [("40001", "FIN"), ("9007", "FIN"), ("40001", "")]),
        ("closed by us", [("9007", "FIN"), ("40001", "FIN"), ("9007", "")]),
        ("reset by the peer", [("40001", "RST")]),
        ("aborted by us", [("9007", "RST")]),
    ],
)
def test_a_connection_ends_as_it_did(reason: str, flags: list[tuple[str, str]], tmp_path: Path) -> None:
    conversation = Conversation(ONE.peer, ONE.host, ONE.pieces, reason, 1)
    path = exported(as_events([conversation]), tmp_path)
    rows = fields(path, "tcp.srcport", "tcp.flags.fin", "tcp.flags.reset")
    ends = [(port, "FIN" if fin in ("1", "True") else "RST" if rst in ("1", "True") else "") for port, fin, rst in rows]
    assert ends[-len(flags) :] == flags


def test_a_large_write_is_cut_into_segments_within_the_window(tmp_path: Path) -> None:
    large = bytes(i % 251 for i in range(3_000_000))
    conversation = Conversation(ONE.peer, ONE.host, [(False, large)], "closed by us", 1)
    path = exported(as_events([conversation]), tmp_path)
    rows, [(_, together)] = looked_at(path, "tcp.len", streams=[0])
    assert together == large
    assert max(int(row[0]) for row in rows) == 1460


def test_a_filter_that_hides_the_opening_leaves_a_stream_that_can_be_followed(tmp_path: Path) -> None:
    found = [event for event in as_events([ONE]) if event.kind in events.RAW]
    path = exported(found, tmp_path)
    assert looked_at(path, streams=[0])[1] == [(b"ping\n", b"pong\n")]


def test_a_connection_that_we_opened_begins_with_our_syn(tmp_path: Path) -> None:
    clock = Clock()
    clock.add(events.CONNECTION_OPENED, ONE, outgoing=True)
    clock.add(events.DATA_SENT, ONE, b"hello")
    path = exported(clock.made, tmp_path)
    rows, _ = looked_at(path, "tcp.srcport")
    assert rows[0] == ["9007"]


def test_failures_and_notes_are_comments_on_the_packet_of_their_bytes(tmp_path: Path) -> None:
    clock = Clock()
    clock.add(events.CONNECTION_OPENED, ONE)
    clock.add(events.DATA_RECEIVED, ONE, b"fail\n")
    clock.add(events.FAILURE, ONE, b"fail\n", summary="ValueError: as you wished")
    clock.add(events.LIMIT_REACHED, ONE, summary="too many")
    clock.add(events.DATA_SENT, ONE, b"sorry\n")
    path = exported(clock.made, tmp_path)
    [(comment, *_)] = commented(path)
    assert "failure: ValueError: as you wished" in comment
    assert "limit.reached: too many" in comment


def test_a_comment_that_comes_later_stands_on_a_packet_of_its_own_connection(tmp_path: Path) -> None:
    other = Conversation("127.0.0.1:40002", ONE.host, [], None, 2)
    clock = Clock()
    for conversation in (ONE, other):
        clock.add(events.CONNECTION_OPENED, conversation)
        clock.add(events.DATA_RECEIVED, conversation, b"x")
    clock.add(events.FAILURE, ONE, summary="ValueError: late")
    path = exported(clock.made, tmp_path)
    assert [told[:2] for told in commented(path)] == [["failure: ValueError: late", "0"]]


def test_datagrams_are_datagrams(tmp_path: Path) -> None:
    clock = Clock()
    flow = Conversation("[fe80::1%lo]:5000", "[::1]:9008", [], None, 1)
    clock.add(events.CONNECTION_OPENED, flow, summary="first datagram from [fe80::1%lo]:5000")
    clock.add(events.DATAGRAM_RECEIVED, flow, b"\x01\x02")
    clock.add(events.DATAGRAM_SENT, flow, b"")
    path = exported(clock.made, tmp_path)
    rows, _ = looked_at(path, "ipv6.src", "udp.srcport", "ipv6.dst", "udp.dstport", "udp.length")
    assert rows == [["fe80::1", "5000", "::1", "9008", "10"], ["::1", "9008", "fe80::1", "5000", "8"]]


def test_wireshark_decodes_http_and_websocket(tmp_path: Path) -> None:
    web = Conversation("127.0.0.1:40001", "127.0.0.1:9081", [], None, 1)
    clock = Clock()
    clock.add(events.CONNECTION_OPENED, web)
    upgrade = b"Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    clock.add(events.DATA_RECEIVED, web, b"GET /chat HTTP/1.1\r\n" + upgrade + b"Sec-WebSocket-Version: 13\r\n\r\n")
    answer = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
    clock.add(events.DATA_SENT, web, b"HTTP/1.1 101 Switching Protocols\r\n" + answer)
    clock.add(events.DATA_RECEIVED, web, bytes.fromhex("818537fa213d7f9f4d5158"))
    clock.add(events.DATA_SENT, web, bytes.fromhex("810548656c6c6f"))
    path = exported(clock.made, tmp_path)
    assert fields(path, "http.request.uri", only="http.request") == [["/chat"]]
    assert fields(path, "websocket.payload.text", only="websocket") == [["Hello"], ["Hello"]] or [
        json.dumps(row) for row in fields(path, "data.text", only="websocket")
    ]
    assert len(fields(path, "frame.number", only="websocket")) == 2


def test_capinfos_counts_what_was_written(tmp_path: Path) -> None:
    path = exported(as_events([ONE]), tmp_path)
    out = tool("capinfos", "-c", "-E", "-F", path)
    assert "Number of packets:" in out
    assert "Raw IP" in out
    assert "in strict time order" in tool("capinfos", "-o", path).lower() or "True" in tool("capinfos", "-o", path)


def test_what_has_no_connection_and_strange_addresses_do_no_harm() -> None:
    clock = Clock()
    clock.add(events.SERVICE_STARTED, None)
    odd = Conversation("not an address", "/run/socket", [], None, 1)
    clock.add(events.DATA_RECEIVED, odd, b"x")
    out = io.BytesIO()
    pcapng.write(clock.made, out)
    assert out.getvalue()[:4] == bytes.fromhex("0a0d0d0a")


def test_a_note_is_a_comment_on_the_packet_of_its_event(tmp_path: Path) -> None:
    found = [
        replace(event, note=Note("ask Mara", "red")) if event.payload == b"ping\n" else event
        for event in as_events([ONE])
    ]
    path = exported(found, tmp_path)
    assert fields(path, "frame.comment", "data.data", only="frame.comment") == [["note: ask Mara", b"ping\n".hex()]]


# -- faults


def fault(clock: Clock, conn: Conversation, on: str, summary: str, **more: int) -> None:
    clock.add(events.FAULT_APPLIED, conn, summary=summary, on=on, **more)


def commented(path: Path) -> list[list[str]]:
    """Of each packet of a sound file that has a comment: that, its stream, its bytes, and whether it is the last of its
    side.
    """
    found, _ = looked_at(path, "frame.comment", "tcp.stream", "data.data", "tcp.flags.fin")
    return [[*told, "end" if fin in ("1", "True") else ""] for *told, fin in found if told[0]]


TWO = Conversation("127.0.0.1:40002", "127.0.0.1:9007", [], None, 2)


def test_a_fault_is_a_comment_on_the_packet_that_it_has_hit(tmp_path: Path) -> None:
    clock = Clock()
    clock.add(events.CONNECTION_OPENED, ONE)
    clock.add(events.CONNECTION_OPENED, TWO)
    clock.add(events.DATA_RECEIVED, ONE, b"ping\n")
    fault(clock, ONE, "received", "late: 5 ms late")
    fault(clock, ONE, "sent", "slow: 100 ms late")
    clock.add(events.DATA_RECEIVED, TWO, b"two\n")
    clock.add(events.DATA_RECEIVED, ONE, b"again\n")
    clock.add(events.DATA_SENT, ONE, b"pong\n")
    fault(clock, ONE, "sent", "end: closed")
    clock.add(events.CONNECTION_CLOSED, ONE, reason="closed by a fault")
    clock.add(events.DATA_SENT, TWO, b"x")
    fault(clock, ONE, "sent", "slow: 1 message, 5 bytes in all", total=1)
    path = exported(clock.made, tmp_path)
    assert commented(path) == [
        ["fault.applied: late: 5 ms late", "0", b"ping\n".hex(), ""],
        ["fault.applied: slow: 100 ms late", "0", b"pong\n".hex(), ""],
        ["fault.applied: end: closed", "0", "", "end"],
        ["fault.applied: slow: 1 message, 5 bytes in all", "0", "", ""],
    ]


def test_a_fault_after_which_nothing_is_sent_is_told_all_the_same(tmp_path: Path) -> None:
    clock = Clock()
    clock.add(events.CONNECTION_OPENED, ONE)
    for number in range(30):
        fault(clock, ONE, "sent", f"hang: {number}")
    path = exported(clock.made, tmp_path)
    comments = "".join(comment for comment, *_ in commented(path))
    assert all(f"hang: {number}" in comments for number in range(30))


def test_of_datagrams_too(tmp_path: Path) -> None:
    clock = Clock()
    clock.add(events.CONNECTION_OPENED, ONE, summary="a first datagram")
    clock.add(events.DATAGRAM_RECEIVED, ONE, b"ask")
    fault(clock, ONE, "received", "in: one bit")
    fault(clock, ONE, "sent", "out: late")
    clock.add(events.DATAGRAM_SENT, ONE, b"answer")
    found = fields(exported(clock.made, tmp_path), "frame.comment", "data.data", only="frame.comment")
    assert found == [
        ["fault.applied: in: one bit", b"ask".hex()], ["fault.applied: out: late", b"answer".hex()],
    ]  # fmt: skip
