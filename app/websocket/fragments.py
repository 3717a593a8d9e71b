"""The number of fragments that one WebSocket message may come in: each takes memory, also without a byte."""

from __future__ import annotations

from typing import Any

FEWEST, SHIFT = 1 << 18, 6
"""A message may come in this many fragments, or in one for each 2^``SHIFT`` bytes of the largest message if these are
more."""

TOO_BIG = 1009
"""Close code of a message that is too big to process (RFC 6455 section 7.4.1)."""


class Fragments:
    """Mixed in before an autobahn protocol: closes a connection whose message comes in too many fragments."""

    _fragments = 0

    def _onMessageFrameBegin(self: Any, length: int) -> None:
        if self.current_frame.opcode:
            self._fragments = 1  # the first of a message; those that follow have the opcode 0
        else:
            self._fragments += 1
            self._check_fragments()
        super()._onMessageFrameBegin(length)  # type: ignore[misc]

    def _check_fragments(self: Any) -> None:
        # Asked for each time: the responder may have set another largest message.
        most = max(FEWEST, self.maxMessagePayloadSize >> SHIFT)
        if self._fragments > most and not self.failedByMe:
            self._too_many_fragments(most)

    def _too_many_fragments(self: Any, most: int) -> None:
        self._fail_connection(TOO_BIG, f"a message of more than {most:,} fragments")
