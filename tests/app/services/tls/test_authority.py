"""app.services.tls.authority."""

from __future__ import annotations

import shlex
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from app.services.tls import authority, errors
from tests.helpers import ROOT, run


@pytest.fixture
def ca(tmp_path: Path) -> authority.Authority:
    return authority.of(tmp_path)


def openssl(*command: str | Path, stdin: bytes = b"") -> str:
    done = subprocess.run(["openssl", *map(str, command)], input=stdin, capture_output=True, timeout=100, check=False)
    return done.stdout.decode() + done.stderr.decode()


def verified(ca: authority.Authority, certificate: x509.Certificate, *more: str) -> str:
    """What openssl says of the certificate, as strict as it can be."""
    content = certificate.public_bytes(serialization.Encoding.PEM)
    return openssl("verify", "-x509_strict", "-CAfile", ca.path, *more, "/dev/stdin", stdin=content)


def san(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def test_it_is_made_once(tmp_path: Path) -> None:
    assert authority.of(tmp_path).certificate == authority.of(tmp_path).certificate


def test_nobody_else_can_read_it(ca: authority.Authority, tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        "authority.pem": 0o600,
        "listening-post-ca.crt": 0o644,
    }
    assert b"PRIVATE" not in ca.path.read_bytes()


def test_a_key_that_others_could_read_is_shut_again(tmp_path: Path) -> None:
    authority.of(tmp_path)
    file = tmp_path / "authority" / "authority.pem"
    file.chmod(0o644)
    authority.of(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_programs_that_begin_at_once_come_to_the_same_one(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from app.services.tls import authority; "
        "print(authority.of(pathlib.Path(sys.argv[1])).fingerprint)"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    printed = {program.communicate(timeout=100)[0] for program in running}
    assert printed == {f"{authority.of(tmp_path).fingerprint}\n"}
    assert len(list((tmp_path / "authority").iterdir())) == 2


def test_it_lasts_ten_years_and_what_it_signs_one(ca: authority.Authority) -> None:
    _, leaf = ca.sign(["localhost"])
    now = datetime.now(UTC)
    assert timedelta(days=3650) <= ca.certificate.not_valid_after_utc - now < timedelta(days=3653)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc == timedelta(days=365)


def test_openssl_takes_what_it_signs_at_its_strictest(ca: authority.Authority) -> None:
    _, leaf = ca.sign(["box.local", "*.box.test", "127.0.0.1", "fe80::1%eth0", "grün.test"])
    assert verified(ca, leaf, "-purpose", "sslserver", "-verify_hostname", "a.box.test").endswith("OK\n")
    assert san(leaf).get_values_for_type(x509.DNSName) == ["box.local", "*.box.test", "xn--grn-ioa.test"]
    assert san(leaf).get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("fe80::1")]
    assert "error" in verified(ca, leaf, "-purpose", "sslclient")


def test_it_signs_clients(ca: authority.Authority) -> None:
    _, leaf = ca.sign_client("device.example.com")
    assert verified(ca, leaf, "-purpose", "sslclient").endswith("OK\n")


@pytest.mark.parametrize("name", ["example.com", "localhost.example.com", "notlocal", "8.8.8.8", "2001:db8::1", "com"])
def test_it_does_not_sign_for_the_public(ca: authority.Authority, name: str) -> None:
    with pytest.raises(errors.ForeignNameError, match="not for") as caught:
        ca.sign(["localhost", name])
    assert name in str(caught.value)


def test_clients_would_not_believe_it_either(ca: authority.Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority.Authority, "signs_for", lambda *_: True)
    assert "permitted subtree violation" in verified(ca, ca.sign(["example.com"])[1])
    assert "permitted subtree violation" in verified(ca, ca.sign(["8.8.8.8"])[1])


def test_one_for_any_name_takes_its_place_when_asked_for(ca: authority.Authority, tmp_path: Path) -> None:
    new = authority.renew(tmp_path, any_name=True)
    assert new.fingerprint != ca.fingerprint
    assert authority.of(tmp_path).fingerprint == new.fingerprint
    assert verified(new, new.sign(["api.example.com", "8.8.8.8"])[1]).endswith("OK\n")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it is damaged"), (b"-----BEGIN PRIVATE KEY-----\n\n-----END PRIVATE KEY-----\n", "it is damaged")],
)
def test_a_damaged_one_is_not_replaced_in_silence(tmp_path: Path, content: bytes, reason: str) -> None:
    authority.of(tmp_path)
    (tmp_path / "authority" / "authority.pem").write_bytes(content)
    with pytest.raises(errors.AuthorityError, match=reason):
        authority.of(tmp_path)
    assert authority.certificate_of(tmp_path) is None


def test_an_expired_one_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority, "LIFETIME", timedelta(0))
    with pytest.raises(errors.AuthorityError, match="it has expired"):
        authority.of(tmp_path)


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "authority").write_text("a file")
    with pytest.raises(errors.AuthorityError, match="cannot be used"):
        authority.of(tmp_path)


def test_looking_for_one_makes_none(tmp_path: Path) -> None:
    assert authority.certificate_of(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_the_commands_name_the_file_in_quotes(tmp_path: Path) -> None:
    path = tmp_path / "it's here" / "ca.crt"
    commands = dict(authority.how_to_trust(path))
    for name in (
        "Debian",
        "Fedora",
        "Arch",
        "macOS",
        "Windows",
        "Firefox",
        "Chromium",
        "curl",
        "Python",
        "Node",
        "Java",
    ):
        assert any(system.startswith(name) for system in commands), name
    for system, command in commands.items():
        if system != "Windows":
            assert str(path) in " ".join(shlex.split(command)), system
            assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0
        else:
            assert f'"{path}"' in command


def test_curl_and_python_trust_it_as_told(ca: authority.Authority) -> None:
    commands = dict(authority.how_to_trust(ca.path))
    command = commands["Python"].replace(
        "python3 your_program.py",
        f"{sys.executable} -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()))'",
    )
    assert subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True).stdout == "1\n"


# -- the command


def test_ca_says_where_it_is_and_how_to_trust_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = run("ca", "--trust", "--export", tmp_path / "out.crt")
    made = authority.of(tmp_path / "listening-post")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"certificate: {made.path}\nSHA-256: {made.fingerprint}\n" in done.stdout
    assert "signs for: local names and private addresses" in done.stdout
    for system, command in authority.how_to_trust(made.path):
        assert f"{system}:\n  {command}\n" in done.stdout
    fingerprint = openssl("x509", "-in", tmp_path / "out.crt", "-noout", "-sha256", "-fingerprint")
    assert made.fingerprint in fingerprint


def test_ca_makes_certificates_for_clients_and_new_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    file = tmp_path / "device 7.pem"
    done = run("ca", "--any-name", "--client", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "signs for: any name" in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "CN = device 7" in openssl("x509", "-in", file, "-noout", "-subject")


def test_ca_that_cannot_be_written_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    done = run("ca", "--export", tmp_path / "no" / "out.crt")
    assert done.returncode == 1
    assert done.stderr == f"listening-post: Cannot write {tmp_path}/no/out.crt: No such file or directory.\n"
