"""The capture's writer, loaded once and forked each time one is started.

Hundreds of tests capture, and of each the writer's start took 0.15 s of processor time: an interpreter and its
imports. Here a mother has done both, and Twisted's ``spawnProcess``, when it is asked for a writer, has her make one
with the descriptors, environment and folder that it would have had. The kernel is told to make it a child of hers
as a sibling (``CLONE_PARENT``): this process is its parent, which waits for it, signals it and sees how it ended.

Programs that are forked themselves (``tests.preloaded``) have such a mother each. Where ``real`` is set, and where
the kernel's call is not known, a writer is started as in a program.
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
from pathlib import Path
from typing import Any, NoReturn

from app.capture.writing import writer
from tests import preloaded

ROOT = Path(__file__).resolve().parents[1]

START = [sys.executable, "-P", "-m", "app.capture.writing.writer"]
"""How ``app.capture.link`` starts a writer; the writer's own arguments follow."""

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
"""Whether writers are started as in a program."""

_mother: tuple[socket.socket, subprocess.Popen[bytes] | None] | None = None


@contextmanager
def started_for_real() -> Iterator[None]:
    """Writers are started as in a program for as long as this lasts."""
    global real
    before, real = real, True
    try:
        yield
    finally:
        real = before


def install() -> None:
    """Have Twisted ask the mother for writers."""
    from twisted.internet.process import Process  # she, who is this module too, does without

    started = Process._trySpawnInsteadOfFork

    def start(
        self: Process, path: Any, uid: Any, gid: Any, executable: Any, args: list[str], environs: Any, more: Any
    ) -> bool:
        if real or not FORKS or args[: len(START)] != START:
            return started(self, path, uid, gid, executable, args, environs, more)
        self.pid = forked(args[len(START) :], environs, more["fdmap"])
        self.status = -1
        return True

    Process._trySpawnInsteadOfFork = start


def begin() -> None:
    """Have a program that was forked itself do the same, with a mother of its own.

    She is forked from it as it is now: it has opened no capture and started no thread.
    """
    global _mother
    if not FORKS:
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        _place({0: nothing, 1: nothing, 2: nothing, _ORDERS: theirs.detach()})
        try:
            _be_mother(_ORDERS)
        except Exception:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(1)
    theirs.close()
    _mother = ours, None
    install()


def forked(args: Sequence[str], environment: Mapping[str, str], descriptors: Mapping[int, int]) -> int:
    """Start a writer, a child of this process.

    Args:
        descriptors: which of its is which of ours.

    Returns:
        Its process id.

    Raises:
        OSError: if the system has no more processes or descriptors.
    """
    global _mother
    if _mother is None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno())],
            cwd=ROOT, env=preloaded.mothers_environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        _mother = ours, process
    order = {
        "args": list(args), "folder": os.getcwd(), "environment": dict(environment),
        "descriptors": list(descriptors),
    }  # fmt: skip
    socket.send_fds(_mother[0], [json.dumps(order).encode()], list(descriptors.values()))
    answer = int(_mother[0].recv(_MOST))
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
    """Let the mother go, if there is one."""
    global _mother
    if _mother is not None:
        (orders, process), _mother = _mother, None
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
    """Fork for each order; returns in a writer, with its order, and never in the mother."""
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
    """Have each descriptor where the writer looks for it, and no others."""
    moved = {number: fcntl.fcntl(one, fcntl.F_DUPFD, _ABOVE) for number, one in descriptors.items()}
    for number, one in moved.items():
        os.dup2(one, number)
    for one in map(int, os.listdir("/proc/self/fd")):
        if one not in descriptors:
            with suppress(OSError):  # the listing's own is closed already
                os.close(one)


def _be_mother(orders: int) -> NoReturn:
    """``orders``: her socket's descriptor. Does not return, nor in the writers."""
    # Twisted's start gives signals back that are ignored here, as by nohup; Python ignores these two itself.
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    # As the link has its writers start: they take no Ctrl+C from their first moment on.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    order = _take_orders(socket.socket(fileno=orders))
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    streams = sys.stdin, sys.stdout, sys.stderr
    sys.stdin, sys.stdout, sys.stderr = (preloaded.again(*each) for each in enumerate(streams))
    code = writer.main(order["args"])
    preloaded.leave(code)
    sys.exit(code)


def main() -> None:
    gc.collect()
    gc.freeze()
    _be_mother(int(sys.argv[1]))


if __name__ == "__main__":
    main()
