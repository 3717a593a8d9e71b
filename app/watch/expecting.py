"""Looks in what comes back for what a watch expects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.text.escapes import unescape
from app.text.patterns import regex
from app.watch.config import WatchConfig

PAUSE = 0.01
"""Seconds between two looks: who sends byte by byte may not have all looked through again for each."""


class Expecting:
    """What is expected, and what has come.

    Attributes:
        wanted: whether anything is expected.
    """

    def __init__(self, clock: Any, config: WatchConfig, found: Callable[[], None]) -> None:
        """``found`` is called when all that is expected has come."""
        self._clock, self._config, self._found = clock, config, found
        self._text = unescape(config.expect)
        self._pattern = regex(config.expect_regex) if config.expect_regex else None
        self.wanted = bool(self._text or self._pattern)
        self._data = bytearray()
        self._has_text, self._has_match = not self._text, self._pattern is None
        self._next: Any = None

    def take(self, data: bytes, *, apart: bool) -> None:
        """These bytes came. ``apart``: they are a message, which is looked through by itself."""
        if apart:
            self._data = bytearray(data)
            self.look()
            return
        self._data += data
        if self._next is None:
            self._next = self._clock.callLater(PAUSE, self._look_again, len(self._data))
            self.look()

    def look(self) -> None:
        """Look now."""
        if not self.wanted:
            return
        data = bytes(self._data)
        self._has_text = self._has_text or self._text in data
        self._has_match = self._has_match or (self._pattern is not None and self._pattern.found_in(data))
        if self._has_text and self._has_match:
            self._found()

    def _look_again(self, seen: int) -> None:
        self._next = None
        if len(self._data) > seen:
            self.look()

    def missing(self) -> str:
        """What has not come, in words; "" where nothing is missing."""
        if not self._has_text:
            return f"“{self._config.expect}”"
        return f"a match of “{self._config.expect_regex}”" if not self._has_match else ""

    def stop(self) -> None:
        """Nobody waits any more."""
        call, self._next = self._next, None
        if call is not None:
            call.cancel()
        self._data = bytearray()
