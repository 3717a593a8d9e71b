"""The link to the writer process: starts it, sends batches, reads its answers, and replaces it if it dies."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from app.capture.recorder import Recorder, Stored
from app.capture.writing.arena import SHARES, Arena
from app.capture.writing.last_word import LastWord
from app.capture.writing.pipe import GATHERS, Pipe
from app.errors import system_words

DEFAULT_LIMIT = 2_000_000_000
"""Bytes of a capture above which its oldest batches are dropped."""

RESTART = 0.5
"""Seconds until a writer that died is replaced."""

GRACE, GRACE_IN_TROUBLE, PATIENCE = 1.5, 0.5, 10.0
"""Seconds at the end: after the first a writer that has stored all is left alone with what else it
does; one that could not store anything before is ended after the second; and one that still stores,
on a disk that is busy, after the third."""

HOLD = 10.0
"""Seconds for which peers are held back while the writer is being replaced; afterwards services go on
without a capture."""

LOOK_AGAIN = 0.1
"""Seconds."""

ARENA, LAST_WORD = 3, 4
"""The writer's file descriptors of the memory that it shares with us."""


class WriterLink(ProcessProtocol):
    """One capture's writer, for as long as the program captures into that file.

    Attributes:
        path: the capture.
        opened: fires with None once the file is open, or the first trouble is known; the
            services start then. Fails with no error: what is wrong is the recorder's
            trouble.
        refused: whether this file will never do, as the recorder's trouble says.
    """

    def __init__(
        self, reactor: Any, recorder: Recorder, path: Path, limit: int = DEFAULT_LIMIT, arena: Arena | None = None,
        last_word: LastWord | None = None,
    ) -> None:  # fmt: skip
        """``arena``: that of the link before, whose batches may still be in it. ``last_word``: the event in it is
        stored if the program ends without taking it back."""
        self._reactor, self._recorder = reactor, recorder
        self.path, self._limit = path, limit
        self.opened: Deferred[None] = Deferred()
        self._closed: Deferred[None] | None = None
        self._released: Deferred[None] | None = None
        self.refused = self._was_open = False
        self._restarting: IDelayedCall | None = None
        self._overdue: IDelayedCall | None = None
        self._gone_since: float | None = None
        self._heard = b""
        self._process: Any = None
        self._pipe: Pipe | None = None
        self._last_word = last_word
        self._arena = arena or (_arena() if SHARES and GATHERS else None)
        recorder.share(self._arena)

    def start(self) -> None:
        """Start the process. What it answers goes to the recorder.

        Where the system refuses (too many open files, no memory), that is the recorder's
        trouble, and it is tried again.
        """
        try:
            self._start()
        except OSError as e:
            self._process = None
            self._try_again(f"The writer of {self.path} cannot be started: {system_words(e)}. It is tried again")
            self._on_first_word()

    def _start(self) -> None:
        command = [*writer_command(), str(self.path), self._recorder.run, str(self._limit)]
        if self._was_open:
            command.append("again")
        self._heard = b""
        self._pipe = Pipe(self._reactor, self._recorder.on_writer_gone) if GATHERS else None
        files: dict[int, int | str] | None = {0: self._pipe.reading, 1: "r", 2: "r"} if self._pipe else None
        if files and self._arena is not None:
            files[ARENA] = self._arena.file
            command.append(f"arena={ARENA}")
        if files and self._last_word is not None and self._last_word.file >= 0:
            files[LAST_WORD] = self._last_word.file
            command.append(f"last-word={LAST_WORD}")
        try:
            with _signals_held():
                self._process = self._reactor.spawnProcess(
                    self, command[0], command, writer_environment(), childFDs=files
                )  # fmt: skip
        except BaseException:
            if self._pipe is not None:
                self._pipe.abortConnection()
            raise
        finally:
            if self._pipe is not None:
                self._pipe.started()

    def send(self, parts: Sequence[bytes]) -> None:
        """Queue a frame for the writer; the recorder bounds how much may be on its way."""
        (self._pipe.send if self._pipe else self._process.writeSequence)(parts)

    def _end_input(self) -> None:
        (self._pipe.loseConnection if self._pipe else self._process.closeStdin)()

    def close(self) -> Deferred[None]:
        """Have the writer store all it was sent and end. Fires when it has, or was made to."""
        recorder = self._recorder
        recorder.flush()
        closed = self._closed = Deferred()
        restart = self._restarting is not None and not recorder.idle
        if self._restarting is not None:
            self._restarting.cancel()
        if restart:
            self._restart()  # one more, for what is still on its way
        if self.refused or self._process is None or self._process.pid is None:
            self._finish()
            return closed
        if not restart and (recorder.connected or recorder.trouble or recorder.idle):
            self._end_input()  # else when it has the file open
        self._closing = self._reactor.seconds()
        hopeless = not (restart or self._works())
        self._overdue = self._reactor.callLater(GRACE_IN_TROUBLE if hopeless else GRACE, self._hurry)
        return closed

    def release(self) -> Deferred[None]:
        """Have the writer store all it was sent and end. Fires when it has, or was made to.

        The recorder keeps later batches, and those that could not be stored, for the link that is started next,
        with ``arena``.
        """
        released: Deferred[None] = Deferred()
        self._released = released
        self._recorder.hold()
        if self._restarting is not None:
            self._restarting.cancel()
            self._restarting = None
        if self._process is None or self._process.pid is None:
            released.callback(None)
            return released
        self._end_input()
        self._overdue = self._reactor.callLater(PATIENCE, self._kill)
        return released

    @property
    def arena(self) -> Arena | None:
        """The memory that it shares with its writer."""
        return self._arena

    def _kill(self) -> None:
        self._overdue = None
        with contextlib.suppress(Exception):
            self._process.signalProcess("KILL")

    def _hurry(self) -> None:
        """The writer has had its time."""
        self._overdue = None
        recorder = self._recorder
        if recorder.trouble is None and recorder.idle:
            self._finish()  # it may end alone: all is stored, and a long log takes a while to copy
        elif self._works() and self._reactor.seconds() < self._closing + PATIENCE:
            self._overdue = self._reactor.callLater(LOOK_AGAIN, self._hurry)
        else:
            self._kill()

    def _works(self) -> bool:
        """Whether the writer stores, or soon will: it may be making a file anew that was removed."""
        trouble = self._recorder.trouble
        return trouble is None or trouble.passing

    def _finish(self) -> None:
        if self._closed is None or self._closed.called:
            return
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        try:
            self._recorder.abandon()
        finally:
            self._recorder.share(None)
            if self._arena is not None:
                self._arena.close()
            self._closed.callback(None)

    # -- ProcessProtocol

    def outReceived(self, data: bytes) -> None:
        *lines, self._heard = (self._heard + data).split(b"\n")
        for line in lines:
            self._on_message(json.loads(line))

    def errReceived(self, data: bytes) -> None:
        sys.stderr.write(data.decode(errors="replace"))

    def inConnectionLost(self) -> None:
        self._recorder.on_writer_gone()  # where Twisted has the pipe

    def processEnded(self, reason: Failure) -> None:
        self._recorder.on_writer_gone()
        if self._pipe is not None:
            self._pipe.abortConnection()
        if self._released is not None:
            if self._overdue is not None:
                self._overdue.cancel()
                self._overdue = None
            if not self._released.called:  # it had ended when it was released, and its pipes are closed only now
                self._released.callback(None)
        elif self._closed is not None:
            self._finish()
        elif not self.refused:
            self._try_again(f"The writer of {self.path} ended unasked. It is being restarted")
        self._on_first_word()

    def _try_again(self, trouble: str) -> None:
        now = self._reactor.seconds()
        if self._gone_since is None:
            self._gone_since = now
        self._recorder.on_trouble(trouble, passing=now < self._gone_since + HOLD)
        if self._closed is None:
            self._restarting = self._reactor.callLater(RESTART, self._restart)

    def _restart(self) -> None:
        self._restarting = None
        self.start()

    def _on_message(self, message: dict[str, Any]) -> None:
        recorder = self._recorder
        if "stored" in message:
            self._gone_since = None
            recorder.on_stored(message["stored"], _range(message), rejected=message.get("rejected", ""))
        elif self._released is not None:
            pass  # what it could not store goes to the next writer
        elif "opened" in message:
            again, self._was_open = self._was_open, True
            counted = {name: message[name] for name in ("events", "newest", "elsewhere")}
            recorder.on_opened(self, message["sequence"], _range(message), **counted, again=again)
        else:
            self.refused = "refused" in message
            passing = bool(message.get("passing"))
            recorder.on_trouble(message.get("trouble") or message["refused"], passing=passing)
        if self._closed is not None:
            self._end_input()
        self._on_first_word()

    def _on_first_word(self) -> None:
        if not self.opened.called:
            self.opened.callback(None)


def _arena() -> Arena | None:
    """Memory for large payloads; None where the system has none to give: they go through the pipe then."""
    try:
        return Arena()
    except OSError:
        return None


def _range(message: dict[str, Any]) -> Stored:
    return Stored(message["first"], message["last"], message["bytes"])


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Have a process that is started meanwhile take no Ctrl+C, from its first moment on."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def writer_command() -> list[str]:
    """The command line of a writer; the path of the capture, the run and the limit follow."""
    # A frozen program has no interpreter to call by: it starts itself by a hidden command.
    # -P: the current folder may have a package app of its own.
    frozen = getattr(sys, "frozen", False)
    return [sys.executable, *(["capture-writer"] if frozen else ["-P", "-m", "app.capture.writing.writer"])]


def writer_environment() -> dict[str, str]:
    """The environment of a writer."""
    if getattr(sys, "frozen", False):
        # PyInstaller sets it for its first process only; without it the second takes the host's SQLite.
        return {**os.environ, "LD_LIBRARY_PATH": sys._MEIPASS}  # type: ignore[attr-defined]
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}
