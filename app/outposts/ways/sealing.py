"""What a console and an outpost say to each other, sealed: the router between them can neither read nor change it.

The console calls ``post.NAME.open`` with the first message of a handshake (``noise.py``), and gets the second one, in
which the outpost names the session: eight bytes. Each call of ``post.NAME.sealed`` then has the session, a number that
grows (eight bytes, little-endian), and a sealed frame; the result is the sealed answer, of the same number. What a
router keeps back or repeats is refused; it still sees who calls whom, when, and how many bytes.
"""

from __future__ import annotations

import secrets
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from app.outposts.errors import RefusedError
from app.outposts.ways.keys import Key, PublicKey
from app.outposts.ways.noise import Cipher, Handshake, NotGenuineError

MOST_SESSIONS = 64
"""Sessions of consoles that an outpost keeps. The one that was used least recently makes way."""

_HEAD = struct.Struct("<8sQ")
_LAST_NUMBER = 1 << 63


def _prologue(name: str) -> bytes:
    return b"listening-post outpost " + name.encode()


@dataclass(slots=True)
class _Session:
    who: str
    sends: Cipher
    receives: Cipher
    last: int = 0


class SealedAnswers:
    """The outpost's end.

    Args:
        name: of the outpost, at the router.
        consoles: those that may ask, by their names.
    """

    def __init__(self, name: str, key: Key, consoles: Mapping[str, PublicKey]) -> None:
        self._name, self._key, self._consoles = name, key, consoles
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()

    def open(self, message: bytes) -> bytes:
        """The answer to the first message of a handshake. Raises RefusedError."""
        for who, public in self._consoles.items():
            handshake = Handshake(self._key.sealing, public.sealing, first=False, prologue=_prologue(self._name))
            try:
                handshake.read(message)
            except NotGenuineError:
                continue
            session = secrets.token_bytes(8)
            answer = handshake.write(session)
            self._sessions[session] = _Session(who, *handshake.ciphers())
            while len(self._sessions) > MOST_SESSIONS:
                self._sessions.popitem(last=False)
            return answer
        raise RefusedError(
            reason="This outpost does not know the console. Give the public key of the console to serve --seal"
        )

    def opened(self, data: bytes) -> tuple[bytes, str, Question]:
        """The frame in a call, who sent it, and what seals its answer. Raises RefusedError."""
        head = data[: _HEAD.size]
        if len(head) < _HEAD.size:
            raise RefusedError(reason="A sealed call has a session, a number and a frame")
        name, number = _HEAD.unpack(head)
        session = self._sessions.get(name)
        if session is None or not session.last < number < _LAST_NUMBER:
            raise RefusedError(reason="The session is not known here, or the call was repeated. Open a new one")
        try:
            frame = session.receives.open(number, data[_HEAD.size :], head)
        except NotGenuineError:
            raise RefusedError(reason="The call was changed on its way") from None
        session.last = number
        self._sessions.move_to_end(name)
        return frame, session.who, Question(session.sends, number, head)


@dataclass(frozen=True, slots=True)
class Question:
    """One sealed call: what seals its answer at one end, and opens it at the other."""

    cipher: Cipher
    number: int
    head: bytes

    def seal(self, frame: bytes) -> bytes:
        return self.cipher.seal(self.number, frame, self.head)

    def open(self, answer: bytes) -> bytes:
        """Raises NotGenuineError."""
        return self.cipher.open(self.number, answer, self.head)


class SealedQuestions:
    """The console's end of one session, to the outpost ``name``, whose public key is ``public``."""

    def __init__(self, name: str, key: Key, public: PublicKey) -> None:
        self._handshake = Handshake(key.sealing, public.sealing, first=True, prologue=_prologue(name))
        self.opening = self._handshake.write()
        self._session = b""
        self._number = 0

    def opened(self, answer: bytes) -> None:
        """Take the answer to ``opening``. Raises NotGenuineError."""
        session = self._handshake.read(answer)
        if len(session) != 8:
            raise NotGenuineError
        self._session = session
        self._sends, self._receives = self._handshake.ciphers()

    def seal(self, frame: bytes) -> tuple[bytes, Question]:
        """The call for a frame, and what opens its answer."""
        self._number += 1
        head = _HEAD.pack(self._session, self._number)
        return head + self._sends.seal(self._number, frame, head), Question(self._receives, self._number, head)
