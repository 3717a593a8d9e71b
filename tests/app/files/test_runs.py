"""Runs of the program that did not end in order."""

from __future__ import annotations

import os
from pathlib import Path

from app.files.runs import Run


def killed(folder: Path) -> None:
    """A run that ends without a word."""
    run = Run(folder)
    run.begin()
    assert run._lock is not None
    run._lock.release()  # as the system does


def test_a_run_that_ended_in_order_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        run = Run(tmp_path / "runs")
        assert run.begin() is None
        run.end()
    assert os.listdir(tmp_path / "runs") == []


def test_one_that_was_killed_is_told_once(tmp_path: Path) -> None:
    killed(tmp_path)
    killed(tmp_path)
    first, second = Run(tmp_path), Run(tmp_path)
    assert first.begin() is not None
    assert second.begin() is None  # the first one still runs
    first.end()
    second.end()
    assert os.listdir(tmp_path) == []


def test_where_nothing_can_be_written_nothing_is_known(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = Run(tmp_path / "file")
    assert run.begin() is None
    run.end()
