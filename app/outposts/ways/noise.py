"""The handshake Noise_KK_25519_ChaChaPoly_SHA256, for two ends that know each other's public keys.

As the Noise Protocol Framework has it, revision 34 (https://noiseprotocol.org/noise.html); the numbers in comments are
its sections. What comes of it are two keys, one for each direction, that nobody else has, also who learns the private
keys of both ends later.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NAME = b"Noise_KK_25519_ChaChaPoly_SHA256"

KEY_BYTES, TAG_BYTES = 32, 16


class NotGenuineError(Exception):
    """It was not made by the other end, or was changed on its way."""


def derived(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Two keys (4.3, HKDF)."""
    key = hmac.digest(chaining_key, material, "sha256")
    first = hmac.digest(key, b"\x01", "sha256")
    return first, hmac.digest(key, first + b"\x02", "sha256")


class Cipher:
    """Seals and opens messages by one key, each with a number of its own (5.1, 12.3)."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def seal(self, number: int, plain: bytes, beside: bytes = b"") -> bytes:
        return self._cipher.encrypt(_nonce(number), plain, beside)

    def open(self, number: int, sealed: bytes, beside: bytes = b"") -> bytes:
        """Raises NotGenuineError."""
        try:
            return self._cipher.decrypt(_nonce(number), sealed, beside)
        except (InvalidTag, ValueError) as e:
            raise NotGenuineError from e


def _nonce(number: int) -> bytes:
    return bytes(4) + number.to_bytes(8, "little")


class Handshake:
    """One end of a handshake: the console's, which writes first, or the outpost's.

    Args:
        own: our key; ``peer``: the public key of the other end.
        prologue: what both must agree on beside.
        ephemeral: for tests; a new one otherwise.
    """

    def __init__(
        self,
        own: X25519PrivateKey,
        peer: bytes,
        *,
        first: bool,
        prologue: bytes = b"",
        ephemeral: X25519PrivateKey | None = None,
    ) -> None:
        self._own, self._peer, self._first = own, X25519PublicKey.from_public_bytes(peer), first
        self._ephemeral = ephemeral or X25519PrivateKey.generate()
        self._chain = self._hash = NAME  # of 32 bytes, and so not hashed (5.2)
        self._key = b""
        public = own.public_key().public_bytes_raw()
        self._mix(prologue)
        for key in (public, peer) if first else (peer, public):
            self._mix(key)

    def _mix(self, data: bytes) -> None:
        self._hash = hashlib.sha256(self._hash + data).digest()

    def _mix_shared(self, ours: X25519PrivateKey, theirs: X25519PublicKey) -> None:
        try:
            shared = ours.exchange(theirs)
        except ValueError as e:  # a point of small order
            raise NotGenuineError from e
        self._chain, self._key = derived(self._chain, shared)

    def _agree(self, theirs: X25519PublicKey, *, written_by_first: bool) -> None:
        """What both know now: -> e, es, ss; <- e, ee, se (7.5)."""
        if written_by_first:
            if self._first:
                self._mix_shared(self._ephemeral, self._peer)
            else:
                self._mix_shared(self._own, theirs)
            self._mix_shared(self._own, self._peer)
        else:
            self._mix_shared(self._ephemeral, theirs)
            if self._first:
                self._mix_shared(self._own, theirs)
            else:
                self._mix_shared(self._ephemeral, self._peer)

    def write(self, payload: bytes = b"") -> bytes:
        """Our message; the outpost's only after ``read``."""
        public = self._ephemeral.public_key().public_bytes_raw()
        self._mix(public)
        self._agree(self._theirs if not self._first else self._peer, written_by_first=self._first)
        sealed = Cipher(self._key).seal(0, payload, self._hash)
        self._mix(sealed)
        return public + sealed

    def read(self, message: bytes) -> bytes:
        """The payload of the other end's message. Raises NotGenuineError."""
        if len(message) < KEY_BYTES + TAG_BYTES:
            raise NotGenuineError
        public, sealed = message[:KEY_BYTES], message[KEY_BYTES:]
        self._theirs = X25519PublicKey.from_public_bytes(public)
        self._mix(public)
        self._agree(self._theirs, written_by_first=not self._first)
        payload = Cipher(self._key).open(0, sealed, self._hash)
        self._mix(sealed)
        return payload

    def ciphers(self) -> tuple[Cipher, Cipher]:
        """After both messages: the one for what we send, the one for what the other end sends (5.2, Split)."""
        first, second = derived(self._chain, b"")
        return (Cipher(first), Cipher(second)) if self._first else (Cipher(second), Cipher(first))
