"""Scripts on real sockets, with clients that this project did not write."""

from __future__ import annotations

import re
import smtplib
import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from app.text.checksums import crc16
from app.workspace import reading as workspace
from tests.app.services.helpers import Desk, Peer, Tape, address, closed, turn
from tests.app.services.tls_peers import SecurePeer, at_home, ca, program, trusting
from tests.app.services.websocket_frames import talk
from tests.helpers import ROOT, until

Rule = dict[str, Any]


def when(what: str, *then: str, **more: Any) -> Rule:
    return {"when": what, "then": list(then), **more}


async def scripted(desk: Desk, *rules: Rule, protocol: str = "tcp", tls: Any = None, **options: Any) -> Any:
    return await desk.start(protocol, "script", options={"rules": list(rules), **options}, tls=tls)


SMTP = (
    when("connected", "send 220 mail.test ready"),
    when("regex", "send 250 {{1}}", match="^EHLO (.+)$"),
    when("text", "send 221 bye", "close", match="QUIT"),
    when("message", "send 500 what?"),
)
CRLF = {"framing": "delimiter", "delimiter": r"\r\n"}
TALK = b"220 mail.test ready\r\n250 me\r\n500 what?\r\n221 bye\r\n"


@pytest_twisted.ensureDeferred
async def test_socat_has_a_talk_in_one_packet(desk: Desk) -> None:
    host, port = address(await scripted(desk, *SMTP, **CRLF))
    out, err, _ = await program(desk, "socat", "-t5", "-", f"TCP:{host}:{port}", stdin=b"EHLO me\r\nHM\r\nQUIT\r\n")
    assert (out.encode(), err) == (TALK, "")


@pytest_twisted.ensureDeferred
async def test_nc_that_closes_its_side_gets_the_answers_that_take_time(desk: Desk, tape: Tape) -> None:
    host, port = address(await scripted(desk, when("message", "wait 0.05", "send {{message | upper}}"), **CRLF))
    out, err, code = await program(desk, "nc", "-N", host, str(port), stdin=b"one\r\ntwo\r\n")
    assert (out, err, code) == ("ONE\r\nTWO\r\n", "", 0)
    assert (await closed(tape)).detail["reason"] == "closed by the peer"


@pytest_twisted.ensureDeferred
async def test_the_same_talk_byte_by_byte_has_the_same_answers(desk: Desk, tape: Tape) -> None:
    peer = Peer(await scripted(desk, *SMTP, **CRLF))
    peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i, byte in enumerate(b"EHLO me\r\nHM\r\nQUIT\r\n", 1):
        peer.push(bytes([byte]))
        await until(lambda i=i: len(tape.data("data.received")) == i)
    assert await peer.end() == TALK
    assert peer.ended == "closed"
    assert (await closed(tape)).detail["reason"] == "closed by us"


@pytest_twisted.ensureDeferred
async def test_openssl_has_the_same_talk(desk: Desk, tmp_path: Path) -> None:
    at_home(desk, tmp_path)
    host, port = address(await scripted(desk, *SMTP, **CRLF, tls={}))
    out, err, _ = await program(
        desk, "socat", "-t5", "-", f"OPENSSL:{host}:{port},cafile={ca(desk)},commonname=localhost",
        stdin=b"EHLO me\r\nHM\r\nQUIT\r\n",
    )  # fmt: skip
    assert (out.encode(), err) == (TALK, "")


@pytest_twisted.ensureDeferred
async def test_reset_is_a_reset(desk: Desk, tape: Tape) -> None:
    peer = Peer(await scripted(desk, when("message", "reset")))
    peer.push(b"x")
    await peer.end()
    assert peer.ended == "reset"
    assert (await closed(tape)).detail["reason"] == "aborted by us"


@pytest_twisted.ensureDeferred
async def test_after_half_close_it_still_listens(desk: Desk, tape: Tape) -> None:
    service = await scripted(
        desk, when("text", "send bye", "half-close", match="x"), when("message", "log {{message}}")
    )
    peer = Peer(service)
    peer.push(b"x")
    await until(lambda: peer.pull().ended)
    assert (bytes(peer.got), peer.ended) == (b"bye", "closed")
    peer.push(b"more")
    await until(lambda: tape.all("log"))
    assert tape.all("log")[0].summary == "more"
    peer.finish_sending()
    await closed(tape)


@pytest_twisted.ensureDeferred
async def test_after_half_close_it_still_listens_behind_tls(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    at_home(desk, tmp_path)
    rules = (when("text", "send bye", "half-close", match="x"), when("message", "log {{message}}"))
    peer = SecurePeer(await scripted(desk, *rules, tls={}), trusting(desk))
    await peer.shake()
    await peer.say(b"x")
    await until(lambda: peer.hear() and peer.closed_by_tls)
    assert peer.plain == b"bye"
    await peer.say(b"more")
    await until(lambda: tape.all("log"))
    assert tape.all("log")[0].summary == "more"
    peer.say_goodbye()
    await closed(tape)


@pytest_twisted.ensureDeferred
async def test_fail_is_a_failure_of_its_connection_with_its_bytes(desk: Desk, tape: Tape) -> None:
    peer = Peer(await scripted(desk, when("message", "wait 0", "fail told to")))
    peer.push(b"cause")
    await peer.end()
    end = await closed(tape)
    [failure] = tape.all("failure")
    assert (failure.payload, failure.conn) == (b"cause", end.conn)
    assert "told to" in failure.summary
    assert end.detail["reason"] == "closed after a failure"


@pytest_twisted.ensureDeferred
async def test_too_long_a_message_is_a_limit_that_was_reached(desk: Desk, tape: Tape) -> None:
    peer = Peer(await scripted(desk, when("message", "send {{message}}"), max_message=4, **CRLF))
    peer.push(b"ok\r\n12345\r\n")
    assert await peer.end() == b"ok\r\n"
    assert [e.summary for e in tape.all("limit.reached")] == ["a message is longer than 4 bytes"]
    await closed(tape)


@pytest_twisted.ensureDeferred
async def test_a_file_is_read_beside_the_reactor(desk: Desk, tmp_path: Path) -> None:
    at_home(desk, tmp_path)
    content = bytes(range(256)) * 4096
    (tmp_path / "answer.bin").write_bytes(content)
    peer = Peer(await scripted(desk, when("message", "send-file answer.bin", "close")))
    peer.push(b"x")
    assert await peer.end() == content


@pytest_twisted.ensureDeferred
async def test_a_script_waits_for_a_peer_that_does_not_read(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    at_home(desk, tmp_path)
    (tmp_path / "big").write_bytes(bytes(8 << 20))
    service = await scripted(desk, when("message", *["send-file big"] * 12, "close"))
    peer = Peer(service, receive_buffer=4096)
    peer.push(b"x")
    [connection] = await until(lambda: list(service.connections.values()))
    await until(lambda: connection.congested)
    sent = connection.sent
    assert sent <= 32 << 20
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    await until(lambda: peer.pull().ended, 60)
    assert len(peer.got) == 96 << 20
    await closed(tape)


@pytest_twisted.ensureDeferred
async def test_a_service_that_stops_takes_its_scripts_waits_along(desk: Desk, tape: Tape) -> None:
    service = await scripted(desk, when("message", "wait 60"), when("idle", "send x", after=60.0))
    peer = Peer(service)
    peer.push(b"x")
    await until(lambda: tape.data("data.received"))
    await service.stop()
    assert await peer.end() == b""


# -- UDP


@pytest_twisted.ensureDeferred
async def test_socat_has_a_talk_in_datagrams(desk: Desk, tape: Tape) -> None:
    rules = (when("regex", "send {{1 | reverse}} {{count}}", match="rev (.*)"), when("message", "log {{peer}}"))
    host, port = address(await scripted(desk, *rules, protocol="udp"))
    out, err, _ = await program(desk, "socat", "-t20", "-", f"UDP:{host}:{port},readbytes=5", stdin=b"rev abc")
    assert (out, err) == ("cba 1", "")
    await program(desk, "socat", "-t0.1", "-", f"UDP:{host}:{port}", stdin=b"other")
    assert (await until(lambda: tape.all("log")))[0].summary.startswith("127.0.0.1:")


@pytest_twisted.ensureDeferred
async def test_what_a_script_tells_of_datagrams_stands_with_the_peer_that_sent_them(desk: Desk, tape: Tape) -> None:
    rules = (when("text", "log {{conn}}", match="log"), when("message", "fail no"))
    host, port = address(await scripted(desk, *rules, protocol="udp"))
    with socket.socket(type=socket.SOCK_DGRAM) as client, socket.socket(type=socket.SOCK_DGRAM) as other:
        client.sendto(b"fail", (host, port))
        other.sendto(b"log", (host, port))
        [failure] = await until(lambda: tape.all("failure"))
        [log] = await until(lambda: tape.all("log"))
    assert (failure.conn, failure.payload) == (1, b"fail")
    assert (log.conn, log.summary) == (2, "2")


# -- WebSocket


@pytest_twisted.ensureDeferred
async def test_messages_are_text_where_they_can_be_unless_sent_as_hex(desk: Desk) -> None:
    async def script(client: ClientConnection) -> list[str | bytes]:
        got = [await client.recv()]
        for message in ("Grüße", b"\xff"):
            await client.send(message)
            got += [await client.recv(), await client.recv()]
        return got

    rules = (when("connected", "send hello {{conn}}"), when("message", "send {{message}}{{count}}", "send-hex 61"))
    service = await scripted(desk, *rules, protocol="websocket")
    assert await talk(service, script) == ["hello 1", "Grüße1", b"a", b"\xff2", b"a"]


@pytest.mark.parametrize(("step", "code"), [("close", 1000), ("fail no", 1011), ("reset", 1006)])
@pytest_twisted.ensureDeferred
async def test_the_end_of_a_websocket_has_its_code(step: str, code: int, desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> int | None:
        await client.send("x")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        return client.close_code

    service = await scripted(desk, when("message", "wait 0.01", step), protocol="websocket")
    assert await talk(service, script) == code
    await closed(tape)
    assert len(tape.all("failure")) == (1 if code == 1011 else 0)


@pytest_twisted.ensureDeferred
async def test_a_websocket_that_closes_takes_its_waits_along(desk: Desk, tape: Tape) -> None:
    async def script(client: ClientConnection) -> None:
        await client.send("x")

    await talk(await scripted(desk, when("message", "wait 60"), protocol="websocket"), script)
    await closed(tape)


# -- the documentation's examples


def example(number: int, service: int = 0) -> dict[str, Any]:
    """Options of a service in an example of docs/script.md."""
    text = (ROOT / "docs" / "script.md").read_text()
    found, problems = workspace.parse(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[number])
    assert not problems
    return dict(found.services[service].options)


@pytest_twisted.ensureDeferred
async def test_pythons_own_mail_client_gets_a_mail_through_the_first(desk: Desk, tape: Tape) -> None:
    def send(host: str, port: int) -> None:
        with smtplib.SMTP(host, port, timeout=10) as client:
            client.sendmail("Me@here.example", ["you@there.example"], "Subject: x\r\n\r\nhello")

    host, port = address(await desk.start("tcp", "script", options=example(0)))
    await deferToThread(send, host, port)
    await closed(tape)
    said = tape.data("data.sent").decode().splitlines()
    assert re.fullmatch(r"220 mail\.example ESMTP 2\d{3}-\d\d-\d\dT[\d:.]+Z", said[0])
    assert said[1].startswith("250 mail.example greets ")
    assert said[2:] == [
        "250 me@here.example is fine",
        "250 you@there.example is fine",
        "354 end with a dot",
        "250 queued as 1000",
        "221 bye",
    ]
    assert [e.summary for e in tape.all("log")] == [
        "mail FROM:<Me@here.example>", "rcpt TO:<you@there.example>",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("01 03 00 01 00 01 d5 ca", "01 03 02 00 fa 38 07"),
        ("01 06 00 01 00 03 98 0b", "01 06 00 01 00 03 98 0b"),
        ("01 04 00 01 00 01 60 0a", "01 84 01 82 c0"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_the_second_answers_with_right_checksums(asked: str, answered: str, desk: Desk) -> None:
    peer = Peer(await desk.start("tcp", "script", options=example(1)))
    peer.push(bytes.fromhex(asked))
    expected = bytes.fromhex(answered)
    assert await peer.expect(len(expected)) == expected
    assert crc16(expected).value == 0


# -- lengths, with the bytes of real devices and programs


MODBUS, GT06, ISO8583, SYSLOG, MQTT = range(5)


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("service", "asked", "answered"),
    [
        # Modbus Messaging on TCP/IP, reading holding registers; twice, to be told apart by the transaction.
        (
            MODBUS, "0001 0000 0006 11 03 006B 0003 4711 0000 0006 11 03 006B 0003",
            "0001 0000 0009 11 03 06 AE41 5652 4340 4711 0000 0009 11 03 06 AE41 5652 4340",
        ),
        # The manual of the GT06: login, and what the server has to answer.
        (GT06, "7878 0D 01 0123456789012345 0001 8CDD 0D0A", "7878 05 01 0001 D9DC 0D0A"),
        (
            ISO8583, b"005508008220000000000000040000000000000001011200" b"00000001301".hex(),
            b"00570810822000000200000004000000000000000101120000" b"00000100301".hex(),
        ),
        # mosquitto_pub: CONNECT; a PUBLISH of 321 bytes; PINGREQ.
        (
            MQTT, "1012 0004 4D515454 04 02 003C 0006 636C69656E74" "30 C102 0003 612F62" + "78" * 316 + "C000",
            "2002 0000 D000",
        ),
    ],
)  # fmt: skip
@pytest_twisted.ensureDeferred
async def test_c18_protocols_behind_lengths_are_spoken(
    desk: Desk, tape: Tape, service: int, asked: str, answered: str, size: int
) -> None:
    peer = Peer(await desk.start("tcp", "script", options=example(2, service)))
    stream, wanted = bytes.fromhex(asked), bytes.fromhex(answered)
    for i in range(0, len(stream), size):
        peer.push(stream[i : i + size])
    await until(lambda: len(peer.pull().got) >= len(wanted))
    assert bytes(peer.got) == wanted
    if service == MQTT:
        [line] = tape.all("log")
        assert line.summary.startswith(r"\0\x03a/bxxx")
    peer.socket.shutdown(socket.SHUT_WR)
    assert (await closed(tape)).detail["reason"] == "closed by the peer"
    assert "unfinished" not in (await closed(tape)).detail


@pytest_twisted.ensureDeferred
async def test_c18_syslog_with_octet_counting_is_read(desk: Desk, tape: Tape) -> None:
    """RFC 6587, with the messages of RFC 5424 section 6.5."""
    messages = [
        b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed",
        b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - two\nlines",
    ]
    peer = Peer(await desk.start("tcp", "script", options=example(2, SYSLOG)))
    peer.push(b"".join(b"%d %s" % (len(message), message) for message in messages))
    one, two = await until(lambda: len(found := tape.all("log")) == 2 and found)
    assert one.summary.startswith("<34>1 2003")
    assert two.summary.endswith(r"two\nlines")
    # A sender that ends its messages with LF instead.
    peer.push(b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - x\n")
    end = await closed(tape)
    [limit] = tape.all("limit.reached")
    assert limit.summary == "3C (<) stands where a length must be, and is not decimal digits followed by a space"
    assert end.detail["reason"] == "closed by us: no more messages can be found"


@pytest_twisted.ensureDeferred
async def test_c18_a_length_that_is_not_where_the_options_say_is_told(desk: Desk, tape: Tape) -> None:
    """Modbus TCP, read as strings behind four bytes: they say 65,536, and it would wait for ever."""
    peer = Peer(await scripted(desk, when("message", "send {{message}}"), framing="length"))
    peer.push(bytes.fromhex("0001 0000 0006 11 03 006B 0003"))
    await until(lambda: tape.data("data.received"))
    peer.socket.shutdown(socket.SHUT_WR)
    end = await closed(tape)
    assert end.detail["unfinished"] == 12
    assert end.summary == ("closed by the peer, 12 B of a message without an end (the length 00 01 00 00 says 65,536)")


# -- messages without an end, and failures that are sent again


@pytest.mark.parametrize(
    ("responder", "options", "data", "words"),
    [
        ("line", {}, b"whole\nhalf", "4 B of a message without an end"),
        ("fragile", {}, b"half a line", "11 B of a message without an end"),
        ("int32", {}, b"\0\0\0\x09four", "8 B of a message without an end (the length 00 00 00 09 says 9)"),
        ("script", {"framing": "delimiter"}, b"MSH|^~", "6 B of a message without an end"),
        ("script", {"framing": "fixed", "size": 4}, b"abcdef", "2 B of a message without an end"),
        ("script", {"framing": "gap"}, b"abcdef", ""),
        ("script", {}, b"abcdef", ""),
        ("line", {}, b"whole\n", ""),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c23_the_end_says_how_much_of_a_message_had_come(
    desk: Desk, tape: Tape, responder: str, options: dict[str, Any], data: bytes, words: str
) -> None:
    peer = Peer(await desk.start("tcp", responder, options=options))
    peer.push(data)
    await until(lambda: tape.data("data.received"))
    peer.socket.shutdown(socket.SHUT_WR)
    end = await closed(tape)
    assert end.summary == "closed by the peer" + (words and f", {words}")
    assert ("unfinished" in end.detail) == bool(words)


@pytest.mark.parametrize(
    ("options", "data", "payload"),
    [
        ({"framing": "delimiter", "delimiter": r"\r\n"}, b"good\r\nbad\r\n", b"bad\r\n"),
        ({"framing": "delimiter"}, b"\n", b"\n"),
        ({"framing": "length", "prefix_bytes": 2, "offset": 1}, b"a\0\3bad", b"a\0\3bad"),
        ({"framing": "length", "encoding": "octet-count"}, b"4 good3 bad", b"3 bad"),
        ({"framing": "fixed", "size": 3}, b"xyzbad", b"bad"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c19_a_failure_holds_the_bytes_as_they_stood_on_the_wire(
    desk: Desk, tape: Tape, options: dict[str, Any], data: bytes, payload: bytes
) -> None:
    rules = (when("text", "fail", match="bad"), when("text", "fail", match="abad"), when("text", "fail", match=""))
    service = await scripted(desk, *rules, **options)
    peer = Peer(service)
    for i in range(len(data)):
        peer.push(data[i : i + 1])
    [failure] = await until(lambda: tape.all("failure"))
    assert failure.payload == payload
    again = Peer(service)
    again.push(failure.payload)
    _, second = await until(lambda: len(found := tape.all("failure")) == 2 and found)
    assert second.payload == payload


@pytest_twisted.ensureDeferred
async def test_c19_what_no_message_caused_cannot_be_sent_again(desk: Desk, tape: Tape) -> None:
    Peer(await scripted(desk, when("connected", "fail"), framing="delimiter"))
    [failure] = await until(lambda: tape.all("failure"))
    assert failure.payload is None


@pytest_twisted.ensureDeferred
async def test_c19_a_line_in_pieces_is_whole_in_the_failure(desk: Desk, tape: Tape, logged_failures: Any) -> None:
    peer = Peer(await desk.start("tcp", "fragile"))
    peer.push(b"fine\nfa")
    await until(lambda: peer.pull().got == b"fine\n")
    peer.push(b"il\r\n")
    [failure] = await until(lambda: tape.all("failure"))
    assert failure.payload == b"fail\r\n"
    await closed(tape)
    assert len(logged_failures(ValueError)) == 1


# -- what was answered before a failure


@pytest.mark.parametrize("tls", [None, {}])
@pytest_twisted.ensureDeferred
async def test_c20_what_was_answered_leaves_before_the_failure_closes(
    desk: Desk, tape: Tape, tls: Any, tmp_path: Path, logged_failures: Any
) -> None:
    at_home(desk, tmp_path)
    host, port = address(await desk.start("tcp", "fragile", tls=tls))
    where = f"TCP:{host}:{port}" if tls is None else f"OPENSSL:{host}:{port},cafile={ca(desk)},commonname=localhost"
    out, err, _ = await program(desk, "socat", "-t5", "-", where, stdin=b"fine\nfail\nmore\n")
    assert (out, err) == ("fine\n", "")
    end = await closed(tape)
    assert end.summary == "closed after a failure"
    assert (end.detail["sent"], end.detail["unsent"]) == (5, 0)
    [failure] = tape.all("failure")
    assert failure.payload == b"fail\n"
    assert len(logged_failures(ValueError)) == 1


@pytest_twisted.ensureDeferred
async def test_c20_megabytes_leave_to_a_slow_reader_too(desk: Desk, tape: Tape, logged_failures: Any) -> None:
    service = await desk.start("tcp", "fragile", options={"max_message": 8 << 20})
    peer = Peer(service, receive_buffer=4096)
    line = b"x" * (4 << 20) + b"\n"
    stream = memoryview(line + b"fail\n" + b"never answered\n")
    while stream:
        stream = stream[peer.push(stream) :]
        await turn()
    await until(lambda: tape.all("failure"))
    assert await peer.end() == line
    assert (await closed(tape)).detail["unsent"] == 0
    assert len(logged_failures(ValueError)) == 1


class _Breaks(Protocol):
    """Answers, and breaks."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(b"answer to " + data)  # type: ignore[union-attr]
        raise KeyError(data)


@pytest_twisted.ensureDeferred
async def test_c20_of_what_twisted_throws_away_the_end_says_that_it_did_not_leave(
    desk: Desk, tape: Tape, logged_failures: Any
) -> None:
    """A protocol of a plugin fares under the Tap as it does without."""
    peer = Peer(await desk.start("tcp", make=lambda: Factory.forProtocol(_Breaks)))
    peer.push(b"a")
    assert await peer.end() == b""
    end = await closed(tape)
    assert (end.summary, end.detail["unsent"]) == ("closed after a failure, 11 B not sent", 11)
    assert len(logged_failures(KeyError)) == 1
