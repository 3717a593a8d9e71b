"""``listening-post send``: one message without a screen, and what comes back on standard output."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app import errors
from app.capture.recorder import Recorder, Stored
from app.commands import output
from app.commands.converse import converse
from app.commands.running import Run
from app.post import Post
from app.sending import open_conversation
from app.sending.conversation import Conversation, Open, Request
from app.sending.delivery import MAX_DATA, Content, Sending, content, silence
from app.sending.url import URL, field, method_problem, parse
from app.text.escapes import amount

WAIT = 1.0
"""Seconds of silence after which nothing more is expected."""

PATIENCE = 30.0
"""Seconds of silence after which no answer is expected of an HTTP server."""

ERROR = 400
"""HTTP: statuses from here on say that something went wrong (RFC 9110 section 15)."""

CONVERSING = ("tcp", "websocket")
"""Protocols in which both sides say what they want when they want."""

SIGNALLED = 128
"""What a shell adds to the number of a signal for an exit code."""

MISTAKES = (errors.URLError, errors.FieldError, errors.SendUsageError, errors.EscapeError, errors.TemplateError)
"""What is wrong with the command line itself."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for.

    Attributes:
        content: None: connect, send nothing, and listen.
        converse: send what standard input holds as it comes.
        every: seconds.
        wait: seconds; None: ``WAIT``, and for HTTP ``PATIENCE``.
        binary: whether a WebSocket's message is not text.
        fail: whether an HTTP status from 400 up is a failure.
        verbose: say on standard error what is done, and what the bytes mean.
    """

    request: Request
    content: Content | None
    times: int = 1
    every: float = 0.0
    wait: float | None = None
    binary: bool = False
    fail: bool = False
    verbose: bool = False
    capture: Path | None = None
    converse: bool = False


class Nowhere:
    """Takes what a recorder sends where no capture is asked for."""

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

    async def start(self) -> None:
        """Do it, and stop the reactor."""
        try:
            await self._do()
        except Exception as e:  # a mistake of ours
            self._post.recorder.record_failure(e)
            self._fail(f"{type(e).__name__}: {e}")
        finally:
            self.stop()

    async def _do(self) -> None:
        if not await self._captures():
            return
        conversation = await self._talk()
        if conversation is None:
            return
        order = self._order
        if not conversation.answers:
            await silence(self._reactor, conversation, WAIT if order.wait is None else order.wait)
        closed = conversation.closed
        if closed is not None and closed.failed:
            return self._fail(closed.reason)
        code = getattr(conversation, "code", 0)
        if order.fail and code >= ERROR:
            return self._fail(f"{order.request.url.address} answered {code}.")
        conversation.close()
        self._say(f"sent {self._sent:,}, received {amount(self._received)}")

    async def _captures(self) -> bool:
        """Whether all is ready to be recorded, if only to be forgotten. What could not be kept is not sent."""
        order, post = self._order, self._post
        if order.capture is None:
            Nowhere(post.recorder)
            return True
        await post.open(order.capture)
        trouble = post.recorder.trouble
        if trouble is not None:
            self._fail(trouble.text)
        return trouble is None

    async def _talk(self) -> Conversation | None:
        """Say all that there is to say. Returns over what, or None where that failed."""
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
        conversation.received.connect(self._on_received)
        conversation.noted.connect(lambda words: self._say(f"< {words}"))
        conversation.status_changed.connect(self._on_status)
        return conversation

    def _on_status(self, conversation: Conversation) -> None:
        status = conversation.status
        if isinstance(status, Open):
            self._say(f"* connected to {status.address}{f', {status.detail}' if status.detail else ''}")
        elif conversation.closed is not None and not conversation.closed.failed:
            self._say(f"* {conversation.closed.reason}")

    def _on_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._stopping:
            return
        try:
            # Standard output may take its time: the peer is not read from meanwhile.
            output.write(data)
        except BrokenPipeError:  # whoever read our output has had enough
            output.let_go()
            self.stop()
        except errors.OutputError as e:
            output.let_go()
            self._fail(str(e))
            self.stop()

    def _say(self, words: str) -> None:
        if self._order.verbose:
            print(words, file=sys.stderr)

    def _fail(self, words: str) -> None:
        if self._stopping:  # what comes of that is no failure
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
    """Send what ``order`` says. Returns the exit code, as a shell's for a program that a signal ended."""
    whole = _Run(reactor, order)
    code = whole.to_the_end()
    return code if whole.signal is None else SIGNALLED + whole.signal


def order(args: argparse.Namespace) -> Order:
    """What ``args`` of the command line ask for. Reads files and standard input.

    Raises one of ``MISTAKES``, DataUnreadableError or TooLargeError.
    """
    url = parse(args.url)
    fields = tuple(map(field, args.field))
    if (mistake := next(_mistakes(args, url, fields=bool(fields)), None)) is not None:
        raise errors.SendUsageError(reason=mistake)
    return Order(
        Request(url, args.method, fields, not args.insecure, args.certificate, args.key),
        _content(args, url),
        args.repeat,
        args.every / 1000,
        args.wait,
        binary=args.form == "hex",
        fail=args.fail,
        verbose=args.verbose,
        capture=args.capture,
        converse=args.converse,
    )


def _mistakes(args: argparse.Namespace, url: URL, *, fields: bool) -> Iterator[str]:
    """What does not go together on the command line."""
    client = url.client
    if args.method and client.protocol != "http":
        yield "--method is for http:// and https://"
    if problem := method_problem(args.method):
        yield problem
    if fields and not client.http:
        yield "--field is for HTTP and WebSocket"
    if args.file is not None and args.data is not None:
        yield "send either DATA or a file"
    if args.converse and (args.data is not None or client.protocol not in CONVERSING):
        yield "--converse takes no DATA, and is for TCP, TLS and WebSocket"
    if args.converse and os.name == "nt":
        yield "--converse is not there on Windows, which cannot wait for what is typed"
    if (args.converse or args.data == "-") and sys.stdin is None:
        yield "standard input is closed"
    if args.certificate and not client.tls:
        yield "--certificate is for tls://, https:// and wss://"
    if args.key and not args.certificate:
        yield "--key belongs to --certificate"


def _content(args: argparse.Namespace, url: URL) -> Content | None:
    if args.file is not None:
        return content("file", args.file, Path.cwd())
    if args.data is None and url.client.protocol in CONVERSING:
        return None
    if args.data != "-":
        return content(args.form, args.data or "", Path.cwd())
    data = standard_input()
    if args.form == "text":
        return lambda number: data
    return content(args.form, data.decode("utf-8", "replace"), Path.cwd())


def standard_input() -> bytes:
    """What standard input holds, to its end. Blocks. Raises TooLargeError."""
    found = sys.stdin.buffer.read(MAX_DATA + 1)
    if len(found) > MAX_DATA:
        raise errors.TooLargeError(what="An input", size=f"more than {MAX_DATA:,}", most=f"{MAX_DATA:,}")
    return found
