"""The recorder of a hosted program, and its link to a writer: by threads, since the program owns the reactor.

The program may install any reactor, run none, block it, or call ``sys.exit``. Batches therefore leave in a thread,
and what the writer answers is read in another. The recorder has a lock, because a program also prints and logs from
its threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from app.capture.link import writer_command, writer_environment
from app.capture.recorder import LOSE_ABOVE, Recorder, Stored
from app.capture.sampling import Sampler

PATIENCE = 10.0
"""Seconds that the writer has at the end to store any more of what it was sent."""


class _Call:
    """A delayed call of ``Clock``; as much of ``IDelayedCall`` as the recorder needs."""

    def __init__(self, due: float, call: Callable[[], object]) -> None:
        self.due, self.call, self.live = due, call, True

    def cancel(self) -> None:
        self.live = False

    def active(self) -> bool:
        return self.live

    def getTime(self) -> float:
        return self.due


class Clock:
    """Runs delayed calls in a thread of its own, which sleeps while there is none."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def seconds(self) -> float:
        return time.monotonic()

    def callLater(self, delay: float, call: Callable[[], object]) -> _Call:
        made = _Call(time.monotonic() + delay, call)
        with self._changed:
            self._calls.append(made)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="recorder-clock", daemon=True)
                self._thread.start()
            self._changed.notify()
        return made

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._calls = [call for call in self._calls if call.live]
                now = time.monotonic()
                due = [call for call in self._calls if call.due <= now]
                if self._closed:
                    return
                if not due:
                    first = min((call.due for call in self._calls), default=None)
                    self._changed.wait(None if first is None else first - now)
                    continue
            for call in due:
                call.live = False
                call.call()


class _Memory(Sampler):
    """Samples of a program's memory alone: how late a thread of ours is says nothing of its reactor."""

    def late(self, seconds: float) -> None:
        pass


def _locked(method: Any) -> Any:
    def run(self: HostRecorder, *args: Any, **more: Any) -> Any:
        with self.lock:
            return method(self, *args, **more)

    return run


class HostRecorder(Recorder):
    """A recorder that may be used from any thread.

    Attributes:
        forked: whether this process was forked by the program: it records nothing.
    """

    forked = False

    def __init__(self) -> None:
        self.lock = threading.RLock()
        clock: Any = Clock()  # as much of one as the recorder needs
        super().__init__(clock)
        self._sampler = _Memory()

    def record(self, *args: Any, **more: Any) -> None:
        if not self.forked:
            with self.lock:
                super().record(*args, **more)

    record_failure = _locked(Recorder.record_failure)
    record_limit = _locked(Recorder.record_limit)
    record_datagram = _locked(Recorder.record_datagram)
    add_service = _locked(Recorder.add_service)
    add_connection = _locked(Recorder.add_connection)
    flush = _locked(Recorder.flush)
    on_opened = _locked(Recorder.on_opened)
    on_stored = _locked(Recorder.on_stored)
    on_trouble = _locked(Recorder.on_trouble)
    on_writer_gone = _locked(Recorder.on_writer_gone)
    abandon = _locked(Recorder.abandon)
    _tick = _locked(Recorder._tick)

    @property
    def behind(self) -> bool:
        """Whether so much waits to be stored that who can wait should: a thread that prints."""
        return self._on_way.bytes > LOSE_ABOVE


class Sending:
    """Two threads: one writes what the recorder sends, one reads what is answered.

    Args:
        out, answers: the pipes of both; ``out`` is closed when all is written, after ``close``.
        told: see ``Link``.
    """

    _is_lost = False
    """Whether nothing can be sent any more."""

    def __init__(self, recorder: HostRecorder, out: IO[bytes], answers: IO[bytes], told: int | None = None) -> None:
        self._recorder, self._out, self._answers, self._told = recorder, out, answers, told
        mine = (out.fileno(), answers.fileno(), *(() if told is None else (told,)))
        self._own = {descriptor: _identity(descriptor) for descriptor in mine}
        self._queue: deque[Sequence[bytes] | None] = deque()
        self._wanted = threading.Condition()
        self._stored = threading.Condition()
        for work in (self._write, self._read):
            threading.Thread(target=work, name=f"recorder-{work.__name__.strip('_')}", daemon=True).start()
        os.register_at_fork(after_in_child=self._forget)

    def _is_own(self, descriptor: int) -> bool:
        """Whether this is still ours: the program may have closed it, and opened a file by its number."""
        return _identity(descriptor) == self._own[descriptor]

    def _close(self, descriptor: int) -> None:
        if self._is_own(descriptor):
            os.close(descriptor)

    def send(self, parts: Sequence[bytes]) -> None:
        """Queue a frame for the writer; the recorder bounds how much may be on its way."""
        with self._wanted:
            self._queue.append([bytes(part) for part in parts])
            self._wanted.notify()

    def wait(self, seconds: float) -> None:
        """Wait until the writer has said something, ``seconds`` at the most, unless all is stored."""
        with self._stored:
            if not self._recorder.idle:
                self._stored.wait(seconds)

    def close(self) -> None:
        """Have all stored that was sent, and end. Blocks."""
        self._recorder.flush()
        deadline = time.monotonic() + PATIENCE
        stored = self._recorder.stored
        while not self._recorder.idle and not self._is_lost and not self._gone() and time.monotonic() < deadline:
            self.wait(0.5)  # the file may not be open yet
            if self._recorder.stored != stored:  # it takes its time, and goes on
                stored, deadline = self._recorder.stored, time.monotonic() + PATIENCE
        with self._wanted:
            self._queue.append(None)
            self._wanted.notify()
        self._finish(deadline)

    def _gone(self) -> bool:
        """Whether nobody is there any more who stores anything."""
        raise NotImplementedError

    def _finish(self, deadline: float) -> None:
        """All is stored, or nothing more will be."""

    def _tell(self, line: bytes) -> None:
        """An answer has come."""

    def _write(self) -> None:
        pipe = self._out
        while True:
            with self._wanted:
                self._wanted.wait_for(lambda: self._queue)
                parts = self._queue.popleft()
            try:
                if not self._is_own(pipe.fileno()):
                    raise OSError
                if parts is None:
                    pipe.close()
                    return
                for part in parts:
                    pipe.write(part)
                pipe.flush()
            except (OSError, ValueError):
                self._is_lost = True
                self._recorder.on_writer_gone()
                return

    def _read(self) -> None:
        while True:
            if not self._is_own(self._answers.fileno()):
                return  # who is at the other end has not gone
            if not (line := self._answers.readline()):
                break
            self._tell(line)
            message = json.loads(line)
            recorder = self._recorder
            if "do" in message:
                self._obey(message)
                continue
            if "stored" in message:
                recorder.on_stored(message["stored"], _range(message), rejected=message.get("rejected", ""))
            elif "opened" in message:
                counted = {name: message[name] for name in ("events", "newest", "elsewhere")}
                recorder.on_opened(self, message["sequence"], _range(message), **counted)
            else:
                text = message.get("trouble") or message["refused"]
                recorder.on_trouble(text, passing=bool(message.get("passing")))
            with self._stored:
                self._stored.notify_all()
        self._on_end()

    def _obey(self, order: dict[str, Any]) -> None:
        """Who started the program wants something of it."""

    def _on_end(self) -> None:
        """No answer will come any more."""

    def _forget(self) -> None:
        """In a process that the program has forked: it records nothing, and keeps nobody from seeing our end."""
        for pipe in (self._out, self._answers):
            if not pipe.closed:
                self._close(pipe.fileno())
        self._recorder.forked = True


class Link(Sending):
    """A writer process, for a program that has a capture of its own.

    Args:
        told: the descriptor of a pipe, on which each answer is repeated; the writer holds it open, too, so that who
            reads it sees the end of both.
        writer: its command and what is added to its environment; None: that of the Python that runs this.
    """

    def __init__(
        self, recorder: HostRecorder, path: Path, limit: int, told: int | None, writer: dict[str, Any] | None
    ) -> None:
        command = [*(writer["command"] if writer else writer_command()), str(path), recorder.run, str(limit)]
        environment = {**os.environ, **writer["environment"]} if writer else writer_environment()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, start_new_session=True,
            pass_fds=() if told is None else (told,),
        )  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        super().__init__(recorder, self._process.stdin, self._process.stdout, told)

    def _gone(self) -> bool:
        return self._process.poll() is not None

    def _finish(self, deadline: float) -> None:
        try:
            self._process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, line: bytes) -> None:
        if self._told is not None:
            try:
                if not self._is_own(self._told):
                    raise OSError
                os.write(self._told, line)
            except OSError:  # nobody reads it any more
                self._told = None

    def _forget(self) -> None:
        super()._forget()
        if self._told is not None:
            self._close(self._told)


def _identity(descriptor: int) -> tuple[int, int] | None:
    try:
        found = os.fstat(descriptor)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _range(message: dict[str, Any]) -> Stored:
    return Stored(message["first"], message["last"], message["bytes"])
