"""Fixtures: folders for plugins, and the table of plugins, which is emptied after each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.plugin_loader import table
from app.plugin_loader.table import Table


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder, of this test alone."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setattr(table, "data_folder", lambda: folder)
    return folder


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """The folder of plugins beside the workspace."""
    folder = tmp_path / "home" / "plugins"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def plugins(data: Path) -> Iterator[Table]:
    """The process's table of plugins."""
    made = table.TABLE
    made.enter(None)
    yield made
    made.trust.everything = False
    for folder in (data / "plugins", data.parent / "home" / "plugins"):
        shutil.rmtree(folder, ignore_errors=True)
    made.enter(None)


SHOUT = """
from app.plugin import responder

@responder("shout")
def shout(data):
    return data.upper()
"""


@pytest.fixture
def shout(beside: Path) -> Callable[..., Path]:
    """Writes ``shout.py``."""

    def write(source: str = SHOUT, folder: Path = beside, name: str = "shout.py") -> Path:
        folder.mkdir(exist_ok=True)
        spare = folder / "new"
        spare.write_text(source)
        spare.rename(folder / name)  # as editors do
        return folder / name

    return write
