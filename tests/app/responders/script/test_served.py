"""Scripts on real sockets, with clients that this project did not write."""

from __future__ import annotations

import re
import smtplib
import socket
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from app.text.checksums import crc16
from app.workspace import reading as workspace
from tests.app.services.helpers import Desk, Peer, Tape, address, closed
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


def example(number: int) -> dict[str, Any]:
    """Options of the service in an example of docs/script.md."""
    text = (ROOT / "docs" / "script.md").read_text()
    found, problems = workspace.parse(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[number])
    assert not problems
    return dict(found.services[0].options)


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
