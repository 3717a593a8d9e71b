"""The producer of an answer that faults hold back, which waits for them and for its client, whichever is slower."""

from __future__ import annotations

from typing import Any

from twisted.internet._producer_helpers import _PullToPush


class Pace:
    """The producer of an answer, for its channel."""

    def __init__(self, producer: Any, consumer: Any, streaming: bool) -> None:
        """``consumer`` is told if a producer that is pulled raises an exception."""
        self._pulled = None if streaming else _PullToPush(producer, consumer)
        self._producer: Any = producer if streaming else self._pulled
        self._held = self._full = False

    def begin(self, *, full: bool) -> None:
        """``full``: whether faults hold much of the answer already."""
        if self._pulled is not None:
            self._pulled.startStreaming()
        self.hold(full=full)

    def end(self) -> None:
        if self._pulled is not None:
            self._pulled.stopStreaming()

    def hold(self, *, full: bool) -> None:
        """Faults hold so much of the answer that it is to wait, or no more."""
        self._change(self._held, full)

    def pauseProducing(self) -> None:
        self._change(True, self._full)

    def resumeProducing(self) -> None:
        self._change(False, self._full)

    def _change(self, held: bool, full: bool) -> None:
        waited = self._held or self._full
        self._held, self._full = held, full
        if (held or full) != waited:
            (self._producer.pauseProducing if held or full else self._producer.resumeProducing)()

    def stopProducing(self) -> None:
        self._producer.stopProducing()
