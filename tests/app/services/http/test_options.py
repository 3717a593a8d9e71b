"""Options that every HTTP service has, with curl where it can ask."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

import brotli
import pytest
import pytest_twisted
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from app.services import settings
from app.services.http.encoding import IN_THREAD
from app.services.http.options import Common
from tests.app.services.helpers import Desk, Peer, Tape
from tests.app.services.http.test_answers import unchunked
from tests.helpers import until

BASIC = b"Authorization: Basic " + b64encode("a:b:\xe9".encode()) + b"\r\n"
BEARER = b"Authorization: Bearer t0ken\r\n"


async def start(desk: Desk, responder: str = "inspector", make: Any = None, **options: Any) -> Any:
    return await desk.start("http", responder, make, options=options)


async def ask(service: Any, fields: bytes = b"", method: bytes = b"GET", path: bytes = b"/") -> tuple[Any, bytes]:
    """Status, fields in lower case, and body of an answer."""
    peer = Peer(service)
    peer.push(method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + fields + b"Connection: close\r\n\r\n")
    head, _, body = (await peer.end()).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    found["status"] = first.split()[1]
    return found, unchunked(body) if "transfer-encoding" in found else body


def test_without_options_there_is_nothing_to_do() -> None:
    assert not Common("x", settings.with_defaults(settings.HTTP, {}))


# -- authentication


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        (b"", "401"),
        (BASIC, "200"),
        (BEARER, "200"),
        (b"Authorization: bearer   t0ken\r\n", "200"),
        (b"Authorization: Bearer t0ke\r\n", "401"),
        (b"Authorization: Bearer\r\n", "401"),
        (b"Authorization: Basic " + b64encode(b"a:b") + b"\r\n", "401"),
        (b"Authorization: Basic !!!\r\n", "401"),
        (b"Authorization: Basic " + b64encode(b"t0ken") + b"\r\n", "401"),
        (b"Authorization: Bearer a:b:\xc3\xa9\r\n", "401"),
        (b"Authorization: Digest x\r\n", "401"),
        (b"Authorization:\r\n", "401"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_a_user_or_a_token_is_let_in(fields: bytes, status: str, desk: Desk, tape: Tape) -> None:
    service = await start(desk, users=["a:b:\xe9", "c:d"], tokens=["t0ken"])
    answer, body = await ask(service, fields)
    assert answer["status"] == status
    if status == "401":
        assert answer["www-authenticate"] == 'Basic realm="http-0", charset="UTF-8", Bearer realm="http-0"'
        assert body == b"This service asks for a name and password, or a token.\n"
    (note,) = tape.all("http.response")
    assert str(note.detail["status"]) == status


@pytest_twisted.ensureDeferred
async def test_only_what_is_configured_is_offered(desk: Desk) -> None:
    answer, _ = await ask(await start(desk, tokens=["x"]), BASIC)
    assert answer["www-authenticate"] == 'Bearer realm="http-0"'


@pytest_twisted.ensureDeferred
async def test_a_connection_goes_on_after_401(desk: Desk) -> None:
    peer = Peer(await start(desk, users=["a:b:\xe9"]))
    peer.push(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody")
    await peer.expect(b"a token.\n")
    peer.push(b"GET /hello HTTP/1.1\r\nHost: x\r\n" + BASIC + b"Connection: close\r\n\r\n")
    assert (await peer.end()).endswith(b"Hello, World!")


# -- CORS

ORIGIN = b"Origin: https://page.example\r\n"
PREFLIGHT = ORIGIN + b"Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x-a, x-b\r\n"


@pytest_twisted.ensureDeferred
async def test_a_preflight_is_answered_without_asking_who(desk: Desk, tape: Tape) -> None:
    service = await start(desk, cors=["https://other.example", "https://page.example"], users=["a:b"])
    answer, body = await ask(service, PREFLIGHT, b"OPTIONS")
    assert (answer["status"], body) == ("204", b"")
    assert answer["access-control-allow-origin"] == "https://page.example"
    assert answer["access-control-allow-credentials"] == "true"
    assert answer["access-control-allow-methods"] == "PUT"
    assert answer["access-control-allow-headers"] == "x-a, x-b"
    assert "origin" in answer["vary"].lower()
    noted = {name.lower() for name, _ in tape.all("http.response")[0].detail["fields"]}
    assert noted == set(answer) - {"status"}


@pytest_twisted.ensureDeferred
async def test_an_unknown_origin_gets_nothing(desk: Desk) -> None:
    service = await start(desk, cors=["https://page.example.org", "http://page.example"])
    for method in (b"OPTIONS", b"GET"):
        answer, _ = await ask(service, PREFLIGHT, method)
        assert not [name for name in answer if name.startswith("access-control-")]
        assert "origin" in answer["vary"].lower()


@pytest_twisted.ensureDeferred
async def test_all_origins_have_no_credentials(desk: Desk) -> None:
    answer, _ = await ask(await start(desk, cors=["*"]), ORIGIN)
    assert answer["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer
    assert "vary" not in answer


@pytest_twisted.ensureDeferred
async def test_a_page_may_read_that_it_was_not_let_in(desk: Desk) -> None:
    answer, _ = await ask(await start(desk, cors=["https://page.example"], users=["a:b"]), ORIGIN)
    assert answer["status"] == "401"
    assert answer["access-control-allow-origin"] == "https://page.example"
    assert "WWW-Authenticate" in answer["access-control-expose-headers"]


@pytest_twisted.ensureDeferred
async def test_other_options_requests_reach_the_responder(desk: Desk) -> None:
    _, body = await ask(await start(desk, cors=["*"]), ORIGIN, b"OPTIONS")
    assert json.loads(body)["method"] == "OPTIONS"


# -- fields


@pytest_twisted.ensureDeferred
async def test_fields_are_added_or_put_in_the_place_of_others(desk: Desk, tape: Tape) -> None:
    service = await start(desk, fields=["server: none", "X-A: 1", "x-a:2", "CONTENT-TYPE: text/plain"])
    answer, _ = await ask(service)
    assert (answer["server"], answer["x-a"], answer["content-type"]) == ("none", "1, 2", "text/plain")
    noted = [pair for pair in tape.all("http.response")[0].detail["fields"] if pair[0].lower() == "x-a"]
    assert [value for _, value in noted] == ["1", "2"]


@pytest.mark.parametrize(
    "field",
    ["no colon", "a b: c", "A: b\r\nC: d", "A: b\n", ": x", "Content-Length: 3", "transfer-ENCODING: x", "A: \xe9"],
)
def test_a_field_that_would_break_the_answer_is_refused(field: str) -> None:
    (option,) = [o for o in settings.HTTP if o.name == "fields"]
    assert option.problem([field])
    assert not option.problem(["X-A: b", "x-empty:"])


@pytest.mark.parametrize("origin", ["example.org", "https://a/b", "https://", "https://a b", "https://*.a"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    (option,) = [o for o in settings.HTTP if o.name == "cors"]
    assert option.problem([origin])
    assert not option.problem(["*", "null", "http://localhost:3000", "https://[::1]:8080", "app://x/"])


# -- compression


class Answering(Resource):
    isLeaf = True

    def __init__(self, size: int = 5000) -> None:
        super().__init__()
        self.size = size
        self.requests: list[Any] = []

    def render(self, request: Any) -> Any:
        self.requests.append(request)
        request.setHeader(b"Content-Type", b"text/plain")
        request.setETag(b'"e"')
        if request.path == b"/stream":
            return NOT_DONE_YET
        return b"x" * self.size


@pytest.mark.parametrize("size", [5000, IN_THREAD, 3_000_000])
@pytest.mark.parametrize(("coding", "unpack"), [("gzip", gzip.decompress), ("br", brotli.decompress)])
@pytest_twisted.ensureDeferred
async def test_a_whole_answer_is_packed_with_its_length(
    coding: str, unpack: Any, size: int, desk: Desk, tape: Tape
) -> None:
    service = await start(desk, make=lambda: Answering(size), compression=True)
    answer, body = await ask(service, b"Accept-Encoding: " + coding.encode() + b"\r\n")
    assert answer["content-encoding"] == coding
    assert answer["content-length"] == str(len(body))
    assert (answer["etag"], answer["vary"]) == ('W/"e"', "Accept-Encoding")
    assert unpack(body) == b"x" * size
    (note,) = tape.all("http.response")
    assert note.size == len(body)
    assert dict(note.detail["fields"])["Content-Encoding"] == coding


@pytest_twisted.ensureDeferred
async def test_each_part_of_a_stream_leaves_packed_at_once(desk: Desk, tape: Tape) -> None:
    resource = Answering()
    peer = Peer(await start(desk, make=lambda: resource, compression=True))
    peer.push(b"GET /stream HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\nConnection: close\r\n\r\n")
    await until(lambda: resource.requests)
    (request,) = resource.requests
    request.write(b"")
    await peer.expect(b"\r\n\r\n")
    decoder, read = brotli.Decompressor(), 0
    for i in range(3):
        before = len(peer.got)
        request.write(b"data: %d\n\n" % i)
        await until(lambda before=before: len(peer.pull().got) > before)
        packed = unchunked(bytes(peer.got[before:]))
        read += len(packed)
        assert decoder.process(packed) == b"data: %d\n\n" % i
    request.finish()
    await peer.end()
    (note,) = tape.all("http.response")
    assert note.size is not None
    assert note.size >= read


@pytest_twisted.ensureDeferred
async def test_what_is_not_accepted_is_not_packed(desk: Desk) -> None:
    service = await start(desk, make=Answering, compression=True)
    for fields in (b"", b"Accept-Encoding: deflate\r\n"):
        answer, _ = await ask(service, fields)
        assert "content-encoding" not in answer
        assert (answer["content-length"], answer["etag"]) == ("5000", '"e"')
        assert answer["vary"] == "Accept-Encoding"


@pytest_twisted.ensureDeferred
async def test_head_has_the_fields_of_get_but_for_the_length_of_what_is_packed(desk: Desk) -> None:
    service = await start(desk, make=Answering, compression=True)
    (head, body), (get, _) = [await ask(service, b"Accept-Encoding: br\r\n", method) for method in (b"HEAD", b"GET")]
    assert body == b""
    assert "content-length" not in head
    del get["content-length"], get["date"], head["date"]
    assert head == get
    assert (head["etag"], head["content-encoding"]) == ('W/"e"', "br")


@pytest_twisted.ensureDeferred
async def test_pipelined_answers_that_are_packed_in_threads_stay_in_order(desk: Desk) -> None:
    peer = Peer(await start(desk, make=lambda: Answering(IN_THREAD), compression=True))
    large = b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n"
    peer.push(large * 3 + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    got = await peer.end()
    assert got.count(b"Content-Encoding: gzip") == 3
    assert got.endswith(b"x" * IN_THREAD)


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_while_its_answer_is_packed_leaves_nothing(desk: Desk, tape: Tape) -> None:
    resource = Answering(3_000_000)
    service = await start(desk, make=lambda: resource, compression=True)
    peer = Peer(service)
    peer.push(b"GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n")
    await until(lambda: resource.requests)
    peer.reset()
    await until(lambda: not service.connections)
    await until(lambda: not resource.requests[0]._packing)
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_c25_private_networks_are_for_who_says_so(desk: Desk) -> None:
    asked = b"Origin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n"
    asked += b"Access-Control-Request-Private-Network: true\r\n"
    for allowed in (True, False):
        options = {"cors": ["https://a.example"], "private_network": allowed}
        service = await desk.start("http", "inspector", options=options)
        answer, _ = await ask(service, asked, method=b"OPTIONS")
        assert answer.get("access-control-allow-private-network") == ("true" if allowed else None)
