"""Sends the messages of the send dock, keeps the connection open if asked to, and reports the state."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QObject, pyqtSignal
from twisted.internet.defer import CancelledError, Deferred

from app.errors import PostError
from app.sending import open_conversation
from app.sending.conversation import Connecting, Conversation, Open
from app.sending.delivery import Content, Sending, content, silence
from app.sending.request import Request
from app.sending.sender import Sender
from app.sending.url import field, parse
from app.text.escapes import amount
from app.workspace.message import Message

SILENCE = 1.0
"""Seconds of silence after which a connection that is not kept open is closed."""


def request_of(message: Message) -> Request:
    """The request to connect with. Raises URLError, FieldError."""
    lines = (line for line in message.fields if line.strip())
    return Request(parse(message.url), message.method, tuple(map(field, lines)), message.verify)


class SendRun(QObject):
    """Sends one message at a time.

    Attributes:
        sending: the message that is being sent, or the last one.
        conversation: the connection that is open, or the last one.
        received: bytes received since the last message was sent.

    Signals:
        changed(): the state may have changed.
        exchanged(str, object): "→" (sent) or "←" (received) and bytes, or "·" and a text about the connection.
    """

    changed = pyqtSignal()
    exchanged = pyqtSignal(str, object)

    def __init__(self, sender: Sender, folder: Callable[[], Path], parent: QObject | None = None) -> None:
        """``folder`` returns the base of relative file names."""
        super().__init__(parent)
        self._sender, self._folder = sender, folder
        self.sending: Sending | None = None
        self.conversation: Conversation | None = None
        self.received = 0
        self._problem = ""
        self._task: Deferred[None] | None = None

    # -- state

    @property
    def running(self) -> bool:
        """Whether a message is being sent, or its answer is awaited."""
        return self._task is not None

    @property
    def open(self) -> bool:
        return self.conversation is not None and self.conversation.closed is None

    @property
    def paused(self) -> bool:
        return self.sending is not None and self.sending.paused

    def state(self) -> tuple[str, bool]:
        """The state as a text for the user, and whether it is an error."""
        if self._problem:
            return self._problem, True
        conversation, sending = self.conversation, self.sending
        if conversation is None:
            return "", False
        status = conversation.status
        if isinstance(status, Connecting):
            return f"Connecting to {status.address}…", False
        sent = f"sent {sending.sent:,}" if sending else "nothing sent"
        counts = f"{sent}, received {amount(self.received)}"
        if isinstance(status, Open):
            of = f" of {sending.times:,}" if sending and sending.times > 1 and not sending.done else ""
            doing = "Paused" if self.paused else "Connected"
            return f"{doing}: {counts.replace(sent, sent + of)}", False
        return (status.reason, True) if status.failed else (f"{status.reason[:-1]}: {counts}.", False)

    # -- actions

    def send(self, message: Message, *, keep: bool) -> None:
        """Send a message, as often as it says. ``keep``: keep the connection open for the next message."""
        if self._task is not None:
            return
        self._problem, self.received = "", 0
        self._task = Deferred.fromCoroutine(self._send(message, keep))
        self._task.addErrback(lambda failure: None if failure.check(CancelledError) else failure)
        self._task.addCallback(lambda _: self._end())
        self.changed.emit()

    def pause(self) -> None:
        """Pause, or resume if it is paused."""
        if self.sending is not None:
            (self.sending.resume if self.sending.paused else self.sending.pause)()

    def stop(self) -> None:
        """Stop sending and close the connection."""
        if self.sending is not None and not self.sending.done:
            self.sending.stop()
        elif self._task is not None:
            self._task.cancel()
        if self.conversation is not None:
            self.conversation.close()

    async def _send(self, message: Message, keep: bool) -> None:
        try:
            request = request_of(message)
            message_content = await self._sender.in_thread(content, message.form, message.data, self._folder())
        except PostError as e:
            self._problem = str(e)
            return
        reused = self._reusable(request)
        self.changed.emit()
        if not message.data and request.url.client.protocol in ("tcp", "websocket"):
            self.sending = None
            if reused is None:
                await self._open(request).connect()
            keep = True  # the user only wants to receive
        else:
            await self._repeat(request, message, message_content, reused)
        conversation = self.conversation
        if keep or conversation is None or self._problem:
            return
        if not conversation.answers:
            await silence(self._sender.reactor, conversation, SILENCE)
        conversation.close()

    async def _repeat(
        self, request: Request, message: Message, message_content: Content, reused: Conversation | None
    ) -> None:
        def data_to_send(number: int) -> bytes:
            data = message_content(number)
            self.exchanged.emit("→", data)
            return data

        self.sending = Sending(
            self._sender.reactor, lambda: self._open(request), data_to_send, message.times, message.every,
            binary=message.form == "hex", over=reused,
        )  # fmt: skip
        self.sending.changed.connect(lambda _: self.changed.emit())
        await self.sending.run()
        if self.sending.reason and (self.conversation is None or self.conversation.closed is None):
            self._problem = self.sending.reason

    def _end(self) -> None:
        self._task = None
        self.changed.emit()

    def _reusable(self, request: Request) -> Conversation | None:
        """The open connection, if this request can use it. Otherwise it is closed."""
        conversation = self.conversation
        if conversation is None or conversation.closed is not None:
            return None
        if _connection_key(conversation.request) == _connection_key(request):
            conversation.request = request
            return conversation
        conversation.close()
        return None

    def _open(self, request: Request) -> Conversation:
        conversation = self.conversation = open_conversation(request, self._sender)
        conversation.received.connect(self._on_received)
        conversation.noted.connect(lambda words: self.exchanged.emit("·", words))
        conversation.status_changed.connect(self._on_status)
        self.changed.emit()
        return conversation

    def _on_received(self, data: bytes) -> None:
        self.received += len(data)
        self.exchanged.emit("←", data)

    def _on_status(self, conversation: Conversation) -> None:
        status = conversation.status
        if isinstance(status, Open):
            self.exchanged.emit("·", f"connected to {status.address}{f', {status.detail}' if status.detail else ''}")
        elif conversation.closed is not None:
            self.exchanged.emit("·", conversation.closed.reason)
        self.changed.emit()


def _connection_key(request: Request) -> Any:
    """Requests with an equal key can use the same connection."""
    url = request.url
    key = (url.scheme, url.host, url.port, request.verify)
    return key if url.client.protocol != "websocket" else (*key, url.target, request.fields)
