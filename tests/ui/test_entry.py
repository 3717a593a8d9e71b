"""The start of the program, and its end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.helpers import ROOT

RUN = """
import atexit
import ui.boot
from ui import entry

def run(*args):
    atexit.register(print, "registered by the window")
    {end}

ui.boot.run = run
atexit.register(print, "registered before the window")
raise SystemExit(entry._window(None, None, False, False))
"""


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        ("return 3", 3, ["registered by the window"]),
        ("raise SystemExit(4)", 4, ["registered by the window", "registered before the window"]),
    ],
    ids=["the window ends", "there was no window"],
)
def test_what_pyqt_does_at_exit_is_left_out_after_a_window(end: str, code: int, said: list[str]) -> None:
    """PyQt5's own function at exit ended 2 of 100 processes with SIGSEGV; what the window registered runs."""
    run = subprocess.run(
        [sys.executable, "-c", RUN.format(end=end)], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert run.stdout.splitlines() == said
    assert run.returncode == code
