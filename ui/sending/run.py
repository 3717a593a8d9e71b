"""What the send dock does: sends a message, keeps its connection if asked to, says in words how it goes."""

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

WAIT = 1.0
"""Seconds of silence after which a connection that is not to be kept is closed."""


def request_of(message: Message) -> Request:
    """What to connect for. Raises URLError, FieldError."""
    lines = (line for line in message.fields if line.strip())
    return Request(parse(message.url), message.method, tuple(map(field, lines)), message.verify)


class SendRun(QObject):
    """One message after the other.

    Attributes:
        sending: the message on its way, or the last one.
        conversation: the connection that is open, or was last.

    Signals:
        changed(): what it is doing may be something else.
        talked(str, object): "→" or "←" and bytes, or "·" and words.
    """

    changed = pyqtSignal()
    talked = pyqtSignal(str, object)

    def __init__(self, sender: Sender, folder: Callable[[], Path], parent: QObject | None = None) -> None:
        """``folder`` is where relative names of files begin."""
        super().__init__(parent)
        self._sender, self._folder = sender, folder
        self.sending: Sending | None = None
        self.conversation: Conversation | None = None
        self.received = 0
        self._problem = ""
        self._task: Deferred[None] | None = None

    # -- what it is doing

    @property
    def running(self) -> bool:
        """Whether a message is on its way, or its answer awaited."""
        return self._task is not None

    @property
    def open(self) -> bool:
        return self.conversation is not None and self.conversation.closed is None

    @property
    def paused(self) -> bool:
        return self.sending is not None and self.sending.paused

    def words(self) -> tuple[str, bool]:
        """How it goes, and whether that is bad."""
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

    # -- what it does

    def send(self, message: Message, *, keep: bool) -> None:
        """Send a message as often as it says; ``keep`` the connection for the next."""
        if self._task is not None:
            return
        self._problem, self.received = "", 0
        self._task = Deferred.fromCoroutine(self._send(message, keep))
        self._task.addErrback(lambda failure: None if failure.check(CancelledError) else failure)
        self._task.addCallback(lambda _: self._end())
        self.changed.emit()

    def pause(self) -> None:
        """Pause, or go on."""
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
            what = await self._sender.in_thread(content, message.form, message.data, self._folder())
        except PostError as e:
            self._problem = str(e)
            return
        over = self._reusable(request)
        self.changed.emit()
        if not message.data and request.url.client.protocol in ("tcp", "websocket"):
            self.sending = None
            if over is None:
                await self._open(request).connect()
            keep = True  # only to listen
        else:
            await self._repeat(request, message, what, over)
        conversation = self.conversation
        if keep or conversation is None or self._problem:
            return
        if not conversation.answers:
            await silence(self._sender.reactor, conversation, WAIT)
        conversation.close()

    async def _repeat(self, request: Request, message: Message, what: Content, over: Conversation | None) -> None:
        def noted(number: int) -> bytes:
            data = what(number)
            self.talked.emit("→", data)
            return data

        self.sending = Sending(
            self._sender.reactor, lambda: self._open(request), noted, message.times, message.every,
            binary=message.form == "hex", over=over,
        )  # fmt: skip
        self.sending.changed.connect(lambda _: self.changed.emit())
        await self.sending.run()
        if self.sending.reason and (self.conversation is None or self.conversation.closed is None):
            self._problem = self.sending.reason

    def _end(self) -> None:
        self._task = None
        self.changed.emit()

    def _reusable(self, request: Request) -> Conversation | None:
        """The connection that is open, if it serves; another one is closed."""
        conversation = self.conversation
        if conversation is None or conversation.closed is not None:
            return None
        if _origin(conversation.request) == _origin(request):
            conversation.request = request
            return conversation
        conversation.close()
        return None

    def _open(self, request: Request) -> Conversation:
        conversation = self.conversation = open_conversation(request, self._sender)
        conversation.received.connect(self._on_received)
        conversation.noted.connect(lambda words: self.talked.emit("·", words))
        conversation.status_changed.connect(self._on_status)
        self.changed.emit()
        return conversation

    def _on_received(self, data: bytes) -> None:
        self.received += len(data)
        self.talked.emit("←", data)

    def _on_status(self, conversation: Conversation) -> None:
        status = conversation.status
        if isinstance(status, Open):
            self.talked.emit("·", f"connected to {status.address}{f', {status.detail}' if status.detail else ''}")
        elif conversation.closed is not None:
            self.talked.emit("·", conversation.closed.reason)
        self.changed.emit()


def _origin(request: Request) -> Any:
    """What two messages have in common that can go over one connection."""
    url = request.url
    place = (url.scheme, url.host, url.port, request.verify)
    return place if url.client.protocol != "websocket" else (*place, url.target, request.fields)
