"""The real program on a display: started, clicked, read, and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from PyQt5.QtGui import QImage

from app.capture import errors
from app.capture.filters.language import EVERYTHING
from app.capture.reading.store import Store
from app.events import SERVICE_FAILED, SERVICE_STARTED
from tests.e2e.display import Display, wait_shown
from tests.helpers import ROOT, run, run_bytes, short_folder, wait_for
from tests.preloaded import Run

SHOTS = ROOT / "build" / "e2e"

Place = tuple[int, int]


class Program:
    """``listening-post WORKSPACE`` with folders of its own.

    Args:
        command: starts it by that, with a fresh interpreter, as people do (``command()``); otherwise it is forked
            from a program that is loaded already (``tests.preloaded``).
        scale: pixels of the screen in one of ours, as the desktop has it; ``places`` are those of 1.

    Attributes:
        window: the X window.
        capture: the file it captures into.
    """

    def __init__(
        self,
        display: Display,
        workspace: Path,
        folder: Path,
        *args: str,
        theme: str = "dark",
        scale: str = "",
        command: Sequence[str] = (),
    ) -> None:
        self.display, self.workspace, self.folder = display, workspace, folder
        self.capture = folder / "run.lpost"
        self._held = ExitStack()
        environment = {**display.environment(), **own_folders(folder, self._held.enter_context(short_folder()))}
        environment |= {"QT_SCALE_FACTOR": scale} if scale else {}
        settings = folder / "config" / "listening-post" / "window.ini"
        if not settings.exists():
            settings.parent.mkdir()
            settings.write_text(f"[General]\ntheme={theme}\n")
        self._said = (folder / "said.txt").open("w+b")
        words = [str(workspace), "--capture", str(self.capture), *args]
        self.process = begin(words, self._said, environment, command)
        try:
            self.window = self.wait_window("Listening Post")
            self.places = places(display, workspace)
        except BaseException:
            self.end()
            raise

    # -- its windows

    def wait_window(self, title: str) -> str:
        """The window with this title, as soon as it is shown."""
        found: list[str] = wait_shown(lambda: self._end_early() or self.windows(title), 60)
        return found[0]

    def windows(self, title: str) -> list[str]:
        return self.display.windows(self.process.pid, title)

    def title(self) -> str:
        return self.display.xdotool("getwindowname", self.window)

    def press(self, *keys: str) -> None:
        """Press keys in the main window."""
        self.display.press(self.window, *keys)

    def at(self, name: str) -> Place:
        """Where on the screen is what ``places`` calls so."""
        (left, top, _, _), (x, y) = self.display.place(self.window), self.places[name]
        return left + x, top + y

    def click(self, name: str, **more: int) -> None:
        """Click what ``places`` calls so."""
        self.display.click(*self.at(name), **more)

    def click_row(self, number: int) -> None:
        """Click a row of the log; 0 is the topmost that is visible."""
        x, y = self.at("row")
        self.display.click(x, y + number * (self.places["next row"][1] - self.places["row"][1]))

    def screenshot(self, name: str) -> QImage:
        return self.display.screenshot(SHOTS / f"{name}.png")

    def color(self, name: str) -> str:
        """The colour in the middle of what ``places`` calls so, as ``#rrggbb``."""
        return self.display.color(*self.at(name))

    def copied(self, copy: Callable[[], object], containing: str) -> str:
        """What ``copy`` brings to the clipboard, as soon as it contains that text: what is shown may be on its way."""
        environment = self.display.environment()

        def look() -> str:
            self._end_early()
            copy()
            done = run_bytes(containing, "0.5", window=True, module="tests.e2e.clipboard", environment=environment)
            return done.stdout.decode() if done.returncode == 0 else ""

        found: str = wait_for(look, 60)
        return found

    def rows(self, containing: str) -> list[list[str]]:
        """The cells of all rows of the pane in view, as its own Copy rows gives them, once they contain that text."""
        copied = self.copied(lambda: self.press("ctrl+a", "ctrl+c"), containing)
        return [line.split("\t") for line in copied.splitlines()]

    # -- its capture

    def wait_event(self, wanted: Callable[[Any], bool], count: int = 1, seconds: float = 60) -> None:
        """Wait until so many events for which ``wanted`` holds are in the capture file."""
        wait_for(lambda: self._end_early() or sum(map(wanted, stored(self.capture))) >= count, seconds)

    def wait_up(self, count: int) -> None:
        """Wait until so many services have started or failed."""
        self.wait_event(lambda e: e.kind in (SERVICE_STARTED, SERVICE_FAILED), count)

    def events(self) -> list[dict[str, Any]]:
        return query(self.capture)

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Where each service listens."""
        return {e.service: address(e.host) for e in stored(self.capture) if e.kind == SERVICE_STARTED}

    # -- its end

    def close(self) -> None:
        """Click the close button of its frame."""
        self.display.ask_to_close(self.window)

    def signal(self, how: int) -> None:
        """A signal to all its processes, as a terminal sends it."""
        os.killpg(self.process.pid, how)

    def wait(self, seconds: float = 30.0) -> int:
        """Its exit code, once it has left."""
        return self.process.wait(seconds)

    def said(self) -> str:
        self._said.seek(0)
        return self._said.read().decode()

    def end(self) -> None:
        """Leave nothing of it behind."""
        if self.process.poll() is None:
            self.signal(signal.SIGKILL)
            self.process.wait(10)
        self._said.close()
        self._held.close()

    def _end_early(self) -> None:
        assert self.process.poll() is None, f"it ended: {self.said()}"


def own_folders(folder: Path, runtime: Path) -> dict[str, str]:
    """What has a program keep its files in ``folder``, which are made, and its sockets in ``runtime``."""
    found = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(runtime)}
    for name in ("config", "data", "state", "cache"):
        (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        found[f"XDG_{name.upper()}_HOME"] = str(folder / name)
    return found


@contextmanager
def running(display: Display, workspace: Path, folder: Path, *args: str, **more: Any) -> Iterator[Program]:
    """A ``Program`` that is gone afterwards."""
    program = Program(display, workspace, folder, *args, **more)
    try:
        yield program
    finally:
        program.end()


def begin(
    args: Sequence[str], said: IO[bytes], environment: Mapping[str, str], command: Sequence[str] = ()
) -> subprocess.Popen[bytes] | Run:
    """Start the program on a display, by ``command`` or forked. What it says goes to a file."""
    if command:
        return subprocess.Popen(
            [*command, *args], cwd=ROOT, env=environment, stdout=said, stderr=said, start_new_session=True
        )
    with open(os.devnull, "rb") as nothing:
        streams = nothing.fileno(), said.fileno(), said.fileno()
        return Run(args, *streams, session=True, window=True, environment=environment)


def command() -> list[str]:
    """What people start the window with."""
    script = Path(sys.executable).with_name("listening-post")
    return [str(script)] if script.exists() else [sys.executable, "-m", "ui.entry"]


def query(capture: Path, *args: str) -> list[dict[str, Any]]:
    """What ``listening-post query --json`` prints, with the payloads as bytes."""
    done = run("query", capture, *args, "--json")
    done.check_returncode()
    events = [json.loads(line) for line in done.stdout.splitlines()]
    for event in events:
        event["payload"] = None if event["payload"] is None else b64decode(event["payload"])
    return events


def stored(capture: Path) -> list[Any]:
    """All events of a file that is being written, none while its tables are not there; for waiting only."""
    try:
        store = Store(capture)
    except (errors.CaptureMissingError, errors.NotACaptureError):
        return []
    try:
        return list(store.events(EVERYTHING, *store.range()))
    finally:
        store.close()


def payload(events: list[dict[str, Any]], kind: str, **where: object) -> bytes:
    """All bytes of one kind of event, joined."""
    return b"".join(e["payload"] for e in chosen(events, kind, **where))


def chosen(events: list[dict[str, Any]], kind: str, **where: object) -> list[dict[str, Any]]:
    return [e for e in events if e["kind"] == kind and all(e[key] == value for key, value in where.items())]


def address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


_places: dict[tuple[str, str], dict[str, Place]] = {}


def places(display: Display, workspace: Path) -> dict[str, Place]:
    """Where to click in the window of a workspace; see ``tests.e2e.twin``."""
    key = display.name, workspace.read_text()
    if key not in _places:
        environment = display.environment()
        done = run_bytes(str(workspace), window=True, module="tests.e2e.twin", environment=environment)
        done.check_returncode()
        _places[key] = {name: (x, y) for name, (x, y) in json.loads(done.stdout).items()}
    return _places[key]
