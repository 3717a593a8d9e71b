"""Keys of outposts and consoles: one secret in a file of mode 0600, and the line of what others may know of it.

From the secret come two keys: Ed25519, by which the router knows who logs in, and X25519, by which both ends seal what
the router passes on.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.errors import system_words
from app.outposts.errors import KeyFileError
from app.workspace.outposts import PUBLIC_KEY

_SECRET = re.compile(r"post-secret-key ([0-9a-f]{64})")
_MOST_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What others may know: 32 bytes each, to check signatures with and to seal for."""

    signing: bytes
    sealing: bytes

    def __str__(self) -> str:
        return f"post-key {self.signing.hex()} {self.sealing.hex()}"


class Key:
    """The keys that come from one secret of 32 bytes.

    Attributes:
        signing, sealing: the private keys.
        public: what others may know.
    """

    def __init__(self, secret: bytes) -> None:
        def derived(purpose: bytes) -> bytes:
            return HKDF(hashes.SHA256(), 32, None, b"listening-post " + purpose).derive(secret)

        self.signing = Ed25519PrivateKey.from_private_bytes(derived(b"signing"))
        self.sealing = X25519PrivateKey.from_private_bytes(derived(b"sealing"))
        self.public = PublicKey(
            self.signing.public_key().public_bytes_raw(), self.sealing.public_key().public_bytes_raw()
        )


def make(path: Path) -> Key:
    """A new key, in a new file that only its user may read. Raises KeyFileError, also where a file is there."""
    secret = secrets.token_bytes(32)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as out:
            out.write(f"post-secret-key {secret.hex()}\n")
    except OSError as e:
        raise KeyFileError(path=path, reason=system_words(e)) from e
    return Key(secret)


def read(path: Path) -> Key:
    """The key in a file. Raises KeyFileError, also where others than its user may read it."""
    found = _SECRET.fullmatch(_text(path))
    if found is None:
        raise KeyFileError(path=path, reason="it holds no key. Make one with: listening-post key FILE")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeyFileError(path=path, reason=f"others may read it. Close it with: chmod 600 {path}")
    return Key(bytes.fromhex(found[1]))


def read_public(path: Path) -> PublicKey:
    """The public key in a file: the line that ``listening-post key`` prints. Raises KeyFileError."""
    found = public_key(_text(path))
    if found is None:
        raise KeyFileError(path=path, reason="it holds no public key: the line that listening-post key prints")
    return found


def public_key(line: str) -> PublicKey | None:
    """What a line says that ``listening-post key`` prints."""
    found = PUBLIC_KEY.fullmatch(line)
    return PublicKey(bytes.fromhex(found[1]), bytes.fromhex(found[2])) if found else None


def _text(path: Path) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_MOST_CHARACTERS).strip()
    except OSError as e:
        raise KeyFileError(path=path, reason=system_words(e)) from e
