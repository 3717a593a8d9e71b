"""app.files.newest: what else lies there hides nothing and blocks nothing."""

from __future__ import annotations

import os
from pathlib import Path

from app.files.newest import newest


def test_finds_regular_files_and_the_newest_first(tmp_path: Path) -> None:
    for name, time in (("old.x", 1), ("new.x", 3), ("middle.x", 2), ("other.y", 4)):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (time, time))
    (tmp_path / "leads nowhere.x").symlink_to(tmp_path / "gone")
    (tmp_path / "leads to itself.x").symlink_to(tmp_path / "leads to itself.x")
    (tmp_path / "leads on.x").symlink_to(tmp_path / "other.y")
    (tmp_path / "folder.x").mkdir()
    os.mkfifo(tmp_path / "pipe.x")
    assert [path.name for path in newest(tmp_path, "*.x")] == ["new.x", "middle.x", "old.x"]


def test_a_folder_that_is_none_has_none(tmp_path: Path) -> None:
    assert newest(tmp_path / "gone", "*") == []
    (tmp_path / "file").write_text("")
    assert newest(tmp_path / "file", "*") == []
