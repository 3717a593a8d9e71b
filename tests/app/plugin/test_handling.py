"""Functions as responders, on clocks and on real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from websockets.asyncio.client import ClientConnection

from app.plugin import Connection, Context, Option, Request, responder
from app.plugin.message_queue import MAX_BYTES, MAX_MESSAGES, MessageQueue
from app.plugin.stream import MAX_SENDERS
from app.plugin.testing import BareContext, build, connect
from app.plugin.web import answer_of
from app.services.budget import Budget
from app.services.surroundings import Surroundings
from tests.app.plugin.conftest import Serve
from tests.app.services.helpers import Desk, Peer, Tape, address, closed
from tests.app.services.websocket.test_bounds import HANDSHAKE
from tests.app.services.websocket_frames import talk
from tests.helpers import until

# -- what is declared


def test_a_parameter_that_means_nothing_is_told_at_once() -> None:
    with pytest.raises(TypeError, match="'colour' of shout\\(\\) is none of connection, context, times"):

        @responder("shout", options=(Option("times", int, 1, "How often"),))
        def shout(data: bytes, colour: str) -> None: ...


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"framing": "lines"}, "framing must be one of none, line, int32, not 'lines'"),
        ({"protocols": ("smtp",)}, "protocols must be of tcp, udp, http, websocket, not 'smtp'"),
    ],
)
def test_what_does_not_exist_is_told_at_once(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        responder("x", **more)(lambda data: data)


def test_a_coroutine_is_none_for_a_thread() -> None:
    async def work(data: bytes) -> None: ...

    with pytest.raises(TypeError, match="is async, and cannot run in a thread"):
        responder("x", thread=True)(work)


def test_what_is_none_of_twisted_cannot_be_decorated() -> None:
    with pytest.raises(TypeError, match="is not a factory, protocol or resource"):
        responder("x")(object)


def test_parameters_are_filled_by_name() -> None:
    seen: list[Any] = []

    @responder("x", options=(Option("one", int, 1, ""), Option("two", str, "b", "")))
    def handler(data: bytes, two: str, own: int = 7, *, context: Context, connection: Connection) -> None:
        assert own == 7
        connection.state["count"] = connection.state.get("count", 0) + 1
        seen.append((data, two, context.name, connection.peer, connection.state["count"]))

    protocol, _ = connect(handler, two="c")
    protocol.dataReceived(b"x")
    protocol.dataReceived(b"y")
    assert [(s[0], s[1], s[2], s[4]) for s in seen] == [(b"x", "c", "under-test", 1), (b"y", "c", "under-test", 2)]


# -- what is answered


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (b"bytes", b"bytes"),
        ("text é", "text é".encode()),
        (None, b""),
        ([b"a", "b"], b"ab"),
        ((part for part in ("a", b"b")), b"ab"),
        (bytearray(b"ab"), b"ab"),
    ],
)
def test_an_answer_may_be_bytes_text_several_or_nothing(value: Any, sent: bytes) -> None:
    protocol, wire = connect(responder("x")(lambda data: value))
    protocol.dataReceived(b"?")
    assert wire.value() == sent


@pytest.mark.parametrize("value", [7, {"a": 1}, [b"a", 7]])
def test_another_answer_is_a_failure_in_words(value: Any) -> None:
    context = BareContext()
    protocol, _ = connect(responder("x")(lambda data: value), context)
    protocol.dataReceived(b"?")
    [(error, payload)] = context.failures
    assert "an answer must be bytes or str" in str(error)
    assert payload == b"?"


@pytest.mark.parametrize(
    ("framing", "sent", "answered"),
    [
        ("line", [b"o", b"ne\r\ntwo\nthr"], b"<one>\r\n<two>\n"),
        ("int32", [b"\0\0\0\3on", b"e\0\0\0\0\0\0"], b"\0\0\0\5<one>\0\0\0\2<>"),
        ("none", [b"one", b"two"], b"<one><two>"),
    ],
)
def test_an_answer_has_the_frame_of_its_message(framing: str, sent: list[bytes], answered: bytes) -> None:
    protocol, wire = connect(responder("x", framing=framing)(lambda data: b"<%s>" % data))
    for data in sent:
        protocol.dataReceived(data)
    assert wire.value() == answered


@pytest.mark.parametrize(
    ("framing", "sent", "payload"),
    [
        ("line", [b"go", b"od\nba", b"d\r\n"], b"bad\r\n"),
        ("line", [b"good\nbad\n"], b"bad\n"),
        ("int32", [b"\0\0\0\4good\0\0", b"\0\3bad"], b"\0\0\0\3bad"),
        ("none", [b"good", b"bad"], b"bad"),
    ],
)
def test_c19_a_failure_holds_the_bytes_as_they_stood_on_the_wire(
    framing: str, sent: list[bytes], payload: bytes
) -> None:
    def handler(data: bytes) -> None:
        if data == b"bad":
            raise ValueError

    context = BareContext()
    protocol, _ = connect(responder("x", framing=framing)(handler), context)
    for data in sent:
        protocol.dataReceived(data)
    assert [cause for _, cause in context.failures] == [payload]


def test_c19_each_line_is_answered_with_its_own_ending() -> None:
    waiting: list[Deferred[bytes]] = []

    def handler(data: bytes) -> Any:
        waiting.append(Deferred())
        return waiting[-1]

    protocol, wire = connect(responder("x", framing="line")(handler))
    protocol.dataReceived(b"one\r\ntwo\n")
    waiting[0].callback(b"1")
    waiting[1].callback(b"2")
    assert wire.value() == b"1\r\n2\n"


@pytest.mark.parametrize(
    ("framing", "data", "words"),
    [
        ("line", b"one\ntwo", ", 3 B of a message without an end"),
        ("int32", b"\0\0\0\1a\0\0\0\7four", ", 8 B of a message without an end (the length 00 00 00 07 says 7)"),
        ("none", b"one", ""),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c23_the_end_says_how_much_of_a_message_had_come(
    serve: Serve, tape: Tape, framing: str, data: bytes, words: str
) -> None:
    peer = Peer(await serve(responder("x", framing=framing)(lambda data: None)))
    await peer.send(data)
    await until(lambda: tape.data("data.received"))
    peer.socket.shutdown(socket.SHUT_WR)
    assert (await closed(tape)).summary == f"closed by the peer{words}"


@pytest.mark.parametrize(("framing", "sent"), [("line", b"x" * (1 << 20) + b"xx"), ("int32", b"\x7f\xff\xff\xff")])
def test_a_message_that_is_too_long_ends_the_connection_and_is_noted(framing: str, sent: bytes) -> None:
    context = BareContext()
    protocol, wire = connect(responder("x", framing=framing)(lambda data: data), context)
    protocol.dataReceived(sent)
    assert wire.disconnecting
    assert len(context.logged) == 1


@pytest_twisted.ensureDeferred
async def test_a_message_that_is_too_long_is_a_limit_that_this_connection_reached(serve: Serve, tape: Tape) -> None:
    peer = Peer(await serve(responder("x", framing="int32")(lambda data: data)))
    peer.push(b"\x7f\xff\xff\xff")
    assert await peer.end() == b""
    [reached] = tape.all("limit.reached")
    assert (reached.conn, reached.detail) == (1, {"limit": "framing", "value": 16 << 20})
    assert reached.summary == "a message is longer than 16,777,216 bytes: the length 7F FF FF FF says 2,147,483,647"


def test_answers_leave_in_the_order_of_the_messages() -> None:
    waits: list[Deferred[bytes]] = []

    @responder("x", framing="line")
    def handler(data: bytes) -> Any:
        if data == b"now":
            return b"now"
        waits.append(Deferred())
        return waits[-1]

    protocol, wire = connect(handler)
    protocol.dataReceived(b"later\nnow\nlater\n")
    assert (wire.value(), len(waits)) == (b"", 1)
    waits[0].callback(b"1")
    assert wire.value() == b"1\nnow\n"
    waits[1].callback(b"2")
    assert wire.value() == b"1\nnow\n2\n"


def test_the_peer_is_not_read_while_much_waits() -> None:
    waits: list[Deferred[None]] = []

    @responder("x")
    def handler(data: bytes) -> Any:
        waits.append(Deferred())
        return waits[-1]

    for data, most in ((b"x", MAX_MESSAGES + 2), (b"x" * (MAX_BYTES // 2), 4)):
        protocol, wire = connect(handler)
        waits.clear()
        count = 0
        while wire.producerState == "producing":
            protocol.dataReceived(data)
            count += 1
            assert count <= most
        assert count > 2
        while wire.producerState == "paused":
            waits[-1].callback(None)
        assert len(waits) > 1
        protocol.connectionLost()


def test_a_peer_that_has_sent_all_still_gets_its_answers() -> None:
    wait: Deferred[bytes] = Deferred()
    protocol, wire = connect(responder("x")(lambda data: wait))
    protocol.dataReceived(b"?")
    protocol.readConnectionLost()
    assert not wire.disconnecting
    wait.callback(b"!")
    assert wire.value() == b"!"
    assert wire.disconnecting


def test_what_is_under_way_is_cancelled_when_the_peer_leaves_and_is_no_failure() -> None:
    cancelled: list[Any] = []
    wait: Deferred[bytes] = Deferred(cancelled.append)
    context = BareContext()
    protocol, wire = connect(responder("x", framing="line")(lambda data: wait), context)
    protocol.dataReceived(b"one\ntwo\n")
    protocol.connectionLost()
    assert cancelled == [wait]
    assert (context.failures, wire.value()) == ([], b"")


def test_a_turn_that_begins_another_keeps_the_order() -> None:
    done: list[str] = []

    async def work(message: str) -> None:
        if message == "first":
            turns.put("second")
        done.append(message)

    turns = MessageQueue(work, lambda: None, lambda: None)
    turns.put("first")
    assert done == ["first", "second"]


# -- what goes wrong


def _sync(data: bytes) -> bytes:
    secret = len(data)
    return b"%d" % (secret / 0)


async def _async(data: bytes) -> bytes:
    secret = await succeed(len(data))
    return b"%d" % (secret / 0)


def _deferred(data: bytes) -> Deferred[bytes]:
    from twisted.internet import reactor

    def fail() -> bytes:
        secret = len(data)
        return b"%d" % (secret / 0)

    return deferLater(reactor, 0, fail)


def _generator(data: bytes) -> Iterator[bytes]:
    secret = len(data)
    yield b"%d" % (secret / 0)


@pytest.mark.parametrize(
    ("call", "thread"),
    [(_sync, False), (_sync, True), (_async, False), (_deferred, False), (_generator, False), (_generator, True)],
)
@pytest_twisted.ensureDeferred
async def test_a_failure_has_its_bytes_locals_and_connection_and_the_peer_stays(
    serve: Serve, tape: Tape, call: Any, thread: bool
) -> None:
    def handler(data: bytes) -> Any:
        return call(data) if data == b"123" else b"still here"

    peer = Peer(await serve(responder("x", thread=thread)(handler)))
    await peer.send(b"123")
    [failure] = await until(lambda: tape.all("failure"))
    assert failure.summary.startswith("ZeroDivisionError")
    assert ["secret", "3"] in failure.detail["frames"][-1]["locals"]
    assert (failure.payload, failure.conn) == (b"123", 1)
    await peer.send(b"?")
    await peer.expect(b"still here")


@pytest_twisted.ensureDeferred
async def test_a_failure_ends_the_connection_where_that_is_asked_for(serve: Serve, tape: Tape) -> None:
    service = await serve(responder("x", close_on_error=True)(_sync))
    peer = Peer(service)
    await peer.send(b"?")
    assert await peer.end() == b""
    assert len(tape.all("failure")) == 1
    Peer(service).close()
    await closed(tape, 2)


def test_an_exception_of_the_protocol_is_an_answer_and_no_failure() -> None:
    context = BareContext()
    answers = {KeyError: b"no such key\n", ValueError: lambda e: f"bad: {e}\n", LookupError: None}

    @responder("x", errors=answers)
    def handler(data: bytes) -> bytes:
        if data == b"v":
            raise ValueError("v")
        return {b"a": b"b"}[data] if data != b"i" else [b""][7]

    protocol, wire = connect(handler, context)
    for data in (b"a", b"?", b"v", b"i"):
        protocol.dataReceived(data)
    assert wire.value() == b"bno such key\nbad: v\n"
    assert context.failures == []


@pytest_twisted.ensureDeferred
async def test_a_handler_that_ends_the_program_ends_nothing(serve: Serve, tape: Tape) -> None:
    def handler(data: bytes) -> None:
        raise SystemExit(1)

    peer = Peer(await serve(responder("x")(handler)))
    await peer.send(b"?")
    assert (await until(lambda: tape.all("failure")))[0].summary.startswith("SystemExit")


@pytest_twisted.ensureDeferred
async def test_a_blocking_handler_holds_nobody_up(serve: Serve) -> None:
    import threading

    gate = threading.Event()

    @responder("slow", thread=True)
    def slow(data: bytes) -> bytes:
        gate.wait(10)
        return data

    waiting, quick = Peer(await serve(slow)), Peer(await serve(responder("quick")(lambda data: data)))
    await waiting.send(b"slow")
    await quick.send(b"quick")
    await quick.expect(b"quick")
    assert not waiting.pull().got
    gate.set()
    await waiting.expect(b"slow")


# -- datagrams


@pytest_twisted.ensureDeferred
async def test_datagrams_of_one_sender_are_answered_in_order_and_failures_have_theirs(serve: Serve, tape: Tape) -> None:
    from twisted.internet import reactor

    @responder("x", ("udp",))
    async def handler(data: bytes, connection: Connection) -> str:
        await deferLater(reactor, 0.02 if data == b"1" else 0)
        return f"{connection.peer} {1 // int(data)}" if data != b"2" else "two"

    service = await serve(handler, "udp")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        client.setblocking(False)
        for data in (b"1", b"2", b"0", b"2"):
            client.sendto(data, address(service))
        heard: list[bytes] = []

        def three() -> bool:
            with suppress(BlockingIOError):
                heard.append(client.recv(100))
            return len(heard) >= 3

        await until(three)
        name = "{}:{}".format(*client.getsockname())
    assert heard == [f"{name} 1".encode(), b"two", b"two"]
    [failure] = tape.all("failure")
    assert (failure.payload, failure.conn) == (b"0", 1)


def test_datagrams_that_come_too_fast_are_dropped_and_told_of() -> None:
    context = BareContext()
    protocol = build(responder("x", ("udp",))(lambda data: Deferred()), "udp", context)
    for number in range(MAX_SENDERS + 3):
        protocol.datagramReceived(b"x", ("127.0.0.1", number))
    for _ in range(MAX_MESSAGES + 10):
        protocol.datagramReceived(b"x", ("127.0.0.1", 1))
    assert len(protocol._queues) == MAX_SENDERS
    assert "datagrams were not answered" in context.logged[0][0]
    assert len(context.logged) < 6
    protocol.stopProtocol()
    assert context.failures == []


# -- WebSocket


@pytest_twisted.ensureDeferred
async def test_messages_are_answered_in_kind_and_text_is_text(serve: Serve, tape: Tape) -> None:
    @responder("x", ("websocket",), options=(Option("word", str, "hey", ""),))
    async def handler(data: bytes, word: str) -> Any:
        if data == b"fail":
            raise ValueError(data)
        return [data, word]

    async def script(client: ClientConnection) -> list[Any]:
        await client.send("fail")
        await client.send("text")
        await client.send(b"\xff")
        return [await client.recv() for _ in range(4)]

    service = await serve(handler, "websocket", word="hi")
    assert await talk(service, script) == ["text", "hi", b"\xff", "hi"]
    [failure] = tape.all("failure")
    assert (failure.payload, failure.conn) == (b"fail", 1)


@pytest_twisted.ensureDeferred
async def test_a_failure_may_close_with_1011(serve: Serve, tape: Tape) -> None:
    async def script(client: ClientConnection) -> int | None:
        await client.send("x")
        await client.wait_closed()
        return client.close_code

    service = await serve(responder("x", ("websocket",), close_on_error=True)(_sync), "websocket")
    assert await talk(service, script) == 1011


@pytest_twisted.ensureDeferred
async def test_an_answer_after_the_close_is_no_failure(serve: Serve, tape: Tape) -> None:
    def handler(data: bytes, connection: Connection) -> str:
        connection.close()
        return "bye"

    async def script(client: ClientConnection) -> int | None:
        await client.send("x")
        await client.wait_closed()
        return client.close_code

    assert await talk(await serve(responder("x", ("websocket",))(handler), "websocket"), script) == 1005
    [note] = tape.all("log")
    assert (note.summary, note.conn) == ("a message was not sent: the WebSocket is not open", 1)
    assert tape.all("failure") == []


# -- HTTP


@pytest.mark.parametrize(
    ("value", "status", "kind", "body"),
    [
        (None, 204, None, b""),
        (b"x", 200, "application/octet-stream", b"x"),
        ("é", 200, "text/plain; charset=utf-8", "é".encode()),
        ({"a": [1]}, 200, "application/json", b'{"a": [1]}'),
        ([1], 200, "application/json", b"[1]"),
        ((418, {"X": "y"}, "tea"), 418, "text/plain; charset=utf-8", b"tea"),
        ((200, {"Content-Type": "text/html"}, "<p>"), 200, "text/html", b"<p>"),
    ],
)
def test_a_response_is_made_of_what_is_returned(value: Any, status: int, kind: str | None, body: bytes) -> None:
    answer = answer_of(value)
    assert (answer.status, answer.fields.get("Content-Type"), answer.body) == (status, kind, body)


@pytest.mark.parametrize("status", [0, 101, 199, 600, 70_000, "200", 200.0, True])
def test_a_status_that_no_answer_has_is_a_failure(status: Any) -> None:
    with pytest.raises(ValueError, match="from 200 to 599"):
        answer_of((status, {}, ""))


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": float("-inf")}])
def test_numbers_that_json_does_not_have_are_a_failure(value: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        answer_of(value)


async def ask(service: Any, request: bytes) -> tuple[bytes, bytes]:
    peer = Peer(service)
    await peer.send(request)
    head, _, body = (await peer.end()).partition(b"\r\n\r\n")
    return head, body


@pytest_twisted.ensureDeferred
async def test_a_request_is_a_value_with_everything_in_it(serve: Serve) -> None:
    @responder("x", ("http",))
    async def handler(request: Request) -> Any:
        return (
            201, {"X-Path": request.path},
            [request.method, request.target, request.query, request.fields["x-a"], request.json()],
        )  # fmt: skip

    body = b'{"b": 2}'
    head, answer = await ask(
        await serve(handler, "http"),
        b"POST /a%20b/?q=1&q= HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nX-A: 2\r\nConnection: close\r\n"
        b"Content-Length: 8\r\n\r\n" + body,
    )
    assert head.startswith(b"HTTP/1.1 201 ")
    assert b"X-Path: /a b/" in head
    assert json.loads(answer) == ["POST", "/a%20b/?q=1&q=", {"q": ["1", ""]}, "1, 2", {"b": 2}]


@pytest_twisted.ensureDeferred
async def test_a_handler_of_requests_that_fails_answers_500_with_a_failure(
    serve: Serve, tape: Tape, logged_failures: Any
) -> None:
    @responder("x", ("http",), errors={KeyError: (404, {}, "none")}, thread=True)
    def handler(request: Request) -> Any:
        return {"/": 1 / (request.path == "/no")}[request.path]

    service = await serve(handler, "http")
    get = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    head, _ = await ask(service, get % b"/yes")
    assert head.startswith(b"HTTP/1.1 500 ")
    head, body = await ask(service, get % b"/no")
    assert (head[:13], body) == (b"HTTP/1.1 404 ", b"none")
    [failure] = tape.all("failure")
    assert (failure.payload or b"").startswith(b"GET /yes HTTP/1.1")
    assert failure.conn == 1
    logged_failures(ZeroDivisionError)


@pytest_twisted.ensureDeferred
async def test_an_answer_that_cannot_be_is_answered_500_with_a_failure(
    serve: Serve, tape: Tape, logged_failures: Any
) -> None:
    service = await serve(responder("x", ("http",))(lambda request: float("nan")), "http")
    head, _ = await ask(service, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 ")
    assert len(tape.all("failure")) == len(logged_failures(ValueError)) == 1


@pytest_twisted.ensureDeferred
async def test_a_body_that_is_no_json_is_the_clients_fault(serve: Serve, tape: Tape) -> None:
    service = await serve(responder("x", ("http",))(lambda request: request.json()), "http")
    post = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
    for body in (b"{nothing", b"\xff\xfe\xfd", b"[" * 100_000, b"[NaN]"):
        head, answer = await ask(service, post % (len(body), body))
        assert head.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer)["detail"].startswith("The body is not JSON: ")
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_field_that_is_named_in_another_case_is_there_once(serve: Serve) -> None:
    service = await serve(responder("x", ("http",))(lambda request: (200, {"content-type": "text/css"}, "x")), "http")
    head, _ = await ask(service, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert head.lower().count(b"content-type") == 1
    assert b"text/css" in head


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_ends_what_is_done_for_it(serve: Serve, tape: Tape) -> None:
    cancelled: list[Any] = []
    wait: Deferred[Any] = Deferred(cancelled.append)
    peer = Peer(await serve(responder("x", ("http",))(lambda request: wait), "http"))
    await peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: tape.all("http.request"))
    peer.reset()
    await until(lambda: cancelled)
    await closed(tape)
    assert tape.all("failure") == []


@pytest.mark.parametrize(
    ("protocol", "framing", "head", "message"),
    [("tcp", "line", b"", b"x" * 900_000), ("tcp", "int32", b"\0\xf0\0\0", b"x" * 900_000)],
)
@pytest_twisted.ensureDeferred
async def test_a12_unfinished_messages_to_plugins_share_the_budget(
    protocol: str, framing: str, head: bytes, message: bytes, desk: Desk, serve: Serve, tape: Tape
) -> None:
    budget = Budget(1 << 20)
    desk.surroundings = Surroundings(budget=budget)
    service = await serve(responder("x", framing=framing)(lambda data: None))
    peers = [Peer(service), Peer(service)]
    await peers[0].send(head + message)
    await until(lambda: budget.total == len(head + message))
    await peers[1].send(head + message)
    await peers[1].end()
    (event,) = tape.all("limit.reached")
    assert event.summary == "more than 1,048,576 bytes of unfinished messages in the program: closing"
    assert (await closed(tape)).summary.startswith("closed by us: too much of unfinished messages")
    peers[0].close()
    await until(lambda: not budget.total)


@pytest.mark.parametrize("protocol", ["tcp", "websocket"])
@pytest_twisted.ensureDeferred
async def test_a12_messages_that_wait_for_a_plugin_are_counted(
    protocol: str, desk: Desk, serve: Serve, tape: Tape
) -> None:
    budget = Budget(1 << 20)
    desk.surroundings = Surroundings(budget=budget)
    waiting: list[Deferred[None]] = []

    async def slow(data: bytes) -> None:
        waiting.append(Deferred())
        await waiting[-1]

    how = {"framing": "int32"} if protocol == "tcp" else {}
    service = await serve(responder("x", (protocol,), **how)(slow), protocol)
    peers = [Peer(service), Peer(service)]
    body = bytes(700_000)
    message = len(body).to_bytes(4, "big") + body
    if protocol == "websocket":
        message = b"\x82\xff" + len(body).to_bytes(8, "big") + bytes(4) + body
        for peer in peers:
            peer.push(HANDSHAKE)
            await peer.expect(b"\r\n\r\n")
    await peers[0].send(message)
    await until(lambda: budget.total == len(body) and waiting)
    await peers[1].send(message)
    await peers[1].end()
    (event,) = tape.all("limit.reached")
    assert event.detail == {"limit": "unfinished_bytes", "value": 1 << 20}
    waiting[0].callback(None)
    await until(lambda: not budget.total)
