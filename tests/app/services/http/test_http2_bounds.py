"""What HTTP/2 lets a client do, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from h2.errors import ErrorCodes
from h2.events import ConnectionTerminated, InformationalResponseReceived, StreamEnded, StreamReset
from hyperframe.frame import DataFrame, HeadersFrame, PingFrame, PriorityFrame
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.services.http import http2, http2_sending
from app.services.tap import valve
from app.services.tap.holding import BY_CAPTURE
from tests.app.services.h2_peer import HEAD, H2Peer
from tests.app.services.helpers import Desk, Tape
from tests.app.services.http.test_body import Taking


class Answering(Resource):
    """Answers by the path, and keeps the requests."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.left: list[Any] = []

    def render(self, request: Any) -> Any:
        self.requests.append(request)
        if request.path == b"/later":
            request.notifyFinish().addErrback(self.left.append)
            return NOT_DONE_YET
        if request.path == b"/fail":
            raise ValueError("in render")
        if request.path == b"/half":
            request.write(b"half")
            raise ValueError("in its answer")
        if request.path == b"/large":
            return b"x" * 1_000_000
        if request.path == b"/fields":
            request.setHeader(b"Connection", b"close")
            request.setHeader(b"Transfer-Encoding", b"chunked")
        return b"fine"


@pytest.fixture
def root() -> Answering:
    return Answering()


# -- answers


def test_an_answer_has_a_status_and_an_end(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    stream = peer.ask()
    assert peer.statuses() == [200]
    assert peer.body(stream) == b"fine"
    assert peer.of(StreamEnded)
    assert not peer.connection.streams


def test_fields_of_a_connection_do_not_leave(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    peer.ask(path="/fields")
    assert peer.statuses() == [200]
    (note,) = tape.all("http.response")
    assert not {"connection", "transfer-encoding"} & set(dict(note.detail["fields"]))


def test_a_closed_window_asks_for_no_turn(desk: Desk, root: Answering) -> None:
    peer = H2Peer(desk, root)
    stream = peer.ask(path="/large")
    assert len(peer.body(stream)) == 65_535
    waiting = [call for call in peer.clock.getDelayedCalls() if call.getTime() <= peer.clock.seconds()]
    assert not waiting
    peer.h2.increment_flow_control_window(1_000_000)
    peer.h2.increment_flow_control_window(1_000_000, stream)
    peer.flush()
    assert len(peer.body(stream)) == 1_000_000
    assert peer.of(StreamEnded)


def test_a_window_opened_by_settings_goes_on(desk: Desk, root: Answering) -> None:
    peer = H2Peer(desk, root)
    stream = peer.ask(path="/large")
    peer.h2.increment_flow_control_window(2_000_000)
    peer.h2.update_settings({4: 2_000_000})
    peer.flush()
    assert len(peer.body(stream)) == 1_000_000


def test_a_producer_is_paused_however_large_the_window(desk: Desk, root: Answering) -> None:
    class Producer:
        paused = 0
        resumed = 0

        def pauseProducing(self) -> None:
            self.paused += 1

        def resumeProducing(self) -> None:
            self.resumed += 1

        def stopProducing(self) -> None: ...

    peer = H2Peer(desk, root)
    peer.h2.update_settings({4: (1 << 31) - 1})
    peer.h2.increment_flow_control_window((1 << 31) - 1 - 65_535)
    peer.ask(path="/later")
    (request,), producer = root.requests, Producer()
    request.registerProducer(producer, True)
    peer.connection.pauseProducing()  # as the transport does when its buffer is full
    request.write(bytes(http2_sending.AHEAD))
    assert (producer.paused, producer.resumed) == (1, 0)
    peer.connection.resumeProducing()
    peer.flush()
    assert producer.resumed == 1
    request.unregisterProducer()
    request.finish()
    peer.flush()
    assert peer.of(StreamEnded)


# -- failures


def test_a_responder_that_raises_answers_500_on_its_stream(
    desk: Desk, tape: Tape, root: Answering, logged_failures: Any
) -> None:
    peer = H2Peer(desk, root)
    peer.ask(("x-odd", "1"), path="/fail")
    peer.ask()
    assert peer.statuses() == [500, 200]
    (failure,) = tape.all("failure")
    assert failure.payload == b"GET /fail HTTP/2\r\nhost: x\r\nx-odd: 1\r\n\r\n"
    assert len(logged_failures(ValueError)) == 1


def test_a_responder_that_raises_in_its_answer_resets_its_stream(
    desk: Desk, tape: Tape, root: Answering, logged_failures: Any
) -> None:
    peer = H2Peer(desk, root)
    peer.ask(path="/half")
    (reset,) = peer.of(StreamReset)
    assert reset.error_code == ErrorCodes.INTERNAL_ERROR
    peer.ask()
    assert peer.statuses()[-1] == 200
    logged_failures(ValueError)


def test_an_answer_can_be_cut(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    peer.ask(path="/later")
    root.requests[0].write(b"half")
    root.requests[0].cut("the upstream is gone")
    peer.flush()
    assert peer.of(StreamReset)
    assert root.left
    (note,) = tape.all("http.response")
    assert (note.detail["cut"], note.detail["body"]) == ("the upstream is gone", 4)


def test_a_client_that_resets_its_stream_is_noticed(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    peer.h2.reset_stream(peer.ask(path="/later"))
    peer.flush()
    assert len(root.left) == 1
    assert not peer.connection.streams
    assert not tape.all("failure")


@pytest.mark.parametrize("path", ["/", "/large", "/later", "/half", "/a b"])
def test_a_request_that_comes_with_its_reset_is_recorded(desk: Desk, tape: Tape, root: Answering, path: str) -> None:
    """In one read, and with requests behind it: by then h2 has forgotten the stream."""
    peer = H2Peer(desk, root)
    head = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", path)]
    for _ in range(3):
        for more in ([("expect", "100-continue"), ("content-length", "1")], []):
            stream = peer.h2.get_next_available_stream_id()
            peer.h2.send_headers(stream, head + more)
            peer.h2.send_data(stream, b"x", end_stream=True)
            peer.h2.reset_stream(stream)
    last = peer.ask()
    assert peer.body(last) == b"fine"
    failures = [event.summary for event in tape.all("failure")]
    assert all("in its answer" in words for words in failures)
    assert len(tape.all("http.request")) == (1 if path == "/a b" else 7)
    assert not peer.connection.streams
    assert not peer.of(ConnectionTerminated)


# -- bodies


def test_a_body_is_delivered_as_it_comes(desk: Desk, tape: Tape) -> None:
    root = Taking()
    peer = H2Peer(desk, root, message_bytes=10)
    stream = peer.ask(("content-length", "50000"), method="POST", end=False)
    assert [r.body.length for r in root.requests] == [50_000]
    for _ in range(5):
        peer.send(stream, bytes(10_000))
    assert len(root.pieces) == 5
    peer.h2.end_stream(stream)
    peer.flush()
    assert peer.body(stream) == b"50000"
    assert tape.all("http.response")[0].detail["received"] == 50_000


def test_a_paused_body_closes_the_window_of_its_stream_alone(desk: Desk) -> None:
    root = Taking()
    peer = H2Peer(desk, root)
    stream = peer.ask(method="POST", end=False)
    root.requests[0].body.pause()
    for _ in range(6):
        peer.send(stream, bytes(10_000))
    assert peer.h2.local_flow_control_window(stream) == 5_535
    assert not root.pieces
    root.requests[0].body.resume()
    peer.flush()
    assert peer.h2.local_flow_control_window(stream) > 30_000
    assert sum(map(len, root.pieces)) == 60_000


def test_the_rest_of_a_body_is_refused_after_the_answer(desk: Desk, tape: Tape) -> None:
    peer = H2Peer(desk, Taking(answer=b"enough"))
    stream = peer.ask(method="POST", end=False)
    assert peer.body(stream) == b"enough"
    peer.clock.advance(http2.RESET_AFTER)
    peer.flush()
    (reset,) = peer.of(StreamReset)
    assert reset.error_code == ErrorCodes.NO_ERROR
    frame = DataFrame(stream, bytes(10_000))
    for _ in range(20):  # what was on its way
        peer.tap.dataReceived(frame.serialize())
    peer.flush()
    peer.ask(method="POST")
    assert peer.statuses() == [200, 200]
    assert peer.connection.conn.inbound_flow_control_window > 30_000
    assert not tape.all("failure")


def test_100_continue_waits_for_the_responder(desk: Desk) -> None:
    root = Taking(eager=False)
    peer = H2Peer(desk, root)
    peer.ask(("expect", "100-continue"), method="POST", end=False)
    assert not peer.events[-1:] or not peer.of(InformationalResponseReceived)
    root.read(root.requests[0])
    peer.flush()
    assert len(peer.of(InformationalResponseReceived)) == 1


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_gets_413(announced: bool, desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root, message_bytes=1000)
    fields = [("content-length", "1001")] if announced else []
    stream = peer.ask(*fields, method="POST", end=False)
    if not announced:
        peer.send(stream, bytes(1001))
    assert peer.statuses() == [413]
    assert len(tape.all("limit.reached")) == 1
    peer.ask()
    assert peer.statuses() == [413, 200]
    assert not tape.all("failure")


def test_bodies_of_many_streams_are_bounded_together(
    desk: Desk, tape: Tape, root: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http2_sending, "KEPT", 30_000)
    peer = H2Peer(desk, root)
    for _ in range(4):
        peer.send(peer.ask(method="POST", end=False), bytes(10_000))
    assert peer.statuses() == [503]
    assert len(tape.all("limit.reached")) == 1


# -- what breaks the rules


@pytest.mark.parametrize(
    ("fields", "more"),
    [
        ([("content-length", "4"), ("content-length", "4")], {}),
        ([], {"path": "/a b"}),
        ([], {"path": "/\x80"}),
        ([], {"method": "G T"}),
    ],
)
def test_what_http1_would_not_carry_gets_400(
    fields: list[tuple[str, str]], more: dict[str, str], desk: Desk, tape: Tape, root: Answering
) -> None:
    peer = H2Peer(desk, root)
    peer.ask(*fields, end=False, **more)
    assert peer.statuses() == [400]
    assert not root.requests
    assert "refused" in tape.all("http.response")[0].detail


@pytest.mark.parametrize(
    "fields",
    [
        [("X-Upper", "1")],
        [("connection", "close")],
        [("transfer-encoding", "chunked")],
        [("x", "a\r\nb: c")],
        [("content-length", "+4")],
    ],
)
def test_what_http2_forbids_ends_the_connection(
    fields: list[tuple[str, str]], desk: Desk, tape: Tape, root: Answering
) -> None:
    peer = H2Peer(desk, root)
    peer.ask(*fields)
    assert peer.of(ConnectionTerminated)
    assert peer.wire.disconnecting
    assert not root.requests
    assert tape.all("log")[0].summary.startswith("HTTP/2: the client breaks the rules: ")
    peer.tap.connectionLost(_gone())
    assert not peer.clock.getDelayedCalls()


def test_a_head_that_is_too_large_ends_the_connection(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root, field_bytes=1000)
    peer.ask(*[("x", "v" * 4000)] * 300)
    assert peer.of(ConnectionTerminated)[0].error_code == ErrorCodes.ENHANCE_YOUR_CALM
    assert len(tape.all("limit.reached")) == 1
    peer.tap.connectionLost(_gone())


def test_rapid_resets_end_the_connection(desk: Desk, tape: Tape, root: Answering) -> None:
    """CVE-2023-44487."""
    peer = H2Peer(desk, root)
    stream = peer.ask(path="/later")
    for _ in range(1100):
        peer.h2.reset_stream(stream)
        stream = peer.ask(path="/later")
        if peer.of(ConnectionTerminated):
            break
    assert peer.of(ConnectionTerminated)[0].error_code == ErrorCodes.ENHANCE_YOUR_CALM
    (reached,) = tape.all("limit.reached")
    assert reached.summary == "HTTP/2: Too many stream resets: closing"
    assert reached.detail == {"limit": "http2", "value": peer.connection._resetTokenBurst}
    assert not peer.connection.streams
    peer.tap.connectionLost(_gone())
    assert not peer.clock.getDelayedCalls()


def test_more_than_a_hundred_streams_at_once_end_the_connection(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    peer.h2.remote_settings[3] = 1000  # forget what the service allows
    peer.h2.remote_settings.acknowledge()
    for _ in range(101):
        peer.ask(path="/later")
    assert peer.of(ConnectionTerminated)
    assert [e.detail for e in tape.all("limit.reached")] == [{"limit": "http2", "value": 100}]
    assert len(root.left) == 100
    peer.tap.connectionLost(_gone())


def test_priorities_make_nothing_grow(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    for stream in range(1001, 9001, 2):
        peer.tap.dataReceived(PriorityFrame(stream, depends_on=stream - 2, stream_weight=1).serialize())
    peer.ask()
    assert peer.statuses() == [200]
    assert not tape.all("failure")


def test_pings_that_nobody_reads_end_the_connection(desk: Desk, tape: Tape, root: Answering) -> None:
    """CVE-2019-9512."""
    peer = H2Peer(desk, root)
    peer.connection.pauseProducing()
    for _ in range(20_000):
        if not peer.wire.aborted:
            peer.tap.dataReceived(PingFrame(0, b"12345678").serialize())
    assert peer.wire.aborted
    assert len(tape.all("limit.reached")) == 1


def test_a_head_without_its_end_is_bounded(desk: Desk, tape: Tape, root: Answering) -> None:
    """CVE-2024-27316."""
    from hyperframe.frame import ContinuationFrame

    peer = H2Peer(desk, root)
    frame = HeadersFrame(1, peer.h2.encoder.encode([(":method", "GET")]))
    peer.tap.dataReceived(frame.serialize())
    for _ in range(200):
        if not peer.wire.disconnecting:
            peer.tap.dataReceived(ContinuationFrame(1, b"").serialize())
    assert peer.wire.disconnecting
    peer.tap.connectionLost(_gone())


def test_a_frame_that_is_too_long_is_refused_at_its_length(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    peer.tap.dataReceived(b"\xff\xff\xff")
    peer.flush()
    assert peer.of(ConnectionTerminated)[0].error_code == ErrorCodes.FRAME_SIZE_ERROR
    assert peer.wire.disconnecting
    [log] = tape.all("log")
    assert log.summary.endswith("the client breaks the rules: a frame of 16,777,215 bytes, where 16,384 are allowed")
    peer.tap.connectionLost(_gone())
    assert not peer.clock.getDelayedCalls()


def test_a_frame_of_all_that_is_allowed_is_waited_for(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    stream = peer.ask(method="POST", end=False)
    frame = DataFrame(stream, bytes(16_384), flags=["END_STREAM"]).serialize()
    for at in range(0, len(frame), 1000):
        peer.tap.dataReceived(frame[at : at + 1000])
    peer.flush()
    assert peer.statuses() == [200]


# -- time


def test_silence_is_closed(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    peer.clock.advance(59)
    peer.ask()
    peer.clock.advance(59)
    assert not peer.wire.disconnecting
    peer.clock.advance(1)
    assert peer.wire.disconnecting
    assert tape.all("limit.reached")[0].summary == "nothing asked for 60 s: closing"
    peer.clock.advance(http2.GRACE)
    assert peer.wire.aborted


def test_pings_do_not_keep_a_connection(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    for _ in range(60):
        peer.tap.dataReceived(PingFrame(0, b"12345678").serialize())
        peer.clock.advance(1)
    assert peer.wire.disconnecting
    peer.tap.connectionLost(_gone())


def test_an_answer_that_takes_its_time_is_waited_for(desk: Desk, root: Answering) -> None:
    peer = H2Peer(desk, root)
    peer.ask(path="/later")
    peer.clock.pump([30] * 20)
    assert not peer.wire.disconnecting
    root.requests[0].finish()
    peer.flush()
    assert peer.statuses() == [200]


def test_a_body_that_dribbles_is_closed(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    stream = peer.ask(method="POST", end=False)
    for _ in range(12):
        if not peer.wire.disconnecting:
            peer.send(stream, b"x")
            peer.clock.advance(10)
    assert peer.wire.disconnecting
    assert tape.all("limit.reached")[0].summary == "the client is too slow"
    peer.tap.connectionLost(_gone())


def test_an_answer_that_is_not_taken_is_closed(desk: Desk, tape: Tape, root: Answering) -> None:
    peer = H2Peer(desk, root)
    stream = peer.ask(path="/large")
    for _ in range(19):
        if not peer.wire.disconnecting:
            peer.h2.increment_flow_control_window(10, stream)
            peer.flush()
            peer.clock.advance(10)
    assert peer.wire.disconnecting
    peer.tap.connectionLost(_gone())


@pytest.mark.parametrize("field", [("/utf-x", "1"), ("a(b", "1"), ("a@b", "")])
def test_a_field_that_http_1_would_not_have_is_refused(
    desk: Desk, tape: Tape, root: Answering, field: tuple[str, str]
) -> None:
    peer = H2Peer(desk, root)
    peer.ask(field)
    peer.ask()
    assert peer.statuses() == [400, 200]
    assert tape.all("failure") == []
    peer.tap.connectionLost(_gone())


def test_a_request_that_is_refused_beside_a_goaway_is_no_failure(desk: Desk, tape: Tape, root: Answering) -> None:
    """h2 has read both, and takes no answer any more, when the first is refused."""
    peer = H2Peer(desk, root)
    stream = peer.h2.get_next_available_stream_id()
    peer.h2.send_headers(stream, [*HEAD, ("a(b", "1")], end_stream=True)
    peer.h2.close_connection()
    peer.tap.dataReceived(peer.h2.data_to_send())
    peer.clock.advance(0)
    assert tape.all("failure") == []
    assert tape.all("http.response")[0].detail["status"] == 400
    peer.tap.connectionLost(_gone())


def _gone() -> Any:
    from twisted.internet.error import ConnectionDone
    from twisted.python.failure import Failure

    return Failure(ConnectionDone())


def test_answers_of_all_connections_that_do_not_read_are_bounded(
    desk: Desk, tape: Tape, root: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valve, "AT_MOST", 3_000_000)
    peer = H2Peer(desk, root)
    for _ in range(4):
        peer.ask(path="/large")
    assert peer.wire.aborted
    (event,) = tape.all("limit.reached")
    assert event.detail["limit"] == "unread_bytes"
    assert not peer.tap.factory.kept.total


def test_small_pieces_of_a_body_that_is_held_back_are_kept_together(desk: Desk) -> None:
    root = Taking(eager=False)
    peer = H2Peer(desk, root)
    stream = peer.ask(method="POST", end=False)
    for _ in range(1000):
        peer.h2.send_data(stream, b"")
        peer.h2.send_data(stream, b"a")
    peer.h2.send_data(stream, b"", end_stream=True)
    peer.flush()
    (held,) = [s for s in peer.connection.streams.values() if s.number == stream]
    assert len(held._inboundDataBuffer) < 5
    root.read(root.requests[0])
    peer.flush()
    assert b"".join(root.pieces) == b"a" * 1000
    assert root.ends == [None]


def test_heads_that_repeat_a_long_header_wait_for_the_next_turn_and_for_the_capture(
    desk: Desk, tape: Tape, root: Answering
) -> None:
    peer = H2Peer(desk, root)
    long = [("x-a", "a" * 3900)] * 16
    peer.ask(*long)
    for _ in range(90):
        peer.h2.send_headers(peer.h2.get_next_available_stream_id(), [*HEAD, *long], end_stream=True)
    data = peer.h2.data_to_send()
    assert len(data) < 4000
    peer.tap.dataReceived(data)
    assert len(tape.all("http.request")) < 25
    peer.tap.hold(BY_CAPTURE)
    peer.clock.advance(0)
    assert len(tape.all("http.request")) < 25
    peer.tap.release(BY_CAPTURE)
    peer.flush()
    assert len(tape.all("http.request")) == 91
    assert len(peer.statuses()) == 91
    assert not peer.tap.held
