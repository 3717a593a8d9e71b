"""Plugins on the command line."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.plugin_loader.test_table import a_workspace
from tests.helpers import run, serving, wait_for

Write = Callable[..., Path]


@pytest.fixture
def workspace(beside: Path, shout: Write) -> Path:
    shout()
    return a_workspace(beside)


def test_serve_runs_no_plugin_unasked_and_says_how_to_allow_it(workspace: Path, beside: Path, tmp_path: Path) -> None:
    done = run("serve", workspace, "--capture", tmp_path / "x.lpost")
    assert done.returncode == 1
    [said] = [line for line in done.stderr.splitlines() if "shout" in line]
    assert said.startswith(f"listening-post: shout: The plugin {beside / 'shout.py'} is not trusted yet")
    assert said.endswith("or start serve with --trust-plugins.")
    assert "service.failed" in done.stdout


def test_serve_runs_them_where_that_is_said_and_loads_them_again(workspace: Path, shout: Write, tmp_path: Path) -> None:
    with serving(workspace, tmp_path / "x.lpost", "--trust-plugins") as program:
        [where] = program.wait_up().values()

        def says() -> bytes:
            with socket.create_connection(where, 5) as client:
                client.sendall(b"hey")
                return client.recv(100)

        assert says() == b"HEY"
        shout(shout().read_text().replace("upper()", "title()"))
        wait_for(lambda: says() == b"Hey")
        shout("import nothing_like_it\n")
        wait_for(lambda: any("No module named" in line for line in list(program.lines)))
        assert says() == b"Hey"


@pytest.mark.parametrize("where", ["in a handler", "while it is loaded"])
def test_a_plugin_that_hangs_does_not_keep_the_program(
    workspace: Path, shout: Write, tmp_path: Path, where: str
) -> None:
    begun = tmp_path / "begun"
    hang = f"open({str(begun)!r}, 'w'); __import__('time').sleep(1e6)\n"
    source = shout().read_text()
    shout(source.replace('"shout"', '"shout", thread=True').replace("return", f"{hang}    return"))
    with serving(workspace, tmp_path / "x.lpost", "--trust-plugins") as program:
        [address] = program.wait_up().values()
        with socket.create_connection(address, 5) as client:
            if where == "in a handler":
                client.sendall(b"hey")
            else:
                shout(hang + source)
            wait_for(begun.exists)
            program.kill(signal.SIGTERM)
            assert program.wait() == 0


def test_check_says_what_waits_and_runs_nothing(workspace: Path, shout: Write, tmp_path: Path) -> None:
    shout(f"open({str(tmp_path / 'ran')!r}, 'w')\n" + shout().read_text())
    done = run("check", workspace)
    assert (done.returncode, "1 service, nothing wrong" in done.stdout) == (0, True)
    assert "shout: The plugin " in done.stderr
    assert not (tmp_path / "ran").exists()
