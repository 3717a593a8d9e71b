"""The fault ``tls``: what OpenSSL, curl and websockets say to each way in which TLS goes wrong."""

from __future__ import annotations

import re
import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import threads

from app.faults import tables
from app.faults.kinds import tls as kind
from app.services.tls import authority
from tests.app.services.helpers import Desk, Peer, Tape, address, closed
from tests.app.services.tls_peers import SecurePeer, at_home, ca, pem, program, trusting
from tests.app.services.tls_peers import certificate as own_certificate
from tests.helpers import until

RESPONDERS = {"tcp": "echo", "http": "inspector", "websocket": "echo"}


@pytest.fixture(autouse=True)
def home(desk: Desk, tmp_path: Path) -> Path:
    at_home(desk, tmp_path)
    return tmp_path


async def flawed(desk: Desk, how: str, protocol: str = "tcp", **more: Any) -> Any:
    """A service on which each connection's TLS goes wrong."""
    fault = {"kind": "tls", "how": how} | more
    assert not list(tables.problems([fault], protocol, tls=True))
    return await desk.start(protocol, RESPONDERS[protocol], tls={}, faults=(fault,), seed=7)


async def s_client(desk: Desk, service: Any, *more: str, stdin: bytes = b"") -> str:
    """All that ``openssl s_client`` says, which holds on to no certificate that it cannot verify."""
    out, err, _ = await program(
        desk, "openssl", "s_client", "-connect", f"127.0.0.1:{address(service)[1]}", "-servername", "localhost",
        "-verify_hostname", "localhost", "-CAfile", ca(desk), "-verify_return_error", *more, stdin=stdin,
    )  # fmt: skip
    return out + err


def verify_errors(said: str) -> list[int]:
    return [int(number) for number in re.findall(r"verify error:num=(\d+)", said)]


VERDICTS = {
    kind.EXPIRED: (10, "certificate expired"),
    kind.NOT_YET_VALID: (9, "bad certificate"),
    kind.WRONG_NAME: (62, "bad certificate"),
    kind.UNKNOWN_AUTHORITY: (19, "unknown ca"),
    kind.MISSING_INTERMEDIATE: (20, "unknown ca"),
    kind.SELF_SIGNED: (18, "unknown ca"),
    kind.WEAK_KEY: (66, "bad certificate"),
}
"""The number of OpenSSL's first error (X509_STORE_CTX_get_error(3)), and the alert that it sends us."""


@pytest.mark.parametrize("protocol", RESPONDERS)
@pytest.mark.parametrize("how", VERDICTS)
@pytest_twisted.ensureDeferred
async def test_openssl_finds_what_is_wrong_with_the_certificate(desk: Desk, tape: Tape, how: str, protocol: str):
    service = await flawed(desk, how, protocol)
    said = await s_client(desk, service, "-cipher", "DEFAULT@SECLEVEL=2")
    number, alert = VERDICTS[how]
    assert verify_errors(said)[:1] == [number], said
    await closed(tape)
    [failed] = tape.all("tls.failed")
    assert failed.detail["openssl"][-1].endswith(f"alert {alert}")
    [applied] = tape.all("fault.applied")
    assert applied.detail["words"].startswith("shows a certificate ")
    kinds = [e.kind for e in tape.all(conn=applied.conn)]
    assert kinds[:3] == ["connection.opened", "fault.applied", "tls.failed"], kinds


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("how", VERDICTS)
@pytest_twisted.ensureDeferred
async def test_in_both_versions_it_is_the_only_thing_that_is_wrong(desk: Desk, how: str, version: str):
    service = await flawed(desk, how)
    said = await s_client(desk, service, version, "-cipher", "DEFAULT@SECLEVEL=2", "-no_check_time")
    expected = [] if how in (kind.EXPIRED, kind.NOT_YET_VALID) else [VERDICTS[how][0]]
    assert verify_errors(said)[:1] == expected, said


CURL = {
    kind.EXPIRED: (60, "certificate has expired"),
    kind.NOT_YET_VALID: (60, "certificate is not yet valid"),
    kind.WRONG_NAME: (60, "no alternative certificate subject name matches target host name 'localhost'"),
    kind.UNKNOWN_AUTHORITY: (60, "self-signed certificate in certificate chain"),
    kind.MISSING_INTERMEDIATE: (60, "unable to get local issuer certificate"),
    kind.SELF_SIGNED: (60, "self-signed certificate"),
    kind.WEAK_KEY: (60, "EE certificate key too weak"),
    kind.CUT_HELLO: (35, ""),
    kind.CUT_SERVER_HELLO: (35, ""),
    kind.GARBAGE: (35, ""),
    kind.ALERT: (35, "alert"),
}


@pytest.mark.parametrize("how", CURL)
@pytest_twisted.ensureDeferred
async def test_curl_finds_it_too(desk: Desk, how: str):
    service = await flawed(desk, how, "http")
    url = f"https://localhost:{address(service)[1]}/"
    out, err, code = await program(desk, "curl", "-sS", "--cacert", ca(desk), "--ciphers", "DEFAULT@SECLEVEL=2", url)
    assert (out, code) == ("", CURL[how][0]), err
    assert CURL[how][1] in err


@pytest.mark.parametrize("how", [kind.EXPIRED, kind.WRONG_NAME, kind.SELF_SIGNED])
@pytest_twisted.ensureDeferred
async def test_a_websocket_client_finds_it_too(desk: Desk, how: str):
    from websockets.sync.client import connect

    service = await flawed(desk, how, "websocket")
    port, context = address(service)[1], trusting(desk)

    def talk() -> str:
        try:
            connect(f"wss://localhost:{port}/", ssl=context, proxy=None).close()
        except ssl.SSLCertVerificationError as e:
            return str(e.verify_code)
        return "no error"

    assert await threads.deferToThread(talk) == str(VERDICTS[how][0])


@pytest_twisted.ensureDeferred
async def test_whoever_does_not_look_at_certificates_is_answered(desk: Desk):
    for how in VERDICTS:
        service = await flawed(desk, how, "http")
        out, err, code = await program(desk, "curl", "-sSk", f"https://localhost:{address(service)[1]}/x")
        assert '"target": "/x"' in out, (how, err, code)


@pytest_twisted.ensureDeferred
async def test_what_faults_show_is_made_once_and_before_it_is_needed(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    service = await flawed(desk, kind.WEAK_KEY)
    monkeypatch.setattr(service.tls.flawed, "_make", lambda flaw: pytest.fail("made anew"))
    for _ in range(2):
        assert 66 in verify_errors(await s_client(desk, service, "-cipher", "DEFAULT@SECLEVEL=2"))


@pytest_twisted.ensureDeferred
async def test_a_fault_that_comes_while_the_service_runs_has_the_next_handshake_wait_for_its_certificate(
    desk: Desk, tape: Tape
):
    service = await desk.start(tls={})
    assert service.apply(replace(service.config, faults=({"kind": "tls", "how": "weak-key"},)))
    peer = SecurePeer(service, trusting(desk))  # before the thread is done
    with pytest.raises(ssl.SSLCertVerificationError, match="key too weak"):
        await peer.shake()
    [applied] = tape.all("fault.applied")
    assert "1,024 bits" in applied.summary


@pytest_twisted.ensureDeferred
async def test_a_session_of_a_right_certificate_does_not_hide_the_wrong_one(desk: Desk, tmp_path: Path):
    service = await desk.start(tls={})
    ticket = str(tmp_path / "ticket")
    assert not verify_errors(await s_client(desk, service, "-tls1_2", "-sess_out", ticket))
    assert "Reused" in await s_client(desk, service, "-tls1_2", "-sess_in", ticket)
    assert service.apply(replace(service.config, faults=({"kind": "tls", "how": "expired"},)))
    assert verify_errors(await s_client(desk, service, "-tls1_2", "-sess_in", ticket)) == [10]


@pytest_twisted.ensureDeferred
async def test_a_service_with_a_certificate_of_its_own_shows_wrong_ones_of_the_local_authority(desk: Desk, home: Path):
    (home / "own.pem").write_bytes(pem(*own_certificate("own.test")))
    fault = {"kind": "tls", "how": "expired"}
    service = await desk.start(tls={"certificate": "own.pem"}, faults=(fault,))
    assert verify_errors(await s_client(desk, service, "-verify_hostname", "own.test")) == [10]


@pytest_twisted.ensureDeferred
async def test_an_authority_that_cannot_be_used_ends_the_connection_and_is_told(desk: Desk, tape: Tape, home: Path):
    (home / "own.pem").write_bytes(pem(*own_certificate("own.test")))
    service = await desk.start(tls={"certificate": "own.pem"})
    damaged = authority.of(desk.surroundings.data).path.with_name("authority.pem")
    damaged.write_text("nothing")
    assert service.apply(replace(service.config, faults=({"kind": "tls", "how": "expired"},)))
    peer = await raw(service, client_hello())
    await peer.end()
    assert peer.ended == "reset"
    assert (await closed(tape)).detail["reason"] == "reset by a fault"
    assert "it is damaged" in tape.all("failure")[0].summary


# -- the handshake


@pytest.mark.parametrize("protocol", RESPONDERS)
@pytest.mark.parametrize(
    ("code", "words"),
    [(40, "handshake failure"), (80, "internal error"), (112, "unrecognized name"), (70, "protocol version")],
)
@pytest_twisted.ensureDeferred
async def test_an_alert_has_its_number(desk: Desk, tape: Tape, protocol: str, code: int, words: str):
    service = await flawed(desk, "alert", protocol, code=code)
    said = await s_client(desk, service)
    assert f"SSL alert number {code}" in said
    assert words in said
    assert (await closed(tape)).detail["reason"] == "closed by a fault"
    assert [e.kind for e in tape.all() if e.conn] == ["connection.opened", "fault.applied", "connection.closed"]


async def raw(service: Any, hello: bytes) -> Peer:
    """A peer that has sent its ClientHello and does no TLS."""
    peer = Peer(service)
    peer.push(hello)
    return peer


def client_hello(protocols: list[str] | None = None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
    context = ssl.create_default_context()
    context.minimum_version = context.maximum_version = version
    if protocols:
        context.set_alpn_protocols(protocols)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        wrapped.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("protocol", RESPONDERS)
@pytest.mark.parametrize(("then", "ended"), [("close", "closed"), ("reset", "reset")])
@pytest_twisted.ensureDeferred
async def test_a_cut_after_the_client_hello(desk: Desk, tape: Tape, protocol: str, then: str, ended: str):
    service = await flawed(desk, "cut-after-client-hello", protocol, then=then)
    hello = client_hello()
    peer = await raw(service, hello[:50])
    await until(lambda: tape.all("fault.applied"))
    assert not peer.pull().ended
    peer.push(hello[50:])
    assert await peer.end() == b""
    assert peer.ended == ended
    assert (await closed(tape)).detail["reason"] == f"{ended} by a fault"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("then", "ended"), [("close", "closed"), ("reset", "reset")])
@pytest_twisted.ensureDeferred
async def test_a_cut_after_the_server_hello(desk: Desk, tape: Tape, then: str, ended: str, version: ssl.TLSVersion):
    service = await flawed(desk, "cut-after-server-hello", then=then)
    peer = await raw(service, client_hello(version=version))
    got = await peer.end()
    assert got[:1] == b"\x16"
    assert got[5] == 2  # server_hello (RFC 8446, section 4)
    assert len(got) == 5 + int.from_bytes(got[3:5]) == 9 + int.from_bytes(got[6:9])
    assert peer.ended == ended


@pytest_twisted.ensureDeferred
async def test_openssl_says_that_the_connection_ended(desk: Desk):
    assert "unexpected eof" in await s_client(desk, await flawed(desk, "cut-after-server-hello"))
    assert "errno=104" in await s_client(desk, await flawed(desk, "cut-after-server-hello", then="reset"))


@pytest_twisted.ensureDeferred
async def test_noise_is_the_same_for_the_same_seed(desk: Desk):
    service = await flawed(desk, "garbage")
    again = await flawed(desk, "garbage")
    noise = await (await raw(service, client_hello())).end()
    assert len(noise) == 1_024
    assert noise == await (await raw(again, client_hello())).end()
    assert noise != await (await raw(again, client_hello())).end()  # the second connection
    assert "wrong version number" in await s_client(desk, service)


@pytest.mark.parametrize("protocol", RESPONDERS)
@pytest_twisted.ensureDeferred
async def test_a_stall_before_the_handshake_ends_when_it_is_lifted(desk: Desk, tape: Tape, protocol: str):
    service = await flawed(desk, "stall-before", protocol)
    peer = SecurePeer(service, trusting(desk))
    with pytest.raises(ssl.SSLWantReadError):
        peer.secure.do_handshake()
    peer.flush()
    await until(lambda: tape.all("fault.applied"))
    await until(lambda: not peer._waiting)
    assert peer.work().got == b""
    service.faults.switch(service.faults.all[0], on=False)
    await peer.shake()
    await until(lambda: tape.all("tls.opened"))


@pytest_twisted.ensureDeferred
async def test_a_stall_within_the_handshake_comes_after_the_server_hello(desk: Desk, tape: Tape):
    service = await flawed(desk, "stall-within")
    peer = SecurePeer(service, trusting(desk))
    with pytest.raises(ssl.SSLWantReadError):
        peer.secure.do_handshake()
    peer.flush()
    await until(lambda: peer.work().got)
    with pytest.raises(ssl.SSLWantReadError):
        peer.secure.do_handshake()
    assert len(peer.got) == 5 + int.from_bytes(peer.got[3:5])
    service.faults.switch(service.faults.all[0], on=False)
    await peer.shake()
    await peer.say(b"hello")
    await until(lambda: peer.hear() == b"hello")


@pytest.mark.parametrize("how", ["stall-before", "stall-within"])
@pytest_twisted.ensureDeferred
async def test_a_stall_has_its_time(desk: Desk, how: str):
    service = await flawed(desk, how, ms=300)
    began = desk.reactor.seconds()
    peer = await SecurePeer(service, trusting(desk)).shake()
    assert desk.reactor.seconds() - began >= 0.3
    await peer.say(b"hello")
    await until(lambda: peer.hear() == b"hello")


@pytest.mark.parametrize("how", ["stall-before", "stall-within"])
@pytest_twisted.ensureDeferred
async def test_who_gives_up_while_it_stalls_is_not_said_to_distrust_us(desk: Desk, tape: Tape, how: str):
    service = await flawed(desk, how)
    peer = await raw(service, client_hello())
    await until(lambda: tape.all("fault.applied"))
    peer.close()
    await closed(tape)
    assert tape.all("tls.failed")[0].summary == "the client gave up while a fault held the handshake back"


@pytest.mark.parametrize("how", ["stall-before", "stall-within"])
@pytest_twisted.ensureDeferred
async def test_a_service_stops_at_once_although_handshakes_stall(desk: Desk, tape: Tape, how: str):
    service = await flawed(desk, how, ms=60_000.0)
    peer = await raw(service, client_hello())
    await until(lambda: tape.all("fault.applied"))
    began = desk.reactor.seconds()
    await service.stop()
    assert desk.reactor.seconds() - began < 1
    await peer.end()


@pytest_twisted.ensureDeferred
async def test_a_client_that_floods_a_stalled_handshake_is_held_back(desk: Desk, tape: Tape):
    service = await flawed(desk, "stall-before")
    peer = await raw(service, client_hello())
    await until(lambda: tape.all("fault.applied"))
    [tap] = service.connections.values()
    while peer.push(bytes(1 << 20)):
        await until(lambda: True)
    await until(lambda: not peer.push(bytes(1 << 20)))
    assert len(tap.wire._waiting) < 256 << 10


# -- afterwards


@pytest_twisted.ensureDeferred
async def test_without_close_notify_the_end_could_be_anybodys(desk: Desk, tape: Tape):
    service = await flawed(desk, "no-close-notify", "http")
    url = f"https://localhost:{address(service)[1]}/"
    said = await s_client(
        desk, service, "-ign_eof", stdin=b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
    )  # fmt: skip
    assert "200 OK" in said
    assert "unexpected eof while reading" in said
    out, err, code = await program(desk, "curl", "-sS", "--http1.1", "--cacert", ca(desk), url)
    assert (code, err) == (0, "")  # which has a Content-Length to go by
    assert '"target": "/"' in out


@pytest.mark.parametrize("protocol", RESPONDERS)
@pytest_twisted.ensureDeferred
async def test_the_application_protocol_is_one_that_was_not_offered(desk: Desk, tape: Tape, protocol: str):
    fault = {"kind": "tls", "how": "wrong-alpn"}
    own = {"alpn": ["mqtt"]} if protocol == "tcp" else {}
    service = await desk.start(protocol, RESPONDERS[protocol], tls=own, faults=(fault,))
    # OpenSSL refuses what it has not offered (RFC 7301, section 3.2). Who offers nothing is not chosen for.
    assert "tls_parse_stoc_alpn:bad extension" in await s_client(desk, service, "-alpn", "http/1.1,mqtt")
    assert (await until(lambda: tape.all("tls.failed")))[0].detail["alpn"] == ["http/1.1", "mqtt"]
    assert "No ALPN negotiated" in await s_client(desk, service)


# -- whom it hits


@pytest_twisted.ensureDeferred
async def test_it_hits_the_connections_that_its_conditions_choose(desk: Desk, tape: Tape):
    faults = (
        {"name": "second", "kind": "tls", "how": "expired", "nth": 2},
        {"name": "elsewhere", "kind": "tls", "how": "self-signed", "peer": ["10.0.0.0/8"]},
    )
    service = await desk.start(tls={}, faults=faults)
    assert [verify_errors(await s_client(desk, service)) for _ in range(3)] == [[], [10], []]
    [applied] = tape.all("fault.applied")
    assert (applied.detail["fault"], applied.detail["on"]) == ("second", "connect")


@pytest_twisted.ensureDeferred
async def test_the_same_seed_chooses_the_same_connections(desk: Desk, tape: Tape):
    chosen = []
    for _ in range(2):
        service = await desk.start(tls={}, seed=11, faults=({"kind": "tls", "how": "alert", "probability": 0.5},))
        peers = [await raw(service, client_hello()) for _ in range(12)]
        await until(lambda service=service: service.opened == 12)
        chosen.append([bool(await until(lambda peer=peer: peer.pull().got)) and peer.got[0] == 21 for peer in peers])
        await service.stop()
    assert chosen[0] == chosen[1]
    assert 0 < sum(chosen[0]) < 12


def test_it_needs_a_service_with_tls():
    fault = {"kind": "tls"}
    assert [text for _, _, text in tables.problems([fault], "tcp", tls=False)] == [
        '"tls" needs TLS, which this service does not have: add [service.tls]'
    ]
    assert not list(tables.problems([fault], "http", tls=True))
