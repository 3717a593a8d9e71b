"""Starts a Twisted program in a process of its own, and tells of what was stored and how it ended."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from app.capture.recorder import Stored
from app.programs.errors import NoProgramError

TAC = (".tac", ".tap")
"""Files that ``twistd`` runs."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        script: a file, or a command's; empty: ``module``.
        folder: what the program finds first in ``sys.path``; None: that of the script.
    """

    script: str = ""
    module: str = ""
    args: tuple[str, ...] = ()
    folder: str | None = None

    @property
    def words(self) -> str:
        return " ".join([self.script or f"-m {self.module}", *self.args])


def of_file(path: str, args: Sequence[str]) -> Program:
    """A Python file, or a ``.tac``, which ``twistd`` runs. Raises NoProgramError."""
    file = Path(path)
    if not file.is_file():
        raise NoProgramError(name=path, reason="there is no such file" if not file.exists() else "it is no file")
    if file.suffix in TAC:
        twistd = ["--nodaemon", "--pidfile=", "--logfile=-", f"--python={file.resolve()}"]
        return of_command(["twistd", *twistd, *args])
    return Program(script=path, args=tuple(args))


def of_module(name: str, args: Sequence[str]) -> Program:
    """A module, as of ``python -m``."""
    return Program(module=name, args=tuple(args), folder=os.getcwd())


def of_command(words: Sequence[str]) -> Program:
    """A command that is a Python script, as ``twist`` and ``trial``. Raises NoProgramError."""
    name = words[0]
    beside = shutil.which(name, path=str(Path(sys.executable).parent))
    found = beside or shutil.which(name)
    if found is None:
        raise NoProgramError(name=name, reason="no folder of PATH has it")
    with open(found, "rb") as file:
        first = file.readline(200)
    if not (first.startswith(b"#!") and b"python" in first):
        raise NoProgramError(name=name, reason="it is no Python script, and only these can be looked into")
    return Program(script=found, args=tuple(words[1:]), folder=str(Path(found).parent))


class Running:
    """A program that was started.

    Attributes:
        pid: its process.
    """

    def __init__(self, program: Program, capture: Path, limit: int, python: str = sys.executable,
        ports: Mapping[str, str] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        """Start it. What it prints goes to standard error. Raises OSError."""
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [
                    python, "-P", "-m", "app.programs.host", f"--capture={capture}", f"--limit={limit}",
                    f"--told={writing}", *(f"--port={wanted}={instead}" for wanted, instead in ports.items()),
                    *([] if program.folder is None else [f"--folder={program.folder}"]),
                    *([f"--script={program.script}"] if program.script else [f"--module={program.module}"]),
                    "--", *program.args,
                ],
                pass_fds=[writing], stdout=sys.stderr, env=environment(),
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

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None


def how_ended(code: int) -> str:
    """The end of a program in words, where a signal was it."""
    return f"the program was ended by {signal.Signals(-code).name}" if code < 0 else ""


def environment() -> dict[str, str]:
    """Ours, with a path to this program's modules: the host takes it out again."""
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "LISTENING_POST_ROOT": root, "PYTHONPATH": _joined(root)}


def _joined(root: str) -> str:
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
