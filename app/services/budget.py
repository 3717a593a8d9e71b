"""The memory that unfinished messages of all peers of the program may take together."""

from __future__ import annotations

from app.limits import UNFINISHED_BYTES, Reached

UNFINISHED = 256 << 20
"""Bytes. A single message may be larger, as large as its service allows, while no other one is unfinished."""


UNCOUNTED = 64 << 10
"""Bytes of one connection's messages up to which they are not counted."""


class Budget:
    """Counts what is gathered of messages: bodies of requests until they are answered, parts of other messages.

    Attributes:
        total: bytes at present.
    """

    def __init__(self, most: int = UNFINISHED) -> None:
        self.total = 0
        self._most = most
        self._by_holder: dict[object, int] = {}

    def put(self, holder: object, size: int) -> Reached | None:
        """Set what ``holder`` has gathered to ``size`` bytes.

        Returns the limit, and counts nothing more, if there is no room for them: the message is to be refused.
        """
        before = self._by_holder.get(holder, 0)
        others = self.total - before
        if others and others + size > self._most and size > before:
            return UNFINISHED_BYTES.reached(self._most)
        self.total = others + size
        self._by_holder[holder] = size
        return None

    def drop(self, holder: object) -> None:
        """``holder`` has nothing any more. It may have had nothing."""
        self.total -= self._by_holder.pop(holder, 0)
