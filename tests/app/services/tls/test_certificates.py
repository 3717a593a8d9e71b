"""app.services.tls.certificates, and certificates of a service's own."""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from app.errors import PostError
from app.services.config import ServiceConfig
from app.services.surroundings import Surroundings
from app.services.tls import errors
from app.services.tls import server as tls
from app.services.tls.server import prepare
from app.status import Failed
from tests.app.services.helpers import Desk, Tape
from tests.app.services.tls_peers import SecurePeer, at_home, certificate, pem, words
from tests.helpers import until

ROOT = certificate("Root", authority=True)
MIDDLE = certificate("Middle", ROOT, authority=True)
KEY, LEAF = certificate("own.test", MIDDLE)


def p12(password: bytes = b"") -> bytes:
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"own", KEY, LEAF, [MIDDLE[1]], locked)


async def serve(desk: Desk, folder: Path, files: dict[str, bytes], **tls: Any) -> Any:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    at_home(desk, folder)
    return await desk.start(tls=tls)


@pytest.mark.parametrize(
    ("files", "tls"),
    [
        ({"own.pem": pem(KEY, LEAF, MIDDLE[1])}, {}),
        ({"own.pem": pem(ROOT[1], MIDDLE[1], LEAF), "own.key": pem(KEY)}, {"key": "own.key"}),
        ({"own.pem": pem(LEAF, MIDDLE[1], KEY, password=b"s3cret")}, {"password": "s3cret"}),
        ({"own.pem": pem(LEAF, MIDDLE[1], KEY)}, {"password": "not needed"}),
        ({"own.pem": p12()}, {}),
        ({"own.pem": p12(b"s3cret")}, {"password": "s3cret"}),
    ],
    ids=["pem", "two files", "locked pem", "open pem", "pkcs12", "locked pkcs12"],
)
@pytest_twisted.ensureDeferred
async def test_a_certificate_of_ones_own_is_shown_with_its_chain(
    desk: Desk, tmp_path: Path, files: dict[str, bytes], tls: dict[str, str]
) -> None:
    service = await serve(desk, tmp_path, files | {"root.pem": pem(ROOT[1])}, certificate="own.pem", **tls)
    context = ssl.create_default_context(cafile=tmp_path / "root.pem")
    peer = await SecurePeer(service, context, "own.test").shake()
    await peer.say(b"hello")
    await until(lambda: peer.hear() == b"hello")


@pytest_twisted.ensureDeferred
async def test_an_expired_one_is_served_with_a_warning(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    key, old = certificate(days=-3)
    service = await serve(desk, tmp_path, {"old.pem": pem(key, old)}, certificate="old.pem")
    assert words(tape.all("log")).startswith("the certificate in old.pem has expired on 2")
    with pytest.raises(ssl.SSLCertVerificationError):
        await SecurePeer(service, ssl.create_default_context(cafile=tmp_path / "old.pem"), "own.test").shake()
    said = "the client says that our certificate has expired: compare the clocks"
    await until(lambda: [e.summary for e in tape.all("tls.failed")] == [said])


OTHER = certificate("other.test")

WRONG: dict[str, tuple[dict[str, bytes], dict[str, Any], type[PostError]]] = {
    "missing": ({}, {}, errors.TLSFileError),
    "no certificate": ({"own.pem": pem(KEY)}, {}, errors.NotACertificateError),
    "nothing of the kind": ({"own.pem": b"hello"}, {}, errors.NotACertificateError),
    "too large": ({"own.pem": bytes(2 << 20)}, {}, errors.TLSFileError),
    "cut short": ({"own.pem": pem(KEY, LEAF)[:-60]}, {}, errors.NotACertificateError),
    "no key": ({"own.pem": pem(LEAF)}, {}, errors.NotAKeyError),
    "key's file missing": ({"own.pem": pem(LEAF)}, {"key": "own.key"}, errors.TLSFileError),
    "no key in its file": ({"own.pem": pem(LEAF), "own.key": b"x"}, {"key": "own.key"}, errors.NotAKeyError),
    "somebody else's key": ({"own.pem": pem(LEAF, OTHER[0])}, {}, errors.ForeignKeyError),
    "locked": ({"own.pem": pem(LEAF, KEY, password=b"x")}, {}, errors.PasswordMissingError),
    "wrong password": ({"own.pem": pem(LEAF, KEY, password=b"x")}, {"password": "y"}, errors.WrongPasswordError),
    "pkcs12 locked": ({"own.pem": p12(b"x")}, {}, errors.PasswordMissingError),
    "pkcs12, wrong password": ({"own.pem": p12(b"x")}, {"password": "y"}, errors.WrongPasswordError),
    "client_ca missing": (
        {"own.pem": pem(KEY, LEAF)},
        {"client_certificates": "required", "client_ca": "no.pem"},
        errors.TLSFileError,
    ),
    "client_ca is none": (
        {"own.pem": pem(KEY, LEAF), "ca.pem": b"x"},
        {"client_certificates": "optional", "client_ca": "ca.pem"},
        errors.NotACertificateError,
    ),
    "key log": ({"own.pem": pem(KEY, LEAF)}, {"key_log": "no/keys.log"}, errors.KeyLogError),
    "name of others": ({}, {"certificate": "auto", "names": ["example.com"]}, errors.ForeignNameError),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, case: str) -> None:
    files, tls, error = WRONG[case]
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    config = ServiceConfig("x", "tcp", "127.0.0.1", 0, "echo", tls={"certificate": "own.pem"} | tls)
    with pytest.raises(error) as caught:
        prepare(config, Surroundings(tmp_path, tmp_path / "data"))
    assert isinstance(caught.value, errors.TLSSetupError)
    assert str(caught.value).endswith((".", "--any-name."))
    assert "Error" not in str(caught.value)


@pytest.mark.parametrize("name", ["certificate", "key", "client_ca"])
def test_a_pipe_is_no_certificate_and_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "own.pem").write_bytes(pem(KEY, LEAF))
    os.mkfifo(tmp_path / "pipe")
    tls = {"certificate": "own.pem", "client_certificates": "optional", name: "pipe"}
    with pytest.raises(errors.TLSFileError, match="it is not a file"):
        prepare(ServiceConfig("x", "tcp", "127.0.0.1", 0, "echo", tls=tls), Surroundings(tmp_path, tmp_path / "data"))


def test_a_weak_key_is_refused_in_words(tmp_path: Path) -> None:
    key, weak = certificate(key=rsa.generate_private_key(65537, 1024))
    (tmp_path / "own.pem").write_bytes(pem(key, weak))
    config = ServiceConfig("x", "tcp", "127.0.0.1", 0, "echo", tls={"certificate": "own.pem"})
    with pytest.raises(errors.RefusedCertificateError, match="key too small"):
        prepare(config, Surroundings(tmp_path, tmp_path))


def test_an_rsa_key_does(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_bytes(pem(*certificate(key=rsa.generate_private_key(65537, 2048))))
    config = ServiceConfig("x", "tcp", "127.0.0.1", 0, "echo", tls={"certificate": "own.pem"})
    assert not prepare(config, Surroundings(tmp_path, tmp_path)).warnings


@pytest_twisted.ensureDeferred
async def test_a_service_whose_certificate_is_wrong_says_why_and_does_not_listen(
    desk: Desk, tape: Tape, tmp_path: Path
) -> None:
    at_home(desk, tmp_path)
    service = desk.service(tls={"certificate": "no.pem"})
    status = await service.start()
    assert isinstance(status, Failed)
    assert status.reason.startswith(f"Cannot read {tmp_path}/no.pem, which TLS needs: No such file or directory. ")
    assert not tape.all("failure")


@pytest.mark.parametrize(
    ("host", "expected", "absent"),
    [("127.0.0.5", {"127.0.0.5", "localhost", "::1"}, set()), ("0.0.0.0", {"localhost", "127.0.0.1"}, {"0.0.0.0"})],
)
def test_an_auto_certificate_is_for_all_the_names_of_the_service(
    tmp_path: Path, host: str, expected: set[str], absent: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls.address, "own", lambda: ["192.168.7.7", "8.8.4.4"])
    config = ServiceConfig("x", "tcp", host, 0, "echo", tls={"names": ["box.lan"]})
    signed = tls._signed(config, config.settings("tls"), Surroundings(tmp_path, tmp_path)).certificate
    alternatives = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = {str(name.value) for name in alternatives}
    assert expected | {"box.lan"} <= found
    assert not found & (absent | {"8.8.4.4"})
    assert ("192.168.7.7" in found) == (host == "0.0.0.0")
