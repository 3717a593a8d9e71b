"""The console's end of a link, for a command: it asks, and waits for the answer."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from app.capture.reading.stored import Stored
from app.errors import system_words
from app.outposts import frames, versions
from app.outposts import protocol as p
from app.outposts.errors import NoOutpostError, RefusedError

SECONDS = 60.0
"""Until an answer has come."""


class Client:
    """One link to the outpost that listens on a Unix socket.

    Attributes:
        outpost: who answers; None before it has.
    """

    def __init__(self, path: Path, name: str, seconds: float = SECONDS) -> None:
        """Connect, and say hello. Raises NoOutpostError, NotOurProtocolError, RefusedError."""
        self._path, self._number = path, 0
        self.outpost: p.Outpost | None = None
        if not hasattr(socket, "AF_UNIX"):
            raise NoOutpostError(path=path, reason="this system has no Unix sockets")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(seconds)
        try:
            self._socket.connect(str(path))
        except OSError as e:
            self._socket.close()
            raise NoOutpostError(path=path, reason=system_words(e)) from e
        try:
            found: p.Outpost = self.ask(p.Hello(p.VERSION, name))
            versions.check(found, path)
            self.outpost = found
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, type: type[BaseException] | None, e: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def ask(self, request: p.Request) -> Any:
        """The answer to ``request``, of the type that it declares.

        Raises RefusedError, NoOutpostError, OlderOutpostError.
        """
        name = str(self._path)
        try:
            return self._ask(versions.fitted(request, self.outpost, name))
        except RefusedError as e:
            raise versions.explained(e, request, self.outpost, name) from e

    def _ask(self, request: p.Request) -> Any:
        self._number += 1
        frame = frames.encode({"id": self._number, "ask": request})
        try:
            self._socket.sendall(struct.pack("!I", len(frame)) + frame)
            while True:
                answered = frames.answered(self._frame())
                if answered.changed:
                    continue
                if answered.to in (self._number, 0):
                    return frames.answer_to(request, answered)
        except TimeoutError as e:
            raise NoOutpostError(path=self._path, reason="there was no answer in time") from e
        except OSError as e:
            raise NoOutpostError(path=self._path, reason=system_words(e)) from e

    def _frame(self) -> bytes:
        (length,) = struct.unpack("!I", self._read(4))
        if length > p.MAX_ANSWER:
            raise RefusedError(reason=f"The outpost sent an answer of {length:,} bytes, which is too long")
        return self._read(length)

    def _read(self, count: int) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            part = self._socket.recv(min(count - len(parts), 1 << 20))
            if not part:
                raise NoOutpostError(path=self._path, reason="it closed the connection")
            parts += part
        return bytes(parts)

    def events(self, after: int, *, follow: bool) -> Iterator[Stored]:
        """The events after the id ``after``, oldest first, payloads included; with ``follow`` also those to come.

        An event that was dropped before it was read is passed over.
        """
        capture = ""
        while True:
            found: p.Events = self.ask(p.Read(after, capture, seconds=p.MAX_WAIT if follow else 0.0))
            if capture and found.capture != capture:
                after, capture = found.first - 1, found.capture
                continue
            capture = found.capture
            for event in found.events:
                yield self._whole(event, capture)
            if found.events:
                after = found.events[-1].id
            if not follow and after >= found.last:
                return

    def _whole(self, event: Stored, capture: str) -> Stored:
        if not event.left_out:
            return event
        payload = bytearray()
        while len(payload) < event.left_out:
            part: p.Part = self.ask(p.Payload(event.id, len(payload), capture=capture))
            if not part.data:
                break  # it was dropped meanwhile
            payload += part.data
        return msgspec.structs.replace(event, payload=bytes(payload), left_out=0)
