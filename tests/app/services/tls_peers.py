"""Clients of TLS that this project did not write, and certificates that go wrong."""

from __future__ import annotations

import contextlib
import os
import shutil
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from twisted.internet.utils import getProcessOutputAndValue

from app.services.surroundings import Surroundings
from app.services.tls import authority
from tests.app.services.helpers import Desk, Peer
from tests.helpers import until


@cache
def _authority() -> tuple[bytes, bytes]:
    """The files of a local authority, which is made once: that waits for the disk."""
    with TemporaryDirectory() as folder:
        made = authority.of(Path(folder)).path
        return made.with_name("authority.pem").read_bytes(), made.read_bytes()


def give_authority(data: Path) -> None:
    """Put a local authority into the ``data`` folder, as if it had been made there; one that is there already stays."""
    if (data / "authority").exists():
        return
    (data / "authority").mkdir(mode=0o700, parents=True)
    for name, content in zip(("authority.pem", "listening-post-ca.crt"), _authority(), strict=True):
        (data / "authority" / name).write_bytes(content)


def at_home(desk: Desk, folder: Path) -> None:
    """Give the desk's services a folder for workspace and data, with a local authority."""
    desk.surroundings = Surroundings(folder, folder / "data")
    give_authority(folder / "data")


def ca(desk: Desk) -> Path:
    """The certificate of the local authority."""
    return authority.of(desk.surroundings.data).path


def trusting(desk: Desk) -> ssl.SSLContext:
    """Python's own TLS, which trusts the local authority and is as strict as Python can be."""
    context = ssl.create_default_context(cafile=ca(desk))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


async def program(desk: Desk, *command: str | Path, stdin: bytes = b"") -> tuple[str, str, int]:
    """Run a program. What it wrote to both outputs, and its exit code."""
    name, *args = map(str, command)
    out, err, code = await getProcessOutputAndValue(
        _which(name), args, env=os.environ, reactor=desk.reactor, stdinBytes=stdin
    )
    return out.decode(errors="replace"), err.decode(errors="replace"), code


def _which(name: str) -> str:
    found = shutil.which(name)
    assert found, f"{name} is not installed"
    return found


class SecurePeer(Peer):
    """A ``Peer`` on Python's own TLS, through memory: nothing blocks.

    Attributes:
        secure: the TLS of it.
    """

    def __init__(self, where: Any, context: ssl.SSLContext, name: str | None = "localhost", **more: Any) -> None:
        super().__init__(where, **more)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.secure = context.wrap_bio(self._in, self._out, server_hostname=name)
        self._raw_read = 0
        self.plain = bytearray()
        self.closed_by_tls = False
        self._waiting = bytearray()

    def work(self) -> SecurePeer:
        """Pass on what there is, both ways."""
        self.pull()
        if self._raw_read < len(self.got):
            self._in.write(bytes(self.got[self._raw_read :]))
            self._raw_read = len(self.got)
        elif self.ended == "closed":
            self._in.write_eof()
        self.flush()
        return self

    def flush(self) -> None:
        self._waiting += self._out.read()
        if self._waiting and not self.ended:
            del self._waiting[: self.push(bytes(self._waiting[: 1 << 20]))]

    async def shake(self) -> SecurePeer:
        """Finish the handshake. Raises what Python raises."""
        while True:
            try:
                self.secure.do_handshake()
                self.flush()
                return self
            except ssl.SSLWantReadError:
                await self._more()
            finally:
                self.flush()

    async def _more(self) -> None:
        before = self._raw_read
        await until(lambda: self.work()._raw_read > before or self.ended)

    async def say(self, data: bytes) -> None:
        """Send ``data``, reading nothing meanwhile but what has come."""
        self.secure.write(data)
        self.flush()
        await until(lambda: self.flush() or not self._waiting)

    def hear(self) -> bytes:
        """What has come so far, decrypted."""
        self.work()
        try:
            while data := self.secure.read(1 << 16):
                self.plain += data
            self.closed_by_tls = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed_by_tls = True
        return bytes(self.plain)

    def say_goodbye(self) -> None:
        """Send close_notify, and read on."""
        with contextlib.suppress(ssl.SSLError):  # it wants the other side's
            self.secure.unwrap()
        self.flush()


def certificate(
    name: str = "own.test",
    issuer: tuple[Any, x509.Certificate] | None = None,
    *,
    days: int = 10,
    key: Any = None,
    authority: bool = False,
) -> tuple[Any, x509.Certificate]:
    """A key and a certificate for it, by ``issuer`` or by itself; ``days`` from now it ends."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=100))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(authority, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .sign(issuer[0] if issuer else key, hashes.SHA256())
    )
    return key, made


def pem(*parts: Any, password: bytes | None = None) -> bytes:
    """Keys and certificates as PEM."""
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return b"".join(
        part.public_bytes(serialization.Encoding.PEM)
        if isinstance(part, x509.Certificate)
        else part.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
        for part in parts
    )


def words(events: Sequence[Any]) -> str:
    """The summary of the only one of ``events``."""
    assert len(events) == 1, events
    summary: str = events[0].summary
    return summary
