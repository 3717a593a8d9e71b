"""The program to measure, with its window on the benchmark's display, and the reference servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app import events
from app.capture import errors
from app.capture.filters.language import of_kind
from app.capture.reading.store import Store
from tests.benchmarks import display, procs

WORKSPACE = "version = 1\n" + "".join(
    f'\n[[service]]\nname = "{name}"\nprotocol = "{protocol}"\nlisten = "127.0.0.1:0"\nresponder = "{responder}"\n'
    for name, protocol, responder in (
        ("tcp-echo", "tcp", "echo"),
        ("udp-echo", "udp", "echo"),
        ("http-inspector", "http", "inspector"),
        ("ws-echo", "websocket", "echo"),
    )
)
"""The demo's services, on free ports."""

STARTED_AND_STOPPED = 8
"""Events of four services that start and stop."""


def environment(folder: Path, screen: str) -> dict[str, str]:
    """An environment with folders of its own, so that the user's settings and captures are not touched."""
    own = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700, exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if key != "QT_QPA_PLATFORM"}
    return {**kept, **own, "XDG_RUNTIME_DIR": str(runtime), "DISPLAY": screen}


def workspace(folder: Path, services: str = WORKSPACE) -> Path:
    path = folder / "bench.toml"
    path.write_text(services)
    return path


def executable() -> list[str]:
    """The installed command, if it exists; otherwise the module."""
    script = Path(sys.executable).with_name("listening-post")
    return [str(script)] if script.exists() else [sys.executable, "-m", "ui.entry"]


@dataclass
class Program:
    """One run of the program, with one capture.

    Attributes:
        addresses: the address of each service, by its name.
    """

    screen: str
    folder: Path
    capture: Path
    start: bool = True
    command: list[str] | None = None
    services: str = WORKSPACE
    addresses: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Program:
        command = self.command or executable()
        more = [
            str(workspace(self.folder, self.services)),
            "--capture",
            str(self.capture),
            *(["--start"] if self.start else []),
        ]
        self._process = subprocess.Popen(
            [*command, *more], cwd=procs.ROOT, env=environment(self.folder, self.screen), stdin=subprocess.DEVNULL
        )
        try:
            if self.start:
                procs.until(self._listening, 20, "the services did not start", 0.1)
            display.find_window(self.screen, self.pid)
        except BaseException:
            procs.end(self._process)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.code = procs.end(self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def writer(self) -> int:
        """The writer's process id."""
        return procs.children(self.pid)[0]

    def _listening(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"the program ended with {self._process.returncode}")
        try:
            store = Store(self.capture)
        except errors.CaptureError:
            return False
        try:
            started = store.events(of_kind(events.SERVICE_STARTED), *store.range())
            self.addresses = {event.service: event.host or "" for event in started}
        finally:
            store.close()
        return len(self.addresses) == self.services.count("[[service]]")

    def settle(self) -> None:
        """Wait until all events are stored and shown."""
        procs.settle(self.pid, self.writer)

    def leave(self) -> int:
        """Terminate the program by SIGTERM. Returns its exit code."""
        self._process.terminate()
        return self._process.wait(60)

    def kill(self) -> None:
        """Kill the main process, and wait until the writer has stored the events that it has."""
        writer = self.writer
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        procs.until(lambda: not Path(f"/proc/{writer}").exists(), 20, "the writer did not end")


def query(capture: Path, *arguments: str) -> int:
    """The number that ``listening-post query --count`` prints."""
    command = [*executable(), "query", str(capture), *arguments, "--count"]
    return int(subprocess.run(command, cwd=procs.ROOT, capture_output=True, text=True, check=True).stdout)


def count(capture: Path, kind: int) -> int:
    """The number of events of one kind."""
    store = Store(capture)
    try:
        return store.count(of_kind(kind))
    finally:
        store.close()


def check(capture: Path, expected: int, what: str) -> tuple[bool, str]:
    """Whether the capture has exactly this many events, and a line for the report."""
    stored = query(capture)
    if stored == expected:
        return True, f"capture: {stored:,} events stored = {what}; none lost"
    return False, f"capture: {stored:,} events stored, expected {expected:,} ({what}): {expected - stored:+,} missing"


class Plain:
    """A reference server that runs while the block does.

    Attributes:
        addresses: of ``tcp``, ``udp`` and ``http``.
        report: the JSON object that it printed at its end.
    """

    def __init__(self, reactor: str, *options: str) -> None:
        self._arguments = ["plain", reactor, *options]
        self.report: dict[str, Any] = {}

    def __enter__(self) -> Plain:
        self._process = procs.start(self._arguments)
        self.addresses: dict[str, str] = procs.answer(self._process)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self.report = procs.answer(self._process)
        procs.end(self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def settle(self) -> None:
        procs.settle(self.pid)


def pause() -> None:
    """Wait between two runs, until sockets are closed and caches are written."""
    time.sleep(0.2)
