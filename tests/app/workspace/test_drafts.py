"""Drafts: unsaved changes in the data folder."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.services.config import ServiceConfig
from app.workspace.drafts import DraftFile, Origin, left_behind
from app.workspace.message import Message
from app.workspace.reading import Workspace
from tests.helpers import ROOT

STATE = Workspace(
    (
        ServiceConfig("a", "tcp", "127.0.0.1", 9007, "echo"),
        ServiceConfig("b", "http", "::1", 9080, "mock", options={"rules": [{"path": "/x", "status": 201}]}),
    ),
    messages=(Message("m", "tcp://127.0.0.1:9007", data="ä\n", fields=[]),),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "drafts"


NEW = Origin(None, "New workspace")


def leave(folder: Path, origin: Origin = NEW) -> Path:
    draft = DraftFile(folder)
    draft.write(STATE, origin)
    draft.leave()
    [*_, path] = sorted(folder.glob("*.toml"), key=lambda path: path.stat().st_mtime_ns)
    return path


def test_what_was_written_is_found_with_what_it_is_of(folder: Path, tmp_path: Path) -> None:
    origin = Origin(tmp_path / "dësk.toml", "dësk.toml", tmp_path)
    path = leave(folder, origin=origin)
    [left] = left_behind(folder)
    assert (left.path, left.origin, left.written) == (path, origin, path.stat().st_mtime)
    assert left.read() == (STATE, [])
    left.remove()
    assert list(folder.iterdir()) == []


def test_only_the_user_can_read_it(folder: Path) -> None:
    leave(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_it_is_a_workspace_that_can_be_opened_by_hand(folder: Path) -> None:
    text = leave(folder).read_text("utf-8")
    assert text.startswith('# Unsaved changes of {"title": "New workspace", "path": null')
    assert "version = 1" in text


def test_what_else_lies_there_hides_none(folder: Path) -> None:
    path = leave(folder)
    (folder / "nowhere.toml").symlink_to(folder / "gone")
    os.mkfifo(folder / "pipe.toml")  # to read it would wait for ever
    (folder / "half.toml").write_text('# Unsaved changes of {"path": "/\\ud800/x", "title": 5}\n')
    found = {left.path.name: left for left in left_behind(folder)}
    assert set(found) == {path.name, "half.toml"}
    assert found["half.toml"].origin == Origin(None, "")
    for left in found.values():
        left.let_go()


def test_one_that_is_written_is_not_found(folder: Path) -> None:
    draft = DraftFile(folder)
    draft.write(STATE, Origin(None, "x"))
    assert left_behind(folder) == []
    draft.write(Workspace(), Origin(None, "x"))
    assert len(list(folder.glob("*.toml"))) == 1
    draft.remove()
    assert list(folder.iterdir()) == []
    draft.remove()


def test_what_one_start_offers_no_other_does_until_it_is_let_go(folder: Path) -> None:
    leave(folder)
    [left] = left_behind(folder)
    assert left_behind(folder) == []
    left.let_go()
    [again] = left_behind(folder)
    again.let_go()


def test_a_program_that_is_killed_leaves_it_behind(folder: Path) -> None:
    program = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from app.workspace.drafts import DraftFile, Origin\n"
        "from app.workspace.reading import Workspace\n"
        "DraftFile(Path(sys.argv[1])).write(Workspace(), Origin(None, 'killed'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(folder)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    [left] = left_behind(folder)
    assert left.origin.title == "killed"
    left.let_go()


def test_the_newest_comes_first_and_what_cannot_be_read_is_left_alone(folder: Path) -> None:
    old = leave(folder, origin=Origin(None, "old"))
    os.utime(old, (1000, 1000))
    leave(folder, origin=Origin(None, "new"))
    (folder / "broken.toml").write_bytes(b"\xff\xfe")
    (folder / "folder.toml").mkdir()
    found = left_behind(folder)
    assert [left.origin.title for left in found] == ["new", "old"]
    for left in found:
        left.let_go()


def test_without_the_folder_there_are_none(folder: Path) -> None:
    assert left_behind(folder) == []


@pytest.mark.parametrize(
    "told", ["", "no json", "[1]", '{"path": 7}', '{"path": "relative.toml"}', '{"path": "/a\\u0000b"}', "[" * 9999]
)
def test_a_first_line_that_says_nothing_is_that_of_no_file(folder: Path, told: str) -> None:
    path = leave(folder)
    path.write_text(f"# Unsaved changes of {told}\nversion = 1\n", "utf-8")
    [left] = left_behind(folder)
    assert left.origin == Origin(None, "")
    left.let_go()


def test_what_is_wrong_in_one_is_told(folder: Path) -> None:
    path = leave(folder)
    path.write_text(path.read_text("utf-8").replace('"echo"', '"gone"'), "utf-8")
    [left] = left_behind(folder)
    state, problems = left.read()
    assert [service.name for service in state.services] == ["b"]
    assert "gone" in str(problems[0])
    left.let_go()


def test_a_path_that_is_no_text_survives(folder: Path) -> None:
    odd = Path(os.fsdecode(b"/w/\xff.toml"))
    leave(folder, origin=Origin(odd, "odd"))
    [left] = left_behind(folder)
    assert left.origin.path == odd
    assert json.dumps(str(odd)) in left.text
    left.let_go()
