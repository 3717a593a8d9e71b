"""The body of one message, as it is put together."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.http.heads import Head

MAX_BODY = 1 << 20
"""Bytes of a body that are kept; the rest is only counted."""


@dataclass
class Body:
    """One body, without its transfer coding. ``data`` is cut at ``limit``; ``size`` counts all bytes.

    ``head`` is that of its message, once it was read.
    """

    data: bytearray = field(default_factory=bytearray)
    size: int = 0
    whole: bool = False
    limit: int = MAX_BODY
    head: Head | None = None

    def add(self, data: bytes) -> None:
        self.size += len(data)
        room = self.limit - len(self.data)
        if room > 0:
            self.data += data[:room]

    def let_go(self) -> None:
        """Keep nothing of it, now and later; only count."""
        self.data, self.limit = bytearray(), 0

    @property
    def cut(self) -> bool:
        return len(self.data) < self.size
