"""app.commands.serve.fault_switches, and ``serve --seed`` and ``--fault``."""

import json
import re
import socket
from dataclasses import replace

import pytest

from app.commands import errors
from app.commands.serve.fault_switches import switched
from app.programs.config import ProgramConfig
from app.services.config import ServiceConfig
from app.workspace.reading import Workspace
from tests.helpers import run, serving, wait_for


def a_service(name, *faults):
    return ServiceConfig(name, "tcp", "127.0.0.1", 0, "echo", faults=faults)


DELAY, NAMED = {"kind": "delay"}, {"kind": "reset", "name": "breaks", "enabled": False}
TWO = Workspace((a_service("one", DELAY, NAMED, DELAY), a_service("two", NAMED)))


def enabled(workspace):
    return [[table.get("enabled", True) for table in service.faults] for service in workspace.services]


def test_a_name_means_that_fault_in_each_service():
    assert enabled(switched(TWO, [("breaks", True)])) == [[True, True, True], [True]]


def test_a_fault_of_one_service_and_one_without_a_name_of_its_own():
    assert enabled(switched(TWO, [("two/breaks", True), ("delay 2", False)])) == [[True, False, False], [True]]


def test_the_last_word_counts():
    assert enabled(switched(TWO, [("delay", False), ("breaks", True), ("breaks", False)])) == [
        [False, False, True],
        [False],
    ]


def test_nothing_changes_where_nothing_is_switched():
    assert switched(TWO, []) == TWO


def test_faults_of_programs_are_switched_by_the_program_and_by_its_port():
    tables = (
        {"port": "Echo", **DELAY},
        {"port": "8000", **DELAY},
        {"port": "Echo", **DELAY},
        {"port": "8000", **NAMED},
    )
    workspace = replace(TWO, programs=(ProgramConfig("web", ("web.py",), faults=tables),))

    def found(*switches):
        made = switched(workspace, switches)
        assert enabled(made)[1] == [any(on for name, on in switches if name == "breaks")]
        return [table.get("enabled", True) for table in made.programs[0].faults]

    assert found(("web/delay", False), ("breaks", True)) == [False, False, True, True]
    assert found(("web/Echo/delay 2", False)) == [True, True, False, False]
    assert found(("web/8000/delay", False), ("web/breaks", True)) == [True, False, True, True]
    with pytest.raises(errors.UnknownFaultError, match="two/breaks, web/Echo/delay, web/8000/delay, web/Echo/delay 2"):
        found(("web/Echo/breaks", True))


@pytest.mark.parametrize("name", ["x", "two/delay", "one", "one/", "/breaks", ""])
def test_an_unknown_name_says_which_there_are(name):
    with pytest.raises(errors.UnknownFaultError, match="It has one/delay, one/breaks, one/delay 2, two/breaks"):
        switched(TWO, [(name, True)])


def test_a_workspace_without_faults_says_what_they_are():
    with pytest.raises(errors.UnknownFaultError, match=r"It has none: they are tables \[\[service.fault\]\]"):
        switched(Workspace((a_service("one"),)), [("x", True)])


# -- the command

FAULTS = """\
version = 1

[[service]]
name = "echo"
protocol = "tcp"
listen = "127.0.0.1:0"

[[service.fault]]
kind = "delay"
ms = 0
jitter_ms = 20

[[service.fault]]
name = "breaks"
kind = "reset"
match = "PAY"
enabled = false
"""


@pytest.fixture
def workspace(tmp_path):
    path = tmp_path / "w.toml"
    path.write_text(FAULTS)
    return path


def words(program):
    """What was done to connections, as the lines of ``serve --json`` have it, without the totals."""
    found = [json.loads(line) for line in program.lines]
    hits = [event["detail"] for event in found if event["kind"] == "fault.applied"]
    return [hit["words"] for hit in hits if "total" not in hit]


def a_run(workspace, capture, *args):
    """What the faults of one run did to five messages, and its seed, which stands in ``service.started``."""
    with serving(workspace, capture, *args) as program:
        address = program.wait_up()["echo"]
        for number in range(5):
            with socket.create_connection(address, 5) as peer:
                peer.sendall(b"%d" % number)
                peer.recv(10)
        wait_for(lambda: len(words(program)) >= 5)
        started = json.loads(program.lines[0])
        return words(program), started["detail"]["seed"]


def test_a_run_repeats_with_its_seed(workspace, tmp_path):
    first, seed = a_run(workspace, tmp_path / "a.lpost")
    assert a_run(workspace, tmp_path / "b.lpost", "--seed", str(seed)) == (first, seed)
    other, _ = a_run(workspace, tmp_path / "c.lpost", "--seed", "7")
    assert other != first


def test_the_seed_is_printed_where_there_are_faults(workspace, tmp_path):
    done = run("serve", workspace, "--capture", tmp_path / "x.lpost", "--for", "0.1", "--seed", "7", "--quiet")
    assert "faults have the seed 7: repeat them with --seed 7\n" in done.stderr
    drawn = run("serve", workspace, "--capture", tmp_path / "y.lpost", "--for", "0.1", "--json")
    [seed] = re.findall(r"--seed (\d+)$", drawn.stderr, re.MULTILINE)
    assert json.loads(drawn.stdout.splitlines()[0])["detail"]["seed"] == int(seed)


def test_a_service_keeps_its_own_seed(workspace, tmp_path):
    workspace.write_text(FAULTS.replace('protocol = "tcp"', 'protocol = "tcp"\nseed = 5'))
    done = run("serve", workspace, "--capture", tmp_path / "x.lpost", "--for", "0.1", "--seed", "7", "--json")
    assert json.loads(done.stdout.splitlines()[0])["detail"]["seed"] == 5


def test_a_fault_is_switched_on_and_its_hit_is_a_line(workspace, tmp_path):
    with serving(workspace, tmp_path / "x.lpost", "--fault", "echo/breaks=on", json=False) as program:
        wait_for(lambda: program.lines)
        [port] = re.findall(r"listening on 127.0.0.1:(\d+)", program.lines[0])
        with socket.create_connection(("127.0.0.1", int(port)), 5) as peer:
            peer.sendall(b"PAY")
            with pytest.raises(ConnectionResetError):
                peer.recv(10)
        wait_for(lambda: any("fault.applied" in line and "breaks: reset" in line for line in program.lines))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--fault", "x=on"), "There is no fault x in the workspace. It has echo/delay, echo/breaks."),
        (("--fault", "delay"), "argument --fault: must be NAME=on or NAME=off"),
        (("--fault", "=on"), "argument --fault: must be NAME=on or NAME=off"),
        (("--fault", "delay=maybe"), "argument --fault: must be NAME=on or NAME=off"),
        (("--seed", "0"), "argument --seed: must be from 1 to"),
        (("--seed", "x"), "argument --seed: invalid seed value: 'x'"),
    ],
)
def test_what_is_no_fault_and_no_seed(workspace, tmp_path, args, words):
    done = run("serve", workspace, "--capture", tmp_path / "x.lpost", *args)
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "x.lpost").exists()
