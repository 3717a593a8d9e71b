"""app.workspace.saving."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.config import ServiceConfig
from app.workspace import errors
from app.workspace import saving as workspace_saving
from app.workspace.reading import Workspace, load
from app.workspace.saving import save
from tests.app.workspace.test_reading import GOOD

NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=20)
SERVICES = st.builds(
    ServiceConfig,
    NAMES.filter(lambda name: name.strip() and name.isprintable()),
    st.just("websocket"),
    st.sampled_from(["127.0.0.1", "::1", "localhost", "0.0.0.0"]),
    st.just(0),
    st.just("echo"),
    st.booleans(),
    st.fixed_dictionaries({}, optional={"subprotocols": st.lists(st.text(st.characters(codec="utf-8")), max_size=3)}),
    group=st.one_of(st.just(""), NAMES.map(str.strip).filter(str.isprintable)),
)
WORKSPACES = st.lists(SERVICES, max_size=4, unique_by=lambda s: s.name).map(lambda s: Workspace(tuple(s)))
OLD = st.sampled_from(
    [
        *(
            "",
            GOOD,
            "not TOML [",
            "a = 1\na = 2",
            "[tool.x]\ny = 1\n",
            "version = 2\nservice = 5",
            "[service]\nname = []",
        ),
        *(
            "version = 1\n[[service]]\nname = {}\n[[service]]\n",
            "service = [{ name = 'a', x = 1 }]\n# end",
            "[[a.b]]\n",
        ),
    ]
)


@given(WORKSPACES, OLD, st.lists(WORKSPACES, max_size=2))
@settings(max_examples=60)
def test_what_is_saved_over_anything_is_what_is_loaded(tmp_path_factory, first, old, later):
    path = tmp_path_factory.mktemp("w") / "w.toml"
    path.write_text(old)
    for saved in [first, *later]:
        assert save(saved, path).path == path
        assert load(path).services == saved.services


def test_comments_and_order_stay(tmp_path):
    path = tmp_path / "w.toml"
    path.write_text("# mine\n" + GOOD.replace("autostart = true", "autostart = true  # at once"))
    loaded = load(path)
    more = ServiceConfig("more", "udp", "::1", 0, "echo")
    save(Workspace((*loaded.services, more)), path)
    text = path.read_text()
    assert text.startswith('# mine\nversion = 1\n\n[[service]]\nname = "echo"\n')
    assert "autostart = true  # at once" in text
    assert 'listen = "[::1]:0"' in text


COMMENTED = """\
# one
version = 1 # two

# three
[[service]]
name = "a"   # four
protocol = "websocket"

listen = "127.0.0.1:1"

# five
[service.options]
subprotocols = ["x", # six
  "y"]
# seven

[[service]]
name = "b"
protocol = "udp"
listen = "127.0.0.1:1"
# eight
"""


def test_saving_what_was_loaded_changes_nothing(tmp_path):
    demo = Path(__file__).parents[3] / "resources" / "demo.toml"
    path = tmp_path / "w.toml"
    for source in (demo.read_text(), COMMENTED):
        path.write_text(source)
        for _ in range(3):
            save(load(path), path)
        assert path.read_text() == source


def test_a_service_that_was_removed_is_gone(tmp_path):
    (tmp_path / "w.toml").write_text(GOOD)
    save(Workspace(), tmp_path / "w.toml")
    assert tomllib.loads((tmp_path / "w.toml").read_text()) == {"version": 1}


def test_saving_leaves_no_other_file_and_keeps_the_mode(tmp_path):
    path = tmp_path / "w.toml"
    path.write_text(GOOD)
    path.chmod(0o600)
    save(Workspace(), path)
    assert os.listdir(tmp_path) == ["w.toml"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.toml").write_text(GOOD)
    (tmp_path / "w.toml").symlink_to("real.toml")
    save(Workspace(), tmp_path / "w.toml")
    assert (tmp_path / "w.toml").is_symlink()
    assert "service" not in (tmp_path / "real.toml").read_text()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_cannot_be_saved_leaves_the_old_file_whole(tmp_path, monkeypatch, step):
    def fail(*_):
        raise OSError(28, "No space left on device")

    path = tmp_path / "w.toml"
    path.write_text(GOOD)
    monkeypatch.setattr(workspace_saving.os, step, fail)
    with pytest.raises(errors.WorkspaceUnwritableError, match="No space left on device"):
        save(Workspace(), path)
    assert path.read_text() == GOOD
    assert os.listdir(tmp_path) == ["w.toml"]


def test_where_nothing_can_be_saved(tmp_path):
    (tmp_path / "file").touch()
    for path, reason in [
        (tmp_path, "directory"),
        (tmp_path / "no" / "w", "No such"),
        (tmp_path / "file" / "w", "Not a"),
    ]:
        with pytest.raises(errors.WorkspaceUnwritableError, match=reason):
            save(Workspace(), path)
    assert os.listdir(tmp_path) == ["file"]


def test_variables_are_saved_and_their_comments_stay(tmp_path):
    path = tmp_path / "w.toml"
    path.write_text(GOOD.replace("\n\n", '\n\n[variables]\nbase = "x"  # where\nid = "7"\n\n', 1))
    before = path.read_text()
    save(load(path), path)
    assert path.read_text() == before
    save(replace(load(path), variables={"base": "y", "id": "7"}), path)
    assert 'base = "y"' in path.read_text()
    assert "# where" in path.read_text()
    save(replace(load(path), variables={"id": "8", "more": "\n"}), path)
    assert load(path).variables == {"id": "8", "more": "\n"}
    save(replace(load(path), variables={}), path)
    assert "variables" not in path.read_text()
