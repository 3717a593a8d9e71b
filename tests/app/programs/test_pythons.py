"""app.programs.pythons: which Python runs a program, and what a program finds in one that has nothing of ours."""

import os
import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import twisted

from app.programs import pythons, starting
from app.programs.config import ProgramConfig, asks_of, mistakes, python_of
from app.programs.errors import NoProgramError, NoPythonError
from tests.app.programs.inside.test_host import seen
from tests.helpers import run, run_bytes

THEIRS = """
import importlib.util, os, sys
from twisted.internet import protocol, reactor
print("prefix", sys.prefix)
print("ours:", [p for p in sys.path if p == {root!r}], os.environ.get("PYTHONPATH"))
print("re2:", importlib.util.find_spec("re2"))

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)

class Client(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hello")
    def dataReceived(self, data):
        reactor.stop()

class Factory(protocol.ClientFactory):
    protocol = Client

port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
reactor.connectTCP("127.0.0.1", port.getHost().port, Factory())
reactor.run()
"""

NEEDED = (
    "twisted", "zope", "attr", "attrs", "constantly", "incremental", "automat", "hyperlink", "idna",
    "typing_extensions.py",
)  # fmt: skip
"""What Twisted imports: all that a program's Python has to have."""

PACKAGES = Path(twisted.__file__).parents[1]


def environment(folder, packages=NEEDED):
    """A virtual environment with these of our packages, and what they say of themselves."""
    library = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    library.mkdir(parents=True)
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(os.path.realpath(sys.executable))
    (folder / "pyvenv.cfg").write_text(f"home = {Path(os.path.realpath(sys.executable)).parent}\n")
    for name in packages:
        (library / name).symlink_to(PACKAGES / name)
    for found in PACKAGES.glob("*.dist-info"):
        if found.name.lower().startswith("twisted-") and "twisted" in packages:
            (library / found.name).symlink_to(found)
    return folder


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    return environment(tmp_path_factory.mktemp("theirs") / ".venv")


def script(path, first):
    path.write_text(f"{first}\nimport sys\nprint('prefix', sys.prefix)\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_program_runs_in_a_python_that_has_nothing_of_ours(theirs, tmp_path):
    root = str(Path(__file__).resolve().parents[3])
    (tmp_path / "server.py").write_text(THEIRS.format(root=root))
    more = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    more["VIRTUAL_ENV"] = str(theirs)
    done = run("run", "--capture", tmp_path / "x.lpost", "--quiet", tmp_path / "server.py", env=more)
    found = seen(tmp_path / "x.lpost")
    assert done.returncode == 0, done.stderr
    assert f"running with {theirs}/bin/python (Python 3." in done.stderr
    assert ("log", f"prefix {theirs}") in found
    assert ("log", "ours: [] None") in found
    assert ("log", "re2: None") in found
    assert [each for each in found if each[0].startswith("data.")] == [
        ("data.sent", "hello"), ("data.received", "hello"), ("data.sent", "hello"), ("data.received", "hello"),
    ]  # fmt: skip


def test_a_program_of_a_workspace_runs_in_the_python_that_it_names(theirs, tmp_path):
    (tmp_path / ".venv").symlink_to(theirs)
    (tmp_path / "server.py").write_text("import sys\nprint('prefix', sys.prefix)\n")
    command = ("run", "--capture", "x.lpost", "--quiet", "--restart", "on-failure", "--python", ".venv", "server.py")
    done = run_bytes(*command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ("log", f"prefix {tmp_path}/.venv") in seen(tmp_path / "x.lpost")


def test_its_python_is_part_of_what_is_asked_about(tmp_path):
    config = ProgramConfig("a", ("a.py",), python=".venv")
    [plain], [named] = asks_of([replace(config, python="")], tmp_path), asks_of([config], tmp_path)
    assert plain.key != named.key
    assert f"starts the program a.py with {tmp_path}/.venv: its code" in named.text
    assert python_of(replace(config, python="python3.99"), tmp_path) == "python3.99"
    assert python_of(replace(config, python="bin/python"), tmp_path) == f"{tmp_path}/bin/python"
    wrong = [str(one) for one in mistakes({"name": "a", "run": ["a.py"], "python": "a\0b"})]
    assert wrong == ["must have at most 4,000 characters, none of them NUL"]


def test_the_python_that_was_named_comes_before_the_active_environment(theirs, monkeypatch):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    assert pythons.wanted() == sys.executable
    monkeypatch.setenv("VIRTUAL_ENV", str(theirs))
    assert pythons.wanted() == f"{theirs}/bin/python"
    assert pythons.wanted(sys.executable) == sys.executable
    monkeypatch.setenv("VIRTUAL_ENV", "/nowhere")
    assert pythons.wanted() == sys.executable
    assert pythons.wanted(str(theirs)) == f"{theirs}/bin/python"


def test_the_frozen_program_runs_programs_itself_unless_another_python_is_named(theirs, monkeypatch, tmp_path):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", "/bundle", raising=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "listening-post"))
    (tmp_path / "server.tac").write_text("")
    ours = starting.of_file(str(tmp_path / "server.tac"), [])
    assert starting.host_command(pythons.looked_at(ours.python).path) == [sys.executable, "program-host"]
    assert starting.host_environment(ours.python)["LD_LIBRARY_PATH"] == "/bundle"
    assert ours.script.endswith("app/programs/inside/twistd.py")
    assert starting.host_command(f"{theirs}/bin/python")[0] == f"{theirs}/bin/python"
    with pytest.raises(NoPythonError, match=r"cannot run with Python: PATH has none.*--python"):
        pythons.looked_at("")
    assert pythons.looked_at(f"{theirs}/bin/python").words.startswith(f"{theirs}/bin/python (Python 3.")


@pytest.mark.parametrize(
    ("first", "second", "python"),
    [
        (b"#!/opt/x/bin/python3\n", b"", "/opt/x/bin/python3"),
        (b"#!/opt/x/bin/python3.12 -I\n", b"", "/opt/x/bin/python3.12"),
        (b'#!"/opt/my x/bin/python"\n', b"", "/opt/my x/bin/python"),
        (b"#!/bin/sh\n", b'\'\'\'exec\' "/opt/my x/bin/python3" "$0" "$@"\n', "/opt/my x/bin/python3"),
        (b"#!/bin/sh\n", b"'''exec' /opt/x/bin/python3 \"$0\" \"$@\"\n", "/opt/x/bin/python3"),
        (b"#!/bin/sh\n", b"exec python3 x.py\n", None),
        (b"#!/usr/bin/perl\n", b"", None),
        (b"#!/usr/bin/env perl\n", b"", None),
        (b"#! \n", b"", None),
        (b'#!"\n', b"", None),
        (b"\x7fELF", b"", None),
        (b"", b"", None),
    ],
)
def test_the_first_lines_of_a_script_name_its_python(first, second, python):
    assert pythons.of_script(first, second) == python


def test_a_script_that_leaves_it_to_the_path(monkeypatch, tmp_path):
    (tmp_path / "python3").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    for first in (b"#!/usr/bin/env python3\n", b"#!/usr/bin/env -S python3 -u\n"):
        assert pythons.of_script(first, b"") == str(tmp_path / "python3")
    monkeypatch.setenv("PATH", "/nowhere")
    assert pythons.of_script(b"#!/usr/bin/env python3\n", b"") == ""


def test_a_command_runs_in_its_own_python_unless_one_was_named(theirs, monkeypatch, tmp_path):
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    other = script(tmp_path / "serve", "#!/opt/x/bin/python3")
    assert starting.of_command([str(other)]).python == "/opt/x/bin/python3"
    assert starting.of_command([str(other)], str(theirs)).python == f"{theirs}/bin/python"
    twist = script(theirs / "bin" / "twist", f"#!{theirs}/bin/python")
    assert Path(starting.of_command(["twist"]).script).parent == Path(sys.executable).parent
    monkeypatch.setenv("VIRTUAL_ENV", str(theirs))
    found = starting.of_command(["twist", "web"])
    assert (found.script, found.python, found.args) == (str(twist), f"{theirs}/bin/python", ("web",))
    (tmp_path / "data").write_bytes(b"\xff\xfe")
    (tmp_path / "data").chmod(0o700)
    with pytest.raises(NoProgramError, match="not a Python script"):
        starting.of_command([str(tmp_path / "data")])


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ('[[3, 8], "22.10.0"]', r"it is Python 3\.8, and programs are looked into from 3\.11 on"),
        ('[[3, 12], ""]', r"it has no Twisted\. To install that: \S+python -m pip install twisted"),
        ("{}", "does not answer as a Python does"),
        ("5", "does not answer as a Python does"),
        ("", "does not answer as a Python does"),
    ],
)
def test_a_python_that_cannot_run_programs(says, words, tmp_path):
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\necho '{says}'\n")
    fake.chmod(0o700)
    with pytest.raises(NoPythonError, match=words):
        pythons.looked_at(str(fake))


def test_a_python_that_is_none(tmp_path):
    with pytest.raises(NoPythonError, match="there is no such file"):
        pythons.looked_at(str(tmp_path / "no"))
    with pytest.raises(NoPythonError, match="a folder without a Python"):
        pythons.looked_at(str(tmp_path))
