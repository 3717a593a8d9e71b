"""A producer of what faults hold back, which waits for them and for its client, whichever is slower."""

from __future__ import annotations

from typing import Any

from twisted.internet._producer_helpers import _PullToPush


class Pace:
    """A producer, for the channel or transport that is to pause it. Several pauses are one."""

    def __init__(self, producer: Any, consumer: Any, streaming: bool) -> None:
        """``consumer`` is told if a producer that is pulled raises an exception."""
        self._pulled = None if streaming else _PullToPush(producer, consumer)
        self._producer: Any = producer if streaming else self._pulled
        self._held = self._full = False
        self._begun = streaming

    def begin(self, *, full: bool = False) -> None:
        """Have it produce. ``full``: whether faults hold much of what it has produced already."""
        waits = self._held or self._full
        if self._pulled is not None:
            self._pulled.startStreaming()
            self._begun = True
            if waits:
                self._producer.pauseProducing()
        self.hold(full=full)

    def end(self) -> None:
        if self._pulled is not None:
            self._pulled.stopStreaming()

    def hold(self, *, full: bool) -> None:
        """Faults hold so much that it is to wait, or no more."""
        self._change(self._held, full)

    def pauseProducing(self) -> None:
        self._change(True, self._full)

    def resumeProducing(self) -> None:
        self._change(False, self._full)

    def _change(self, held: bool, full: bool) -> None:
        waited = self._held or self._full
        self._held, self._full = held, full
        if (held or full) != waited and self._begun:
            (self._producer.pauseProducing if held or full else self._producer.resumeProducing)()

    def stopProducing(self) -> None:
        self._producer.stopProducing()
