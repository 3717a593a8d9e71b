"""app.commands.control, with a workspace that another process serves."""

import json
import socket
import tomllib
from contextlib import closing
from types import SimpleNamespace

import pytest

from app.commands.control import ACTIONS
from app.outposts import protocol as p
from tests.helpers import run, serving, short_folder, wait_for

WORKSPACE = """version = 1
[outpost]
allow = "control"
[[service]]
name = "echo"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "echo"
[[service.fault]]
name = "gone"
kind = "reset"
enabled = false
"""


def test_a_run_switches_an_outage_on_and_off_around_a_step(tmp_path):
    """As a script of CI does: it finds the port, breaks the service, sees it, and mends it."""
    (tmp_path / "w.toml").write_text(WORKSPACE)
    with (
        short_folder() as folder,
        serving(tmp_path / "w.toml", tmp_path / "x.lpost", "--control", str(folder / "s")),
    ):
        path = folder / "s"
        wait_for(path.exists)

        def control(*words):
            done = run("control", path, *words)
            assert done.returncode == 0, done.stderr
            return done.stdout

        [status] = [json.loads(line) for line in control("status", "--json").splitlines()]
        host, port = status["words"].split(":")

        def echoed():
            with closing(socket.create_connection((host, int(port)), 30)) as client:
                client.sendall(b"ping")
                try:
                    return client.recv(10)
                except ConnectionResetError:
                    return "reset"

        assert echoed() == b"ping"
        assert control("fault", "gone", "on") == "echo/gone on\n"
        assert echoed() == "reset"
        control("fault", "gone", "off")
        assert echoed() == b"ping"
        assert "gone off, 1 hit\n" in control("status")
        assert [json.loads(line)["summary"] for line in control("events", "--json").splitlines()][-1]
        refused = run("control", path, "put", tmp_path / "w.toml")
        assert refused.returncode == 1
        assert "serve --allow change" in refused.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["fault", "x"], "fault takes NAME on|off|once"),
        (["remove"], "remove takes NAME"),
        (["status", "x"], "status takes nothing"),
        (["dance"], "invalid choice: 'dance'"),
    ],
)
def test_wrong_words_are_told(tmp_path, words, said):
    done = run("control", tmp_path / "s", *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_nobody_there_is_told(tmp_path):
    done = run("control", tmp_path / "s", "status")
    assert done.returncode == 1
    assert "Nothing answers at" in done.stderr


def test_a_configuration_is_printed_so_that_it_can_be_put_again(capsys):
    table = p.Table('[[service]]\nname = "a\u202e"\n', ("options.tokens",))
    asked = []
    client = SimpleNamespace(ask=lambda request: asked.append(request) or table)
    args = SimpleNamespace(words=["a"], json=False)
    assert ACTIONS["configuration"].ask(client, args) == 0
    assert asked == [p.Configuration("a")]
    printed = capsys.readouterr()
    assert tomllib.loads(printed.out) == {"service": [{"name": "a\u202e"}]}
    assert printed.out.isascii()
    assert "left out: options.tokens. put --keep does not change it" in printed.err
