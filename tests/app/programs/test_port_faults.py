"""app.programs.port_faults: which port a fault of a program is for, and what may be wrong with it."""

from dataclasses import replace

import pytest

from app import faults
from app.programs import port_faults
from app.workspace import reading, saving

WORKSPACE = """version = 1

# the tutorial
[[program]]
name = "echo"
run = ["echo.py"]
python = ".venv"

# a slow link
[[program.fault]]
port = "Echo:8000"
kind = "delay"
ms = 20.0

[[program.fault]]
port = "outgoing"
kind = "corrupt"

[[program]]
name = "web"
run = ["-m", "web"]
"""


def fault(port, **more):
    return {"port": port, "kind": "delay", **more}


@pytest.mark.parametrize(
    ("port", "name", "is_for"),
    [
        ("Echo:8000", "Echo:8000", True), ("Echo", "Echo:8000", True), ("8000", "Echo:8000", True),
        ("/tmp/a:b", "Site:/tmp/a:b", True), ("outgoing", "outgoing", True),
        ("Echo:80", "Echo:8000", False), ("800", "Echo:8000", False), ("outgoing", "Echo:8000", False),
    ],
)  # fmt: skip
def test_a_fault_says_which_port_it_is_for(port, name, is_for):
    found = port_faults.of_port([fault(port, ms=2.0)], name, "tcp")
    assert found == (({"kind": "delay", "ms": 2.0},) if is_for else ())


def test_what_the_protocol_of_the_port_cannot_have_stays_out():
    tables = [fault("Echo"), {"port": "Echo", "kind": "reset"}]
    assert [one["kind"] for one in port_faults.of_port(tables, "Echo:1", "udp")] == ["delay"]


def test_an_edited_fault_stays_for_the_ports_it_was_for_and_a_new_one_is_for_this_port():
    tables = (fault("Other"), fault("Echo", ms=1.0), fault("8000", ms=2.0))
    wanted = [{"kind": "delay", "ms": 5.0}, {"kind": "delay", "ms": 2.0}, {"kind": "corrupt"}]
    made = port_faults.put(tables, "Echo:8000", "tcp", wanted)
    assert made == (
        fault("Other"), fault("Echo", ms=5.0), fault("8000", ms=2.0), {"port": "Echo:8000", "kind": "corrupt"},
    )  # fmt: skip
    assert port_faults.of_port(made, "Echo:8000", "tcp") == tuple(wanted)
    assert port_faults.put(made, "Echo:8000", "tcp", []) == (fault("Other"),)


def test_what_is_new_is_for_the_lasting_name_of_a_port_that_is_another_one_in_each_run():
    made = port_faults.put((), "Echo:40001", "tcp", [{"kind": "corrupt"}], "Echo")
    assert made == ({"port": "Echo", "kind": "corrupt"},)
    assert port_faults.of_port(made, "Echo:51234", "tcp") == ({"kind": "corrupt"},)


def test_a_kind_of_a_plugin_acts_in_no_program_and_that_is_said():
    faults.add(replace(faults.built_in()["delay"], name="slower"))
    try:
        [found] = port_faults.mistakes([fault("Echo"), {"port": "Echo", "kind": "slower"}])
    finally:
        faults.remove("slower")
    assert (found.table, found.key) == (1, "kind")
    assert found.text.startswith('"slower" is of a plugin, which no program loads')


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ('port = "Echo"\nkind = "dely"', '10: fault: number 1: kind "dely" is unknown'),
        ('kind = "delay"', "8: fault: number 1: port is missing. Name the port"),
        ('port = 8000\nkind = "delay"', '9: fault: number 1: port must be text, as in port = "Echo:8000"'),
        ('port = "Echo"\nkind = "delay"\nms = "x"', "11: fault: number 1: ms must be"),
        ('port = "Echo"\nkind = "delay"\nname = "\\u0007"', "11: fault: number 1: name must be one line"),
        ('port = "Echo"\nkind = "stall_handshake"', "10: fault: number 1: kind"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(written, problem):
    text = f'version = 1\n\n[[program]]\nname = "echo"\nrun = ["echo.py"]\n\n\n[[program.fault]]\n{written}\n'
    workspace, [found] = reading.parse(text)
    assert str(found).startswith(problem)
    assert workspace.programs == ()


def test_too_many_and_what_is_no_table_are_told():
    assert [str(one) for one in port_faults.mistakes("x")] == ["must be tables that begin with [[program.fault]]"]
    [one] = port_faults.mistakes([fault("Echo")] * (port_faults.MAX_FAULTS + 1))
    assert "a program has at most 200 faults" in str(one)


def test_a_workspace_keeps_faults_python_and_comments(tmp_path):
    file = tmp_path / "w.toml"
    file.write_text(WORKSPACE)
    workspace = reading.load(file)
    assert workspace.programs[0].python == ".venv"
    saving.save(workspace, file)
    assert file.read_text() == WORKSPACE
    assert (
        saving.as_text(workspace).decode()
        == "\n".join(line for line in WORKSPACE.splitlines() if not line.startswith("#")).replace('"\n\n\n', '"\n\n')
        + "\n"
    )
