"""A second start hands its file to the window that is open, and ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from socket import create_connection, socket

import pytest

from tests.e2e.display import Display
from tests.e2e.program import _command, own_folders
from tests.e2e.workspaces import ECHO
from tests.helpers import ROOT, short_folder, wait_for

TITLE = "Listening Post"


class Desk:
    """Starts of one user on one screen."""

    def __init__(self, display: Display, folder: Path, runtime: Path) -> None:
        self.display, self.folder, self.runtime = display, folder, runtime
        self.started: list[subprocess.Popen[str]] = []
        self.environment = {**display.environment(), **own_folders(folder, runtime)}
        for name in ("first", "second"):
            (folder / f"{name}.toml").write_text(ECHO.replace("tcp-echo", name))

    def start(self, *args: str) -> subprocess.Popen[str]:
        command = [*_command(), *args]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.started.append(process)
        return process

    def path(self, name: str) -> str:
        return str(self.folder / f"{name}.toml")

    def shown(self, process: subprocess.Popen[str], title: str = TITLE) -> str:
        """Its window with that title, as soon as there is one."""

        def look() -> list[str]:
            assert process.poll() is None, process.communicate()[0]
            return self.display.windows(process.pid, title)

        found: list[str] = wait_for(look, 60)
        return found[0]

    def leave(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


@pytest.fixture
def desk(display: Display, tmp_path: Path) -> Iterator[Desk]:
    with short_folder() as runtime:
        made = Desk(display, tmp_path, runtime)
        yield made
        made.leave()


def test_a_file_of_a_second_start_opens_in_the_window_of_the_first(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    window = desk.shown(first, "first.toml")
    second = desk.start(desk.path("second"))
    said, _ = second.communicate(timeout=60)
    assert (second.returncode, said) == (0, "")
    assert desk.shown(first, "second.toml") == window
    assert desk.display.windows(first.pid, "first.toml") == []


def test_the_file_that_is_open_is_not_opened_again_by_any_path(desk: Desk) -> None:
    path, link = Path(desk.path("first")), desk.folder / "link.toml"
    link.symlink_to(path.name)
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    path.write_text(path.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    desk.shown(desk.start(desk.path("first"), "--start"), "first.toml")

    def connected() -> socket | None:
        with suppress(ConnectionRefusedError):
            return create_connection(("127.0.0.1", port))
        return None

    with closing(wait_for(connected)) as client:
        for name in (path, link, os.path.relpath(path, ROOT)):
            assert desk.start(str(name)).wait(60) == 0
            client.sendall(b"still here")
            assert client.recv(100) == b"still here"


def test_a_relative_path_is_that_of_the_second_starts_folder(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    assert desk.start(os.path.relpath(desk.path("second"), ROOT)).wait(60) == 0
    desk.shown(first, "second.toml")


def test_what_is_wrong_with_the_file_is_said_by_the_second_start(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    Path(desk.path("second")).write_text("version = 9")
    second = desk.start(desk.path("second"))
    said, _ = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "version" in said
    desk.shown(first, "first.toml")


@pytest.mark.parametrize("flag", [("--separate",), ("--capture", "own.lpost")])
def test_a_separate_window_and_a_capture_of_its_own_are_windows_of_their_own(desk: Desk, flag: tuple[str, ...]) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    flags = [str(desk.folder / one) if one.endswith(".lpost") else one for one in flag]
    second = desk.start(desk.path("second"), *flags)
    desk.shown(second, "second.toml")
    desk.shown(first, "first.toml")


def test_after_a_crash_the_next_start_opens_a_window_that_takes_files_again(desk: Desk) -> None:
    crashed = desk.start(desk.path("first"))
    desk.shown(crashed, "first.toml")
    crashed.kill()
    crashed.wait()
    assert list(desk.runtime.rglob("window-*"))
    following = desk.start(desk.path("first"))
    desk.shown(following, "first.toml")
    assert desk.start(desk.path("second")).wait(60) == 0
    desk.shown(following, "second.toml")


def test_commands_without_a_screen_are_not_handed_over(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    said, _ = desk.start("check", desk.path("second")).communicate(timeout=60)
    assert "1 service, nothing wrong" in said


def test_the_first_start_offers_a_new_service_by_its_key(desk: Desk) -> None:
    first = desk.start()
    window = desk.shown(first, "Demo")
    desk.display.press(window, "ctrl+n")
    dialog = desk.shown(first, "New service")
    desk.display.press(dialog, "Escape")
    wait_for(lambda: not desk.display.windows(first.pid, "New service"))
    desk.display.press(window, "ctrl+q")
    assert first.wait(30) == 0
