"""Conversations whose words can be read, and servers that this project did not write."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.sync.server import serve

from app.sending import open_conversation
from app.sending.conversation import Conversation
from app.sending.request import Request
from app.sending.sender import Sender
from app.sending.url import field, parse


class Heard:
    """A conversation, and what came of it."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.got = bytearray()
        self.chunks: list[bytes] = []
        self.notes: list[str] = []
        self.statuses: list[str] = []
        conversation.received.connect(self.got.extend)
        conversation.received.connect(self.chunks.append)
        conversation.noted.connect(self.notes.append)
        conversation.status_changed.connect(lambda c: self.statuses.append(type(c.status).__name__))

    @property
    def reason(self) -> str:
        """Why it ended, or ""."""
        return self.conversation.closed.reason if self.conversation.closed else ""


class Talker:
    """Opens conversations."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender

    def make(self, url: str, *fields: str, method: str = "", verify: bool = True) -> Heard:
        request = Request(parse(url), method, tuple(map(field, fields)), verify)
        return Heard(open_conversation(request, self.sender))

    async def talk(self, url: str, *messages: bytes, fields: tuple[str, ...] = (), **more: Any) -> Heard:
        """Connect, and send."""
        heard = self.make(url, *fields, **more)
        await heard.conversation.connect()
        for message in messages:
            await heard.conversation.send(message)
        return heard


@contextmanager
def program(*command: object) -> Iterator[int]:
    """A server in a process of its own; PORT in its command line stands for a free port."""
    import socket

    from tests.helpers import wait_for

    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    words = [str(word).replace("PORT", str(port)) for word in command]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def up() -> bool:
        assert process.poll() is None, words
        table = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines(table))

    def lines(table: str) -> list[str]:
        return [line for line in table.splitlines() if ":" in line]

    try:
        wait_for(up)
        yield port
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()


def http_server(folder: Path) -> Any:
    return program(sys.executable, "-m", "http.server", "PORT", "--bind", "127.0.0.1", "--directory", folder)


@contextmanager
def websockets_server(**more: Any) -> Iterator[int]:
    """An echo of PyPI's websockets that closes with 4001 at the word bye."""

    def echo(peer: Any) -> None:
        for message in peer:
            peer.send(message)
            if message == "bye":
                peer.close(4001, "had enough")

    with serve(echo, "127.0.0.1", 0, **more) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join()


def certificate(folder: Path, *names: str, days: int = 30) -> Path:
    """A file with a key and a certificate that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "nobody")])
    now = datetime.now(UTC)
    general = [x509.IPAddress(ip_address(n)) if n[0].isdigit() else x509.DNSName(n) for n in names]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(general), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{'-'.join(names)}{days}.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    os.chmod(file, 0o600)
    return file


def context(file: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(file)
    return made
