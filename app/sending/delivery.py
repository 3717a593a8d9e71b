"""Sends one message, once or many times: its content, the repetition, pause and stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from app.errors import PostError
from app.files import confined as files
from app.sending import errors
from app.sending.conversation import Conversation
from app.signal import Signal
from app.text import templates
from app.text.errors import EscapeError
from app.text.escapes import unescape, unhex

MAX_DATA = 64 << 20
"""Most bytes of one message, which is kept in memory while it is sent."""

BURST = 32
"""Messages sent without a pause before the reactor gets to other work."""

Content = Callable[[int], bytes]
"""Makes the bytes of the message with the given number, which counts from 1. Raises TemplateError."""


def problem(form: str, data: str) -> str | None:
    """What is wrong with ``data`` as it is typed, or None. Reads no file."""
    try:
        if form == "template":
            return templates.problem(data)
        if form == "file":
            return None if data.strip() else "the name of a file is missing"
        written(form, data)
    except EscapeError as e:
        return str(e.fields["reason"])
    return None


def written(form: str, data: str) -> bytes:
    """The bytes of a text with escapes, or of hex digits (form ``hex``). Raises EscapeError."""
    return unhex(data) if form == "hex" else unescape(data)


def content(form: str, data: str, folder: Path) -> Content:
    """What to send for ``data``, written in one of the forms ``app.workspace.message.FORMS``.

    Blocks, since it reads files: call it in a thread. Raises EscapeError, TemplateError,
    DataUnreadableError, TooLargeError.
    """
    if form == "template":
        template = templates.Template(data)
        return lambda number: template.render({"number": number})
    found = read(folder / Path(data.strip()).expanduser()) if form == "file" else written(form, data)
    return lambda number: found


def read(path: Path) -> bytes:
    """The bytes of a file to send. Blocks. Raises DataUnreadableError, TooLargeError."""
    try:
        with open(path, "rb", opener=files.regular) as file:
            found = file.read(MAX_DATA + 1)
    except (OSError, ValueError) as e:
        raise errors.DataUnreadableError(path=path, reason=getattr(e, "strerror", None) or e) from e
    if len(found) > MAX_DATA:
        raise errors.TooLargeError(what="A file", size=f"more than {MAX_DATA:,}", most=f"{MAX_DATA:,}")
    return found


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
