"""Conversations with servers that are not ours, captured as everything else."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.services.tls import authority
from tests.app.sending.helpers import Talker, certificate, context, http_server, program, websockets_server
from tests.app.services.helpers import address
from tests.helpers import closed_port, until

ensure = pytest_twisted.ensureDeferred


@ensure
async def test_tcp_speaks_with_socat_and_is_captured(talker: Talker, tape: Any) -> None:
    with program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "EXEC:cat") as port:
        heard = await talker.talk(f"tcp://localhost:{port}", b"hello\n")
        await until(lambda: heard.got == b"hello\n")
        heard.conversation.close()
        await until(lambda: heard.reason)
    assert heard.reason == "Closed by us."
    assert heard.statuses == ["Open", "Closed"]
    assert tape.kinds() == ["connection.opened", "data.sent", "data.received", "connection.closed"]
    opened, *_, closed = tape.all()
    assert opened.detail["outgoing"] is True
    assert closed.summary == "closed by us"
    assert not talker.sender.connections
    assert not talker.sender.conversations


@ensure
async def test_much_data_goes_out_in_pieces_as_the_peer_takes_it(talker: Talker, tape: Any, tmp_path: Path) -> None:
    taken, data = tmp_path / "taken", bytes(range(256)) * 20_000
    with program("socat", "-u", "TCP-LISTEN:PORT,bind=127.0.0.1", f"CREATE:{taken}") as port:
        heard = await talker.talk(f"tcp://127.0.0.1:{port}", data)
        heard.conversation.close()
        await until(lambda: taken.exists() and taken.stat().st_size == len(data))
    assert taken.read_bytes() == data
    assert tape.data("data.sent") == data
    assert max(e.size or len(e.payload) for e in tape.all("data.sent")) <= 1 << 18


@pytest.mark.parametrize("scheme", ["tcp", "http", "ws", "udp"])
@ensure
async def test_a_refusal_is_told_in_words(talker: Talker, scheme: str) -> None:
    with closed_port(socket.SOCK_DGRAM if scheme == "udp" else socket.SOCK_STREAM) as port:
        heard = await talker.talk(f"{scheme}://127.0.0.1:{port}", b"x")
        await until(lambda: heard.reason)
    assert heard.reason.endswith("refused the connection: nothing listens there. Start the server or check the port.")
    assert heard.conversation.closed is not None
    assert heard.conversation.closed.failed


@ensure
async def test_an_unknown_host_is_told_in_words(talker: Talker) -> None:
    heard = await talker.talk("tcp://nobody.invalid:1")
    assert heard.reason.startswith("No address is known for the name nobody.invalid.")


@ensure
async def test_connecting_can_be_given_up(talker: Talker) -> None:
    from twisted.internet.defer import Deferred

    heard = talker.make("tcp://192.0.2.1:9")
    connecting = Deferred.fromCoroutine(heard.conversation.connect())
    heard.conversation.close()
    await connecting
    assert heard.reason == "Closed before it was connected."
    assert heard.conversation.closed is not None
    assert not heard.conversation.closed.failed


@ensure
async def test_a_reset_is_told_in_words(talker: Talker, desk: Any) -> None:
    from twisted.internet.protocol import Factory, Protocol

    class Resets(Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.abortConnection()  # type: ignore[union-attr]

    port = desk.reactor.listenTCP(0, Factory.forProtocol(Resets), interface="127.0.0.1")
    try:
        heard = await talker.talk(f"tcp://127.0.0.1:{port.getHost().port}", b"x")
        await until(lambda: heard.reason)
        assert "reset the connection" in heard.reason
        http = await talker.talk(f"http://127.0.0.1:{port.getHost().port}/", b"")
        assert "closed the connection before it answered" in http.reason or "reset" in http.reason
    finally:
        await port.stopListening()


@ensure
async def test_a_server_that_says_goodbye_ends_it_in_good_order(talker: Talker) -> None:
    with program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "EXEC:head -c 3") as port:
        heard = await talker.talk(f"tcp://127.0.0.1:{port}", b"abcdef")
        await until(lambda: heard.reason)
        assert heard.got == b"abc"


# -- TLS


@pytest.mark.parametrize(
    ("names", "days", "words"),
    [
        (("127.0.0.1",), 30, "is signed by itself"),
        (("example.org",), 30, "is signed by itself"),
    ],
)
@ensure
async def test_a_certificate_that_is_not_right_is_told_in_words(
    talker: Talker, tape: Any, tmp_path: Path, names: tuple[str, ...], days: int, words: str
) -> None:
    file = certificate(tmp_path, *names, days=days)
    with program("openssl", "s_server", "-accept", "PORT", "-cert", file, "-key", file, "-quiet", "-rev") as port:
        for scheme in ("tls", "https", "wss"):
            heard = await talker.talk(f"{scheme}://127.0.0.1:{port}", b"x")
            await until(lambda heard=heard: heard.reason)
            assert "is not trusted" in heard.reason
            assert words in heard.reason
            assert "--insecure" in heard.reason
        assert tape.data("data.received") == b""
        heard = await talker.talk(f"tls://127.0.0.1:{port}", b"hello\n", verify=False)
        await until(lambda: heard.got == b"olleh\n")


@ensure
async def test_a_certificate_for_another_name_is_told_in_words(talker: Talker, tmp_path: Path) -> None:
    key, signed = authority.of(talker.sender.data).sign(["localhost"])
    file = tmp_path / "localhost.pem"
    file.write_bytes(authority._key_pem(key) + authority._pem(signed))
    with program("openssl", "s_server", "-accept", "PORT", "-cert", file, "-key", file, "-quiet", "-rev") as port:
        heard = await talker.talk(f"tls://127.0.0.1:{port}", b"x\n")
        assert "the server's certificate is for another name than 127.0.0.1" in heard.reason
        heard = await talker.talk(f"tls://localhost:{port}", b"abc\n")
        await until(lambda: heard.got == b"cba\n")


@ensure
async def test_a_server_without_tls_is_told_apart(talker: Talker, tmp_path: Path) -> None:
    with http_server(tmp_path) as port:
        heard = await talker.talk(f"https://127.0.0.1:{port}/", b"")
        await until(lambda: heard.reason)
    assert "TLS" in heard.reason


@pytest.mark.parametrize(("protocol", "scheme"), [("tcp", "tls"), ("http", "https"), ("websocket", "wss")])
@ensure
async def test_our_own_services_are_trusted_by_the_local_authority(
    talker: Talker, desk: Any, protocol: str, scheme: str
) -> None:
    from app.services.surroundings import Surroundings

    desk.surroundings = Surroundings(data=talker.sender.data)
    service = await desk.start(protocol, "inspector" if protocol == "http" else "echo", tls={})
    host, port = address(service)
    heard = await talker.talk(f"{scheme}://localhost:{port}", b"hello")
    await until(lambda: b"hello" in heard.got)
    assert host == "127.0.0.1"


@ensure
async def test_a_connection_is_open_when_the_handshake_is_done(talker: Talker) -> None:
    from twisted.internet.defer import Deferred

    with program("socat", "-u", "TCP-LISTEN:PORT,bind=127.0.0.1", "OPEN:/dev/null") as port:
        for scheme in ("tls", "https", "wss"):
            heard = talker.make(f"{scheme}://127.0.0.1:{port}/")
            connecting = Deferred.fromCoroutine(heard.conversation.connect())
            if scheme == "tls":
                await until(lambda: talker.sender.connections)
            assert heard.statuses == []
            heard.conversation.close()
            await connecting
            assert heard.statuses == ["Closed"]
            assert heard.reason == "Closed before it was connected."
            await until(lambda: not talker.sender.connections)


# -- over IPv6


@pytest.mark.parametrize(
    ("protocol", "scheme"), [("tcp", "tcp"), ("udp", "udp"), ("http", "http"), ("websocket", "ws")]
)
@ensure
async def test_ipv6_addresses_are_reached(talker: Talker, desk: Any, protocol: str, scheme: str) -> None:
    service = await desk.start(protocol, "inspector" if protocol == "http" else "echo", host="::1")
    heard = await talker.talk(f"{scheme}://[::1]:{address(service)[1]}", b"hello")
    await until(lambda: b"hello" in heard.got)


# -- UDP


@ensure
async def test_udp_speaks_with_our_echo(talker: Talker, desk: Any, tape: Any) -> None:
    port = address(await desk.start("udp"))[1]
    heard = await talker.talk(f"udp://127.0.0.1:{port}", b"one", b"two", b"")
    await until(lambda: heard.chunks == [b"one", b"two", b""])
    heard.conversation.close()
    assert heard.reason == "Closed by us."
    assert [e.payload for e in tape.all("datagram.sent") if e.service == talker.sender.number] == [b"one", b"two", b""]


@ensure
async def test_a_datagram_that_is_too_large_is_refused(talker: Talker) -> None:
    with closed_port(socket.SOCK_DGRAM) as port:
        heard = await talker.talk(f"udp://127.0.0.1:{port}", bytes(65_508))
    assert heard.reason.startswith("A datagram of 65,508 bytes cannot be sent: the limit is 65,507 bytes.")


# -- HTTP


@ensure
async def test_http_reads_a_file_from_pythons_server(talker: Talker, tape: Any, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    with http_server(tmp_path) as port:
        heard = await talker.talk(f"http://127.0.0.1:{port}/a.txt?x", b"", fields=("X-Trace: 1",))
        assert heard.got == b"hello"
        assert heard.notes[0] == "HTTP/1.0 200 OK"
        assert "Content-Length: 5" in heard.notes
        await until(lambda: heard.reason)
        assert heard.conversation.closed is not None
        assert not heard.conversation.closed.failed
    request, response = tape.all("http.request", "http.response")
    assert request.detail["method"] == "GET"
    assert request.detail["target"] == "/a.txt?x"
    assert ["X-Trace", "1"] in request.detail["fields"]
    assert (response.detail["status"], response.size) == (200, 5)


@ensure
async def test_requests_go_one_after_the_other_over_one_connection(talker: Talker, desk: Any, tape: Any) -> None:
    port = address(await desk.start("http", "inspector"))[1]
    heard = await talker.talk(f"http://127.0.0.1:{port}/x", b"", b"data", b"", fields=("User-Agent: me",))
    assert [e.detail["method"] for e in tape.all("http.request") if e.service == talker.sender.number] == [
        "GET", "POST", "GET",
    ]  # fmt: skip
    assert heard.got.count(b"User-Agent") + heard.got.count(b"user-agent") >= 3
    assert len([e for e in tape.all("connection.opened") if e.service == talker.sender.number]) == 1
    assert heard.conversation.closed is None


@ensure
async def test_what_does_not_speak_http_is_told_in_words(talker: Talker) -> None:
    with program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", "EXEC:cat") as port:
        heard = await talker.talk(f"http://127.0.0.1:{port}/", b"")
        assert "does not speak HTTP" in heard.reason


@ensure
async def test_an_answer_that_never_comes_is_given_up(talker: Talker, desk: Any) -> None:
    port = address(await desk.start("tcp", "discard"))[1]
    heard = talker.make(f"http://127.0.0.1:{port}/")
    heard.conversation.patience = 0.05
    await heard.conversation.connect()
    await heard.conversation.send(b"")
    assert "has been silent for too long" in heard.reason


@ensure
async def test_an_answer_that_is_cut_short_is_told_in_words(talker: Talker) -> None:
    answer = "printf 'HTTP/1.1 200 OK\\r\\nContent-Length: 9\\r\\n\\r\\nabc'; read x"
    with program("socat", "TCP-LISTEN:PORT,bind=127.0.0.1", f"SYSTEM:{answer!r}") as port:
        heard = await talker.talk(f"http://127.0.0.1:{port}/", b"")
        await until(lambda: heard.reason)
    assert heard.got == b"abc"
    assert "in the middle of its answer, after 3 bytes" in heard.reason


@ensure
async def test_a_head_without_end_is_not_kept(talker: Talker, desk: Any) -> None:
    reason = await reason_of(talker, desk, b"\r\nX-Filler: abcdefgh" * 100_000, b"")
    assert " cannot be read: its answer has more than 200 headers." in reason


@pytest.mark.parametrize(
    ("rest", "words"),
    [(b"X: y" + b"y" * 2_000_000, "a line in the head of its answer"), (b"\r\n y" * 100_000, "the head of its answer")],
    ids=["a line", "a folded field"],
)
@ensure
async def test_a6_nor_is_a_line_also_while_a_body_is_sent(
    rest: bytes, words: str, talker: Talker, desk: Any, tape: Any
) -> None:
    reason = await reason_of(talker, desk, rest, bytes(20_000_000))
    assert f" cannot be read: {words} is longer than 65,536 bytes." in reason
    assert not tape.all("failure")


async def reason_of(talker: Talker, desk: Any, rest: bytes, body: bytes) -> str:
    """Why a conversation ended whose server says nothing but a status line and ``rest``."""
    from twisted.internet.protocol import Factory, Protocol

    class Endless(Protocol):
        def connectionMade(self) -> None:
            self.transport.write(b"HTTP/1.1 200 OK\r\nX: y" + rest)  # type: ignore[union-attr]

    port = desk.reactor.listenTCP(0, Factory.forProtocol(Endless), interface="127.0.0.1")
    try:
        heard = await talker.talk(f"http://127.0.0.1:{port.getHost().port}/", body)
        return str(await until(lambda: heard.reason))
    finally:
        await port.stopListening()


@ensure
async def test_c27_headers_are_told_in_the_order_in_which_they_came(talker: Talker, desk: Any, tape: Any) -> None:
    from twisted.internet.protocol import Factory, Protocol

    class Answers(Protocol):
        def dataReceived(self, data: bytes) -> None:
            early = b"HTTP/1.1 103 Early Hints\r\nLink: early\r\n\r\n"
            head = b"HTTP/1.1 200 OK\r\nX-B: 1\r\nset-cookie: a\r\nX-A: 2\r\nContent-Length: 3\r\nSet-Cookie: b\r\n"
            self.transport.write(early + head + b"\r\nabc")  # type: ignore[union-attr]

    port = desk.reactor.listenTCP(0, Factory.forProtocol(Answers), interface="127.0.0.1")
    try:
        heard = await talker.talk(f"http://127.0.0.1:{port.getHost().port}/", b"")
        assert heard.got == b"abc"
        heard.conversation.close()
        await until(lambda: heard.reason)
    finally:
        await port.stopListening()
    assert heard.notes == [
        "HTTP/1.1 200 OK", "X-B: 1", "set-cookie: a", "X-A: 2", "Content-Length: 3", "Set-Cookie: b",
    ]  # fmt: skip
    assert tape.all("http.response")[0].detail["fields"][0] == ["X-B", "1"]


# -- WebSocket


@ensure
async def test_websocket_speaks_with_pypis_websockets(talker: Talker, tape: Any) -> None:
    with websockets_server(subprotocols=["b"]) as port:
        fields = ("Sec-WebSocket-Protocol: a, b", "X-Trace: 1", "Origin: http://here")
        heard = await talker.talk(f"ws://127.0.0.1:{port}/live", "häl\n".encode(), b"\xff\0", fields=fields)
        await until(lambda: heard.chunks == ["häl\n".encode(), b"\xff\0"])
        assert heard.conversation.status.detail == "subprotocol b"  # type: ignore[union-attr]
        heard.conversation.close()
        await until(lambda: heard.reason)
    assert [(e.detail["opcode"], e.detail["direction"]) for e in tape.all("ws.message")] == [
        ("text", "sent"), ("binary", "sent"), ("text", "received"), ("binary", "received"),
    ]  # fmt: skip
    assert tape.all("ws.opened")[0].detail["subprotocol"] == "b"
    assert tape.all("ws.closed")[0].detail["code"] == 1000


@ensure
async def test_a_text_is_sent_as_binary_if_asked_for(talker: Talker, tape: Any) -> None:
    with websockets_server() as port:
        heard = await talker.talk(f"ws://127.0.0.1:{port}/")
        await heard.conversation.send(b"abc", binary=True)
        await until(lambda: heard.got == b"abc")
        heard.conversation.close()
        await until(lambda: heard.reason)
    assert tape.all("ws.message")[0].detail["opcode"] == "binary"


@ensure
async def test_a_close_code_is_told(talker: Talker) -> None:
    with websockets_server() as port:
        heard = await talker.talk(f"ws://127.0.0.1:{port}/", b"bye")
        await until(lambda: heard.reason)
    assert heard.reason == f"Closed by 127.0.0.1:{port} with code 4001: had enough."


@ensure
async def test_an_answer_that_opens_no_websocket_is_told(talker: Talker, tmp_path: Path) -> None:
    with http_server(tmp_path) as port:
        heard = await talker.talk(f"ws://127.0.0.1:{port}/x", b"")
    assert heard.reason.endswith("did not open a WebSocket: it answered 404 File not found. Check the path.")


@ensure
async def test_a_field_that_the_handshake_has_is_refused(talker: Talker) -> None:
    heard = await talker.talk("ws://127.0.0.1:9/", fields=("Upgrade: h2c",))
    assert heard.reason == "The header Upgrade cannot be sent: the handshake has it already."


@ensure
async def test_websocket_over_tls(talker: Talker, tmp_path: Path) -> None:
    with websockets_server(ssl=context(certificate(tmp_path, "127.0.0.1"))) as port:
        heard = await talker.talk(f"wss://127.0.0.1:{port}/", b"hello", verify=False)
        await until(lambda: heard.got == b"hello")
        heard.conversation.close()
        await until(lambda: heard.reason)


# -- the end


@ensure
async def test_the_end_closes_what_is_open(talker: Talker, desk: Any) -> None:
    port = address(await desk.start())[1]
    heard = [await talker.talk(f"tcp://127.0.0.1:{port}", b"x") for _ in range(3)]
    await talker.sender.close(5)
    assert not talker.sender.connections
    assert {one.reason for one in heard} == {"Closed by us."}
