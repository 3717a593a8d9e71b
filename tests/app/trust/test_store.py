"""The user's answers, kept."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from app.trust.store import MAX_CONTENTS, MAX_SIZE, Trust


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "trust.json"


def kept(file: Path) -> Trust:
    trust = Trust(file)
    trust.trust_content("print", Path("/ws/w.toml"))
    trust.save()
    return trust


def test_an_answer_is_there_after_the_next_start_and_for_its_owner_alone(file: Path) -> None:
    kept(file)
    assert Trust(file).content("print")
    assert not Trust(file).content("other")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b'{"version": 2}', b'{"version": 1, "contents": []}',
     b'{"version": 1, "folders": {}}', b'{"version": 1, "folders": [1]}', b'{"version": 1, "plugins": {"/x": 1}}'],
)  # fmt: skip
def test_a_damaged_file_holds_no_answers_and_says_so(file: Path, content: bytes) -> None:
    kept(file)
    file.write_bytes(content)
    trust = Trust(file)
    assert not trust.content("print")
    assert "it is damaged. You are asked again" in trust.trouble
    trust.trust_content("new", Path("/w"))
    trust.save()
    assert Trust(file).content("new")
    assert Trust(file).trouble == ""


def test_a_file_that_is_no_file_too_large_or_others_to_write_holds_none(file: Path) -> None:
    kept(file)
    file.chmod(0o620)
    assert not Trust(file).content("print")
    file.chmod(0o602)
    trust = Trust(file)
    assert not trust.content("print")
    assert "other users can change the file" in trust.trouble
    file.chmod(0o600)
    assert trust.content("print")
    assert trust.trouble == ""
    os.truncate(file, MAX_SIZE + 1)
    assert not trust.content("print")
    assert "too large" in trust.trouble
    file.unlink()
    os.mkfifo(file)
    assert not Trust(file).content("print")
    file.unlink()
    file.mkdir()
    trust = Trust(file)
    assert not trust.content("print")
    assert trust.trouble
    trust.trust_content("print", Path("/w"))
    with pytest.raises(OSError):  # noqa: PT011 - of several kinds
        trust.save()
    assert trust.content("print")  # until the program ends


def test_somebody_elses_file_holds_none(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(file)
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    assert not Trust(file).content("print")


def test_two_programs_lose_none_of_each_others_answers(file: Path) -> None:
    one, other = Trust(file), Trust(file)
    assert not one.content("a")
    assert not other.content("b")
    one.trust_content("a", Path("/a"))
    other.trust_content("b", Path("/b"))
    one.save()
    assert not other.content("c")
    other.save()
    for trust in (one, other, Trust(file)):
        assert trust.content("a")
        assert trust.content("b")


def test_a_folder_is_trusted_without_those_below_it_and_not_while_others_can_write_into_it(tmp_path: Path) -> None:
    trust = Trust(tmp_path / "trust.json")
    folder, away = tmp_path / "ws", tmp_path / "away"
    for made in (folder / "below", folder / "plugins", away):
        made.mkdir(parents=True)
    (away / "w.toml").touch()
    (folder / "link.toml").symlink_to(away / "w.toml")
    (tmp_path / "way").symlink_to(folder)
    trust.trust_folder(folder)
    assert trust.file_in_folder(folder / "w.toml")
    assert trust.file_in_folder(tmp_path / "way" / "w.toml")
    assert not trust.file_in_folder(folder / "below" / "w.toml")
    assert not trust.file_in_folder(folder / "link.toml")
    assert trust.plugin(folder / "plugins" / "p.py", "x") == "load"
    assert trust.plugin(folder / "below" / "p.py", "x") is None
    folder.chmod(0o777)
    assert not trust.file_in_folder(folder / "w.toml")
    assert trust.plugin(folder / "plugins" / "p.py", "x") is None


def test_only_what_lies_in_plugins_is_a_trusted_folders_plugin(file: Path) -> None:
    """A link in a stranger's plugins/ to a script in the folder had that run."""
    trust, folder = Trust(file), file.parent.parent / "mine"
    (folder / "plugins").mkdir(parents=True)
    (file.parent / "plugins").mkdir(parents=True)
    trust.trust_folder(folder)
    trust.trust_folder(file.parent / "plugins")
    assert trust.plugin(folder / "cleanup.py", "x") is None
    for plugin in (folder / "plugins" / "p.py", file.parent / "plugins" / "p.py"):
        assert trust.plugin(plugin, "x") == "load"
        assert trust.plugin(plugin, "x", linked=True) is None
    trust.set_plugin(folder / "cleanup.py", "digest")
    assert trust.plugin(folder / "cleanup.py", "digest", linked=True) == "load"
    trust.everything = True
    assert trust.plugin(folder / "other.py", "x", linked=True) == "load"


def test_a_plugin_is_trusted_as_it_is_or_always_or_never(file: Path) -> None:
    trust = Trust(file)
    path = Path("/x/plugins/p.py")
    trust.set_plugin(path, "digest")
    assert trust.plugin(path, "digest") == "load"
    assert trust.plugin(path, "other") is None
    trust.set_plugin(path, "load")
    assert trust.plugin(path, "other") == "load"
    trust.set_plugin(path, "never")
    trust.everything = trust.every_plugin = True
    assert trust.plugin(path, "digest") == "never"


def test_answers_of_the_version_before_are_taken_over(file: Path) -> None:
    file.parent.mkdir()
    old = {"/x/p.py": "load", "/x/q.py": "never", "/x/r.py": "perhaps"}
    file.with_name("plugins.json").write_text(json.dumps(old))
    kept(file)
    trust = Trust(file)
    assert [trust.plugin(Path(path), "") for path in old] == ["load", "never", None]


def test_what_is_forgotten_is_asked_again(tmp_path: Path) -> None:
    trust = Trust(tmp_path / "trust.json")
    path = tmp_path / "w.toml"
    trust.trust_content("a", path)
    trust.trust_content("b", tmp_path / "other.toml")
    trust.trust_folder(tmp_path)
    trust.set_plugin(tmp_path / "plugins" / "p.py", "load")
    trust.forget(path)
    assert not trust.content("a")
    assert trust.content("b")
    assert not trust.file_in_folder(path)
    assert trust.plugin(tmp_path / "plugins" / "p.py", "") is None


def test_the_number_of_contents_is_bounded(file: Path) -> None:
    trust = Trust(file)
    trust._current()["contents"] = {str(i): "/w" for i in range(MAX_CONTENTS)}
    trust.trust_content("new", Path("/w"))
    assert trust.content("new")
    assert not trust.content("0")
    assert trust.content("1")
