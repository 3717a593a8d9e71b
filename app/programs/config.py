"""The declarations of a hosted program, a table ``[[program]]`` of a workspace, and what it asks for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app import options
from app.faults.tables import FAULT
from app.files.names import typed
from app.options import Mistake, Option, Options, with_defaults
from app.programs import port_faults, ports
from app.text.escapes import one_line
from app.trust.asks import Ask

MAX_PROGRAMS = 50
"""Programs of one workspace."""

MAX_NAME = 40
MAX_WORDS = 100
MAX_WORD = 4_000
"""Characters of a name; words of a command line, and characters of each."""

ON_CHANGE, ON_FAILURE, NEVER = "on-change", "on-failure", "never"


def _name_problem(name: str) -> str | None:
    if not name.strip() or name != name.strip() or "/" in name:
        return 'must be text without spaces around it and without "/", as in name = "tutorial"'
    if len(name) > MAX_NAME or not name.isprintable():
        return f"must be one line of at most {MAX_NAME} characters, none of them invisible"
    return None


def _run_problem(words: list[str]) -> str | None:
    if not words or not words[0].strip():
        return 'must name a program, as in run = ["echo.py"]'
    if words[0] == "-m" and (len(words) < 2 or not words[1].strip()):
        return 'must name a module after -m, as in run = ["-m", "mypackage.server"]'
    if len(words) > MAX_WORDS or any(len(word) > MAX_WORD or "\0" in word for word in words):
        return f"must have at most {MAX_WORDS} words of at most {MAX_WORD:,} characters, none of them NUL"
    return None


def _python_problem(python: str) -> str | None:
    return (
        f"must have at most {MAX_WORD:,} characters, none of them NUL"
        if len(python) > MAX_WORD or "\0" in python
        else None
    )


PROGRAM = (
    Option(
        "name", str, "", "Name of the program, and of the group of its ports in the window", required=True,
        check=_name_problem,
    ),
    Option(
        "run", list, [],
        "Program and its arguments: a Python file or a `.tac`; `-m` and a module; or a command that is a Python "
        "script, such as `twist`. Each word is an item of its own",
        required=True, check=_run_problem,
    ),
    Option(
        "folder", str, "",
        "Folder in which the program runs, and where relative paths start; empty: the folder of the workspace",
        path="folder",
    ),
    Option(
        "python", str, "",
        "Python that runs the program: its file, the folder of a virtual environment, or a command of `PATH`; empty:"
        " the Python in the first line of the command, else that of the active virtual environment, else that of"
        " Listening Post",
        path="file", check=_python_problem,
    ),
    Option(
        "restart", str, NEVER, "When the program is restarted automatically",
        choices=(ON_CHANGE, ON_FAILURE, NEVER),
        choice_words=("when its files change", "when it has failed", "never"),
        helps=(
            "When one of its files is saved: its script, and what that imports of its own",
            "When it has ended by an error or a signal, after 1 s, then after twice as long each time, up to a minute",
            "Never: only by hand",
        ),
    ),
    Option(
        "ports", dict, {},
        'Ports to listen on where a port that the program wants is taken: `{ "8000" = "18000" }`',
        check=ports.problem,
    ),
    Option("autostart", bool, False, "Start it when the workspace is opened"),
)  # fmt: skip
"""Each key of ``[[program]]``."""

_DEFAULTS = {option.name: option.default for option in PROGRAM}


@dataclass(frozen=True, slots=True)
class ProgramConfig:
    """One ``[[program]]`` of a workspace, after it was checked; ``PROGRAM`` says what each key means.

    Attributes:
        faults: its tables ``[[program.fault]]``, see ``app.programs.port_faults``.
    """

    name: str
    run: tuple[str, ...]
    folder: str = ""
    python: str = ""
    restart: str = NEVER
    ports: Mapping[str, str] = field(default_factory=dict)
    autostart: bool = False
    faults: port_faults.Tables = ()

    @property
    def words(self) -> str:
        """What is started, as one line."""
        return one_line(" ".join(self.run))

    def runs_as(self, other: ProgramConfig) -> bool:
        """Whether what runs would be the same: faults are set while it does."""
        return replace(self, faults=()) == replace(other, faults=())

    def every_key(self) -> dict[str, Any]:
        """All but its faults."""
        return {option.name: getattr(self, option.name) for option in PROGRAM} | {
            "run": list(self.run), "ports": dict(self.ports),
        }  # fmt: skip

    def as_table(self) -> dict[str, Any]:
        """The table for a workspace file: without keys that have their default values, and without faults."""
        required = ("name", "run")
        return {key: value for key, value in self.every_key().items() if key in required or value != _DEFAULTS[key]}


def made_of(table: Options) -> ProgramConfig:
    """The program of a table without mistakes."""
    values = with_defaults(PROGRAM, {key: value for key, value in table.items() if key != FAULT})
    made = {"run": tuple(values["run"]), "ports": dict(values["ports"])}
    return ProgramConfig(**values | made, faults=tuple(table.get(FAULT, ())))


def mistakes(table: Options, others: Iterable[str] = ()) -> Iterator[Mistake]:
    """All that is wrong with one table ``[[program]]``. ``others``: names of services and other programs."""
    yield from options.mistakes(PROGRAM, {key: value for key, value in table.items() if key != FAULT})
    yield from port_faults.mistakes(table.get(FAULT, ()))
    if table.get("name") in set(others):
        yield Mistake("name", f'"{table["name"]}" is taken. Give each program and service its own name')


def asks_of(programs: Iterable[ProgramConfig], folder: Path) -> list[Ask]:
    """What these programs ask for: to be run. ``folder`` is the workspace's. Blocks, because links are resolved."""
    return [_ask(program, folder) for program in programs]


def _ask(program: ProgramConfig, folder: Path) -> Ask:
    place = (folder / typed(program.folder)).resolve()
    where = f" in {place}" if program.folder else ""
    ports = "".join(f" {wanted}={instead}" for wanted, instead in sorted(program.ports.items()))
    named = python_of(program, folder)
    python = f" with {named}" if named else ""
    words = f"starts the program {program.words}{where}{one_line(python)}: its code can do all that you can"
    return Ask("run", program.name, f"{program.words} in {place}{ports}{python}", words)


def python_of(program: ProgramConfig, folder: Path) -> str:
    """The Python that the program names; a relative one starts in ``folder``, the workspace's. Empty: it names none.

    A word without a slash is there if it is a file or a folder there, and else a command of ``PATH``.
    """
    named = program.python
    if not named:
        return ""
    place = folder / typed(named)
    is_command = os.sep not in named and "/" not in named and not named.startswith(".") and not place.exists()
    return named if is_command else os.path.abspath(place)
