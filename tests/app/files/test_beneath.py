"""Opening beneath a folder: the links that are followed, and those that are not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.files import beneath
from app.files.confined import read
from app.files.errors import OutsideFolderError, UnreadableFileError
from tests.app.files.swapping import swapping
from tests.helpers import open_files


@pytest.fixture(params=["walking", "comparing"])
def tree(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder ``root`` with all kinds of links, and a file outside; by both ways to open."""
    monkeypatch.setattr(beneath, "WALKS", request.param == "walking")
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "file").write_text("inside")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("outside")
    (tmp_path / "other name").symlink_to(root)
    links = {
        "relative": "a/b", "up": "a/../a/b/./", "absolute": root / "a" / "b",
        "by another name": tmp_path / "other name/a/b",
        "to a link": "relative", "out": tmp_path / "secret", "up and out": "../secret", "a/b/out": "../../../secret",
        "round about": "../root/a/b", "loop": "loop", "nowhere": "gone",
    }  # fmt: skip
    for name, target in links.items():
        (root / name).symlink_to(target)
    before = open_files()
    yield root
    assert open_files() == before


def content(root: Path, *names: str) -> str:
    with beneath.folder(root) as folder, folder.open(names) as opened:
        return os.read(opened.descriptor, 100).decode() + " at " + "/".join(opened.names)


@pytest.mark.parametrize("name", ["a/b", "relative", "up", "absolute", "by another name", "to a link", "round about"])
def test_links_that_stay_inside_are_followed_and_true_names_told(tree: Path, name: str) -> None:
    assert content(tree, *name.split("/"), "file") == "inside at a/b/file"


@pytest.mark.parametrize("name", ["out", "up and out", "a/b/out", "..", "../secret", "a/../../secret"])
def test_b4_what_leads_out_is_not_opened(tree: Path, name: str) -> None:
    with pytest.raises(beneath.OutsideError):
        content(tree, *name.split("/"), "file")


@pytest.mark.parametrize("name", ["loop", "nowhere", "gone", "a/b/file/x", "x" * 300])
def test_what_is_not_there_is_an_error(tree: Path, name: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - of several kinds
        content(tree, *name.split("/"))


def test_the_folder_itself_and_a_new_file(tree: Path) -> None:
    with beneath.folder(tree) as folder:
        with folder.open([]) as opened:
            assert opened.names == ()
            assert os.path.samestat(opened.status, tree.stat())
        with folder.open(["a", "new"], os.O_WRONLY | os.O_CREAT) as opened:
            assert opened.status.st_mode & 0o777 == 0o600
    assert (tree / "a" / "new").exists()


def test_a_folder_that_is_a_link_is_refused_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with beneath.folder(tmp_path / "link") as folder:
        assert folder.path == tmp_path / "real"
    with pytest.raises(OSError), beneath.folder(tmp_path / "link", follow=False):  # noqa: PT011 - of several kinds
        pass


def test_b4_while_a_folder_is_swapped_for_a_link_nothing_outside_is_read(tmp_path: Path) -> None:
    """As ``static`` opens files, and as mocks, scripts and seeds read them."""
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "file").write_text("inside")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "file").write_text("outside")
    (root / "link").symlink_to(tmp_path / "secret")
    with swapping(root):
        seen = [attempt(root) for _ in range(4000)]
    assert {"inside", "refused"} <= set(seen)  # so that both were there
    assert "outside" not in seen


def attempt(root: Path) -> str:
    try:
        return read(root, "now/file").decode()
    except OutsideFolderError:
        return "refused"
    except UnreadableFileError:
        return "gone"
