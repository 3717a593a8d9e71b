"""Captures as files, with the real program: after a crash, and with the user's notes on rows."""

from __future__ import annotations

from pathlib import Path

from app.events import CONNECTION_CLOSED, NOTE
from tests.app.capture.keeping.test_retention import kill
from tests.e2e.clients import socat
from tests.e2e.conftest import Start
from tests.e2e.display import wait_shown
from tests.e2e.program import stored
from tests.e2e.workspaces import ECHO


def test_what_a_crash_left_is_offered_at_the_start_and_opens(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "listening-post" / "captures"
    kill(folder / "2026-11-20 10.00.00.lpost")
    program = start(ECHO)
    # It is looked for in a thread: until it is offered, these keys are nobody's.
    wait_shown(lambda: program.press("alt+i") or program.windows("2026-11-20 10.00.00.lpost"), 60)
    program.press("ctrl+q")
    assert program.wait() == 0, program.said()


def test_a_note_on_a_row_is_an_event_of_the_capture(start: Start) -> None:
    program = start(ECHO, "--start")
    program.wait_up(1)
    socat("TCP", program.addresses()["tcp-echo"], b"hello\n")
    program.wait_event(lambda e: e.kind == CONNECTION_CLOSED)
    program.rows("hello")
    program.click_row(0)
    program.press("ctrl+i")
    dialog = program.wait_window("Note")
    program.display.type(dialog, "ask Mara")
    program.display.press(dialog, "Return")
    program.wait_event(lambda e: e.kind == NOTE)
    [note] = [e for e in stored(program.capture) if e.kind == NOTE]
    [noted] = [e for e in stored(program.capture) if e.note is not None]
    assert (note.detail["event"], noted.note.text) == (noted.id, "ask Mara")
