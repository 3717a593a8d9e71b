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
FAULTS = st.lists(
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["delay", "stall"]), "ms": st.floats(0, 1000)},
        optional={"match": st.text(st.characters(codec="utf-8", exclude_characters="\\")), "nth": st.integers(0, 9)},
    ),
    max_size=3,
).map(tuple)
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
    faults=FAULTS,
    restart=st.one_of(st.none(), st.just({}), st.just({"when": "always", "delay_seconds": 2.5, "attempts": 3})),
    seed=st.integers(0, 2**63 - 1),
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


# -- faults

FAILING = """\
version = 1

[[service]]
name = "a"
protocol = "tcp"
listen = "127.0.0.1:0"
seed = 7   # lucky

# slow
[[service.fault]]
kind = "delay"   # late
ms = 200   # measured
jitter_ms = 50

# breaks
[[service.fault]]
name = "second"
kind = "reset"
nth = 2   # two

[service.limits]
connections = 5   # five

[[service]]
name = "b"
protocol = "tcp"
listen = "127.0.0.1:0"
"""

DELAY = {"kind": "delay", "ms": 200, "jitter_ms": 50}
RESET = {"name": "second", "kind": "reset", "nth": 2}
STALL = {"kind": "stall", "ms": 5.0}


def saved_with(path, *faults, other=()):
    """The file after both services were given these faults."""
    path.write_text(FAILING)
    a, b = load(path).services
    services = replace(a, faults=faults), replace(b, faults=other)
    save(Workspace(services), path)
    assert load(path).services == services
    return path.read_text()


def test_faults_that_are_the_same_stay_as_they_are_written(tmp_path):
    assert saved_with(tmp_path / "w.toml", DELAY, RESET) == FAILING


def test_a_figure_that_changes_leaves_the_rest_of_its_line(tmp_path):
    text = saved_with(tmp_path / "w.toml", DELAY | {"ms": 300}, RESET)
    assert text == FAILING.replace("ms = 200", "ms = 300")


def test_a_condition_that_goes_or_comes_leaves_the_others(tmp_path):
    text = saved_with(tmp_path / "w.toml", DELAY, {"name": "second", "kind": "reset", "match": "PAY"})
    assert text == FAILING.replace("nth = 2   # two\n", 'match = "PAY"\n')


@pytest.mark.parametrize(
    "faults", [(RESET, DELAY), (DELAY,), (RESET,), (STALL, DELAY, RESET), (DELAY, RESET, STALL), (DELAY, STALL, RESET)]
)
def test_faults_that_come_go_and_move_keep_their_comments(tmp_path, faults):
    text = saved_with(tmp_path / "w.toml", *faults)
    assert ('kind = "delay"   # late\nms = 200   # measured\n' in text) is (DELAY in faults)
    assert ("nth = 2   # two\n" in text) is (RESET in faults)
    assert text.count("[[service.fault]]") == len(faults)
    assert text.endswith(FAILING[FAILING.index("\n[service.limits]") :])
    assert "# slow\n[[service.fault]]\n" in text
    assert "\n\n\n" not in text


@pytest.mark.parametrize("faults", [(DELAY,), (STALL, DELAY)])
def test_between_the_faults_of_a_service_and_the_next_service_is_an_empty_line(tmp_path, faults):
    path = tmp_path / "w.toml"
    source = """version = 1

[[service]]
name = "a"
protocol = "tcp"
listen = "127.0.0.1:0"

[[service]]
name = "b"
protocol = "tcp"
listen = "127.0.0.1:0"
"""
    path.write_text(source)
    for order in (slice(None), slice(None, None, -1)):  # written into the old file; made anew
        services = load(path).services
        save(Workspace(tuple(replace(one, faults=faults) for one in services)[order]), path)
        assert path.read_text().count("\n\n[[service]]\n") == 2
        assert "\n\n\n" not in path.read_text()
        assert not path.read_text().endswith("\n\n")


def test_the_first_fault_and_the_last(tmp_path):
    text = saved_with(tmp_path / "w.toml", other=(STALL, DELAY))
    assert text.count("[[service.fault]]") == 2
    assert text.endswith(
        '\n[[service.fault]]\nkind = "stall"\nms = 5.0\n\n[[service.fault]]\nkind = "delay"\nms = 200\njitter_ms = 50\n'
    )
    assert "# lucky" in text


def test_faults_in_one_line_become_tables_when_they_change(tmp_path):
    path = tmp_path / "w.toml"
    source = GOOD + 'fault = [{ kind = "delay" }, { kind = "stall" }]   # both\n'
    path.write_text(source)
    [service] = load(path).services
    save(Workspace((service,)), path)
    assert path.read_text() == source
    save(Workspace((replace(service, faults=(*service.faults, RESET)),)), path)
    assert load(path).services[0].faults == (*service.faults, RESET)
