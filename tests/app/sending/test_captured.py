"""What was captured is sent again: to the service that got it, byte by byte what it was."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import ensureDeferred
from twisted.internet.threads import deferToThread

from app import events
from app.capture.reading.store import Store
from app.events import Event
from app.post import Post
from app.sending import open_conversation
from app.sending.captured import Captured, captured
from app.sending.contents import as_written, content
from app.sending.request import Request
from app.sending.sendable import can_be_sent
from app.sending.url import parse
from app.services.config import ServiceConfig
from app.workspace.reading import Workspace
from tests.app.capture import captures
from tests.helpers import until

ensure = pytest_twisted.ensureDeferred


class Desk:
    """A Post that captures."""

    def __init__(self, post: Post, path: Path) -> None:
        self.post, self.path = post, path

    async def start(self, protocol: str, responder: str, **more: Any) -> tuple[str, int]:
        config = ServiceConfig(protocol, protocol, "127.0.0.1", 0, responder, options=more)
        service = self.post.add(config)
        await service.start()
        host, _, port = service.status.host.rpartition(":")  # type: ignore[union-attr]
        return host, int(port)

    async def find(self, kind: int, also: Callable[[Event], bool] = lambda _: True) -> Event:
        """The first event of the kind, as soon as it is stored."""

        def look() -> Event | None:
            with closing(Store(self.path)) as store:
                oldest, newest = store.range()
                all_ = store.these(list(range(oldest, newest + 1)))
                return next((event for event in all_ if event.kind == kind and also(event)), None)

        return await until(look)  # type: ignore[no-any-return]

    def read(self, event: Event, **ours: str) -> Captured | None:
        assert can_be_sent(event)
        with closing(Store(self.path)) as store:
            return captured(store, event, ours)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    from twisted.internet import reactor

    post = Post(reactor, Workspace())
    path = tmp_path / "x.lpost"
    pytest_twisted.blockon(post.open(path))
    yield Desk(post, path)
    pytest_twisted.blockon(ensureDeferred(post.shut_down()))


@pytest.fixture
def web() -> Iterator[tuple[str, list[Any]]]:
    """The address of a server of Python's library, and what it got: method, target, headers, body."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            got.append((self.command, self.path, self.headers.items(), body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}", got
        server.shutdown()
        thread.join()


async def exchange(address: tuple[str, int], data: bytes, kind: int = socket.SOCK_STREAM) -> None:
    """Send bytes, and wait for something that comes back."""

    def talk() -> None:
        with socket.socket(socket.AF_INET, kind) as client:
            client.settimeout(60)
            client.connect(address)
            client.sendall(data)
            assert client.recv(65536)

    await deferToThread(talk)


async def resend(desk: Desk, found: Captured, data: bytes) -> None:
    request = Request(parse(found.url), found.method, found.fields)
    conversation = open_conversation(request, desk.post.sender)
    await conversation.connect()
    assert conversation.closed is None
    await conversation.send(data)
    conversation.close()
    await until(lambda: conversation.closed)


def typed(found: Captured) -> bytes:
    """The data by way of the form, as the dock takes it."""
    written = as_written(found.data, kind=found.kind, binary=found.binary)
    assert written is not None
    return content(*written, Path())(1)


def chunked(body: bytes) -> bytes:
    half = len(body) // 2
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:half], body[half:])) + b"0\r\n\r\n"


BINARY = bytes(range(256)) * 3
GZIPPED = gzip.compress(b'{"zipped": true}', mtime=0)


@pytest.mark.parametrize(
    ("body", "fields", "wire"),
    [
        (b'{"a": "\\n"}', ["Content-Type: application/json"], "plain"),
        (b"a=1&b=%26", ["Content-Type: application/x-www-form-urlencoded"], "plain"),
        (BINARY, ["Content-Type: application/octet-stream"], "plain"),
        (BINARY, ["Content-Type: application/octet-stream"], "chunked"),
        (GZIPPED, ["Content-Type: application/json", "Content-Encoding: gzip"], "plain"),
        (b'{"t": "{{braces}}"}', ["Content-Type: application/json"], "chunked"),
        ("ü\r\n\u2028\u00a0".encode(), ["Content-Type: text/plain"], "plain"),
    ],
)
@ensure
async def test_a_request_goes_out_with_the_bytes_with_which_it_came(
    desk: Desk, web: Any, body: bytes, fields: list[str], wire: str
) -> None:
    to, got = web
    address = await desk.start("http", "inspector")
    given = [
        "x-LOWER: a", "X-Twice: 1", "X-Twice: 2", "X-Utf: ü", "User-Agent: t/1", "Accept: */*", *fields
    ]  # fmt: skip
    framing = "Transfer-Encoding: chunked" if wire == "chunked" else f"Content-Length: {len(body)}"
    head = "\r\n".join(["PUT /a%20b?x=1|2&{y} HTTP/1.1", f"Host: {address[0]}:{address[1]}", *given, framing, "", ""])
    await exchange(address, head.encode() + (chunked(body) if wire == "chunked" else body))
    event = await desk.find(events.HTTP_REQUEST)
    await desk.find(events.HTTP_RESPONSE)
    found = desk.read(event, http=to)
    assert found is not None
    assert found.data == body
    await resend(desk, found, typed(found))
    [(method, target, headers, sent)] = got
    assert (method, target, sent) == ("PUT", "/a%20b?x=1|2&{y}", body)
    wanted = [tuple(line.split(": ")) for line in given]
    assert [pair for pair in headers if pair[0] not in ("Host", "Content-Length")] == [
        (name, value.encode().decode("latin-1")) for name, value in wanted
    ]
    assert dict(headers)["Host"] == to


@pytest.mark.parametrize(
    ("method", "size", "missing"),
    [("GET", 0, False), ("POST", 5, True), ("POST", 0, False), ("GET", None, False), ("PUT", None, True)],
)
def test_of_http2_only_a_body_that_was_there_is_missing(
    tmp_path: Path, method: str, size: int | None, missing: bool
) -> None:
    detail = {"method": method, "target": "/x", "version": "HTTP/2", "fields": [], "body": size, "stream": 1}
    path = captures.make(
        tmp_path / "h2.lpost",
        captures.opened(1),
        captures.event(None, events.HTTP_REQUEST, 1, summary=f"{method} /x", detail=detail),
    )
    with closing(Store(path)) as store:
        asked = store.event(store.range()[1])
        assert asked is not None
        found = captured(store, asked, {})
    assert found is not None
    assert found.method == method
    assert any(note.startswith("The body is missing: it is not") for note in found.notes) is missing


@ensure
async def test_an_answer_gives_its_request(desk: Desk) -> None:
    address = await desk.start("http", "inspector")
    await exchange(address, b"POST /x HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 2\r\n\r\nhi")
    found = desk.read(await desk.find(events.HTTP_RESPONSE))
    assert found is not None
    assert (found.method, found.data, found.kind) == ("POST", b"hi", "text/plain")
    assert found.url == f"http://127.0.0.1:{address[1]}/x"
    assert found.left == (("Host", "shop.example"),)
    assert f"Host was shop.example, and will be 127.0.0.1:{address[1]}." in found.notes


@ensure
async def test_headers_of_the_connection_are_left_out_and_named(desk: Desk) -> None:
    address = await desk.start("http", "inspector")
    lines = [
        "GET / HTTP/1.1",
        "Host: x",
        "Connection: keep-alive, X-Hop",
        "X-Hop: 1",
        "TE: trailers",
        "X-End: 2",
        "",
        "",
    ]
    await exchange(address, "\r\n".join(lines).encode())
    found = desk.read(await desk.find(events.HTTP_REQUEST))
    assert found is not None
    assert found.fields == (("X-End", "2"),)
    assert "Left out, because they belong to the connection: Connection, X-Hop, TE." in found.notes
    assert "Added, because the request had none: User-Agent, Accept." in found.notes


@ensure
async def test_bytes_go_to_the_service_that_got_them(desk: Desk) -> None:
    address = await desk.start("tcp", "echo")
    await exchange(address, b"\x00\xffraw\r\n{{x}}")
    found = desk.read(await desk.find(events.DATA_RECEIVED), tcp="127.0.0.1:7")
    assert found is not None
    assert (found.url, typed(found)) == ("tcp://127.0.0.1:7", b"\x00\xffraw\r\n{{x}}")
    gone = desk.read(await desk.find(events.DATA_RECEIVED))
    assert gone is not None
    assert gone.url == f"tcp://127.0.0.1:{address[1]}"


@ensure
async def test_a_datagram_goes_to_the_service_and_what_we_sent_goes_on_to_its_peer(desk: Desk) -> None:
    host, port = await desk.start("udp", "echo")
    conversation = open_conversation(Request(parse(f"udp://{host}:{port}")), desk.post.sender)
    await conversation.connect()
    await conversation.send(b"\x01\x02")
    came = await desk.find(events.DATAGRAM_RECEIVED, lambda event: event.service == "udp")
    ours = await desk.find(events.DATAGRAM_SENT, lambda event: event.service == "send")
    for event, place in ((came, "127.0.0.1:7"), (ours, f"127.0.0.1:{port}")):
        found = desk.read(event, udp="127.0.0.1:7")
        assert found is not None
        assert (found.url, found.data) == (f"udp://{place}", b"\x01\x02")
    conversation.close()


@ensure
async def test_what_a_relay_sent_on_goes_to_its_upstream(desk: Desk) -> None:
    upstream = await desk.start("tcp", "echo")
    post = desk.post
    relay = post.add(
        ServiceConfig("relay", "tcp", "127.0.0.1", 0, "relay", options={"upstream": f"127.0.0.1:{upstream[1]}"})
    )
    await relay.start()
    port = int(relay.status.host.rpartition(":")[2])  # type: ignore[union-attr]
    await exchange(("127.0.0.1", port), b"over")
    event = await desk.find(
        events.DATA_SENT, lambda event: event.service == "relay" and event.peer.endswith(f":{upstream[1]}")
    )
    found = desk.read(event, relay=f"127.0.0.1:{port}")
    assert found is not None
    assert (found.url, found.data) == (f"tcp://127.0.0.1:{upstream[1]}", b"over")


@pytest.mark.parametrize("data", [b"text", b"\x00\xff", b"valid UTF-8, and binary"])
@ensure
async def test_a_message_of_a_websocket_has_its_target_and_stays_what_it_is(desk: Desk, data: bytes) -> None:
    _, port = await desk.start("websocket", "echo")
    binary = data != b"text"
    conversation = open_conversation(Request(parse(f"ws://127.0.0.1:{port}/live?x=1")), desk.post.sender)
    await conversation.connect()
    await conversation.send(data, binary=binary)
    event = await desk.find(events.WS_MESSAGE, lambda event: event.service == "websocket")
    found = desk.read(event, websocket="127.0.0.1:7")
    conversation.close()
    assert found is not None
    assert (found.url, typed(found), found.binary) == ("ws://127.0.0.1:7/live?x=1", data, binary)


@ensure
async def test_a_failure_gives_the_bytes_that_caused_it(desk: Desk, logged_failures: Any) -> None:
    address = await desk.start("tcp", "fragile")
    await exchange(address, b"fine\nfail\n")
    event = await desk.find(events.FAILURE)
    found = desk.read(event, tcp="127.0.0.1:7")
    assert found is not None
    assert (found.url, found.data) == ("tcp://127.0.0.1:7", event.payload)
    assert logged_failures(Exception)
