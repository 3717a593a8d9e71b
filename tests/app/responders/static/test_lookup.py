"""From the path of a request to a file, whatever the path."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.responders.static.lookup import FileChangedError, Folder, Forbidden, Found, Listing, Moved
from tests.app.files.swapping import swapping

SITE = Folder(Path("/srv/site"), "index.html", listing=True, hidden=False)


@given(st.binary())
def test_no_path_leads_to_names_that_leave_the_folder(path: bytes) -> None:
    for name in SITE.names(path) or ():
        assert name not in ("", ".", "..")
        assert not set(name) & {"/", "\\", "\0"}
        assert not name.startswith(".") or name == ".well-known"


@given(st.lists(st.binary(min_size=1)))
def test_names_are_decoded_once(names: list[bytes]) -> None:
    found = SITE.names("/".join(quote_from_bytes(name, safe="") for name in names).encode())
    assert found is None or [os.fsencode(name) for name in found] == names


def test_a_name_that_was_coded_twice_stays_coded() -> None:
    assert SITE.names(b"/%252e%252e/x") == ["%2e%2e", "x"]


def test_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").write_bytes(b"x")
    site = Folder(tmp_path, "index.html", listing=True, hidden=False)
    assert isinstance(site.find(["sub"], False), Moved)
    assert isinstance(site.find(["sub"], True), Listing)
    assert site.find(["file"], True) is None
    found = site.find(["file"], False)
    assert isinstance(found, Found)
    assert (found.content, found.size, found.file) == (b"x", 1, None)


def test_an_index_that_leads_out_is_none(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "site" / "index.html").symlink_to(tmp_path / "secret")
    assert Folder(tmp_path / "site", "index.html", listing=False, hidden=True).find([], True) is None


def test_a_listing_leaves_out_links_that_are_not_followed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "sub").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    for name in ("file", ".hidden"):
        (site / name).write_text(name)
    links = {"out": "../secret", "up": "..", "dot": ".hidden", "nowhere": "gone", "loop": "loop", "in": "file"}
    for name, target in {**links, "folder": "sub"}.items():
        (site / name).symlink_to(target)
    found = Folder(site, "", listing=True, hidden=False).find([], True)
    assert isinstance(found, Listing)
    assert [entry.name for entry in found.entries] == ["folder", "sub", "file", "in"]


def test_what_the_system_forbids_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"x")

    def forbidden(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", forbidden)
    assert isinstance(Folder(tmp_path, "", listing=False, hidden=False).find(["file"], False), Forbidden)


@pytest.mark.parametrize(
    ("change", "changed"),
    [(b"", True), (b"y" * 100_000, True), (b"x" * 100_000 + b"more", False)],
    ids=["shorter", "rewritten", "grown"],
)
def test_a_file_that_is_another_is_noticed(change: bytes, changed: bool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100_000)
    os.utime(path, ns=(0, 0))
    found = Folder(tmp_path, "", listing=False, hidden=False).find(["file"], False)
    assert isinstance(found, Found)
    path.write_bytes(change)
    try:
        if changed:
            with pytest.raises(FileChangedError):
                found.read(0, 100)
        else:
            assert found.read(99_990, 10) == b"x" * 10
    finally:
        found.close()


def test_b4_while_a_folder_is_swapped_for_a_link_no_file_and_no_name_outside_is_served(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret"
    for folder, text in ((root / "real", "inside"), (secret, "outside")):
        folder.mkdir(parents=True)
        (folder / "file").write_text(text)
        (folder / text).touch()
    (root / "link").symlink_to(secret)
    site = Folder(root, "", listing=True, hidden=False)
    with swapping(root):
        files = [site.find(["now", "file"], False) for _ in range(4000)]
        lists = [site.find(["now"], True) for _ in range(2000)]
    contents = {found.content for found in files if isinstance(found, Found)}
    names = {entry.name for found in lists if isinstance(found, Listing) for entry in found.entries}
    assert None in files
    assert contents == {b"inside"}
    assert names == {"inside", "file"}


def test_b4_a_root_that_is_swapped_for_a_link_out_of_the_workspace_is_not_served(tmp_path: Path) -> None:
    workspace, secret = tmp_path / "ws", tmp_path / "secret"
    for folder in (workspace / "www", secret):
        folder.mkdir(parents=True)
        (folder / "file").write_text(folder.name)
    site = Folder(workspace / "www", "", listing=True, hidden=False, within=workspace)
    assert isinstance(site.find(["file"], False), Found)
    (workspace / "www").rename(workspace / "old")
    (workspace / "www").symlink_to(workspace / "old")
    assert isinstance(site.find(["file"], False), Found)
    (workspace / "www").unlink()
    (workspace / "www").symlink_to(secret)
    assert site.find(["file"], False) is None


def test_a_folder_that_may_be_entered_but_not_read_serves_its_index(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "index.html").write_text("hello")
    site = Folder(tmp_path, "index.html", listing=True, hidden=False)
    (tmp_path / "sub").chmod(0o111)
    try:
        assert isinstance(site.find(["sub"], False), Moved)
        assert isinstance(site.find(["sub"], True), Found)
    finally:
        (tmp_path / "sub").chmod(0o755)
