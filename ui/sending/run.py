"""Sends the messages of the send dock, keeps the connection open if asked to, and reports the state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

from PyQt5.QtCore import QObject, pyqtSignal
from twisted.internet.defer import CancelledError, Deferred

from app.errors import PostError
from app.sending import open_conversation
from app.sending.answer import Answer
from app.sending.contents import Content, content
from app.sending.conversation import Connecting, Conversation, Open
from app.sending.delivery import Sending, silence
from app.sending.errors import FaultsWrongError
from app.sending.faults import problems
from app.sending.reconnecting import Reconnecting
from app.sending.request import Request
from app.sending.sender import Sender
from app.services.surroundings import draw_seed
from app.text.escapes import amount
from app.text.variables import NONE, Variables
from app.workspace.message import Message

SILENCE = 1.0
"""Seconds of silence after which a connection that is not kept open is closed."""


KEPT = 8 << 20
"""Bytes of an answer's body that are kept to be shown. The capture has all of it."""


class SendRun(QObject):
    """Sends one message at a time.

    Attributes:
        sending: the message that is being sent, or the last one.
        conversation: the connection that is open, or the last one.
        reconnecting: opens the connection again when it is lost; None: nothing does.
        sent, received: messages sent and bytes received over this connection.

    Signals:
        changed(): the state may have changed.
        began(): a message is about to be sent.
        answered(object, bytes): an ``Answer`` has come, and at most ``KEPT`` bytes of its body.
        exchanged(str, object): "→" (sent) or "←" (received) and bytes, or "·" and a text about the connection.
    """

    changed = pyqtSignal()
    began = pyqtSignal()
    answered = pyqtSignal(object, bytes)
    exchanged = pyqtSignal(str, object)

    def __init__(self, sender: Sender, folder: Callable[[], Path], parent: QObject | None = None) -> None:
        """``folder`` returns the base of relative file names."""
        super().__init__(parent)
        self._sender, self._folder = sender, folder
        sender.faulted.connect(self._on_fault)
        self.sending: Sending | None = None
        self.conversation: Conversation | None = None
        self.received = self._sent_before = 0
        self._body = bytearray()
        self._problem = ""
        self.reconnecting: Reconnecting | None = None
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

    @property
    def waiting(self) -> bool:
        """Whether a lost connection is about to be made again."""
        return self.reconnecting is not None and self.reconnecting.waiting

    def state(self) -> tuple[str, bool]:
        """The state as a text for the user, and whether it is an error."""
        if self.reconnecting is not None and self.reconnecting.waiting and self.conversation is not None:
            closed = self.conversation.closed
            return self.tr("Connects again in {seconds} s. {reason}").format(
                reason=closed.reason if closed is not None else "", seconds=ceil(self.reconnecting.seconds_left)
            ), False
        if self._problem:
            return self._problem, True
        conversation, sending = self.conversation, self.sending
        if conversation is None:
            return "", False
        status = conversation.status
        if isinstance(status, Connecting):
            return self.tr("Connecting to {address}…").format(address=status.address), False
        received = amount(self.received)
        if isinstance(status, Open):
            doing = self.tr("Paused") if self.paused else self.tr("Connected")
            if sending and sending.times > 1 and not sending.done:
                return self.tr("{state}: sent {count} of {times}, received {size}").format(
                    state=doing, count=f"{sending.sent:,}", times=f"{sending.times:,}", size=received
                ), False
            return self.tr("{state}: sent {count}, received {size}").format(
                state=doing, count=f"{self.sent:,}", size=received
            ), False
        if status.failed:
            return status.reason, True
        return self.tr("{state}: sent {count}, received {size}.").format(
            state=status.reason[:-1], count=f"{self.sent:,}", size=received
        ), False

    @property
    def sent(self) -> int:
        return self._sent_before + (self.sending.sent if self.sending is not None else 0)

    # -- actions

    def send(
        self,
        message: Message,
        *,
        keep: bool,
        reconnect: bool = False,
        variables: Variables = NONE,
        attached: bytes | None = None,
        fresh: bool = False,
    ) -> None:
        """Send a message, as often as it says.

        Args:
            keep: keep the connection open for the next message.
            reconnect: make such a connection again when it is lost.
            variables: what is filled in.
            attached: bytes to send in the place of the message's data.
            fresh: over a connection of its own, also where one is open that could take it.
        """
        if self._task is not None:
            return
        self._problem = ""
        self._stop_reconnecting()
        self.began.emit()
        self._task = Deferred.fromCoroutine(self._send(message, keep, reconnect, variables, attached, fresh))
        self._task.addErrback(lambda failure: None if failure.check(CancelledError) else failure)
        self._task.addCallback(lambda _: self._end())
        self.changed.emit()

    def pause(self) -> None:
        """Pause, or resume if it is paused."""
        if self.sending is not None:
            (self.sending.resume if self.sending.paused else self.sending.pause)()

    def reconnect_now(self) -> None:
        """Wait no longer until a lost connection is made again."""
        if self.reconnecting is not None:
            self.reconnecting.now()

    def set_reconnect(self, *, on: bool) -> None:
        """The user wants the connection that is open to be made again when it is lost, or no longer."""
        if not on:
            self._stop_reconnecting()
        elif self.open and self.conversation is not None and self._task is None and self.reconnecting is None:
            self._keep_connected(self.conversation)

    def _stop_reconnecting(self) -> None:
        reconnecting, self.reconnecting = self.reconnecting, None
        if reconnecting is not None:
            reconnecting.close()

    def stop(self) -> None:
        """Stop sending and close the connection."""
        self._stop_reconnecting()
        if self.sending is not None and not self.sending.done:
            self.sending.stop()
        elif self._task is not None:
            self._task.cancel()
        if self.conversation is not None:
            self.conversation.close()

    async def _send(
        self, message: Message, keep: bool, reconnect: bool, variables: Variables, attached: bytes | None, fresh: bool
    ) -> None:
        try:
            request = self._failing(message, message.request(variables))
            if attached is not None:
                message_content: Content = lambda _: attached  # noqa: E731
            else:
                message_content = await self._sender.in_thread(
                    content, message.form, message.data, self._folder(), variables
                )
        except PostError as e:
            self._problem = str(e)
            return
        reused = self._reusable(request, fresh=fresh)
        self._sent_before = self.sent if reused is not None else 0
        self.received = self.received if reused is not None else 0
        self.sending = None
        self.changed.emit()
        if not (message.data or attached) and request.url.client.protocol in ("tcp", "websocket"):
            if reused is None:
                await self._open(request).connect()
            keep = True  # the user only wants to receive
        else:
            await self._repeat(request, message, message_content, reused)
        conversation = self.conversation
        if keep and reconnect and conversation is not None and conversation.was_open:
            self._keep_connected(conversation)
        if keep or conversation is None or self._problem:
            return
        if not conversation.answers:
            await silence(self._sender.reactor, conversation, SILENCE)
        conversation.close()

    def _failing(self, message: Message, request: Request) -> Request:
        """``request`` with the faults of ``message``. Raises FaultsWrongError: its URL had variables, perhaps."""
        tables, protocol = message.faults, request.url.client.protocol
        for mistake in problems(tables, protocol):
            raise FaultsWrongError(number=(mistake.table or 0) + 1, reason=f"{mistake.key} {mistake.text}".strip())
        return replace(request, faults=self._sender.failing(tables, protocol, draw_seed()) if tables else None)

    def _keep_connected(self, conversation: Conversation) -> None:
        """Have the connection made again when it is lost, as long as no message goes elsewhere."""
        if conversation.answers or conversation.url.client.protocol not in ("tcp", "websocket"):
            return  # HTTP and UDP have nothing to wait for between two messages
        request = conversation.request
        self.reconnecting = Reconnecting(self._sender, lambda: self._open(request))
        self.reconnecting.changed.connect(lambda _: self.changed.emit())
        self.reconnecting.follow(conversation)

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

    def _reusable(self, request: Request, *, fresh: bool) -> Conversation | None:
        """The open connection, if this request can use it. Otherwise it is closed; if ``fresh``, in any case."""
        conversation = self.conversation
        if conversation is None or conversation.closed is not None:
            return None
        if not fresh and _connection_key(conversation.request) == _connection_key(request):
            conversation.request = replace(request, faults=conversation.request.faults)  # they count on
            return conversation
        conversation.close()
        return None

    def _open(self, request: Request) -> Conversation:
        conversation = self.conversation = open_conversation(request, self._sender)
        conversation.received.connect(self._on_received)
        conversation.noted.connect(lambda words: self.exchanged.emit("·", words))
        conversation.status_changed.connect(self._on_status)
        conversation.answered.connect(self._on_answered)
        self._body = bytearray()
        self.changed.emit()
        return conversation

    def _on_received(self, data: bytes) -> None:
        self.received += len(data)
        if self.conversation is not None and self.conversation.answers:
            self._body += data[: max(0, KEPT - len(self._body))]
        self.exchanged.emit("←", data)

    def _on_fault(self, words: str) -> None:
        if self.running or self.open:
            self.exchanged.emit("·", self.tr("fault {words}").format(words=words))

    def _on_answered(self, answer: Answer) -> None:
        body, self._body = bytes(self._body), bytearray()
        self.answered.emit(answer, body)

    def _on_status(self, conversation: Conversation) -> None:
        status = conversation.status
        if isinstance(status, Open):
            words = self.tr("connected to {address}").format(address=status.address)
            self.exchanged.emit("·", f"{words}, {status.detail}" if status.detail else words)
        elif conversation.closed is not None:
            self.exchanged.emit("·", conversation.closed.reason)
        self.changed.emit()


def _connection_key(request: Request) -> Any:
    """Requests with an equal key can use the same connection."""
    url, faults = request.url, request.faults
    of_faults = [fault.table for fault in faults.all] if faults is not None else []
    key = (url.scheme, url.host, url.port, request.verify, of_faults)
    return key if url.client.protocol != "websocket" else (*key, url.target, request.fields)
