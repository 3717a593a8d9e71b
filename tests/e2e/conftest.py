"""Fixtures: the display, and programs on it that are ended after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.display import Display
from tests.e2e.display import display as open_display
from tests.e2e.program import Program, running

Start = Callable[..., Program]


@pytest.fixture(scope="session")
def display() -> Iterator[Display]:
    """An Xvfb with a window manager for the whole test run."""
    with open_display(managed=True) as opened:
        yield opened


@pytest.fixture
def start(display: Display, tmp_path: Path) -> Iterator[Start]:
    """A function that starts the program with a workspace's text and arguments, and waits for its window.

    What it takes by name goes to ``Program``.
    """
    with ExitStack() as stack:

        def begin(text: str, *args: str, **more: Any) -> Program:
            workspace = tmp_path / "desk.toml"
            workspace.write_text(text)
            return stack.enter_context(running(display, workspace, tmp_path, *args, **more))

        yield begin


@pytest.fixture(scope="module")
def desk(display: Display, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Program]]:
    """A function that starts a program with a workspace's text, and waits for its services. It runs for
    all tests of a module."""
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
