"""Trust on the command line: what ``check`` says, what ``serve`` starts, and the answers of ``trust``."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from time import monotonic
from typing import Any

import pytest

from tests.helpers import ROOT, run, serving

WORKSPACE = """version = 1
[[service]]
name = "files"
protocol = "http"
listen = "0.0.0.0:0"
responder = "static"
[service.options]
root = "/"
hidden = true
[[service]]
name = "shell"
protocol = "ssh"
listen = "127.0.0.1:0"
responder = "manhole"
[service.options]
password = "known"
[[service]]
name = "keys"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "echo"
[service.tls]
key_log = "../.profile"
[[service]]
name = "plain"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "echo"
"""

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "ws" / "w.toml"
    path.parent.mkdir()
    path.write_text(WORKSPACE)
    (tmp_path / ".profile").write_text("export PATH\n")
    return path


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers of these tests are kept apart. A run takes on the environment of its test."""
    monkeypatch.setenv("LISTENING_POST_DATA", str(tmp_path / "data"))


@pytest.fixture
def lp() -> Run:
    return lambda *words: run(*map(str, words))


def up(file: Path, tmp_path: Path, *more: str) -> set[str]:
    """The services that ``serve`` starts."""
    capture = tmp_path / "x.lpost"
    capture.unlink(missing_ok=True)
    done = run("serve", str(file), "--quiet", "--for", "0.3", "--capture", str(capture), *more)
    assert "Traceback" not in done.stderr
    return {line.partition(":")[0] for line in done.stdout.splitlines() if "listening on" in line}


def test_b1_check_lists_it_and_says_how_to_trust_it(lp: Run, file: Path, tmp_path: Path) -> None:
    done = lp("check", file)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{file}: 4 services, nothing wrong",
        f"it is not trusted. Until it is (listening-post trust {file}), nothing of this happens:",
        "  run   shell: whoever logs in can run any code, as you",
        "  open  files: listens on 0.0.0.0:0, for others on the network",
        f"  write keys: writes to {tmp_path / '.profile'} (key_log)",
        "  read  files: reads / and all below it (root)",
    ]
    found = [json.loads(line) for line in lp("check", "--json", file).stdout.splitlines()]
    assert [(ask["asks"], ask["service"], ask["target"]) for ask in found] == [
        ("run", "shell", "manhole"),
        ("open", "files", "0.0.0.0:0"),
        ("write", "keys", str(tmp_path / ".profile")),
        ("read", "files", "/"),
    ]


def test_b1_b2_b3_serve_starts_the_harmless_service_and_says_of_the_others_why_not(
    file: Path, tmp_path: Path, lp: Run
) -> None:
    assert up(file, tmp_path) == {"plain"}
    assert (tmp_path / ".profile").read_text() == "export PATH\n"
    done = lp("serve", file, "--for", "0.2", "--capture", tmp_path / "y.lpost")
    said = [line for line in done.stderr.splitlines() if "This is not trusted yet" in line]
    assert [line.split(": ")[1] for line in said] == ["files", "shell", "keys"]
    assert f"listening-post trust {file}; serve has --trust." in said[0]
    assert done.stdout.count("service.failed") == 3


def test_b1_serve_with_trust_starts_them_and_remembers_nothing(file: Path, tmp_path: Path) -> None:
    (tmp_path / ".profile").unlink()
    assert up(file, tmp_path, "--trust") == {"files", "shell", "keys", "plain"}
    assert up(file, tmp_path, "--trust-plugins") == {"plain"}


def test_b1_trust_holds_for_this_content_and_the_links_in_it(file: Path, tmp_path: Path, lp: Run) -> None:
    (tmp_path / ".profile").unlink()
    done = lp("trust", file)
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"{file} is trusted as it is now"
    assert "  read  files: reads / and all below it (root)" in done.stdout.splitlines()
    everything = {"files", "shell", "keys", "plain"}
    assert up(file, tmp_path) == everything
    assert "it is trusted, and so may" in lp("check", file).stdout
    moved = file.rename(file.with_name("moved.toml"))
    assert up(moved, tmp_path) == everything
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".profile").unlink()
    (tmp_path / ".profile").symlink_to(tmp_path / "elsewhere" / "file")
    assert up(moved, tmp_path) == {"plain"}
    (tmp_path / ".profile").unlink()
    moved.write_text(WORKSPACE.replace("known", "other"))
    assert up(moved, tmp_path) == {"plain"}


def test_b1_trust_of_a_folder_holds_for_what_is_written_there_later_and_is_taken_back(
    file: Path, tmp_path: Path, lp: Run
) -> None:
    (tmp_path / ".profile").unlink()
    assert lp("trust", "--folder", file).stdout.splitlines()[-1] == f"the folder of {file} is trusted"
    file.write_text(WORKSPACE.replace("known", "other"))
    assert up(file, tmp_path) == {"files", "shell", "keys", "plain"}
    assert lp("trust", "--forget", file).returncode == 0
    assert up(file, tmp_path) == {"plain"}


def test_b1_a_folder_that_others_can_write_into_is_not_trusted(file: Path, lp: Run) -> None:
    file.parent.chmod(0o777)
    done = lp("trust", "--folder", file)
    assert done.returncode == 1
    assert "other users can write into it" in done.stderr
    file.parent.chmod(0o755)
    assert "it is not trusted" in lp("check", file).stdout


def test_b1_an_answer_that_cannot_be_kept_is_told(file: Path, tmp_path: Path, lp: Run) -> None:
    (tmp_path / "data").write_text("no folder")
    done = lp("trust", file)
    assert done.returncode == 1
    assert "listening-post: Your answer cannot be written to " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["demo.toml", "showcase.toml"])
def test_what_comes_with_the_program_needs_no_answer(name: str, lp: Run) -> None:
    path = ROOT / "resources" / name
    assert "not trusted" not in lp("check", path).stdout
    assert lp("trust", path).stdout.splitlines()[-1] == f"{path} needs no answer"


def test_b1_a_relay_to_a_manhole_lets_nobody_in(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        shell, door = one.getsockname()[1], other.getsockname()[1]
    path = tmp_path / "w.toml"
    text = f"""version = 1
[[service]]
name = "plain"
protocol = "tcp"
listen = "127.0.0.1:0"
[[service]]
name = "shell"
protocol = "ssh"
listen = "127.0.0.1:{shell}"
[service.options]
password = "known"
[[service]]
name = "door"
protocol = "tcp"
listen = "0.0.0.0:{door}"
responder = "relay"
[service.options]
upstream = "127.0.0.1:{shell}"
"""
    path.write_text(text)

    def answers(port: int) -> bytes:
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            return client.recv(4)

    with serving(path, tmp_path / "x.lpost") as program:
        program.wait_up()
        for port in (shell, door):
            with pytest.raises(ConnectionRefusedError):
                answers(port)
    with serving(path, tmp_path / "y.lpost", "--trust") as program:
        program.wait_up()
        assert answers(door) == b"SSH-"


def test_b9_a_huge_file_in_plugins_is_passed_over_with_a_word(file: Path, lp: Run) -> None:
    plugins = file.parent / "plugins"
    plugins.mkdir()
    with open(plugins / "huge.py", "wb") as huge:
        huge.truncate(3_000_000_000)
    os.mkfifo(plugins / "pipe.py")
    (plugins / "loop.py").symlink_to("loop.py")
    began = monotonic()
    done = lp("check", file)
    assert done.returncode == 0
    assert monotonic() - began < 10
    [said] = done.stderr.splitlines()
    assert f"The file {plugins / 'huge.py'} is skipped: its size is 3.0 GB, and a plugin has at most" in said
    done = lp("serve", file, "--quiet", "--for", "0.2", "--capture", file.parent / "x.lpost")
    assert done.returncode == 0


def test_b9_too_many_files_in_plugins_are_passed_over_with_a_word(tmp_path: Path, plugins_table: Any) -> None:
    folder = tmp_path / "ws" / "plugins"
    folder.mkdir(parents=True)
    for i in range(203):
        (folder / f"p{i:03}.py").write_text("x = 1\n")
    plugins_table.enter(folder.parent)
    assert len(plugins_table.plugins) == 200
    [trouble] = plugins_table.trouble.values()
    assert str(trouble).startswith("3 files are skipped: of ")


@pytest.fixture
def plugins_table() -> Any:
    from app.plugin_loader.table import TABLE

    yield TABLE
    TABLE.enter(None)


def test_a_link_in_plugins_runs_nothing_of_a_trusted_folder_until_it_is_trusted_itself(tmp_path: Path, lp: Run) -> None:
    harmless = 'version = 1\n[[service]]\nname = "a"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "echo"\n'
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        (folder / "plugins").mkdir(parents=True)
        (folder / "w.toml").write_text(harmless)
    ran = tmp_path / "ran"
    for script in (mine / "cleanup.py", mine / "plugins" / "p.py"):
        script.write_text(f"open({str(ran)!r}, 'w').close()\n")
    lp("trust", mine / "w.toml", "--folder")
    ran.unlink(missing_ok=True)
    for target in (mine / "cleanup.py", mine / "plugins" / "p.py"):
        (theirs / "plugins" / "x.py").symlink_to(target)
        assert "run   the plugin" in lp("check", theirs / "w.toml").stdout
        assert not ran.exists()
        (theirs / "plugins" / "x.py").unlink()
    (theirs / "plugins" / "x.py").symlink_to(mine / "cleanup.py")
    assert "is trusted" in lp("trust", theirs / "w.toml", "--folder").stdout
    lp("check", theirs / "w.toml")
    assert ran.exists()
    kept = json.loads((tmp_path / "data" / "trust.json").read_text())
    assert sorted(kept["folders"]) == [str(mine), str(theirs)]


def test_b9_a_plugin_that_is_passed_over_makes_nothing_trusted(lp: Run, file: Path) -> None:
    plugins = file.parent / "plugins"
    plugins.mkdir()
    with (plugins / "big.py").open("wb") as big:
        big.truncate(3 << 30)
    big_one = f"  run   the plugin {plugins / 'big.py'} brings big: its code can do all that you can"
    said = lp("check", file).stdout.splitlines()
    assert said[1] == f"it is not trusted. Until it is (listening-post trust {file}), nothing of this happens:"
    assert said[-2:] == ["not loaded, trusted or not:", big_one]
    file.write_text('version = 1\n[[service]]\nname = "e"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\n')
    done = lp("check", file)
    assert done.stdout.splitlines()[1:] == ["not loaded, trusted or not:", big_one]
    assert "is skipped: its size is 3.2 GB, and a plugin has at most" in done.stderr
    (plugins / "other.py").write_text("x = 1\n")
    said = lp("check", file).stdout.splitlines()
    assert said[1].startswith("it is not trusted. ")
    assert "brings other" in said[2]
    assert said[3:] == ["not loaded, trusted or not:", big_one]
