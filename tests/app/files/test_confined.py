"""Files that a workspace names: files outside of its folder are not read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from app.files.confined import inside, read, regular
from app.files.errors import OutsideFolderError, UnreadableFileError
from tests.helpers import open_files


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "b/../../a", "a\0", "loop/x", "beside"])
def test_what_is_not_in_the_folder_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "in-beside").mkdir()
    (folder / "beside").symlink_to(tmp_path / "in-beside")
    (folder / "loop").symlink_to(folder / "loop")
    with pytest.raises(OutsideFolderError, match="is not in the workspace's folder"):
        inside(folder, name)


def test_what_is_in_the_folder_is_found_by_any_way(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "b")
    for name in ("b/a", "./b/../b/a", "link/a", str(tmp_path / "b" / "a")):
        assert inside(tmp_path, name) == tmp_path / "b" / "a"


def test_a_file_is_read_up_to_a_bound(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    assert read(tmp_path, "a", 10) == b"x" * 10
    with pytest.raises(UnreadableFileError, match="larger than"):
        read(tmp_path, "a", 9)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("pipe", "it is not a file"), (".", "it is not a file"), ("none", "there is no such file")):
        with pytest.raises(UnreadableFileError, match=why):
            read(tmp_path, name, 10)


@pytest.mark.parametrize("mode", ["rb", "ab"])
@pytest.mark.parametrize("name", [".", "pipe", "/dev/null"])
def test_what_is_no_file_is_not_opened(name: str, mode: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    path = str((tmp_path / name).resolve())
    before = open_files().count(path)
    with pytest.raises(OSError), open(tmp_path / name, mode, opener=regular):  # noqa: PT011 - of several kinds
        pass
    assert open_files().count(path) == before


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    with open(tmp_path / "new", "ab", opener=regular) as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
