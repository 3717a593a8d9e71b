"""A second start hands its file to the window that is open, and ends."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from socket import create_connection, socket
from tempfile import TemporaryFile

import pytest

from tests.e2e.display import Display, wait_shown
from tests.e2e.program import begin, command, own_folders
from tests.e2e.workspaces import ECHO
from tests.helpers import ROOT, short_folder, wait_for

TITLE = "Listening Post"


class Started:
    """One start, by ``command`` as people do it, or forked from what is loaded already."""

    def __init__(self, args: Sequence[str], environment: Mapping[str, str], command: Sequence[str]) -> None:
        self._said = TemporaryFile()  # noqa: SIM115
        self.process = begin(args, self._said, environment, command)

    def wait(self) -> tuple[int, str]:
        """Its exit code and what it said, once it has left."""
        return self.process.wait(60), self.said()

    def said(self) -> str:
        self._said.seek(0)
        return self._said.read().decode()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(60)

    def end(self) -> None:
        if self.process.poll() is None:
            self.kill()
        self._said.close()


class Desk:
    """Starts of one user on one screen."""

    def __init__(self, display: Display, folder: Path, runtime: Path) -> None:
        self.display, self.folder, self.runtime = display, folder, runtime
        self.started: list[Started] = []
        self.environment = {**display.environment(), **own_folders(folder, runtime)}
        for name in ("first", "second"):
            (folder / f"{name}.toml").write_text(ECHO.replace("tcp-echo", name))

    def start(self, *args: str, command: Sequence[str] = ()) -> Started:
        self.started.append(Started(args, self.environment, command))
        return self.started[-1]

    def path(self, name: str) -> str:
        return str(self.folder / f"{name}.toml")

    def shown(self, started: Started, title: str = TITLE) -> str:
        """Its window with that title, as soon as there is one."""

        def look() -> list[str]:
            assert started.process.poll() is None, started.said()
            return self.display.windows(started.process.pid, title)

        found: list[str] = wait_shown(look, 60)
        return found[0]

    def leave(self) -> None:
        for started in self.started:
            started.end()


@pytest.fixture
def desk(display: Display, tmp_path: Path) -> Iterator[Desk]:
    with short_folder() as runtime:
        made = Desk(display, tmp_path, runtime)
        yield made
        made.leave()


def test_a_file_of_a_second_start_opens_in_the_window_of_the_first(desk: Desk) -> None:
    first = desk.start(desk.path("first"), command=command())
    window = desk.shown(first, "first.toml")
    assert desk.start(desk.path("second"), command=command()).wait() == (0, "")
    assert desk.shown(first, "second.toml") == window
    assert desk.display.windows(first.process.pid, "first.toml") == []


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
            assert desk.start(str(name)).wait() == (0, "")
            client.sendall(b"still here")
            assert client.recv(100) == b"still here"


def test_a_relative_path_is_that_of_the_second_starts_folder(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    assert desk.start(os.path.relpath(desk.path("second"), ROOT)).wait() == (0, "")
    desk.shown(first, "second.toml")


def test_what_is_wrong_with_the_file_is_said_by_the_second_start(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    Path(desk.path("second")).write_text("version = 9")
    code, said = desk.start(desk.path("second")).wait()
    assert code == 1
    assert "version" in said
    desk.shown(first, "first.toml")


@pytest.mark.parametrize("flag", [("--separate",), ("--capture", "own.lpost")])
def test_a_separate_window_and_a_capture_of_its_own_are_windows_of_their_own(desk: Desk, flag: tuple[str, ...]) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    flags = [str(desk.folder / one) if one.endswith(".lpost") else one for one in flag]
    second = desk.start(desk.path("second"), *flags)
    desk.shown(second, "second.toml")
    assert desk.start(desk.path("first")).wait() == (0, "")  # later starts are the first one's
    assert desk.display.windows(second.process.pid, "first.toml") == []
    desk.shown(first, "first.toml")


def test_a_window_with_a_capture_of_its_own_takes_files_where_it_is_the_only_one(desk: Desk) -> None:
    only = desk.start(desk.path("first"), "--capture", str(desk.folder / "own.lpost"))
    window = desk.shown(only, "first.toml")
    assert desk.start(desk.path("first")).wait() == (0, "")
    assert desk.start(desk.path("second")).wait() == (0, "")
    assert desk.shown(only, "second.toml") == window


def test_after_a_crash_the_next_start_opens_a_window_that_takes_files_again(desk: Desk) -> None:
    crashed = desk.start(desk.path("first"))
    desk.shown(crashed, "first.toml")
    crashed.kill()
    assert list(desk.runtime.rglob("window-*"))
    following = desk.start(desk.path("first"))
    desk.shown(following, "first.toml")
    assert desk.start(desk.path("second")).wait() == (0, "")
    desk.shown(following, "second.toml")


def test_commands_without_a_screen_are_not_handed_over(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    desk.shown(first, "first.toml")
    _, said = desk.start("check", desk.path("second")).wait()
    assert "1 service, nothing wrong" in said


def test_the_first_start_offers_a_new_service_by_its_key(desk: Desk) -> None:
    first = desk.start()
    window = desk.shown(first, "Demo")
    desk.display.press(window, "ctrl+n")
    dialog = desk.shown(first, "New service")
    desk.display.press(dialog, "Escape")
    wait_shown(lambda: not desk.display.windows(first.process.pid, "New service"))
    desk.display.press(window, "ctrl+q")
    assert first.wait()[0] == 0


def test_a_second_start_brings_the_window_of_the_first_to_the_front_also_when_it_is_minimized(desk: Desk) -> None:
    first = desk.start(desk.path("first"))
    window = desk.shown(first, "first.toml")
    other = desk.shown(desk.start(desk.path("second"), "--separate"), "second.toml")
    wait_shown(lambda: desk.display.active() == other)
    assert desk.start(desk.path("first")).wait() == (0, "")
    wait_shown(lambda: desk.display.active() == window)
    desk.display.xdotool("windowminimize", window)
    wait_shown(lambda: desk.display.active() == other)
    assert desk.start(desk.path("first")).wait() == (0, "")
    wait_shown(lambda: desk.display.active() == window)
    assert desk.display.windows(first.process.pid, "first.toml") == [window]
