"""The body of a request, passed on as it comes, for responders that do not want it gathered."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

Consumer = Callable[[bytes], None]
Done = Callable[[Failure | None], None]


class BodyStream:
    """The body of a request, in the pieces in which it comes.

    Nothing is read from the client before ``deliver`` is called, nor while the stream is paused.
    What comes after the end of the response is dropped.

    Attributes:
        length: bytes, as the head of the request announces; None where it does not say.
        received: bytes so far, of the body alone.
        delivered: whether the consumer has had all of it.
        on_first: called once when the first piece has come, or it is known that there is none.
    """

    delivered = False
    on_first: Callable[[], object] | None = None

    def __init__(self, source: Any, length: int | None, failed: Callable[[Failure], object]) -> None:
        """``source`` is the channel; ``failed`` is called with what the consumer raises."""
        self.length = length
        self.received = 0
        self._source, self._failed = source, failed
        self._consumer: Consumer | None = None
        self._done: Done | None = None
        self._waiting: deque[bytes] = deque()
        self._paused = self._busy = self._ended = self._over = False

    def deliver(self, consumer: Consumer, done: Done) -> None:
        """Begin to read: ``consumer`` is called with each piece, then ``done`` once.

        ``done`` gets None at the body's end, or a Failure if the client leaves before. It is not called if
        the response ends before the body. A client that waits for ``100 Continue`` gets it.
        """
        if self._consumer is not None:
            raise RuntimeError("the body is delivered already")
        self._consumer, self._done = consumer, done
        if not self._over:
            self._source.send_continue()
            self._pass_on()

    def pause(self) -> None:
        """Stop calling the consumer, and stop reading from the client, until ``resume``."""
        self._paused = True
        if not self._over:
            self._source.hold_body()

    def resume(self) -> None:
        self._paused = False
        if not self._over:
            self._pass_on()

    @property
    def first(self) -> bytes:
        """The first piece, as long as nothing was delivered; empty where there is none yet."""
        return self._waiting[0] if self._waiting else b""

    @first.setter
    def first(self, data: bytes) -> None:
        self._waiting[0] = data

    # -- called by the request

    def take(self, data: bytes) -> None:
        self.received += len(data)
        if not self._over:
            self._waiting.append(data)
            self._tell_first()
            self._pass_on()

    def _tell_first(self) -> None:
        on_first, self.on_first = self.on_first, None
        if on_first is not None:
            on_first()

    def end(self, why: Failure | None = None) -> None:
        """The body is complete; or, with ``why``, it never will be."""
        if self._over:
            return
        self._ended = True
        self._tell_first()
        if why is not None:
            self._finish(why)
        else:
            self._pass_on()

    def drop(self) -> None:
        """The response has ended: drop the rest of the body."""
        if not self._over:
            self._over = True
            self._waiting.clear()
            self._source.release_body()

    def _pass_on(self) -> None:
        if self._consumer is None or self._paused:
            if self._waiting:
                self._source.hold_body()
            return
        if self._busy:
            return  # called from within the loop below
        self._busy = True
        try:
            while self._waiting and not self._paused:
                self._consumer(self._waiting.popleft())
        except BaseException:
            self.drop()
            self._failed(Failure())
        finally:
            self._busy = False
        if self._paused or self._over:
            return
        if self._ended:
            self._finish(None)
        self._source.release_body()

    def _finish(self, why: Failure | None) -> None:
        self._over, self.delivered = True, why is None
        self._waiting.clear()
        if self._done is not None:
            try:
                self._done(why)
            except BaseException:
                self._failed(Failure())
