"""Without epoll, as on Windows and macOS, the window runs on stock qt5reactor."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.clients import socat
from tests.e2e.conftest import Start
from tests.e2e.program import Program, command
from tests.e2e.workspaces import DESK
from tests.helpers import open_files


@pytest.fixture
def no_epoll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python processes that are started from now on have no ``select.epoll``."""
    folder = tmp_path / "no-epoll"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import select\ndel select.epoll\n")
    monkeypatch.setenv("PYTHONPATH", str(folder))


def has_epoll(program: Program) -> bool:
    """Whether the process has an epoll set open."""
    return any("eventpoll" in name for name in open_files(program.process.pid))


@pytest.mark.usefixtures("no_epoll")
def test_the_window_serves_and_leaves_on_stock_qt5reactor(start: Start) -> None:
    program = start(DESK, "--start", command=command())
    program.wait_up(5)
    assert not has_epoll(program)
    assert socat("TCP", program.addresses()["tcp-echo"], b"hello") == b"hello"
    program.close()
    assert program.wait() == 0, program.said()
    assert [e["payload"] for e in program.events() if e["kind"] == "data.sent"] == [b"hello"]


def test_with_epoll_it_has_a_set_of_its_own(start: Start) -> None:
    assert has_epoll(start(DESK, command=command()))
