"""Masks secrets in bytes, texts and details: each byte of a secret becomes ``*``, so sizes and offsets stay.

Secrets are the values of the HTTP headers in ``SECRET_FIELDS``, in a line or in a detail; the same
values wherever else they occur on their connection (a server may send back what it received); and
everything that the user's patterns match.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.capture.keeping import errors
from app.text import patterns
from app.text.patterns import Pattern

SECRET_FIELDS = ("authorization", "proxy-authorization", "cookie", "set-cookie")

WINDOW = 4096
"""Bytes before an event, in the same direction, in which a match that reaches into it may begin."""

MAX_FOLLOWED = 4_000
"""Connections whose last bytes are remembered; beyond, the connection idle for the longest is forgotten."""

MAX_VALUES, SHORTEST, LONGEST = 16, 6, 4096
"""Secret values remembered for each connection, and their least and most bytes: a shorter one would match by chance."""

_NAME = 64
"""Bytes of an unfinished line that may still become the name of a header."""

_FIELD = re.compile(rb"\n(?:(?:proxy-)?authorization|(?:set-)?cookie)[ \t]*:[ \t]*", re.IGNORECASE)
_END = re.compile(rb"\n(?=[^ \t])")
_SHOWN = re.compile(rb"[^\r\n\t ]")

Span = tuple[int, int]


def masked(data: bytes, spans: Iterable[Span]) -> bytes:
    """``data`` with ``*`` for each byte in ``spans`` that is not white space."""
    result: bytearray | None = None
    for start, end in spans:
        if start < end:
            result = bytearray(data) if result is None else result
            result[start:end] = _SHOWN.sub(b"*", data[start:end])
    return data if result is None else bytes(result)


class Fields:
    """Finds values of secret headers in one direction of a connection, wherever its bytes are split into events."""

    def __init__(self) -> None:
        self._line = b"\n"
        self._inside = False

    def spans(self, data: bytes) -> list[Span]:
        """The spans of such values in ``data``, the next bytes of the connection."""
        found: list[Span] = []
        whole, shift, at = self._line + data, len(self._line), 0
        while True:
            if not self._inside:
                match = _FIELD.search(whole, at)
                if match is None:
                    break
                self._inside, at = True, match.end()
            end = _END.search(whole, at)  # a line that begins with white space continues the value
            found.append((max(0, at - shift), max(0, (end.start() if end else len(whole)) - shift)))
            if end is None:
                break
            self._inside, at = False, end.start()
        last = whole[max(0, whole.rfind(b"\n")) :]
        if self._inside:
            self._line = b"\n" if whole.endswith(b"\n") else b""
        else:
            self._line = last if last.startswith(b"\n") and len(last) <= _NAME else b""
        return found


class _Direction:
    """The last bytes of one direction, and how many of them belong to each event."""

    def __init__(self) -> None:
        self.fields = Fields()
        self.last = b""
        self.pieces: deque[tuple[int, int]] = deque()
        self._size = 0

    def keep(self, id: int, data: bytes) -> None:
        self.pieces.append((id, min(len(data), WINDOW)))
        self._size += min(len(data), WINDOW)
        while self._size - self.pieces[0][1] >= WINDOW:
            self._size -= self.pieces.popleft()[1]
        self.last = (self.last + data[-WINDOW:])[-self._size :] if self._size else b""


class _Connection:
    def __init__(self) -> None:
        self.directions = {True: _Direction(), False: _Direction()}
        self.values: deque[bytes] = deque(maxlen=MAX_VALUES)

    def learn(self, value: str) -> None:
        """Mask this value, too, from now on."""
        for form in {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}:
            raw = form.encode("latin-1", "replace")
            if SHORTEST <= len(raw) <= LONGEST and raw not in self.values:
                self.values.append(raw)


class Redactor:
    """Redacts the events of one capture, given oldest first.

    Raises PatternError for a pattern that is not a regular expression. Of a pattern with groups
    only the groups are masked: ``token=(\\w+)`` leaves ``token=``.
    """

    def __init__(self, typed: Sequence[str] = ()) -> None:
        self._patterns: list[Pattern] = []
        for text in typed:
            try:
                self._patterns.append(patterns.regex(text))
            except ValueError as e:
                raise errors.PatternError(pattern=text, problem=str(e)) from e
        self._connections: OrderedDict[int, _Connection] = OrderedDict()

    def _of(self, conn: int) -> _Connection:
        found = self._connections.get(conn)
        if found is None:
            found = self._connections[conn] = _Connection()
            if len(self._connections) > MAX_FOLLOWED:
                self._connections.popitem(last=False)
        self._connections.move_to_end(conn)
        return found

    def closed(self, conn: int) -> None:
        self._connections.pop(conn, None)

    def stream(self, conn: int, id: int, data: bytes, *, received: bool) -> tuple[bytes, list[tuple[int, list[Span]]]]:
        """Redact the next bytes of a connection.

        Returns them, and what is now known to be secret in earlier events: their ids, and spans
        that count from the end of their bytes, as in ``data[-5:-2]``.
        """
        connection = self._of(conn)
        direction = connection.directions[received]
        spans = direction.fields.spans(data)
        before: list[tuple[int, list[Span]]] = []
        if self._patterns or connection.values:
            # Only matches that reach into the new bytes are new.
            head = direction.last
            reaching = [span for span in self._matches(head + data, connection.values) if span[1] > len(head)]
            spans += [(max(0, start - len(head)), end - len(head)) for start, end in reaching]
            if earlier := [span for span in reaching if span[0] < len(head)]:
                before = _before(direction.pieces, len(head), earlier)
        direction.keep(id, data)
        return masked(data, spans), before

    def whole(self, data: bytes, conn: int | None = None) -> bytes:
        """Redact bytes that are no part of a stream: a datagram, a message, the payload of a failure."""
        values = self._values(conn)
        return masked(data, [*Fields().spans(data), *self._matches(data, values)])

    def text(self, text: str, conn: int | None = None) -> str:
        raw = text.encode("utf-8", "surrogatepass")
        spans = list(self._matches(raw, self._values(conn)))
        return masked(raw, spans).decode("utf-8", "replace") if spans else text

    def detail(self, value: Any, conn: int | None = None) -> Any:
        """Redact the detail of an event, and remember the secret header values in it for the connection."""
        if isinstance(value, str):
            return self.text(value, conn)
        if isinstance(value, dict):
            return {key: self._valued(key, item, conn) for key, item in value.items()}
        if isinstance(value, list):
            if len(value) == 2 and isinstance(value[0], str):
                return [self.text(value[0], conn), self._valued(value[0], value[1], conn)]
            return [self.detail(item, conn) for item in value]
        return value

    def _valued(self, name: str, value: Any, conn: int | None) -> Any:
        if name.lower() not in SECRET_FIELDS or not isinstance(value, str):
            return [] if name == "locals" and isinstance(value, list) else self.detail(value, conn)
        if conn is not None:
            self._of(conn).learn(value)
        return "*" * len(value)

    def _values(self, conn: int | None) -> Iterable[bytes]:
        found = self._connections.get(conn) if conn is not None else None
        return found.values if found is not None else ()

    def _matches(self, data: bytes, values: Iterable[bytes]) -> Iterator[Span]:
        for pattern in self._patterns:
            yield from pattern.spans(data)
        for value in values:
            at = data.find(value)
            while at >= 0:
                yield at, at + len(value)
                at = data.find(value, at + len(value))


def _before(pieces: Iterable[tuple[int, int]], length: int, spans: list[Span]) -> list[tuple[int, list[Span]]]:
    """The parts of ``spans`` in each piece, counted from the end of the piece; all pieces have ``length`` bytes."""
    found, at = [], 0
    for id, size in pieces:
        end = at + size
        inside = [
            (max(start, at) - end, min(stop, end, length) - end) for start, stop in spans if start < end and stop > at
        ]
        if inside:
            found.append((id, inside))
        at = end
    return found
