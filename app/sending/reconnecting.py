"""Opens a connection that is kept again, each time it is lost. Nothing is sent a second time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from app import events
from app.sending.conversation import Closed, Conversation, Open
from app.sending.sender import Sender
from app.signal import Signal


class Reconnecting:
    """Follows one conversation after the other, each to the same server.

    Between two of them it waits as Twisted's ``ClientService`` does, whose policy it uses: 1 s, then half as long again
    each time, up to 60 s, and up to 1 s more at random. (The service itself has no way to end a wait early.)

    Attributes:
        attempt: the number of the next try, from 1; 0 while none is to come.
        changed: emits this object when it begins to wait, or no longer waits.
    """

    def __init__(
        self, sender: Sender, make: Callable[[], Conversation], policy: Callable[[int], float] | None = None
    ) -> None:
        """``make`` makes a conversation that has not connected; ``policy`` says how long is waited after so many
        attempts that have failed, in seconds."""
        from twisted.application.internet import backoffPolicy

        self._sender, self._make, self._policy = sender, make, policy or backoffPolicy()
        self._unhook: Callable[[], None] = lambda: None
        self._timer: Any = None
        self._reason = ""
        self._seconds = 0.0
        self.attempt = 0
        self.changed: Signal[Reconnecting] = Signal()
        sender.conversations.add(self)

    @property
    def waiting(self) -> bool:
        return self._timer is not None

    @property
    def seconds_left(self) -> float:
        """Seconds until the next try; 0 while none is waited for."""
        return max(0.0, self._timer.getTime() - self._sender.reactor.seconds()) if self._timer is not None else 0.0

    def follow(self, conversation: Conversation) -> None:
        """Reconnect when this conversation is lost, or at once if it was."""
        self._unhook()
        self._unhook = conversation.status_changed.connect(self._on_status)
        self._on_status(conversation)

    def now(self) -> None:
        """Wait no longer, and connect."""
        if self._timer is not None:
            self._connect()

    def close(self) -> None:
        """Follow and connect no more. The conversation stays as it is."""
        self._unhook()
        self._unhook = lambda: None
        self._sender.conversations.discard(self)
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
            self.changed.emit(self)

    def _on_status(self, conversation: Conversation) -> None:
        status = conversation.status
        if isinstance(status, Open):
            self.attempt = 0
        elif isinstance(status, Closed):
            self._unhook()
            if conversation.closed_by_us:
                self.close()
            else:
                self._wait(status.reason)

    def _wait(self, reason: str) -> None:
        self._reason, self._seconds = reason, self._policy(self.attempt)
        self.attempt += 1
        self._timer = self._sender.reactor.callLater(self._seconds, self._connect)
        self.changed.emit(self)

    def _connect(self) -> None:
        waited = round(self._seconds - self.seconds_left, 3)
        timer, self._timer = self._timer, None
        if timer.active():  # cut short
            timer.cancel()
        conversation = self._make()
        address = conversation.url.address
        detail = {"address": address, "attempt": self.attempt, "seconds": waited, "reason": self._reason}
        words = f"connects to {address} again, number {self.attempt:,}"
        self._sender.recorder.record(events.RECONNECTING, self._sender.number, summary=words, detail=json.dumps(detail))
        self.follow(conversation)
        self.changed.emit(self)
        Deferred.fromCoroutine(conversation.connect())  # an error becomes its status
