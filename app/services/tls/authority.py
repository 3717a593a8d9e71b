"""The local authority: signs certificates for the names and addresses of this machine's services.

The authority is made on first use, for ten years, in a folder that only its owner can read. Whoever has
its key could pose as any site towards those who trust it. Therefore its certificate allows only local names and
private addresses (RFC 5280, section 4.2.1.10), unless it was made for any name.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import shlex
import socket
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.services import address
from app.services.tls import errors

NAME = "Listening Post local authority"

LIFETIME, LEAF_LIFETIME = timedelta(days=3652), timedelta(days=365)

SKEW = timedelta(hours=1)
"""How far the clock of a client may be behind ours."""

LOCAL_NAMES = ("localhost", "local", "test", "example", "invalid", "internal", "lan", "home.arpa")
"""Names kept for what is not the public's (RFC 6761, 6762, 8375), with all below them."""

PRIVATE = (
    "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
    "::1/128", "fe80::/10", "fc00::/7",
)  # fmt: skip


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class Authority:
    """The authority and its key.

    Attributes:
        path: a file with its certificate, which may be given away.
        certificate: in memory.
    """

    def __init__(self, path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self.path, self._key, self.certificate = path, key, certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as browsers show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    def signs_for(self, name: str) -> bool:
        """Whether clients will accept what it signs for this name or address."""
        try:
            constraints = self.certificate.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            return True
        return any(_within(name, allowed.value) for allowed in constraints.permitted_subtrees or ())

    def sign(
        self,
        names: Iterable[str],
        *,
        key: Key | None = None,
        begin: datetime | None = None,
        lifetime: timedelta = LEAF_LIFETIME,
    ) -> tuple[Key, x509.Certificate]:
        """A key and certificate for a server that goes by ``names``: host names and addresses.

        Without ``key`` one is made; without ``begin`` it is valid from now on. Raises ForeignNameError.
        """
        names = list(names)
        for name in names:
            if not self.signs_for(name):
                raise errors.ForeignNameError(name=name)
        alternatives = x509.SubjectAlternativeName([_general(name) for name in names])
        # Not an address: OpenSSL might take it for a name, for which we must not sign.
        hosts = alternatives.get_values_for_type(x509.DNSName)
        name = hosts[0] if hosts else "Listening Post"
        return self._issue(name, ExtendedKeyUsageOID.SERVER_AUTH, alternatives, key, begin, lifetime)

    def sign_client(self, name: str) -> tuple[Key, x509.Certificate]:
        """A key and certificate with which a client called ``name`` shows who it is."""
        # Without any, OpenSSL holds a common name like device.example.com against what we may sign for.
        alternatives = x509.SubjectAlternativeName([x509.DNSName("client.internal")])
        return self._issue(name, ExtendedKeyUsageOID.CLIENT_AUTH, alternatives)

    def sign_authority(self, name: str) -> Authority:
        """Another authority called ``name``, which this one vouches for, in memory alone."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _as_authority(
            _builder(_name(name), key, LIFETIME).issuer_name(self.certificate.subject)
        ).add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        return Authority(self.path, key, builder.sign(self._key, hashes.SHA256()))

    def _issue(
        self,
        name: str,
        usage: x509.ObjectIdentifier,
        alternatives: x509.SubjectAlternativeName,
        key: Key | None = None,
        begin: datetime | None = None,
        lifetime: timedelta = LEAF_LIFETIME,
    ) -> tuple[Key, x509.Certificate]:
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])]), key, lifetime, begin)
            .issuer_name(self.certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(alternatives, critical=False)
        )
        return key, builder.sign(self._key, hashes.SHA256())

    def export(self, to: Path) -> None:
        """Write the certificate, without the key. Raises ExportError."""
        try:
            _write(to, _pem(self.certificate), 0o644)
        except OSError as e:
            raise errors.ExportError(path=to, reason=e.strerror or e) from e

    def export_client(self, to: Path) -> None:
        """Write a new client certificate with its key, named after the file. Raises ExportError."""
        key, certificate = self.sign_client(to.stem)
        try:
            _write(to, _pem(certificate) + _key_pem(key), 0o600)
        except OSError as e:
            raise errors.ExportError(path=to, reason=e.strerror or e) from e


# -- its folder


def of(data: Path) -> Authority:
    """The authority in the program's ``data`` folder, made if there is none. Blocks: call it in a thread.

    Two programs that begin at once come to the same one. Raises AuthorityError.
    """
    file = _file(data)
    try:
        _folder(file)
        if not file.exists():
            _make(file, any_name=False)
        return _load(file)
    except OSError as e:
        raise errors.AuthorityError(path=file, reason=e.strerror or e) from e


def renew(data: Path, *, any_name: bool) -> Authority:
    """Put a new authority in the place of the old one. Raises AuthorityError."""
    file = _file(data)
    try:
        _folder(file)
        file.unlink(missing_ok=True)
        _certificate_file(file).unlink(missing_ok=True)
        _make(file, any_name=any_name)
        return _load(file)
    except OSError as e:
        raise errors.AuthorityError(path=file, reason=e.strerror or e) from e


def certificate_of(data: Path) -> x509.Certificate | None:
    """The authority's certificate, if there is an authority that can be read. Blocks, and makes none."""
    with contextlib.suppress(OSError, ValueError):
        return x509.load_pem_x509_certificate(_file(data).read_bytes())
    return None


def _file(data: Path) -> Path:
    return data / "authority" / "authority.pem"


def _certificate_file(file: Path) -> Path:
    return file.with_name("listening-post-ca.crt")


def _folder(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.parent.chmod(0o700)


def throw_away(name: str) -> Authority:
    """An authority called ``name`` that is in no folder, and that nobody trusts."""
    key, builder = _root(name)
    return Authority(Path(), key, builder.sign(key, hashes.SHA256()))


def self_signed(names: Iterable[str]) -> tuple[Key, x509.Certificate]:
    """A key and certificate for a server that goes by ``names``, signed by itself."""
    names = list(names)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(names[0])
    builder = (
        _builder(name, key, LEAF_LIFETIME)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Listening Post"),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _root(name: str) -> tuple[ec.EllipticCurvePrivateKey, x509.CertificateBuilder]:
    key = ec.generate_private_key(ec.SECP256R1())
    return key, _as_authority(_builder(_name(name), key, LIFETIME).issuer_name(_name(name)))


def _as_authority(builder: x509.CertificateBuilder) -> x509.CertificateBuilder:
    return (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
    )


def _make(file: Path, *, any_name: bool) -> None:
    key, builder = _root(f"{NAME} ({socket.gethostname() or 'localhost'})")
    if not any_name:
        names = [x509.DNSName(n) for n in dict.fromkeys((*LOCAL_NAMES, *own_names()))]
        networks = [x509.IPAddress(ipaddress.ip_network(network)) for network in PRIVATE]
        # Not critical: mbed TLS, in many a device, refuses to read what it does not know and
        # must. All that know the extension obey it either way.
        builder = builder.add_extension(x509.NameConstraints([*names, *networks], None), critical=False)
    content = _key_pem(key) + _pem(builder.sign(key, hashes.SHA256()))
    spare = file.with_name(f".{secrets.token_hex(8)}")
    try:
        _write(spare, content, 0o600)
        with contextlib.suppress(FileExistsError):  # another program was first: its own it is
            os.link(spare, file)
    finally:
        spare.unlink(missing_ok=True)


def _load(file: Path) -> Authority:
    content = file.read_bytes()
    file.chmod(0o600)
    try:
        key = serialization.load_pem_private_key(content, None)
        certificate = x509.load_pem_x509_certificate(content)
    except (ValueError, TypeError) as e:
        raise errors.AuthorityError(path=file, reason="it is damaged") from e
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise errors.AuthorityError(path=file, reason="key and certificate in it do not belong together")
    if certificate.not_valid_after_utc < datetime.now(UTC):
        raise errors.AuthorityError(path=file, reason="it has expired")
    public = _certificate_file(file)
    if not public.exists() or public.read_bytes() != _pem(certificate):
        _write(public, _pem(certificate), 0o644)
    return Authority(public, key, certificate)


def _write(file: Path, content: bytes, mode: int) -> None:
    """Write ``content`` whole or not at all; nobody else can read it before it has its ``mode``."""
    spare = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        spare.chmod(mode)
        spare.replace(file)
    finally:
        spare.unlink(missing_ok=True)


# -- certificates


def _builder(name: x509.Name, key: Key, lifetime: timedelta, begin: datetime | None = None) -> x509.CertificateBuilder:
    begin = begin or datetime.now(UTC) - SKEW
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


# -- names


def _general(name: str) -> x509.GeneralName:
    """A name or address as certificates have it. Raises ValueError."""
    found = address.certified(name)
    return x509.DNSName(found) if isinstance(found, str) else x509.IPAddress(found)


def _within(name: str, allowed: object) -> bool:
    general = _general(name)
    if isinstance(general, x509.IPAddress):
        address = general.value
        return isinstance(allowed, ipaddress.IPv4Network | ipaddress.IPv6Network) and address in allowed
    host = str(general.value).lower()
    return isinstance(allowed, str) and (host == allowed.lower() or host.endswith(f".{allowed.lower()}"))


def own_names() -> Iterator[str]:
    """What the machine calls itself, where that can stand in a certificate."""
    name = socket.gethostname()
    if address.is_certifiable(name):
        yield name


# -- trusting it


def how_to_trust(path: Path) -> list[tuple[str, str]]:
    """System or program, and the exact command that makes it trust the certificate in ``path``."""
    file = shlex.quote(str(path))
    quoted = f'"{path}"'
    return [
        (
            "Debian, Ubuntu",
            f"sudo cp {file} /usr/local/share/ca-certificates/listening-post.crt && sudo update-ca-certificates",
        ),
        (
            "Fedora",
            f"sudo cp {file} /etc/pki/ca-trust/source/anchors/listening-post.crt && sudo update-ca-trust",
        ),
        ("Arch", f"sudo trust anchor --store {file}"),
        (
            "macOS",
            f"sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {file}",
        ),
        ("Windows", f"certutil -user -addstore Root {quoted}"),
        (
            "Firefox on Linux (certutil of libnss3-tools)",
            "for db in ~/.mozilla/firefox/*/cert9.db; do"
            f' certutil -A -d sql:"${{db%/*}}" -n "{NAME}" -t C,, -i {file}; done',
        ),
        (
            "Chromium, Chrome on Linux (certutil of libnss3-tools)",
            f'mkdir -p ~/.pki/nssdb && certutil -A -d sql:"$HOME/.pki/nssdb" -n "{NAME}" -t C,, -i {file}',
        ),
        ("curl", f"curl --cacert {file} https://localhost:9443/"),
        ("Python", f"SSL_CERT_FILE={file} REQUESTS_CA_BUNDLE={file} python3 your_program.py"),
        ("Node", f"NODE_EXTRA_CA_CERTS={file} node your_program.js"),
        (
            "Java",
            f"keytool -importcert -noprompt -cacerts -storepass changeit -alias listening-post -file {file}",
        ),
    ]


def described(authority: Authority, *, trust: bool) -> Iterator[str]:
    """The lines that ``listening-post ca`` prints."""
    yield f"certificate: {authority.path}"
    yield f"SHA-256: {authority.fingerprint}"
    yield f"valid until: {authority.certificate.not_valid_after_utc:%Y-%m-%d}"
    yield f"signs for: {'local names and private addresses' if not authority.signs_for('com') else 'any name'}"
    yield ""
    if not trust:
        yield "listening-post ca --trust says how to trust it."
        return
    yield "To trust it:"
    for system, command in how_to_trust(authority.path):
        yield ""
        yield f"{system}:"
        yield f"  {command}"
