"""app.services.tls.server, tls_transport: services that speak TLS, and clients of all kinds."""

from __future__ import annotations

import asyncio
import ssl
import stat
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import threads
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol
from twisted.web.resource import Resource
from zope.interface import implementer

from app.services.tls import authority
from app.services.tls import transport as tls_transport
from tests.app.services.helpers import Desk, Peer, Tape, address, closed, turn
from tests.app.services.tls.test_client_hello import old_hello
from tests.app.services.tls_peers import SecurePeer, at_home, ca, certificate, pem, program, trusting, words
from tests.helpers import until


@pytest.fixture(autouse=True)
def home(desk: Desk, tmp_path: Path) -> Path:
    at_home(desk, tmp_path)
    return tmp_path


async def secured(desk: Desk, protocol: str = "tcp", responder: str = "echo", make: Any = None, **tls: Any) -> Any:
    return await desk.start(protocol, responder, make, tls=tls)


def port_of(service: Any) -> str:
    return str(address(service)[1])


# -- clients that this project did not write


@pytest_twisted.ensureDeferred
async def test_openssl_gets_its_bytes_back_and_the_capture_has_plaintext(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    out, err, _ = await program(
        desk, "socat", "-t5", "-", f"OPENSSL:127.0.0.1:{port_of(service)},cafile={ca(desk)},commonname=localhost",
        stdin=b"hello\n",
    )  # fmt: skip
    assert (out, err) == ("hello\n", "")
    await closed(tape)
    assert tape.data("data.received") == tape.data("data.sent") == b"hello\n"
    assert [e.kind for e in tape.all() if e.conn][:2] == ["connection.opened", "tls.opened"]


@pytest_twisted.ensureDeferred
async def test_what_was_agreed_on_is_an_event(desk: Desk, tape: Tape) -> None:
    service = await secured(desk, alpn=["mqtt", "x"])
    await program(
        desk, "openssl", "s_client", "-connect", f"127.0.0.1:{port_of(service)}", "-servername", "post.test",
        "-alpn", "x,mqtt", "-tls1_2", "-ciphersuites", "", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256",
    )  # fmt: skip
    opened = (await until(lambda: tape.all("tls.opened")))[0]
    assert opened.detail == {
        "version": "TLS 1.2", "cipher": "ECDHE-ECDSA-AES128-GCM-SHA256", "bits": 128, "alpn": "mqtt",
        "sni": "post.test", "client": None, "resumed": False,
    }  # fmt: skip
    assert opened.summary == "TLS 1.2, ECDHE-ECDSA-AES128-GCM-SHA256, mqtt, for post.test"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
@pytest_twisted.ensureDeferred
async def test_curl_trusts_a_certificate_for_each_loopback_name(desk: Desk, name: str) -> None:
    service = await desk.start("http", "inspector", host="::1" if "[" in name else "127.0.0.1", tls={})
    out, err, code = await program(desk, "curl", "-sS", "--cacert", ca(desk), f"https://{name}:{port_of(service)}/x")
    assert (err, code) == ("", 0)
    assert '"target": "/x"' in out


@pytest.mark.parametrize(("http2", "version"), [(True, "2"), (False, "1.1")])
@pytest_twisted.ensureDeferred
async def test_http_2_is_agreed_on_unless_it_is_off(desk: Desk, tape: Tape, http2: bool, version: str) -> None:
    service = await secured(desk, "http", "inspector", http2=http2)
    url = f"https://localhost:{port_of(service)}/"
    out, err, _ = await program(
        desk, "curl", "-sS", "-o", "/dev/null", "-w", "%{http_version}", "--cacert", ca(desk), url
    )
    assert (out, err) == (version, "")
    assert tape.all("tls.opened")[0].detail["alpn"] == ("h2" if http2 else "http/1.1")


class Secure(Resource):
    """Says whether the request came by TLS."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        return repr((request.isSecure(), request.URLPath().scheme)).encode()


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
@pytest_twisted.ensureDeferred
async def test_a_resource_knows_that_it_is_secure(desk: Desk, version: str) -> None:
    service = await secured(desk, "http", make=Secure)
    url = f"https://localhost:{port_of(service)}/"
    out, err, _ = await program(desk, "curl", "-sS", version, "--cacert", ca(desk), url)
    assert (out, err) == ("(True, b'https')", "")


@pytest_twisted.ensureDeferred
async def test_websockets_connects_to_wss(desk: Desk, tape: Tape) -> None:
    from websockets.asyncio.client import connect

    service = await secured(desk, "websocket")
    port = port_of(service)
    context = trusting(desk)

    async def talk() -> str | bytes:
        async with connect(f"wss://localhost:{port}/", ssl=context, proxy=None) as client:
            await client.send("grün")
            return await client.recv()

    assert await threads.deferToThread(lambda: asyncio.run(talk())) == "grün"
    assert tape.all("tls.opened")
    assert [e.kind for e in tape.all("ws.opened", "ws.message")] == ["ws.opened", "ws.message", "ws.message"]


@pytest_twisted.ensureDeferred
async def test_a_session_is_resumed(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    context = trusting(desk)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    first = await SecurePeer(service, context).shake()
    session = first.secure.session
    assert session is not None
    again = SecurePeer(service, context)
    again.secure.session = session
    await again.shake()
    await until(lambda: len(tape.all("tls.opened")) == 2)
    assert [e.detail["resumed"] for e in tape.all("tls.opened")] == [False, True]


# -- ten megabytes, and ends of connections


@pytest_twisted.ensureDeferred
async def test_a_client_may_write_ten_megabytes_before_it_reads(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    peer = await SecurePeer(service, trusting(desk)).shake()
    data = bytes(range(256)) * 40_000
    for start in range(0, len(data), 1 << 20):
        peer.secure.write(data[start : start + (1 << 20)])
        peer._waiting += peer._out.read()
    view = bytes(peer._waiting)
    peer._waiting.clear()
    sent = 0
    while sent < len(view):
        sent += peer.push(view[sent : sent + (1 << 20)])
        await turn()
    await until(lambda: len(peer.hear()) == len(data), 30)
    assert peer.hear() == data
    peer.say_goodbye()
    await closed(tape)
    assert service.bytes_so_far() == (len(data), len(data))


@pytest_twisted.ensureDeferred
async def test_a_client_that_never_reads_is_held_back(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.services.tap import valve

    monkeypatch.setattr(valve, "KEPT_FOR_ONE", 4 << 20)
    service = await secured(desk)
    peer = await SecurePeer(service, trusting(desk), receive_buffer=4096).shake()
    peer.secure.write(bytes(30 << 20))
    data = memoryview(peer._out.read())
    tap: Any = next(iter(service.connections.values()))

    def push() -> bool:
        nonlocal data
        data = data[peer.push(data[: 1 << 18]) :]
        return bool(tap.held)

    await until(push)
    assert 4 << 20 < tap.unsent() < 8 << 20


@pytest_twisted.ensureDeferred
async def test_close_notify_is_a_clean_end_for_both(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"last words")
    peer.say_goodbye()
    end = await closed(tape)
    assert (end.summary, end.detail["unsent"]) == ("closed by the peer", 0)
    await until(lambda: peer.hear() and peer.closed_by_tls)
    assert peer.plain == b"last words"


class OneLine(Protocol):
    """Answers the first bytes and closes."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"bye")  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]


@pytest_twisted.ensureDeferred
async def test_we_close_with_close_notify(desk: Desk, tape: Tape) -> None:
    service = await secured(desk, make=lambda: Factory.forProtocol(OneLine))
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"x")
    await until(lambda: peer.hear() and peer.closed_by_tls)
    peer.say_goodbye()
    assert peer.plain == b"bye"
    assert (await closed(tape)).summary == "closed by us"


@pytest_twisted.ensureDeferred
async def test_a_peer_that_does_not_answer_close_notify_is_not_waited_for(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_transport, "CLOSING_SECONDS", 0.05)
    service = await secured(desk, make=lambda: Factory.forProtocol(OneLine))
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"x")
    assert (await closed(tape)).summary == "closed by us"


class ClosingTwice(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.loseWriteConnection()  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]


@pytest_twisted.ensureDeferred
async def test_nor_is_it_where_our_side_was_closed_before(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_transport, "CLOSING_SECONDS", 0.05)
    service = await secured(desk, make=lambda: Factory.forProtocol(ClosingTwice))
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"x")
    assert (await closed(tape)).summary == "closed by us"


@pytest_twisted.ensureDeferred
async def test_a_connection_that_ends_without_close_notify_was_cut_off(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    peer = await SecurePeer(service, trusting(desk)).shake()
    await until(lambda: tape.all("tls.opened"))
    peer.finish_sending()
    assert (await closed(tape)).summary == "closed by the peer, without close_notify"


@pytest_twisted.ensureDeferred
async def test_a_reset_is_a_reset(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    peer = await SecurePeer(service, trusting(desk)).shake()
    await until(lambda: tape.all("tls.opened"))
    peer.reset()
    assert (await closed(tape)).summary == "reset by the peer"


class Aborting(Protocol):
    def dataReceived(self, data: bytes) -> None:
        self.transport.abortConnection()  # type: ignore[union-attr]


@pytest_twisted.ensureDeferred
async def test_an_aborted_connection_is_cut_off_for_the_peer(desk: Desk, tape: Tape) -> None:
    service = await secured(desk, make=lambda: Factory.forProtocol(Aborting))
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"x")
    assert (await closed(tape)).summary == "aborted by us"
    await until(lambda: peer.pull().ended)


class HalfClosing(Protocol):
    """Closes its own side, and keeps what still comes."""

    got = b""

    def dataReceived(self, data: bytes) -> None:
        if not type(self).got:
            self.transport.write(b"all of it")  # type: ignore[union-attr]
            self.transport.loseWriteConnection()  # type: ignore[union-attr]
        type(self).got += data


@pytest_twisted.ensureDeferred
async def test_closing_our_side_is_close_notify_and_reading_goes_on(desk: Desk, tape: Tape) -> None:
    HalfClosing.got = b""
    service = await secured(desk, make=lambda: Factory.forProtocol(HalfClosing))
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"first")
    await until(lambda: peer.hear() == b"all of it" and peer.closed_by_tls)
    await peer.say(b", second")
    await until(lambda: HalfClosing.got == b"first, second")
    peer.say_goodbye()
    peer.close()
    assert (await closed(tape)).detail["received"] == 13


class HalfClosed(Protocol):
    """Says what it has to say before the handshake, and no more."""

    def connectionMade(self) -> None:
        self.transport.write(self.factory.words)  # type: ignore[union-attr]
        self.transport.loseWriteConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:
        self.transport.loseWriteConnection()  # type: ignore[union-attr]


@pytest.mark.parametrize("said", [b"", b"welcome"])
@pytest_twisted.ensureDeferred
async def test_our_side_may_be_closed_before_the_handshake(desk: Desk, tape: Tape, said: bytes) -> None:
    factory: Any = Factory.forProtocol(HalfClosed)
    factory.words = said
    service = await secured(desk, make=lambda: factory)
    peer = await SecurePeer(service, trusting(desk)).shake()
    await until(lambda: peer.hear() == said and peer.closed_by_tls)
    peer.say_goodbye()
    peer.close()
    assert (await closed(tape)).detail["sent"] == len(said)


@implementer(tls_transport.IHalfCloseableProtocol)
class Late(Protocol):
    """Answers when the peer has sent all."""

    def readConnectionLost(self) -> None:
        self.factory.clock.callLater(0.01, self._answer)  # type: ignore[union-attr]

    def _answer(self) -> None:
        self.transport.write(b"late")  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]

    def writeConnectionLost(self) -> None:
        pass


@pytest_twisted.ensureDeferred
async def test_a_peer_that_has_sent_all_is_still_answered(desk: Desk, tape: Tape) -> None:
    factory: Any = Factory.forProtocol(Late)
    factory.clock = desk.reactor
    service = await secured(desk, make=lambda: factory)
    peer = await SecurePeer(service, trusting(desk)).shake()
    await peer.say(b"all")
    peer.say_goodbye()
    await until(lambda: b"late" in peer.hear())
    peer.close()
    assert (await closed(tape)).detail["sent"] == 4


@pytest_twisted.ensureDeferred
async def test_a_service_with_live_connections_stops_within_its_grace(
    desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_transport, "CLOSING_SECONDS", 300.0)
    monkeypatch.setattr(tls_transport, "HANDSHAKE_SECONDS", 300.0)
    service = await secured(desk)
    for _ in range(3):
        await SecurePeer(service, trusting(desk)).shake()
    Peer(service)  # one that never begins its handshake
    await until(lambda: len(service.connections) == 4)
    await service.stop(grace=0.2)
    assert not service.connections
    assert {e.summary for e in tape.all("connection.closed")} <= {"closed by us", "aborted by us"}
    assert not tape.all("tls.failed")


@implementer(IHandshakeListener)
class Listener(Protocol):
    def handshakeCompleted(self) -> None:
        self.transport.write(b"up")  # type: ignore[union-attr]


@pytest_twisted.ensureDeferred
async def test_a_responder_can_hear_of_the_handshake(desk: Desk) -> None:
    service = await secured(desk, make=lambda: Factory.forProtocol(Listener))
    peer = await SecurePeer(service, trusting(desk)).shake()
    await until(lambda: peer.hear() == b"up")


# -- handshakes that fail


async def failed(tape: Tape) -> str:
    """Why there was no TLS, once the connection has ended."""
    end = await closed(tape)
    said = words(tape.all("tls.failed"))
    assert end.summary.startswith(f"TLS handshake failed: {said}"), end.summary
    assert tape.all("tls.failed")[0].detail["reason"] == said
    assert not tape.all("failure")
    return said


@pytest_twisted.ensureDeferred
async def test_plain_http_is_told_so_in_plain_http(desk: Desk, tape: Tape) -> None:
    service = await secured(desk, "http", "inspector")
    out, _, _ = await program(desk, "curl", "-sS", "-w", "%{http_code}", f"http://localhost:{port_of(service)}/")
    assert out == "This port speaks TLS. Use https:// or wss://.\n400"
    assert await failed(tape) == "plain HTTP on a TLS port"
    assert (tape.all("tls.failed")[0].payload or b"").startswith(b"GET / HTTP/1.1")


@pytest.mark.parametrize(("number", "version"), [(0x301, "TLS 1.0"), (0x302, "TLS 1.1"), (0x300, "SSL 3.0")])
@pytest_twisted.ensureDeferred
async def test_old_versions_are_named(desk: Desk, tape: Tape, number: int, version: str) -> None:
    service = await secured(desk)
    await Peer(service).send(old_hello(number))
    assert await failed(tape) == f"the client offered only {version}; this service asks for TLS 1.2 or newer"
    event = tape.all("tls.failed")[0]
    assert event.detail["offered"] == [version]
    assert event.payload == old_hello(number)
    assert event.detail["openssl"]


@pytest.mark.parametrize(("protocol", "responder"), [("http", "inspector"), ("websocket", "echo"), ("tcp", "line")])
@pytest_twisted.ensureDeferred
async def test_a_failed_handshake_is_no_failure_of_a_responder(
    desk: Desk, tape: Tape, protocol: str, responder: str
) -> None:
    service = await secured(desk, protocol, responder)
    await Peer(service).send(old_hello(0x301))
    await failed(tape)
    Peer(service).close()
    await until(lambda: len(tape.all("tls.failed")) == 2)
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_openssl_with_tls_1_0_is_refused_in_words(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    await program(
        desk, "openssl", "s_client", "-connect", f"127.0.0.1:{port_of(service)}", "-tls1", "-cipher",
        "DEFAULT@SECLEVEL=0",
    )  # fmt: skip
    assert await failed(tape) == "the client offered only TLS 1.0; this service asks for TLS 1.2 or newer"


@pytest_twisted.ensureDeferred
async def test_the_minimum_can_be_1_3(desk: Desk, tape: Tape) -> None:
    service = await secured(desk, minimum="1.3")
    context = trusting(desk)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        await SecurePeer(service, context).shake()
    assert await failed(tape) == "the client offered only TLS 1.2; this service asks for TLS 1.3 or newer"


@pytest_twisted.ensureDeferred
async def test_a_client_that_does_not_trust_us_is_told_of(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    with pytest.raises(ssl.SSLCertVerificationError):
        await SecurePeer(service, ssl.create_default_context()).shake()
    said = await failed(tape)
    assert said == "the client does not trust our CA (listening-post ca --trust says how it can)"
    assert tape.all("tls.failed")[0].detail["sni"] == "localhost"


@pytest_twisted.ensureDeferred
async def test_no_cipher_in_common(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    context = trusting(desk)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES128-SHA")
    with pytest.raises(ssl.SSLError):
        await SecurePeer(service, context).shake()
    assert (await failed(tape)).startswith("no cipher in common with the client: it offered ")


@pytest_twisted.ensureDeferred
async def test_no_application_protocol_in_common(desk: Desk, tape: Tape) -> None:
    service = await secured(desk, alpn=["mqtt"])
    context = trusting(desk)
    context.set_alpn_protocols(["smtp", "imap"])
    with pytest.raises(ssl.SSLError, match=r"(?i)no.application.protocol"):
        await SecurePeer(service, context).shake()
    said = "no application protocol in common: the client offered smtp, imap; this service has mqtt"
    assert await failed(tape) == said


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"SSH-2.0-x\r\n", "not TLS at all: it begins with SSH"),
        (b"hello there\r\n", r"not TLS at all: it begins with hello there\r\n"),
        (b"\x80\x2e\x01\0\2\0\x15\0\0\0\x10" + bytes(30), "the client offered only SSL 2.0"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_what_is_not_tls_is_said(desk: Desk, tape: Tape, sent: bytes, said: str) -> None:
    service = await secured(desk)
    await Peer(service).send(sent)
    assert await failed(tape) == said


@pytest.mark.parametrize("reset", [False, True])
@pytest_twisted.ensureDeferred
async def test_hanging_up_without_a_word_is_said(desk: Desk, tape: Tape, reset: bool) -> None:
    service = await secured(desk)
    peer = Peer(service)
    await until(lambda: service.connections)
    peer.reset() if reset else peer.close()
    assert await failed(tape) == f"the client {'reset' if reset else 'closed'} the connection without a word"


@pytest_twisted.ensureDeferred
async def test_hanging_up_in_the_handshake_is_said(desk: Desk, tape: Tape) -> None:
    service = await secured(desk)
    peer = SecurePeer(service, trusting(desk))
    with pytest.raises(ssl.SSLWantReadError):
        peer.secure.do_handshake()
    peer.flush()
    await until(lambda: peer.pull().got)
    peer.close()
    assert (await failed(tape)).startswith("the client closed the connection during the handshake; perhaps it")


@pytest_twisted.ensureDeferred
async def test_a_handshake_has_an_end(desk: Desk, tape: Tape, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls_transport, "HANDSHAKE_SECONDS", 0.05)
    service = await secured(desk)
    peer = Peer(service)
    await peer.send(b"\x16\3\1")
    assert await failed(tape) == "the handshake was not finished within 0.05 s"
    assert words(tape.all("limit.reached")) == "no TLS handshake within 0.05 s: closing"
    await until(lambda: peer.pull().ended)


@pytest_twisted.ensureDeferred
async def test_a_banner_that_never_left_is_not_sent(desk: Desk, tape: Tape) -> None:
    service = await desk.start("tcp", "banner", tls={})
    await Peer(service).send(old_hello(0x301))
    await failed(tape)
    end = tape.all("connection.closed")[0].detail
    assert end["unsent"] == end["sent"] > 0


@pytest_twisted.ensureDeferred
async def test_refused_connections_do_not_reach_tls(desk: Desk, tape: Tape) -> None:
    service = await desk.start(tls={}, limits={"connections": 1})
    await SecurePeer(service, trusting(desk)).shake()
    peer = Peer(service)
    await until(lambda: peer.pull().ended)
    assert words(tape.all("limit.reached")).startswith("refused: ")
    assert not tape.all("tls.failed")


# -- certificates of clients


def client_file(desk: Desk, home: Path) -> Path:
    file = home / "device 7.pem"
    authority.of(desk.surroundings.data).export_client(file)
    return file


@pytest_twisted.ensureDeferred
async def test_a_client_shows_who_it_is(desk: Desk, tape: Tape, home: Path) -> None:
    service = await secured(desk, "http", "inspector", client_certificates="required")
    url = f"https://localhost:{port_of(service)}/"
    _, err, code = await program(desk, "curl", "-sS", "--cacert", ca(desk), "--cert", client_file(desk, home), url)
    assert (err, code) == ("", 0)
    opened = tape.all("tls.opened")[0]
    assert opened.detail["client"] == "CN=device 7"
    assert opened.summary.endswith(", client CN=device 7")


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest_twisted.ensureDeferred
async def test_a_missing_certificate_is_said(desk: Desk, tape: Tape, newest: ssl.TLSVersion) -> None:
    service = await secured(desk, client_certificates="required")
    context = trusting(desk)
    context.maximum_version = newest
    peer = SecurePeer(service, context)
    if newest == ssl.TLSVersion.TLSv1_2:
        with pytest.raises(ssl.SSLError):
            await peer.shake()
    else:
        await peer.shake()
    assert (await failed(tape)).startswith("the client showed no certificate; this service wants one signed by Listen")


@pytest_twisted.ensureDeferred
async def test_an_optional_certificate_may_be_missing(desk: Desk, tape: Tape) -> None:
    service = await secured(desk, client_certificates="optional")
    await SecurePeer(service, trusting(desk)).shake()
    await until(lambda: tape.all("tls.opened"))
    assert tape.all("tls.opened")[0].detail["client"] is None


@pytest.mark.parametrize("mode", ["optional", "required"])
@pytest.mark.parametrize(("days", "said"), [(10, "is not signed by Farm CA"), (-1, "has expired")])
@pytest_twisted.ensureDeferred
async def test_a_wrong_certificate_is_said(desk: Desk, tape: Tape, home: Path, mode: str, days: int, said: str) -> None:
    farm, other = certificate("Farm CA", authority=True), certificate("Other CA", authority=True)
    (home / "farm.pem").write_bytes(pem(farm[1]))
    (home / "client.pem").write_bytes(pem(*certificate("cow.test", farm if days < 0 else other, days=days)))
    service = await secured(desk, client_certificates=mode, client_ca="farm.pem")
    context = trusting(desk)
    context.load_cert_chain(home / "client.pem")
    await SecurePeer(service, context).shake()
    assert await failed(tape) == f"the client's certificate (CN=cow.test) {said}"


# -- keys for Wireshark


@pytest_twisted.ensureDeferred
async def test_session_keys_are_written_for_their_owner_alone(desk: Desk, home: Path) -> None:
    service = await secured(desk, key_log="keys.log")
    context = trusting(desk)
    context.keylog_filename = str(home / "theirs.log")
    await SecurePeer(service, context).shake()
    ours, theirs = home / "keys.log", home / "theirs.log"
    await until(lambda: len(ours.read_text().splitlines()) >= 5)
    assert {line for line in theirs.read_text().splitlines() if not line.startswith("#")} <= set(
        ours.read_text().splitlines()
    )
    assert stat.S_IMODE(ours.stat().st_mode) == 0o600


@pytest_twisted.ensureDeferred
async def test_keys_that_cannot_be_written_are_a_word_in_the_log(desk: Desk, tape: Tape, home: Path) -> None:
    (home / "keys").mkdir()
    service = await secured(desk, key_log="keys/log")
    (home / "keys" / "log").unlink()
    (home / "keys").rmdir()
    await SecurePeer(service, trusting(desk)).shake()
    said = await until(lambda: tape.all("log"))
    assert "session keys could not be written" in said[0].summary
