"""How connections of HTTP/2 end when the service stops or the client has finished sending."""

from __future__ import annotations

import h2.events
import pytest
from h2.errors import ErrorCodes

from app.services.http.http1_ending import DRAIN
from tests.app.services.h2_peer import H2Peer
from tests.app.services.helpers import Desk, Tape
from tests.app.services.http.test_http1_ending import Later, answer


def ended(peer: H2Peer) -> set[int]:
    return {event.stream_id for event in peer.of(h2.events.StreamEnded)}


def test_goaway_names_the_last_stream_and_open_ones_end(desk: Desk, tape: Tape) -> None:
    root = Later()
    peer = H2Peer(desk, root)
    streams = [peer.ask() for _ in range(2)]
    assert peer.connection.drain()
    heard = peer.wire.value()
    assert not peer.wire.disconnecting
    for request in root.requests:
        answer(request)
    peer.clock.advance(0)
    assert peer.wire.disconnecting
    for event in peer.h2.receive_data(heard):
        peer.events.append(event)
    (told,) = peer.of(h2.events.ConnectionTerminated)
    assert (told.error_code, told.last_stream_id) == (ErrorCodes.NO_ERROR, streams[-1])
    assert peer.wire.value().count(b"at last") == 2
    assert len(tape.all("http.response")) == 2
    peer.clock.advance(100)


def test_an_idle_connection_is_told_and_closed_at_once(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Later())
    peer.ask(path="/now")
    assert peer.connection.drain()
    peer.clock.advance(0)
    assert peer.wire.disconnecting
    assert [type(event) for event in peer.h2.receive_data(peer.wire.value())] == [h2.events.ConnectionTerminated]
    peer.clock.advance(100)


def test_a_stream_after_goaway_is_refused(desk: Desk, tape: Tape) -> None:
    root = Later()
    peer = H2Peer(desk, root)
    peer.ask()
    assert peer.connection.drain()
    peer.wire.clear()  # the client has not read it yet
    late = peer.ask()
    (reset,) = peer.of(h2.events.StreamReset)
    assert (reset.stream_id, reset.error_code) == (late, ErrorCodes.REFUSED_STREAM)
    assert len(root.requests) == 1
    assert len(tape.all("http.request")) == 1
    peer.clock.advance(100)


def test_a_stream_without_an_end_is_closed_in_good_order(desk: Desk, tape: Tape) -> None:
    root = Later()
    peer = H2Peer(desk, root)
    peer.ask()
    assert peer.connection.drain()
    assert not peer.connection.drain()
    peer.clock.advance(DRAIN - 0.1)
    assert not peer.wire.disconnecting
    peer.clock.advance(0.1)
    assert peer.wire.disconnecting
    assert not peer.wire.aborted
    assert len(root.left) == 1
    peer.clock.advance(100)


def test_who_has_finished_sending_gets_the_answers_to_whole_requests(desk: Desk, tape: Tape) -> None:
    root = Later()
    peer = H2Peer(desk, root)
    whole, half = peer.ask(), peer.ask(method="POST", end=False)
    peer.tap.readConnectionLost()
    answer(root.requests[0])
    peer.flush()
    assert ended(peer) == {whole}
    assert [event.stream_id for event in peer.of(h2.events.StreamReset)] == [half]
    assert peer.body(whole) == b"at last"
    assert peer.wire.disconnecting
    peer.clock.advance(100)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (":authority", "me@x", "the authority is not a host: “me@x”"),
        (":path", "/a b", "the target has a space, which must be %20: “/a b”"),
        (":path", "/é", "the target is empty or has other bytes than printable ASCII: “/é”"),
        (":method", "G@T", "the method “G@T” is not a token"),
    ],
)
def test_a_refusal_says_what_is_wrong(name: str, value: str, words: str, desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Later())
    head = {":method": "GET", ":scheme": "https", ":authority": "x", ":path": "/", name: value}
    peer.h2.send_headers(1, list(head.items()), end_stream=True)
    peer.flush()
    assert peer.statuses() == [400]
    assert peer.body(1).decode() == f"{words[0].upper()}{words[1:]}.\n"
    assert tape.all("http.response")[0].summary == f"400 Bad Request  {words}"


def test_connect_is_answered_501_by_what_is_no_proxy(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Later())
    peer.h2.send_headers(1, [(":method", "CONNECT"), (":authority", "x:443")], end_stream=True)
    peer.flush()
    assert peer.statuses() == [501]
