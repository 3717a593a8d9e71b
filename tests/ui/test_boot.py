"""How the window is started: which workspace it opens, and how it ends. The rest is in tests/e2e."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from twisted.internet.task import Clock

from app.workspace import errors
from app.workspace.reading import Workspace
from app.workspace.saving import save
from tests.ui.desk import config, memory_post
from ui import boot
from ui.reactor import EpollQtReactor
from ui.settings import Settings
from ui.window.workspace_files import demo, demo_file


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(tmp_path / "window.ini")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    save(Workspace((config("mine"),)), path)
    return path


def names(opened: Workspace) -> list[str]:
    return [service.name for service in opened.services]


def test_the_first_start_opens_the_demo(settings: Settings) -> None:
    assert boot._choose(None, settings) == (demo(), "Demo", "")


def test_the_next_one_opens_the_last_workspace(settings: Settings, file: Path) -> None:
    settings.add_recent(file)
    opened, title, notice = boot._choose(None, settings)
    assert (names(opened), opened.path, title, notice) == (["mine"], file, "mine.toml", "")


def test_a_workspace_that_is_named_comes_before_the_last(settings: Settings, file: Path, tmp_path: Path) -> None:
    settings.add_recent(tmp_path / "other.toml")
    opened, title, _ = boot._choose(file, settings)
    assert (names(opened), title) == (["mine"], "mine.toml")


def test_the_demos_own_file_opens_as_a_template(settings: Settings) -> None:
    assert boot._choose(demo_file(), settings) == (demo(), "Demo", "")


@pytest.mark.parametrize("content", [None, "version = 9", b"\xff\xfe"])
def test_a_last_workspace_that_cannot_be_opened_is_told_and_the_demo_comes(
    settings: Settings, file: Path, content: str | bytes | None
) -> None:
    settings.add_recent(file)
    file.unlink()
    if content is not None:
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    opened, title, notice = boot._choose(None, settings)
    assert (names(opened), title) == (names(demo()), "Demo")
    assert notice.startswith("mine.toml could not be opened, so the demo was opened instead.")


@pytest.mark.parametrize("content", [None, "version = 9"])
def test_one_that_is_named_and_wrong_is_an_error_before_anything_is_shown(
    file: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for step in ("_application", "choose_reactor"):  # there are both in this process
        monkeypatch.setattr(boot, step, lambda *_: None)
    file.unlink()
    if content is not None:
        file.write_text(content)
    with pytest.raises((errors.WorkspaceError, errors.WorkspaceUnreadableError)):
        boot.run(file, None, start=False)


class Stopping(Clock):
    """A reactor that counts how often it is stopped."""

    def __init__(self, running: bool) -> None:
        super().__init__()
        self.running, self.stops = running, 0

    def stop(self) -> None:
        self.stops += 1


@pytest.mark.parametrize(("running", "stops"), [(True, 1), (False, 0)])
def test_the_reactor_is_stopped_in_its_next_turn_if_it_still_runs(running: bool, stops: int) -> None:
    reactor = Stopping(running)
    boot._stop(reactor)
    assert reactor.stops == 0
    reactor.advance(0)
    assert reactor.stops == stops


@pytest.fixture
def open_post(tmp_path: Path) -> Iterator[object]:
    post, reactor = memory_post(config())

    class Link:
        path = tmp_path / "none.lpost"

    post.capturing._link = Link()  # type: ignore[assignment]
    reactor.callFromThread = lambda call, *args: call(*args)  # type: ignore[method-assign]
    return post, reactor


def test_window_and_reader_are_for_the_capture_of_the_post(
    open_post: tuple[object, object], settings: Settings, qtbot: QtBot
) -> None:
    post, reactor = open_post
    window, reader = boot._window(reactor, post, settings, Workspace((config(),)), "mine.toml")  # type: ignore[arg-type]
    qtbot.addWidget(window)
    assert "mine.toml" in window.windowTitle()
    assert window.services.names() == ["echo"]
    assert reader.path == post.capture
    window.bridge.close()
    reader.close()


def test_the_reactor_of_the_tests_is_the_programs() -> None:
    from twisted.internet import reactor

    assert isinstance(reactor, EpollQtReactor)
