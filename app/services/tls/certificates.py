"""A service's own certificate and key, from PEM or PKCS#12 files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from OpenSSL import SSL
from OpenSSL.crypto import X509

from app.files import confined as files
from app.services.tls import errors

MAX_SIZE = 1 << 20
"""Size in bytes above which a file is not read."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A certificate with its private key.

    Attributes:
        key: the private key, an object of ``cryptography``.
        certificate: the certificate of this key.
        chain: the certificates from its issuer up to an authority, in this order.
    """

    key: Any
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def into(self, context: SSL.Context, path: Path | str) -> None:
        """Use it for connections of ``context``. Raises RefusedCertificateError, which names ``path``."""
        try:
            context.use_certificate(self.certificate)
            context.use_privatekey(self.key)
            for certificate in self.chain:
                context.add_extra_chain_cert(certificate)
            context.check_privatekey()
        except SSL.Error as e:
            reason = ", ".join(str(entry[-1]) for entry in e.args[0]) if e.args else str(e)
            raise errors.RefusedCertificateError(path=path, reason=reason) from e
        except (TypeError, ValueError) as e:  # a key of a kind that is not for TLS
            raise errors.RefusedCertificateError(path=path, reason=e) from e


def trust(context: SSL.Context, authority: x509.Certificate) -> None:
    """Have ``context`` accept certificates of peers that ``authority`` has signed."""
    store = context.get_cert_store()
    assert store is not None
    store.add_cert(X509.from_cryptography(authority))


def read(path: Path) -> bytes:
    """The content of a file. Raises TLSFileError."""
    try:
        with open(path, "rb", opener=files.regular) as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as e:
        raise errors.TLSFileError(path=path, reason=e.strerror or e) from e
    if len(content) > MAX_SIZE:
        raise errors.TLSFileError(path=path, reason="it is too large")
    return content


def authorities(path: Path) -> list[x509.Certificate]:
    """All certificates of a PEM file. Raises TLSSetupError."""
    return _certificates(path, read(path))


def load(path: Path, key: Path | None = None, password: str = "") -> Identity:
    """The identity in a PEM or PKCS#12 file, or in a PEM file and another with its key. Raises TLSSetupError."""
    content = read(path)
    if b"-----BEGIN " not in content:
        return _from_pkcs12(path, content, password)
    found = _certificates(path, content)
    holder = key or path
    private = _key(holder, content if key is None else read(key), password)
    return _fitting(path, holder, private, found)


def _certificates(path: Path, content: bytes) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(content)
    except ValueError as e:
        raise errors.NotACertificateError(path=path) from e


def _key(path: Path, content: bytes, password: str) -> Any:
    secret = password.encode() or None
    try:
        return serialization.load_pem_private_key(content, secret)
    except TypeError:
        if secret is None:
            raise errors.PasswordMissingError(path=path) from None
        return _key(path, content, "")  # there is a password, but the key is not encrypted
    except ValueError as e:
        if secret is not None and b"ENCRYPTED" in content:
            raise errors.WrongPasswordError(path=path) from e
        raise errors.NotAKeyError(path=path) from e
    except Exception as e:  # of a kind that cryptography does not know
        raise errors.NotAKeyError(path=path) from e


def _from_pkcs12(path: Path, content: bytes, password: str) -> Identity:
    try:
        key, certificate, more = pkcs12.load_key_and_certificates(content, password.encode() or None)
    except ValueError as e:
        if "password" not in str(e).lower():
            raise errors.NotACertificateError(path=path) from e
        raise (errors.WrongPasswordError if password else errors.PasswordMissingError)(path=path) from e
    except Exception as e:
        raise errors.NotACertificateError(path=path) from e
    if key is None:
        raise errors.NotAKeyError(path=path)
    return _fitting(path, path, key, [*([certificate] if certificate else []), *more])


def _fitting(path: Path, holder: Path, key: Any, found: list[x509.Certificate]) -> Identity:
    """The certificate among ``found`` that belongs to the key, and the chain from it to an authority."""
    public = key.public_key()
    own = next((one for one in found if one.public_key() == public), None)
    if own is None:
        raise errors.ForeignKeyError(key=holder, path=path)
    chain: list[x509.Certificate] = []
    last = own
    while last.issuer != last.subject:
        above = next((one for one in found if one.subject == last.issuer and one not in chain), None)
        if above is None:
            break
        chain.append(above)
        last = above
    return Identity(key, own, tuple(chain))
