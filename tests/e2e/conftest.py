"""The screen, and programs on it that are gone after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.display import Display
from tests.e2e.display import display as open_display
from tests.e2e.program import Program, running

Start = Callable[..., Program]


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    """An Xvfb for this run."""
    with open_display() as opened:
        yield opened


@pytest.fixture
def start(display: Display, tmp_path: Path) -> Iterator[Start]:
    """Call it with a workspace's text and arguments: the program, its window shown."""
    with ExitStack() as stack:

        def begin(text: str, *args: str) -> Program:
            workspace = tmp_path / "desk.toml"
            workspace.write_text(text)
            return stack.enter_context(running(display, workspace, tmp_path, *args))

        yield begin


@pytest.fixture(scope="module")
def desk(display: Display, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Program]]:
    """Call it with a workspace's text: a program with all its services up, one for all tests of a module."""
    programs: dict[str, Program] = {}
    with ExitStack() as stack:

        def begin(text: str) -> Program:
            if text not in programs:
                folder = tmp_path_factory.mktemp("desk")
                workspace = folder / "desk.toml"
                workspace.write_text(text)
                programs[text] = stack.enter_context(running(display, workspace, folder, "--start"))
                programs[text].wait_up(text.count("[[service]]"))
            return programs[text]

        yield begin
