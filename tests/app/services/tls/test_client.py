"""app.services.tls.client: TLS to servers that this project did not write, and to our own."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from threading import Thread
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from app.services.context import ServiceContext
from app.services.tap.outgoing import TappedEndpoint
from app.services.tls import authority
from app.services.tls.client import client_tls
from tests.app.services.helpers import Desk, Tape, address
from tests.app.services.tls_peers import at_home, certificate, pem
from tests.helpers import until


class Client(Protocol):
    """Says hello, and keeps what comes."""

    def __init__(self) -> None:
        self.got = b""
        self.lost: Failure | None = None

    def connectionMade(self) -> None:
        self.transport.write(b"hello")  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.lost = reason


@contextmanager
def server(context: ssl.SSLContext) -> Iterator[int]:
    """Python's own TLS, which echoes once for each of two connections. Its port."""
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(20)

        def serve() -> None:
            try:
                taken, _ = listening.accept()
                taken.settimeout(20)
                with context.wrap_socket(taken, server_side=True) as connection:
                    connection.sendall(connection.recv(100))
                    connection.unwrap()
            except OSError:
                pass

        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(20)


def identity(folder: Path, *parts: Any) -> ssl.SSLContext:
    file = folder / "server.pem"
    file.write_bytes(pem(*parts))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def connected(desk: Desk, folder: Path, port: int, host: str = "localhost", **more: Any) -> Client:
    at_home(desk, folder)
    tls = client_tls(host, folder / "data", **more)
    owner = desk.service()
    return await TappedEndpoint(owner, desk.reactor, "127.0.0.1", port, tls).connect(Factory.forProtocol(Client))  # type: ignore[return-value]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "box.test"])
@pytest_twisted.ensureDeferred
async def test_the_local_authority_is_trusted(desk: Desk, tape: Tape, tmp_path: Path, host: str) -> None:
    key, leaf = authority.of(tmp_path / "data").sign([host])
    with server(identity(tmp_path, key, leaf)) as port:
        client = await connected(desk, tmp_path, port, host)
        await until(lambda: client.got == b"hello")
        await until(lambda: client.lost)
    opened = tape.all("tls.opened")[0]
    assert opened.detail["server"] == ("CN=Listening Post" if host == "127.0.0.1" else f"CN={host}")
    assert opened.detail["sni"] == (None if host == "127.0.0.1" else host)
    assert tape.data("data.sent") == tape.data("data.received") == b"hello"


@pytest.mark.parametrize(
    ("name", "days", "said"),
    [
        (
            "localhost",
            9,
            "the server's certificate (CN=localhost) is signed by itself, not by an authority that we trust",
        ),
        ("localhost", -9, "the server's certificate (CN=localhost) "),
    ],
)
@pytest_twisted.ensureDeferred
async def test_others_are_not(desk: Desk, tape: Tape, tmp_path: Path, name: str, days: int, said: str) -> None:
    with server(identity(tmp_path, *certificate(name, days=days))) as port:
        client = await connected(desk, tmp_path, port)
        await until(lambda: client.lost)
    assert tape.all("tls.failed")[0].summary.startswith(said)
    assert tape.all("connection.closed")[0].summary.startswith(f"TLS handshake failed: {said}")
    assert tape.all("connection.closed")[0].detail["unsent"] == 5
    assert client.got == b""
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_certificate_for_another_name_is_refused(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    key, leaf = authority.of(tmp_path / "data").sign(["other.test"])
    with server(identity(tmp_path, key, leaf)) as port:
        client = await connected(desk, tmp_path, port)
        await until(lambda: client.lost)
    assert tape.all("tls.failed")[0].summary == "the server's certificate is for another name"


@pytest_twisted.ensureDeferred
async def test_any_certificate_does_when_nothing_is_verified(desk: Desk, tmp_path: Path) -> None:
    with server(identity(tmp_path, *certificate("other.test", days=-9))) as port:
        client = await connected(desk, tmp_path, port, verify=False)
        await until(lambda: client.got == b"hello")
        await until(lambda: client.lost)


@pytest_twisted.ensureDeferred
async def test_we_show_a_certificate_of_ours_and_agree_on_a_protocol(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    signer = authority.of(tmp_path / "data")
    signer.export_client(tmp_path / "us.pem")
    context = identity(tmp_path, *signer.sign(["localhost"]))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(signer.path)
    context.set_alpn_protocols(["mqtt"])
    with server(context) as port:
        client = await connected(desk, tmp_path, port, certificate=tmp_path / "us.pem", alpn=(b"x", b"mqtt"))
        await until(lambda: client.got == b"hello")
        await until(lambda: client.lost)
    assert tape.all("tls.opened")[0].detail["alpn"] == "mqtt"


@pytest_twisted.ensureDeferred
async def test_a_server_that_wants_a_certificate_of_ours_is_told_of(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    signer = authority.of(tmp_path / "data")
    context = identity(tmp_path, *signer.sign(["localhost"]))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(signer.path)
    with server(context) as port:
        client = await connected(desk, tmp_path, port)
        await until(lambda: client.lost)
    # In TLS 1.3 our side of the handshake is done before the server looks at certificates.
    assert tape.all("tls.failed")[0].summary == "the server wants a certificate of ours"
    assert tape.all("connection.closed")[0].summary == "TLS failed: the server wants a certificate of ours"


@pytest_twisted.ensureDeferred
async def test_a_server_without_tls_is_told_of(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    plain = await desk.start("tcp", "banner")
    client = await connected(desk, tmp_path, address(plain)[1])
    await until(lambda: client.lost)
    assert tape.all("tls.failed")[0].summary.startswith("not TLS at all: it begins with ")


@pytest_twisted.ensureDeferred
async def test_a_responder_reaches_a_service_of_ours_by_its_context(desk: Desk, tmp_path: Path) -> None:
    at_home(desk, tmp_path)
    upstream = await desk.start(tls={})
    service = desk.service()
    context = ServiceContext(service, service.config.name, service.reactor, service.surroundings, lambda: 1)
    endpoint = context.endpoint("127.0.0.1", address(upstream)[1], tls=True)
    client: Any = await endpoint.connect(Factory.forProtocol(Client))
    await until(lambda: client.got == b"hello")
    client.transport.loseConnection()
    await until(lambda: client.lost)
