"""app.responders.relay.responder on HTTP, asked by curl, with upstreams of raw bytes and of our own."""

from __future__ import annotations

import filecmp
import hashlib
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.utils import getProcessOutputAndValue
from twisted.web.http_headers import Headers

from app.commands.send.running import Nowhere
from app.responders.relay.http import end_to_end
from tests.app.responders.relay.test_responder import at, free_ports
from tests.app.services.helpers import Desk, Peer, Tape
from tests.helpers import closed_port, until


class Raw:
    """An upstream that records what it receives, and answers with given bytes once a request's head is complete."""

    def __init__(self, desk: Desk, answer: bytes, *, close: bool = False) -> None:
        raw = self
        self.got = b""
        self.connections = 0

        class Answering(Protocol):
            def connectionMade(self) -> None:
                raw.connections += 1

            def dataReceived(self, data: bytes) -> None:
                raw.got += data
                if raw.got.endswith(b"\r\n\r\n"):
                    self.transport.write(answer)  # type: ignore[union-attr]
                    if close:
                        self.transport.loseConnection()  # type: ignore[union-attr]

        self.port = desk.reactor.listenTCP(0, ServerFactory.forProtocol(Answering), interface="127.0.0.1")
        self.url = f"http://127.0.0.1:{self.port.getHost().port}"

    async def __aenter__(self) -> Raw:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.port.stopListening()


async def relay(desk: Desk, upstream: str, **more: Any) -> Any:
    return await desk.start("http", "relay", options={"upstream": upstream, **more})


async def curl(desk: Desk, *arguments: str) -> bytes:
    out, err, code = await getProcessOutputAndValue(
        "curl", ["-sS", "-m", "100", *arguments], env=os.environ, reactor=desk.reactor
    )
    assert code == 0, (code, err)
    return out


async def answer_to(desk: Desk, service: Any, request: bytes, until_seen: bytes = b"") -> bytes:
    peer = Peer(service)
    await peer.send(request)
    got = await (peer.expect(until_seen) if until_seen else peer.end())
    peer.close()
    return got


def test_what_belongs_to_one_connection_ends_here():
    fields = Headers(
        {
            b"Connection": [b"close, X-Mine", b"x-too"],
            b"X-Mine": [b"1"],
            b"X-Too": [b"2"],
            b"Keep-Alive": [b"timeout=5"],
            b"Proxy-Authorization": [b"secret"],
            b"TE": [b"trailers"],
            b"Trailer": [b"x"],
            b"Transfer-Encoding": [b"chunked"],
            b"Upgrade": [b"h2c"],
            b"X-Yours": [b"3", b"4"],
        }
    )
    assert list(end_to_end(fields, [b"close, X-Mine", b"x-too"])) == [(b"X-Yours", b"3"), (b"X-Yours", b"4")]


@pytest_twisted.ensureDeferred
async def test_a_request_reaches_the_upstream_with_its_fields_and_the_upstreams_host(desk: Desk, tape: Tape):
    async with Raw(
        desk, b"HTTP/1.1 200 Fine\r\nContent-Length: 2\r\nX-A: 1\r\nConnection: X-B\r\nX-B: 2\r\n\r\nok"
    ) as raw:
        service = await relay(desk, raw.url + "/base")
        got = await answer_to(
            desk,
            service,
            b"GET /x//y?q=%20& HTTP/1.1\r\nHost: localhost\r\nX-Own: 7\r\n"
            b"Connection: close\r\nConnection: X-Drop\r\nX-Drop: 1\r\n\r\n",
        )
        head, _, body = got.partition(b"\r\n\r\n")
        assert body == b"ok"
        assert head.startswith(b"HTTP/1.1 200 Fine\r\n")
        assert b"x-a: 1" in head.lower()
        assert b"x-b" not in head.lower()
        asked = raw.got.split(b"\r\n")
        assert asked[0] == b"GET /base/x//y?q=%20& HTTP/1.1"
        assert f"Host: {raw.url[7:]}".encode() in asked
        assert b"x-own: 7" in raw.got.lower()
        assert b"x-drop" not in raw.got.lower()
        outgoing = [e for e in tape.all("connection.opened") if e.detail.get("outgoing")]
        assert tape.data("data.sent", outgoing[0].conn) == raw.got


@pytest_twisted.ensureDeferred
async def test_smuggling_ends_at_the_relay(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(
            desk,
            service,
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\n\r\nGET /evil",
        )
        assert got.startswith(b"HTTP/1.1 400")
        assert raw.got == b""


@pytest_twisted.ensureDeferred
async def test_connections_to_the_upstream_are_kept_and_close_with_the_service(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 204 None\r\n\r\n") as raw:
        service = await relay(desk, raw.url)
        for _ in range(3):
            got = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n\r\n")
            assert got.startswith(b"HTTP/1.1 204 None\r\n")
        assert raw.connections == 1
        await service.stop()
        assert not service.connections


@pytest_twisted.ensureDeferred
async def test_head_keeps_the_length_and_has_no_body(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: x\r\n\r\n") as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(desk, service, b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"content-length: 1234\r\n" in got.lower()
        assert got.endswith(b"\r\n\r\n")


@pytest_twisted.ensureDeferred
async def test_not_modified_has_no_body(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n") as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 304")
        assert got.endswith(b"\r\n\r\n")


@pytest_twisted.ensureDeferred
async def test_c13_interim_responses_are_passed_on_to_who_knows_them(desk: Desk):
    answer = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    async with Raw(desk, answer) as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 200")
        assert got.endswith(b"ok")
        got = await answer_to(desk, service, b"GET / HTTP/1.0\r\n\r\n")
        assert got.startswith(b"HTTP/1.0 200")


@pytest_twisted.ensureDeferred
async def test_c13_trailers_of_an_answer_are_told(desk: Desk, tape: Tape):
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n"
    async with Raw(desk, answer) as raw:
        service = await relay(desk, raw.url)
        await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert "trailers of the upstream's answer are not passed on: X-Sum: 7" in [e.summary for e in tape.all("log")]


@pytest_twisted.ensureDeferred
async def test_b7_a_reason_phrase_is_cleaned(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 200 O\rK\x1b[31m\xe9\r\nContent-Length: 0\r\n\r\n") as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 200 O K [31m\xe9\r\n")


@pytest_twisted.ensureDeferred
async def test_a_body_without_length_ends_with_its_connection(desk: Desk):
    async with Raw(desk, b"HTTP/1.0 200 OK\r\n\r\nall of it", close=True) as raw:
        service = await relay(desk, raw.url)
        assert await curl(desk, f"http://{at(service)}/") == b"all of it"


@pytest_twisted.ensureDeferred
async def test_redirects_cookies_and_encodings_are_passed_on_as_they_are(desk: Desk):
    answer = (
        b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
        b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08"
    )
    async with Raw(desk, answer) as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 302 Found")
        assert b"a=1" in got
        assert b"b=2" in got
        assert got.endswith(b"\x1f\x8b\x08")
        again = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert again.endswith(b"\x1f\x8b\x08")
        assert b"cookie" not in raw.got.lower()


@pytest_twisted.ensureDeferred
async def test_host_can_be_kept_and_the_client_told(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as raw:
        service = await relay(desk, raw.url, keep_host=True, forwarded=True, hosts=["me.example"])
        await answer_to(
            desk,
            service,
            b"GET / HTTP/1.1\r\nHost: me.example\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n",
        )
        assert b"Host: me.example\r\n" in raw.got
        assert b"X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n" in raw.got
        assert b'Forwarded: for=127.0.0.1;proto=http;host="me.example"\r\n' in raw.got


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_refuses_is_502_in_words(desk: Desk):
    with closed_port() as port:
        service = await relay(desk, f"http://127.0.0.1:{port}")
        got = await curl(desk, "-i", f"http://{at(service)}/")
    assert got.startswith(b"HTTP/1.1 502")
    assert b"text/plain" in got
    assert b"refused the connection. Start the server there" in got


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_does_not_speak_http_is_502(desk: Desk):
    async with Raw(desk, b"SSH-2.0-OpenSSH\r\n", close=True) as raw:
        service = await relay(desk, raw.url)
        got = await curl(desk, "-i", f"http://{at(service)}/")
        assert got.startswith(b"HTTP/1.1 502")
        assert b"it did not answer in HTTP" in got or b"closed the connection" in got


WRONG = {
    b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nhi": "its Content-Length is not one number: “abc”",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi": (
        "its Content-Length is not one number: “2, 3”"
    ),
    b"HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\nhi" % (b"9" * 5000): (
        f"its Content-Length is not one number: “{'9' * 40}”"
    ),
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n": (
        "its Transfer-Encoding “gzip, chunked” is not known"
    ),
    b"HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nhi": "its status 99 is none of HTTP's",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n": "it went over to another protocol without having been asked to",
    b"HTTP/1.1 200 OK\r\nno field\r\n\r\n": "it did not answer in HTTP",
    b"HTTP/1.1 200 OK\r\nX: %s\r\n\r\n" % (b"x" * 70_000): (
        "a line in the head of its answer is longer than 65,536 bytes"
    ),
}


@pytest.mark.parametrize("answer", WRONG, ids=[words[:60] for words in WRONG.values()])
@pytest_twisted.ensureDeferred
async def test_an_upstream_that_breaks_the_rules_is_502_in_words(answer: bytes, desk: Desk, tape: Tape):
    async with Raw(desk, answer) as raw:
        service = await relay(desk, raw.url)
        got = await curl(desk, "-i", f"http://{at(service)}/")
        assert got.startswith(b"HTTP/1.1 502")
        assert got.endswith(f"The connection to {raw.url} failed: {WRONG[answer]}.\n".encode())
        assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_the_log_says_that_an_upgrade_to_websocket_ends_here(desk: Desk, tape: Tape):
    async with Raw(desk, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as raw:
        service = await relay(desk, raw.url)
        for more in ((), ("-H", "Connection: Upgrade", "-H", "Upgrade: websocket")):
            assert (await curl(desk, "-i", *more, f"http://{at(service)}/")).startswith(b"HTTP/1.1 400 ")
        assert b"upgrade" not in raw.got.lower()
    (note,) = [event for event in tape.all("log") if "WebSocket" in event.summary]
    assert note.summary.endswith("a service with the protocol websocket relays it")
    assert note.conn is not None


@pytest_twisted.ensureDeferred
async def test_a_long_field_is_passed_on_and_a_nul_in_it_is_not(desk: Desk):
    value = b"x" * 40_000
    async with Raw(desk, b"HTTP/1.1 200 OK\r\nX: a\0%s\r\nContent-Length: 2\r\n\r\nhi" % value) as raw:
        service = await relay(desk, raw.url)
        got = await curl(desk, "-i", f"http://{at(service)}/")
        assert b"X: a " + value + b"\r\n" in got


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_stops_in_the_middle_cuts_the_answer(desk: Desk, tape: Tape):
    async with Raw(desk, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", close=True) as raw:
        service = await relay(desk, raw.url)
        peer = Peer(service)
        await peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await until(lambda: peer.pull().ended)
        assert peer.ended == "reset" or b"half" in peer.got
        [response] = tape.all("http.response")
        assert "cut" in response.detail


@pytest_twisted.ensureDeferred
async def test_a_relay_to_itself_is_508_in_words(desk: Desk):
    [port] = free_ports(1)
    service = await desk.start("http", "relay", port=port, options={"upstream": f"http://localhost:{port}"})
    got = await curl(desk, "-i", f"http://{at(service)}/")
    assert got.startswith(b"HTTP/1.1 508")
    assert b"leads back to this relay" in got


@pytest_twisted.ensureDeferred
async def test_an_upstream_on_tls_is_verified_unless_told_otherwise(desk: Desk):
    upstream = await desk.start("http", "inspector", tls={})
    url = f"https://{at(upstream)}"
    lax = await relay(desk, url, verify=False)
    assert b"200" in (await curl(desk, "-i", f"http://{at(lax)}/")).splitlines()[0]
    desk.surroundings = type(desk.surroundings)(data=desk.surroundings.data / "elsewhere")
    strict = await relay(desk, url)
    got = await curl(desk, "-i", f"http://{at(strict)}/")
    assert b"502" in got.splitlines()[0]
    assert b" is not trusted: the server's certificate (" in got
    assert got.endswith(b"Have this system trust its authority, or set the option verify to false.\n")


@pytest_twisted.ensureDeferred
async def test_an_upstream_without_tls_where_it_is_asked_for_is_502_in_words(desk: Desk):
    upstream = await desk.start("tcp", "banner", options={"text": "HTTP/1.1 400 Bad Request\\r\\n"})
    service = await relay(desk, f"https://{at(upstream)}", verify=False)
    got = await curl(desk, "-i", f"http://{at(service)}/")
    assert b"502" in got.splitlines()[0]
    assert got.endswith(b" failed: the server speaks plain HTTP, not TLS.\n")


@pytest_twisted.ensureDeferred
async def test_a_content_type_is_not_invented_and_a_date_is_not_lost(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"content-type" not in got.lower()
        assert got.lower().count(b"date: ") == 1


@pytest_twisted.ensureDeferred
async def test_the_upstreams_type_and_date_are_passed_on(desk: Desk):
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nDate: then\r\nContent-Length: 2\r\n\r\nok"
    async with Raw(desk, answer) as raw:
        service = await relay(desk, raw.url)
        got = await answer_to(desk, service, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert got.lower().count(b"content-type: a/b\r\n") == got.lower().count(b"content-type") == 1
        assert got.lower().count(b"date: then\r\n") == got.lower().count(b"date: ") == 1


@pytest_twisted.ensureDeferred
async def test_no_target_leaves_the_path_of_the_upstream(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 204 None\r\n\r\n") as raw:
        service = await relay(desk, raw.url + "/base")
        for target in (b"http://localhost/../x", b"/../../x"):
            raw.got = b""
            await answer_to(desk, service, b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % target)
            assert raw.got.startswith(b"GET /base/x HTTP/1.1\r\n")


@pytest_twisted.ensureDeferred
async def test_connect_is_501_in_words(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 200 OK\r\n\r\n") as raw:
        service = await relay(desk, raw.url + "/base")
        got = await answer_to(desk, service, b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\nConnection: close\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 501")
        assert b"opens no tunnels" in got
        assert raw.got == b""


@pytest_twisted.ensureDeferred
async def test_an_upstream_that_switches_protocols_unasked_is_502_in_words(desk: Desk):
    async with Raw(desk, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n") as raw:
        service = await relay(desk, raw.url)
        request = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: x\r\nConnection: Upgrade, close\r\n\r\n"
        got = await answer_to(desk, service, request)
        assert got.startswith(b"HTTP/1.1 502")
        assert got.endswith(b" failed: it went over to another protocol without having been asked to.\n")


@pytest_twisted.ensureDeferred
async def test_large_bodies_pass_unchanged_in_bounded_memory(desk: Desk, tmp_path: Path):
    Nowhere(desk.recorder)  # the tape would keep it all
    size = 100_000_000
    (tmp_path / "large.bin").write_bytes(os.urandom(1 << 20) * (size >> 20))
    upstream = await desk.start("http", "static", options={"root": str(tmp_path)})
    service = await relay(desk, f"http://{at(upstream)}")
    out = tmp_path / "out.bin"
    tracemalloc.start()
    try:
        await curl(desk, "-o", str(out), f"http://{at(service)}/large.bin")
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert filecmp.cmp(out, tmp_path / "large.bin", shallow=False)
    assert most < size / 4


@pytest_twisted.ensureDeferred
async def test_an_upload_is_streamed_to_the_upstream(desk: Desk, tmp_path: Path):
    got = hashlib.sha256()
    total = 0

    class Counting(Protocol):
        head = b""

        def dataReceived(self, data: bytes) -> None:
            nonlocal total
            if b"\r\n\r\n" not in self.head:
                before = len(self.head)
                self.head += data
                at_end = self.head.find(b"\r\n\r\n")
                data = data[at_end + 4 - before :] if at_end >= 0 else b""
            got.update(data)
            total += len(data)
            if total == size:
                self.transport.write(b"HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n")  # type: ignore[union-attr]

    block = os.urandom(1 << 20)
    size = 60 << 20
    (tmp_path / "up.bin").write_bytes(block * 60)
    port = desk.reactor.listenTCP(0, ServerFactory.forProtocol(Counting), interface="127.0.0.1")
    try:
        service = await relay(desk, f"http://127.0.0.1:{port.getHost().port}")
        answer = await curl(desk, "-i", "-T", str(tmp_path / "up.bin"), f"http://{at(service)}/up")
        assert b"201 Made" in answer
        assert got.hexdigest() == hashlib.sha256(block * 60).hexdigest()
        await service.stop()
    finally:
        await port.stopListening()


CHUNKED = b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
LONG = b"POST /b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n"


@pytest_twisted.ensureDeferred
async def test_a_request_behind_a_chunked_one_is_answered(desk: Desk, tape: Tape):
    upstream = await desk.start("http", "inspector")
    service = await relay(desk, f"http://{at(upstream)}")
    got = await answer_to(desk, service, CHUNKED + LONG + b"z" * 5000)
    assert got.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert b"zzz" in got
    assert len([e for e in tape.all("connection.opened") if e.detail.get("outgoing")]) == 1


@pytest_twisted.ensureDeferred
async def test_a_client_that_leaves_in_the_request_behind_a_chunked_one_is_not_kept(desk: Desk, tape: Tape):
    upstream = await desk.start("http", "inspector")
    service = await relay(desk, f"http://{at(upstream)}")
    peer = Peer(service)
    await peer.send(CHUNKED + LONG + b"z" * 1000)
    await until(lambda: len([e for e in tape.all("http.request") if e.summary == "POST /b"]) == 1)
    peer.close()
    await until(lambda: not service.connections)
    assert not tape.all("failure")
