"""Starts a Twisted program in a process of its own, and tells of what was stored and how it ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from app.capture.link import writer_command, writer_environment
from app.capture.recorder import Stored
from app.files.names import typed
from app.programs import pythons
from app.programs.errors import NoProgramError

TAC = (".tac", ".tap")
"""Files that ``twistd`` runs."""

_INSIDE = Path(__file__).with_name("inside")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        script: a file, or a command's; empty: ``module``.
        folder: what the program finds first in ``sys.path``; None: that of the script.
        python: the interpreter that runs it.
    """

    script: str = ""
    module: str = ""
    args: tuple[str, ...] = ()
    folder: str | None = None
    python: str = ""

    @property
    def words(self) -> str:
        return " ".join([self.script or f"-m {self.module}", *self.args])


def of_file(path: str, args: Sequence[str], python: str = "") -> Program:
    """A Python file, or a ``.tac``, which ``twistd`` runs; ``python`` as ``pythons.wanted`` takes it.

    Raises NoProgramError.
    """
    file = Path(path)
    if not file.is_file():
        raise NoProgramError(name=path, reason="there is no such file" if not file.exists() else "it is not a file")
    if file.suffix in TAC:
        twistd = ["--nodaemon", "--pidfile=", "--logfile=-", f"--python={file.resolve()}"]
        if getattr(sys, "frozen", False) and pythons.is_ours(pythons.wanted(python)):
            script, folder = _INSIDE / "twistd.py", str(file.resolve().parent)
            return Program(script=str(script), args=(*twistd, *args), folder=folder, python=sys.executable)
        return of_command(["twistd", *twistd, *args], python)
    return Program(script=path, args=tuple(args), python=pythons.wanted(python))


def of_run(run: Sequence[str], folder: Path, python: str = "") -> Program:
    """What ``run`` of a workspace names, to run in ``folder``; its interpreter was looked at.

    Blocks. Raises NoProgramError, NoPythonError.
    """
    if not folder.is_dir():
        raise NoProgramError(name=run[0], reason=f"there is no folder {folder}")
    found = _of_run(run, folder, python)
    return replace(found, python=pythons.looked_at(found.python).path)


def _of_run(run: Sequence[str], folder: Path, python: str) -> Program:
    if run[0] == "-m":
        return replace(of_module(run[1], run[2:], python), folder=str(folder))
    file = folder / typed(run[0])
    if file.is_file() or file.suffix in (".py", *TAC):
        found = of_file(str(file), run[1:], python)
        return replace(found, script=run[0]) if found.script == str(file) else found
    return of_command(run, python)


def of_module(name: str, args: Sequence[str], python: str = "") -> Program:
    """A module, as of ``python -m``."""
    return Program(module=name, args=tuple(args), folder=os.getcwd(), python=pythons.wanted(python))


def of_command(words: Sequence[str], python: str = "") -> Program:
    """A command that is a Python script, as ``twist`` and ``trial``: the one of the Python that is wanted, before
    those of PATH. It runs with the Python that its first line names, unless the user named one.

    Raises NoProgramError.
    """
    name = words[0]
    wanted = pythons.wanted(python)
    beside, ours = (str(Path(each).parent) for each in (wanted or os.devnull, sys.executable))
    found = shutil.which(name, path=beside) or shutil.which(name) or shutil.which(name, path=ours)
    if found is None:
        raise NoProgramError(name=name, reason="no folder of PATH has it")
    with open(found, "rb") as file:
        named = pythons.of_script(file.readline(500), file.readline(500))
    if named is None:
        raise NoProgramError(name=name, reason="it is not a Python script, and only Python scripts can be captured")
    return Program(
        script=found, args=tuple(words[1:]), folder=str(Path(found).parent), python=wanted if python else named
    )


def host_command(python: str) -> list[str]:
    """What starts our part of a program's process; its own arguments follow."""
    if getattr(sys, "frozen", False) and pythons.is_ours(python):
        return [python, "program-host"]  # a frozen program has no interpreter to call by
    return [python, "-P", str(_INSIDE / "start.py")]


def host_environment(python: str) -> dict[str, str]:
    """The environment of a program's process: ours."""
    environment = dict(os.environ)
    if getattr(sys, "frozen", False) and pythons.is_ours(python):
        # It takes both away again before the program begins.
        if "LD_LIBRARY_PATH" in environment:
            environment["LD_LIBRARY_PATH_ORIG"] = environment["LD_LIBRARY_PATH"]
        environment["LD_LIBRARY_PATH"] = writer_environment()["LD_LIBRARY_PATH"]
    return environment


def host_arguments(program: Program, ports: Mapping[str, str]) -> list[str]:
    """The last of these arguments: what is run, and where it listens instead; see ``app.programs.ports``."""
    return [
        *(f"--port={wanted}={instead}" for wanted, instead in ports.items()),
        *([] if program.folder is None else [f"--folder={program.folder}"]),
        f"--script={program.script}" if program.script else f"--module={program.module}",
        "--", *program.args,
    ]  # fmt: skip


def _writer(python: str) -> list[str]:
    """The capture's writer runs in our Python, also where the program has one of its own."""
    if pythons.is_ours(python):
        return []
    added = {name: value for name, value in writer_environment().items() if os.environ.get(name) != value}
    return [f"--writer={json.dumps({'command': writer_command(), 'environment': added})}"]


class Running:
    """A program that was started.

    Attributes:
        pid: its process.
    """

    def __init__(
        self, program: Program, capture: Path, limit: int, ports: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        """Start it. What it prints goes to standard error. Raises OSError."""
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    *host_command(program.python), f"--capture={capture}", f"--limit={limit}", f"--told={writing}",
                    *_writer(program.python), *host_arguments(program, ports),
                ],
                pass_fds=[writing], stdout=sys.stderr, env=host_environment(program.python),
            )  # fmt: skip
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._told = os.fdopen(reading, "rb")
        self.pid = self._process.pid

    def stored(self) -> Iterator[Stored]:
        """What the capture holds, each time it has grown. Ends when program and writer have ended. Blocks."""
        for line in self._told:
            message = json.loads(line)
            if "first" in message:
                yield Stored(message["first"], message["last"], message["bytes"])
        self._told.close()

    def send_signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self) -> int:
        """Its exit code; negative for the signal that ended it. Blocks."""
        return self._process.wait()

    def ends_within(self, seconds: float) -> bool:
        """Wait for its end as long as that. Blocks."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None


def how_ended(code: int) -> str:
    """The end of a program in words, where a signal was it."""
    return f"the program was ended by {signal.Signals(-code).name}" if code < 0 else ""
