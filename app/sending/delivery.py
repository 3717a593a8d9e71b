"""Sends one message, once or many times: the repetition, pause and stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from app.errors import PostError
from app.sending.contents import Content
from app.sending.conversation import Conversation
from app.signal import Signal

BURST = 32
"""Messages sent without a pause before the reactor gets to other work."""


class Sending:
    """Sends one message a number of times.

    It connects for the first, and again when the peer has closed the connection without an error.

    Attributes:
        conversation: the connection that it uses; None before the first message.
        sent: how often the message was sent.
        paused, done: its state; ``changed`` emits the Sending when it changes.
        reason: why it ended early, as one sentence; "" where it did not.
    """

    def __init__(
        self,
        clock: Any,
        open_: Callable[[], Conversation],
        content: Content,
        times: int = 1,
        every: float = 0.0,
        *,
        binary: bool = False,
        over: Conversation | None = None,
    ) -> None:
        """
        Args:
            open_: makes a conversation that has not connected yet.
            times: how often to send; 0: until it is stopped.
            every: seconds from the start of one message to the start of the next.
            binary: see ``Conversation.send``.
            over: an open conversation to use.
        """
        self._clock, self._make, self._content = clock, open_, content
        self.times, self._every, self._binary = times, every, binary
        self.conversation = over
        self.sent = 0
        self.paused = self.done = False
        self.reason = ""
        self.changed: Signal[Sending] = Signal()
        self._stopped = False
        self._pause: Deferred[None] | None = None
        self._going_on: Deferred[None] | None = None

    async def run(self) -> None:
        """Send every message. Returns when that is done, has failed or was stopped. Raises nothing."""
        due = self._clock.seconds()
        while self._goes_on():
            await self._send_one()
            if self._goes_on():
                due = max(due + self._every, self._clock.seconds())  # no catching up when messages took longer
                await self._rest(due)
        self.done = True
        self.changed.emit(self)

    def pause(self) -> None:
        """Send no more until ``resume``. The message being sent is completed."""
        if not (self.paused or self.done):
            self.paused = True
            self.changed.emit(self)

    def resume(self) -> None:
        if self.paused:
            self.paused = False
            going_on, self._going_on = self._going_on, None
            if going_on is not None:
                going_on.callback(None)
            self.changed.emit(self)

    def stop(self) -> None:
        """Send no more, and abort the message being sent."""
        self._stopped = True
        self.resume()
        if self._pause is not None:
            self._pause.cancel()
        elif self.conversation is not None and not self.done:
            self.conversation.abort()

    def _goes_on(self) -> bool:
        return not (self._stopped or self.reason) and (not self.times or self.sent < self.times)

    async def _send_one(self) -> None:
        conversation = self.conversation
        if conversation is None or conversation.closed is not None:
            conversation = self.conversation = self._make()
            await conversation.connect()
        if conversation.closed is None and not self._stopped:
            try:
                data = self._content(self.sent + 1)
            except PostError as e:
                self.reason = str(e)
                return
            await conversation.send(data, binary=self._binary)
        closed = conversation.closed
        if closed is not None and (closed.failed or self._stopped):
            self.reason = closed.reason
        else:
            self.sent += 1

    async def _rest(self, due: float) -> None:
        """Wait until the next message is due."""
        if self._every or self.sent % BURST == 0:
            self._pause = deferLater(self._clock, max(0.0, due - self._clock.seconds()))
            self._pause.addErrback(lambda _: None)
            await self._pause
            self._pause = None
        while self.paused and not self._stopped:
            self._going_on = Deferred()
            await self._going_on


async def silence(clock: Any, conversation: Conversation, seconds: float) -> None:
    """Wait until the conversation is closed, or nothing was received for ``seconds``."""
    if conversation.closed is not None:
        return
    over: Deferred[None] = Deferred()
    timer = clock.callLater(seconds, over.callback, None)

    def on_received(_: bytes) -> None:
        if timer.active():
            timer.reset(seconds)

    def on_changed(_: Conversation) -> None:
        if conversation.closed is not None and timer.active():
            timer.cancel()
            over.callback(None)

    unhook = (conversation.received.connect(on_received), conversation.status_changed.connect(on_changed))
    try:
        await over
    finally:
        for call in unhook:
            call()
        if timer.active():
            timer.cancel()
