"""The program, loaded once and forked for each run: a process of its own each time, started in a moment.

Hundreds of tests run a command to see what it does, and most of their time went into importing the same
modules. A run here is what ``python -m ui.entry`` is after its imports, with its own process, reactor,
signals and exit, or what that of another ``module`` is; only what was loaded is not taken apart at the end.
Tests of how the interpreter starts, and of what is imported, start the real one (``tests.helpers.PROGRAM``), and so
do some of those of streams that are closed or full. There is a mother for commands, and one for windows, who has
loaded Qt, too.

The mother forks a waiter for each order; the waiter forks the run, tells its id and then its end, and leaves.
The run takes on folder, arguments and streams, and goes on as the program. The mother ends with her socket.
"""

from __future__ import annotations

import atexit
import gc
import io
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from os import _exit  # a hosted program's host replaces that of the module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[1]

PACKAGES = ("app.commands", "app.faults.kinds", "app.responders")
MODULES = (
    "app.reactor", "app.capture.reading.store", "app.capture.filters.language", "app.capture.keeping.saving",
    "app.exports.formats", "app.workspace.reading", "app.services.tls.authority", "app.programs.inside.host",
)  # fmt: skip
"""What runs import later than at their start, and packages with all that lies in them.

None of these may choose a reactor, or start a thread.
"""

WINDOW = (
    "ui.boot", "ui.instance", "ui.looks.icons", "ui.reactor", "ui.window.main_window",
    "tests.e2e.clipboard", "tests.e2e.twin",
)  # fmt: skip
"""What windows import, too; the first of them with all of Qt that we use."""

_MOST = 1 << 20
_DESCRIPTORS = 4


class Run:
    """One run, as much of a ``subprocess.Popen`` as tests need.

    Args:
        stdin, stdout, stderr: descriptors, which it takes copies of.
        session: in a session of its own.
        folder: the one that it runs in.
        window: forked from the mother who has loaded the window.
        module: whose ``main()`` it runs.
        closed: those of its streams that are closed when it begins.
        files: how many files it may have open, if that is limited.

    Attributes:
        pid: its process.
        returncode: None until it was waited for; negative for the signal that ended it.
    """

    def __init__(
        self,
        args: Sequence[str],
        stdin: int,
        stdout: int,
        stderr: int,
        *,
        session: bool = False,
        folder: Path = ROOT,
        window: bool = False,
        module: str = "ui.entry",
        environment: Mapping[str, str] = os.environ,
        closed: Sequence[int] = (),
        files: int | None = None,
    ) -> None:
        self.args = args
        self.returncode: int | None = None
        reading, writing = os.pipe()
        order = {
            "args": list(args), "session": session, "folder": str(folder), "module": module,
            "environment": dict(environment), "closed": list(closed), "files": files,
        }  # fmt: skip
        socket.send_fds(_mother(window)[0], [json.dumps(order).encode()], [stdin, stdout, stderr, writing])
        os.close(writing)
        self._facts = os.fdopen(reading, "rb", 0)
        self.pid = int(self._facts.readline())

    def poll(self) -> int | None:
        """Its exit code, if it has ended."""
        if self.returncode is None and select.select([self._facts], [], [], 0)[0]:
            self._end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code, as soon as it has ended."""
        if self.returncode is None:
            if not select.select([self._facts], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(list(self.args), timeout or 0)
            self._end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _end(self) -> None:
        self.returncode = os.waitstatus_to_exitcode(int(self._facts.readline()))
        self._facts.close()


_FORKED = """#!{python} -IS
import json, os, socket, sys
reading, writing = os.pipe()
order = {{
    "args": sys.argv[1:], "session": False, "folder": os.getcwd(), "module": "ui.entry",
    "environment": dict(os.environ), "closed": [], "files": None,
}}
socket.send_fds(socket.socket(fileno={orders}), [json.dumps(order).encode()], [0, 1, 2, writing])
os.close(writing)
with os.fdopen(reading, "rb", 0) as facts:
    facts.readline()
    code = os.waitstatus_to_exitcode(int(facts.readline()))
sys.exit(code if code >= 0 else 128 - code)
"""


def command(path: Path) -> int:
    """Write a command for shells, which has its run forked.

    Returns:
        The descriptor that the shell has to be started with (``pass_fds``).
    """
    orders = _mother(window=False)[0].fileno()
    path.write_text(_FORKED.format(python=sys.executable, orders=orders))
    path.chmod(0o700)
    return orders


mothers_environment: Mapping[str, str] | None = None
"""What mothers start with, instead of what a test may have set for itself: they outlive it."""

_mothers: dict[bool, tuple[socket.socket, subprocess.Popen[bytes]]] = {}


def _mother(window: bool) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """This process's mother of commands or of windows, and a way to her.

    She starts with the first call and ends with ``end`` or this process.
    """
    if window not in _mothers:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # No Ctrl+C of the terminal's reaches her; a signal to a run's group does not, either.
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.preloaded", str(theirs.fileno()), *(["window"] if window else [])],
            cwd=ROOT, env=mothers_environment, pass_fds=[theirs.fileno()], start_new_session=True,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        _mothers[window] = ours, process
    return _mothers[window]


def end() -> None:
    """Let the mothers go, if there are any."""
    while _mothers:
        _, (orders, process) = _mothers.popitem()
        orders.close()
        process.wait()


def _take_orders(orders: socket.socket) -> dict[str, object]:
    """Fork for each order; returns in a run, with its order, and never in the mother."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the waiters
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, _MOST, _DESCRIPTORS)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            orders.close()
            return _wait_for_run(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _wait_for_run(order: dict[str, object], descriptors: list[int]) -> dict[str, object]:
    """Fork the run, in which this returns; the waiter stays until it ends."""
    *streams, telling = descriptors
    run = os.fork()
    if run == 0:
        os.close(telling)
        if order["session"]:
            os.setsid()
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
            os.close(descriptor)
        return order
    for descriptor in (*streams, 0, 1, 2):
        os.close(descriptor)
    os.write(telling, b"%d\n" % run)
    os.write(telling, b"%d\n" % os.waitpid(run, 0)[1])
    os._exit(0)


def again(descriptor: int, stream: TextIO) -> TextIO | None:
    """A stream as the interpreter made it for what stands behind the descriptor now, a pipe maybe, once a file.

    None for one that is closed, as there.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        return None
    at_once = descriptor != 0 and "PYTHONUNBUFFERED" in os.environ
    raw = open(descriptor, "wb" if descriptor else "rb", 0 if at_once else -1, closefd=False)  # noqa: SIM115
    return io.TextIOWrapper(
        raw, stream.encoding, stream.errors, line_buffering=descriptor == 2 or os.isatty(descriptor),
        write_through=at_once,
    )  # fmt: skip


def _load(window: bool) -> None:
    """Import what runs need."""
    for name in (*MODULES, "tests.writers", *(WINDOW if window else ())):
        import_module(name)
    for package in map(import_module, PACKAGES):
        for found in walk_packages(package.__path__, f"{package.__name__}."):
            if "manhole" not in found.name:  # conch's imports the reactor
                import_module(found.name)


def main() -> None:
    window = "window" in sys.argv
    _load(window)
    assert "twisted.internet.reactor" not in sys.modules
    gc.collect()
    gc.freeze()
    order: Any = _take_orders(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = ["listening-post", *order["args"]]
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    if window or order["args"][:1] == ["serve"]:
        import_module("tests.writers").begin()  # she imports this module
    for stream in order["closed"]:
        os.close(stream)
    streams: Any = [again(*each) for each in enumerate((sys.stdin, sys.stdout, sys.stderr))]
    sys.stdin, sys.stdout, sys.stderr = streams
    if order["files"] is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (order["files"], order["files"]))
    run = import_module(order["module"]).main
    try:
        sys.exit(run(sys.argv[1:]) if run.__code__.co_argcount else run())
    except SystemExit as e:
        leave(e.code)
        raise


def leave(code: object) -> None:
    """End as the interpreter does, without taking apart what was loaded: that would copy each page of the mother's.

    Returns where the interpreter has something to say at its end.
    """
    if code is None or isinstance(code, int):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        gc.collect()  # what the run has left: SQLite's connections, say, which tidy up then
        with suppress(OSError, ValueError):
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            _exit((code or 0) & 0xFF)


if __name__ == "__main__":
    main()
