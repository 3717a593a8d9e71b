"""What several tests need: waiting for conditions, and the program as a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import blockingCallFromThread

from app.capture.recorder import Recorder
from app.services.tap.lookout import Lookout
from tests.preloaded import Run

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = [sys.executable, "-m", "ui.entry"]

_PAUSE = 0.005

_ours: set[Any] = set()
"""Delayed calls of ``until``, which nothing under test waits for."""


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Let the reactor run until ``condition()`` is true; its value. Fails after ``seconds``."""
    from twisted.internet import reactor

    deadline = monotonic() + seconds
    while not (value := condition()):
        assert monotonic() < deadline, f"not within {seconds} s: {condition}"
        done: Deferred[None] = Deferred()
        call = reactor.callLater(_PAUSE, done.callback, None)  # type: ignore[attr-defined]
        _ours.add(call)
        try:
            await done
        finally:
            _ours.discard(call)
            if call.active():
                call.cancel()
    return value


SOON = 0.4
"""Seconds for which one who waits for nothing would have to wait, if nobody could tell that nothing will come."""


_LOOKING = (Recorder._tick, Lookout._look)
"""What is called again and again, and does nothing that anybody could wait for."""


async def still() -> bool:
    """Whether what runs in this process has done all that it will do for ``SOON`` seconds unless somebody asks it to.

    Every socket has had its turn, and no delayed call is due but those that only look or count.
    """
    from twisted.internet import reactor

    for _ in range(3):
        await deferLater(reactor, 0, lambda: None)
    soon = reactor.seconds() + SOON  # type: ignore[attr-defined]
    due = (call for call in reactor.getDelayedCalls() if call.getTime() < soon)  # type: ignore[attr-defined]
    return all(call in _ours or getattr(call.func, "__func__", None) in _LOOKING for call in due)


async def settled() -> None:
    """Wait until ``still``."""
    from twisted.internet import reactor

    deadline = monotonic() + 10
    while not await still():
        assert monotonic() < deadline, "something is due all the time"
        await deferLater(reactor, _PAUSE, lambda: None)


def still_from_thread() -> bool:
    """As ``still``, for a client in a thread."""
    from twisted.internet import reactor

    return blockingCallFromThread(reactor, lambda: Deferred.fromCoroutine(still()))


def wait_for(condition: Callable[[], Any], seconds: float = 30.0, pause: float = _PAUSE) -> Any:
    """As ``until``, for tests without a reactor, which wait for programs that they start.

    It looks again after each ``pause``: a longer one where to look takes a process of its own.
    """
    deadline, never = monotonic() + seconds, threading.Event()
    while not (value := condition()):
        assert monotonic() < deadline, f"not within {seconds} s: {condition}"
        never.wait(pause)
    return value


def open_files(pid: int | str = "self") -> list[str]:
    """What each descriptor of a process stands for, as Linux names it: ``socket:[inode]``, a path."""
    found = []
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed since the listing: another thread's, or the listing's own
            found.append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
    return found


@contextlib.contextmanager
def closed_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[int]:
    """A port that is nobody else's for as long as this lasts, and at which nobody listens."""
    with socket.socket(socket.AF_INET, kind) as held:
        held.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_DGRAM:
            held.connect(("127.0.0.1", 9))  # it takes nothing from others then
        yield held.getsockname()[1]


@contextlib.contextmanager
def kept_port() -> Iterator[int]:
    """A free port that nobody is given by chance for as long as this lasts; a server that asks for it has it."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    """A folder for sockets. Their paths have 107 bytes at the most, which ``tmp_path`` may take up by itself.

    It does where tests run in parallel, or the user has a long name.
    """
    with tempfile.TemporaryDirectory(prefix="lp-") as folder:
        yield Path(folder)


def run(
    *args: str | bytes | Path, env: dict[str, str] | None = None, real: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run one command of the program to its end.

    It is forked from a program that is loaded already, which an environment of its own (``env``) or
    ``real`` forbids.
    """
    words = [os.fsdecode(arg) for arg in args]
    if env is not None or real:
        command = [*PROGRAM, *words]
        return subprocess.run(command, cwd=ROOT, env=env, text=True, capture_output=True, timeout=100, check=False)
    done = run_bytes(*words)
    out, err = (io.TextIOWrapper(io.BytesIO(data)).read() for data in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(words, done.returncode, out, err)


def run_bytes(
    *args: str, data: bytes | None = None, out: int | None = None, **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """As ``run``, in bytes, with those (at most 64 KB) on standard input; ``more`` as for ``tests.preloaded.Run``.

    ``out``: a descriptor to which it prints, instead of into what is returned.
    """
    with tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as err, _input(data) as given:
        process = Run(args, given, printed.fileno() if out is None else out, err.fileno(), session=True, **more)
        try:
            code = process.wait(100)
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
        printed.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(args, code, printed.read(), err.read())


@contextlib.contextmanager
def _input(data: bytes | None) -> Iterator[int]:
    """Standard input that has these bytes in it, and then its end."""
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data or b"")
        yield reading
    finally:
        os.close(reading)


class Piped(Run):
    """A command between pipes, forked from a program that is loaded already; as a ``subprocess.Popen`` of bytes.

    Args:
        stdin: what it reads from, instead of a pipe.
    """

    def __init__(self, *args: object, stdin: int | None = None) -> None:
        (given, ours), (out, writing_out), (err, writing_err) = os.pipe(), os.pipe(), os.pipe()
        self.stdin, self.stdout, self.stderr = os.fdopen(ours, "wb"), os.fdopen(out, "rb"), os.fdopen(err, "rb")
        super().__init__([str(arg) for arg in args], given if stdin is None else stdin, writing_out, writing_err)
        for descriptor in (given, writing_out, writing_err):
            os.close(descriptor)

    def communicate(self, data: bytes = b"") -> tuple[bytes, bytes]:
        """Give it the rest of its input (at most 64 KB); all that it still wrote on both streams, once it has ended."""
        said: list[bytes] = []
        thread = threading.Thread(target=lambda: said.append(self.stderr.read()), daemon=True)
        thread.start()
        self.stdin.write(data)
        self.stdin.close()
        found = self.stdout.read()
        self.wait(100)
        thread.join(5)
        return found, said[0]

    def __enter__(self) -> Piped:
        return self

    def __exit__(self, *of: object) -> None:
        self.kill()
        self.wait(100)
        for stream in (self.stdout, self.stderr, self.stdin):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


class Serve:
    """``listening-post serve`` as a process in a group of its own.

    Args:
        module: whose ``main()`` it runs, as for ``tests.preloaded.Run``.

    Attributes:
        lines: what it printed on standard output so far.
        said: what it printed on standard error so far.
    """

    def __init__(
        self, workspace: Path, capture: Path, *args: str, json: bool = True, folder: Path = ROOT,
        module: str = "ui.entry",
    ) -> None:  # fmt: skip
        command = ["serve", str(workspace), "--capture", str(capture), *args, *(["--json"] if json else [])]
        (out, writing_out), (err, writing_err) = os.pipe(), os.pipe()
        with _input(None) as given:
            streams = given, writing_out, writing_err
            self.process = Run(command, *streams, session=True, folder=folder, module=module)
        for descriptor in (writing_out, writing_err):
            os.close(descriptor)
        self._streams = os.fdopen(out), os.fdopen(err)
        self.lines: list[str] = []
        self.said: list[str] = []
        self._threads = [
            threading.Thread(target=_collect, args=args, daemon=True)
            for args in zip(self._streams, (self.lines, self.said), strict=True)
        ]
        for thread in self._threads:
            thread.start()

    def wait_up(self) -> dict[str, tuple[str, int]]:
        """Wait for its services; their addresses by name."""
        wait_for(lambda: self.lines or self.process.poll() is not None)
        events = [json.loads(line) for line in list(self.lines)]
        return {e["service"]: _address(e["host"]) for e in events if e["kind"] == "service.started"}

    def kill(self, how: int = signal.SIGKILL) -> None:
        """Send a signal to all of its processes, as a terminal does."""
        os.killpg(self.process.pid, how)

    def wait(self, seconds: float = 30.0) -> int:
        """Its exit code, once it has ended."""
        code = self.process.wait(seconds)
        for thread in self._threads:
            thread.join(5)
        return code

    def end(self) -> None:
        """Leave nothing of it behind."""
        if self.process.poll() is None:
            self.kill()
        self.wait()
        for stream in self._streams:
            stream.close()


def _collect(stream: Any, found: list[str]) -> None:
    for line in stream:
        found.append(line.rstrip("\n"))


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


@contextlib.contextmanager
def serving(workspace: Path, capture: Path, *args: str, **more: Any) -> Iterator[Serve]:
    """A ``Serve`` that is gone afterwards."""
    program = Serve(workspace, capture, *args, **more)
    try:
        yield program
    finally:
        program.end()


class Load:
    """TCP clients in a thread that keep sending numbered lines to an echo and read the answers."""

    def __init__(self, address: tuple[str, int], clients: int = 4) -> None:
        self._sockets = [socket.create_connection(address, 5) for _ in range(clients)]
        self._names = ["{}:{}".format(*client.getsockname()) for client in self._sockets]
        self._echoed = [bytearray() for _ in self._sockets]
        self._going = True
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def total(self) -> int:
        """Bytes that came back so far."""
        return sum(map(len, self._echoed))

    def echoed(self) -> dict[str, bytes]:
        """What each client, by its address, has got back so far."""
        return {name: bytes(data) for name, data in zip(self._names, self._echoed, strict=True)}

    def stop(self) -> None:
        self._going = False
        self._thread.join(5)
        for client in self._sockets:
            client.close()

    def _work(self) -> None:
        with selectors.DefaultSelector() as selector:
            for i, client in enumerate(self._sockets):
                selector.register(client, selectors.EVENT_READ, i)
                client.sendall(b"%d:0\n" % i)
            count = 0
            while self._going and selector.get_map():
                for key, _ in selector.select(0.1):
                    count += 1
                    if not self._answer(key.fileobj, key.data, count):
                        selector.unregister(key.fileobj)

    def _answer(self, client: Any, i: int, count: int) -> bool:
        try:
            data: bytes = client.recv(65536)
            self._echoed[i] += data
            client.sendall(b"%d:%d\n" % (i, count))
        except OSError:
            return False
        return bool(data)
