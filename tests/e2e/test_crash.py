"""Unsaved changes survive the end of the real program, however it ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from app.workspace.reading import load
from tests.e2e.conftest import Start
from tests.e2e.display import wait_shown
from tests.e2e.program import Program
from tests.e2e.workspaces import ECHO
from tests.helpers import wait_for


def drafts(program: Program) -> list[Path]:
    return list((program.folder / "data" / "listening-post" / "drafts").glob("*.toml"))


def duplicate(program: Program) -> None:
    """Add a copy of the service, and wait until the draft has it."""
    program.press("ctrl+d")
    wait_shown(lambda: "* - Listening Post" in program.title())
    wait_for(lambda: any('"tcp-echo-2"' in path.read_text() for path in drafts(program)), 60)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_not_saved_is_restored_by_the_next_start(start: Start, how: int) -> None:
    first = start(ECHO)
    duplicate(first)
    first.signal(how)
    first.wait()
    assert len(load(first.workspace).services) == 1
    second = start(ECHO)
    wait_for(lambda: len(drafts(second)) == 1)
    wait_shown(lambda: second.press("alt+r") or "* - Listening Post" in second.title(), 60)
    second.screenshot(f"restored after {signal.Signals(how).name}")
    second.press("ctrl+s")
    wait_for(lambda: [service.name for service in load(second.workspace).services] == ["tcp-echo", "tcp-echo-2"])
    wait_for(lambda: drafts(second) == [])


def test_another_window_does_not_offer_what_is_not_left_behind(start: Start) -> None:
    first = start(ECHO)
    duplicate(first)
    second = start(ECHO, "--separate")
    second.press("alt+r")
    second.press("ctrl+q")
    assert second.wait() == 0
    assert len(drafts(first)) == 1
