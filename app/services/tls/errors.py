"""Errors of TLS: certificates, keys, the local authority, the key log."""

from __future__ import annotations

from app.errors import PostError


class TLSSetupError(PostError):
    """{reason}."""


class TLSFileError(TLSSetupError):
    """Cannot read {path}, which TLS needs: {reason}. Check its name and its permissions."""


class NotACertificateError(TLSSetupError):
    """There is no certificate in {path} that can be read. It must be PEM or PKCS#12."""


class NotAKeyError(TLSSetupError):
    """There is no private key in {path} that can be read. Name a PEM file with one in tls.key (send: --key)."""


class PasswordMissingError(TLSSetupError):
    """{path} is encrypted. Give its password in tls.password (send takes none), or use a file without one."""


class WrongPasswordError(TLSSetupError):
    """The password does not open {path}. Correct tls.password."""


class ForeignKeyError(TLSSetupError):
    """The private key in {key} does not belong to a certificate in {path}. Use the key that the certificate
    was made with."""


class RefusedCertificateError(TLSSetupError):
    """The certificate in {path} cannot be used: OpenSSL says "{reason}". Make one with a stronger key or signature."""


class ForeignNameError(TLSSetupError):
    """The local authority signs only for local names and private addresses, not for {name}.
    Use a certificate of your own, or make a new authority: listening-post ca --any-name."""


class AuthorityError(TLSSetupError):
    """The local authority {path} cannot be used: {reason}. Move that file away; then a new one is made."""


class KeyLogError(TLSSetupError):
    """Cannot write session keys to {path}: {reason}. Choose another file in tls.key_log."""


class ExportError(PostError):
    """Cannot write {path}: {reason}."""
