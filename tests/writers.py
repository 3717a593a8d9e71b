"""The capture's writer, and a program's host, loaded once and forked each time one is started.

Hundreds of tests capture, and of each the writer's start took 0.15 s of processor time: an interpreter and its
imports; that of a program of a workspace, with Twisted, 0.4 s. Here a mother of each has done both, and Twisted's
``spawnProcess``, when it is asked for one, has her make it with the descriptors, environment and folder that it would
have had. The kernel is told to make it a child of hers as a sibling (``CLONE_PARENT``): this process is its parent,
which waits for it, signals it and sees how it ended.

What the system says of the environment of one that is forked, and of what that forks in turn, is their mother's.
Programs that are forked themselves (``tests.preloaded``) have such a mother of writers each, and start hosts as ever.
Where ``real`` is set, and where the kernel's call is not known, both are started as in a program.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from app.capture.writing import writer
from tests import preloaded

ROOT = Path(__file__).resolve().parents[1]

START = [sys.executable, "-P", "-m", "app.capture.writing.writer"]
"""How ``app.capture.link`` starts a writer; the writer's own arguments follow."""

HOST = [sys.executable, "-P", str(ROOT / "app" / "programs" / "inside" / "start.py")]
"""How ``app.programs`` starts a program in our Python; what the host is told follows."""

HOSTED = (
    "app.programs.inside.host", "twisted.internet.endpoints", "twisted.internet.epollreactor",
    "twisted.internet.protocol", "twisted.internet.ssl",
)  # fmt: skip
"""What programs import; nothing that chooses a reactor."""

_CLONE = {"x86_64": 56, "aarch64": 220, "riscv64": 220}.get(platform.machine()) if sys.platform == "linux" else None
"""The number of the kernel's call, whose first argument is flags, then four that may all be 0."""

_CLONE_PARENT = 0x8000

FORKS = _CLONE is not None
"""Whether this machine's kernel can be asked."""

_MOST = 1 << 20
_ORDERS = 3
"""A mother's descriptor of the socket."""

_ABOVE = 64
"""A descriptor above all that a writer has."""

real = False
"""Whether writers and hosts are started as in a program."""

_mothers: dict[str, tuple[socket.socket, subprocess.Popen[bytes] | None]] = {}
"""By what they make: ``"writer"`` or ``"host"``."""

_forked_itself = False


@contextmanager
def started_for_real() -> Iterator[None]:
    """Writers and hosts are started as in a program for as long as this lasts."""
    global real
    before, real = real, True
    try:
        yield
    finally:
        real = before


def install() -> None:
    """Have Twisted ask the mothers for writers and hosts."""
    from twisted.internet.process import Process  # she, who is this module too, does without

    started = Process._trySpawnInsteadOfFork

    def start(
        self: Process, path: Any, uid: Any, gid: Any, executable: Any, args: list[str], environs: Any, more: Any
    ) -> bool:
        command, what = args[: len(HOST)] if args[: len(HOST)] == HOST else args[: len(START)], ""
        if command == START:
            what = "writer"
        elif command == HOST and not _forked_itself:
            what = "host"
        if real or not FORKS or not what:
            return started(self, path, uid, gid, executable, args, environs, more)
        self.pid = forked(args[len(command) :], environs, more["fdmap"], what, path)
        self.status = -1
        return True

    Process._trySpawnInsteadOfFork = start


def begin() -> None:
    """Have a program that was forked itself do the same, with a mother of its own.

    She is forked from it as it is now: it has opened no capture and started no thread.
    """
    global _forked_itself
    if not FORKS:
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        _place({0: nothing, 1: nothing, 2: nothing, _ORDERS: theirs.detach()})
        try:
            _be_mother(_ORDERS, "writer")
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(1)
    theirs.close()
    _mothers["writer"], _forked_itself = (ours, None), True
    install()


def forked(
    args: Sequence[str], environment: Mapping[str, str], descriptors: Mapping[int, int], what: str = "writer",
    folder: str | bytes | None = None,
) -> int:  # fmt: skip
    """Start a writer or host, a child of this process.

    Args:
        descriptors: which of its is which of ours.
        what: which of them it is.
        folder: where it runs, if not in ours.

    Returns:
        Its process id.

    Raises:
        OSError: if the system has no more processes or descriptors.
    """
    if what not in _mothers:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno()), what],
            cwd=ROOT, env=preloaded.mothers_environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        _mothers[what] = ours, process
    order = {
        "args": list(args), "folder": os.fsdecode(folder or os.getcwd()), "environment": dict(environment),
        "descriptors": list(descriptors),
    }  # fmt: skip
    orders = _mothers[what][0]
    socket.send_fds(orders, [json.dumps(order).encode()], list(descriptors.values()))
    answer = int(orders.recv(_MOST))
    if answer < 0:
        raise OSError(-answer, os.strerror(-answer))
    return answer


class Process:
    """A writer that this process speaks to itself, as much of a ``subprocess.Popen`` as tests need."""

    def __init__(self, args: Sequence[str]) -> None:
        its_input, stdin = os.pipe()
        stdout, its_output = os.pipe()
        try:
            if FORKS:
                self.pid = forked(args, os.environ, {0: its_input, 1: its_output, 2: 2})
            else:
                moved = [(os.POSIX_SPAWN_DUP2, its_input, 0), (os.POSIX_SPAWN_DUP2, its_output, 1)]
                self.pid = os.posix_spawn(START[0], [*START, *args], os.environ, file_actions=moved)
        finally:
            os.close(its_input)
            os.close(its_output)
        self.stdin, self.stdout = os.fdopen(stdin, "wb"), os.fdopen(stdout, "rb")
        self._code: int | None = None

    def wait(self) -> int:
        """Its exit code, as soon as it has ended; negative for the signal that ended it."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._code

    def send_signal(self, number: int) -> None:
        if self._code is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def end() -> None:
    """Let the mothers go, if there are any."""
    while _mothers:
        _, (orders, process) = _mothers.popitem()
        orders.close()
        if process is not None:
            process.wait()


def _fork() -> int:
    """``os.fork``, of a child of this process's parent.

    Raises:
        OSError: as there.
    """
    ctypes.pythonapi.PyOS_BeforeFork()
    libc = ctypes.PyDLL(None, use_errno=True)
    pid: int = libc.syscall(
        ctypes.c_long(_CLONE), ctypes.c_long(_CLONE_PARENT | signal.SIGCHLD), *[ctypes.c_long()] * 4
    )
    if pid:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    if pid < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return pid


def _take_orders(orders: socket.socket) -> dict[str, Any]:
    """Fork for each order; returns in what was forked, with its order, and never in the mother."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _MOST, _ABOVE)
        if not message:
            os._exit(0)
        try:
            pid = _fork()
        except OSError as e:
            pid = -e.errno
        if pid == 0:
            orders.detach()
            order: dict[str, Any] = json.loads(message)
            _place(dict(zip(order["descriptors"], descriptors, strict=True)))
            return order
        for descriptor in descriptors:
            os.close(descriptor)
        orders.send(b"%d" % pid)


def _place(descriptors: Mapping[int, int]) -> None:
    """Have each descriptor where it is looked for, and no others."""
    moved = {number: fcntl.fcntl(one, fcntl.F_DUPFD, _ABOVE) for number, one in descriptors.items()}
    for number, one in moved.items():
        os.dup2(one, number)
    for one in map(int, os.listdir("/proc/self/fd")):
        if one not in descriptors:
            with suppress(OSError):  # the listing's own is closed already
                os.close(one)


def _be_mother(orders: int, what: str) -> NoReturn:
    """``orders``: her socket's descriptor; ``what`` she makes. Does not return, nor in what she makes."""
    # Twisted's start gives signals back that are ignored here, as by nohup; Python ignores these two itself.
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if what == "writer":
        # As the link has its writers start: they take no Ctrl+C from their first moment on.
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    order = _take_orders(socket.socket(fileno=orders))
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = (preloaded.again(*each) for each in enumerate(streams))
    code = _main(what, order["args"])
    preloaded.leave(code)
    sys.exit(code)


def _main(what: str, args: list[str]) -> int:
    if what == "writer":
        return writer.main(args)
    sys.argv = [HOST[-1], *args]
    sys.path[:] = [part for part in sys.path if part not in ("", str(ROOT))]  # as -P and the host's start leave it
    code: int = import_module("app.programs.inside.host").main(args)
    return code


def main() -> None:
    _, orders, what = sys.argv
    if what == "host":
        for name in HOSTED:
            import_module(name)
        assert "twisted.internet.reactor" not in sys.modules
    gc.collect()
    gc.freeze()
    _be_mother(int(orders), what)


if __name__ == "__main__":
    main()
