"""A run of ``listening-post send``: sends a message, and writes what comes back to standard output."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Sequence
from typing import Any

from app.capture.recorder import Recorder, Stored
from app.commands import errors
from app.commands.exit_codes import SIGNALLED
from app.commands.printing import output
from app.commands.running import Run
from app.commands.send.converse import converse
from app.commands.send.order import Order
from app.post import Post
from app.sending import open_conversation
from app.sending.conversation import Conversation, Open
from app.sending.delivery import Sending, silence
from app.text.escapes import amount

WAIT = 1.0
"""Seconds of silence after which no more data is expected."""

PATIENCE = 30.0
"""Seconds of silence after which no answer is expected of an HTTP server."""

ERROR = 400
"""The lowest HTTP status that stands for an error (RFC 9110 section 15)."""


def as_line(message: bytes, *, is_text: bool) -> bytes:
    """A message as ``--converse`` writes it: text as it is, binary as hex digits behind its size."""
    return (message if is_text else b"(binary, %d bytes) %s" % (len(message), message.hex(" ").encode())) + b"\n"


class Nowhere:
    """Takes the place of the link to the writer: discards the events, and confirms them to the recorder."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder, self._sequence = recorder, 0
        recorder.on_opened(self, 0, Stored())

    def send(self, parts: Sequence[bytes]) -> None:
        self._sequence += 1
        self._recorder.on_stored(self._sequence, Stored())


class _Run(Run):
    def __init__(self, reactor: Any, order: Order) -> None:
        super().__init__(reactor)
        self._order = order
        self._post = Post(reactor)
        self._sent = self._received = 0
        if order.faults:
            seed = secrets.randbelow(1 << 32) + 1
            self._post.sender.fail(order.faults, order.request.url.client.protocol, seed)
            self._post.sender.faulted.connect(lambda words: self._report(f"* fault {words}"))
            self._report(f"* faults with seed {seed}")

    async def start(self) -> None:
        """Send, receive, then stop the reactor."""
        try:
            await self._exchange()
        except Exception as e:  # a bug of this program
            self._post.recorder.record_failure(e)
            self._fail(f"{type(e).__name__}: {e}")
        finally:
            self.stop()

    async def _exchange(self) -> None:
        if not await self._opened_capture():
            return
        conversation = await self._send()
        if conversation is None:
            return
        order = self._order
        await conversation.drained()
        if not conversation.answers:
            await silence(self._reactor, conversation, WAIT if order.wait is None else order.wait)
        closed = conversation.closed
        if closed is not None and closed.failed:
            return self._fail(closed.reason)
        code = getattr(conversation, "code", 0)
        if order.fail and code >= ERROR:
            return self._fail(f"{order.request.url.address} answered {code}.")
        conversation.close()
        self._report(f"sent {self._sent:,}, received {amount(self._received)}")

    async def _opened_capture(self) -> bool:
        """Open the capture that was asked for. Returns whether events can be recorded; otherwise nothing is sent."""
        order, post = self._order, self._post
        if order.capture is None:
            Nowhere(post.recorder)
            return True
        await post.open(order.capture)
        trouble = post.recorder.trouble
        if trouble is not None:
            self._fail(trouble.text)
        return trouble is None

    async def _send(self) -> Conversation | None:
        """Connect and send every message. Returns the conversation, or None when sending failed."""
        order = self._order
        if order.content is not None:
            sending = Sending(self._reactor, self._open, order.content, order.times, order.every, binary=order.binary)
            await sending.run()
            self._sent = sending.sent
            if sending.reason:
                self._fail(sending.reason)
                return None
            return sending.conversation
        conversation = self._open()
        await conversation.connect()
        if order.converse:
            self._sent = await converse(self._reactor, conversation, sys.stdin.fileno())
        return conversation

    def _open(self) -> Conversation:
        order = self._order
        conversation = open_conversation(order.request, self._post.sender)
        if conversation.answers:
            conversation.patience = PATIENCE if order.wait is None else order.wait
        conversation.received.connect(lambda data: self._on_received(conversation, data))
        conversation.noted.connect(lambda words: self._report(f"< {words}"))
        conversation.status_changed.connect(self._on_status)
        return conversation

    def _on_status(self, conversation: Conversation) -> None:
        status = conversation.status
        if isinstance(status, Open):
            self._report(f"* connected to {status.address}{f', {status.detail}' if status.detail else ''}")
        elif conversation.closed is not None and not conversation.closed.failed:
            self._report(f"* {conversation.closed.reason}")

    def _on_received(self, conversation: Conversation, data: bytes) -> None:
        self._received += len(data)
        if self._stopping:
            return
        if self._order.converse and conversation.messages:
            data = as_line(data, is_text=conversation.received_text)
        try:
            # This may block. The peer is not read from meanwhile.
            output.write(data)
        except BrokenPipeError:  # the reader of our output, as ``head``, has read all it wanted
            output.discard_rest()
            self.stop()
        except errors.OutputError as e:
            output.discard_rest()
            self._fail(str(e))
            self.stop()

    def _report(self, words: str) -> None:
        if self._order.verbose:
            print(words, file=sys.stderr)

    def _fail(self, words: str) -> None:
        if self._stopping:  # an error that follows from stopping is no failure
            return
        self.exit_code = 1
        print(f"listening-post: {words}", file=sys.stderr)

    async def shut_down(self) -> None:
        await self._post.shut_down()
        recorder = self._post.recorder
        if self._order.capture is not None and recorder.lost:
            self.exit_code = 1
            why = f": {recorder.trouble.text}" if recorder.trouble else ""
            words = f"{recorder.lost:,} of {recorder.seen:,} events were not captured{why}"
            print(f"listening-post: {words}", file=sys.stderr)


def run(reactor: Any, order: Order) -> int:
    """Run ``order``. Returns the exit code; after a signal, the code that a shell gives for it."""
    sending = _Run(reactor, order)
    code = sending.run_reactor()
    return code if sending.signal is None else SIGNALLED + sending.signal
