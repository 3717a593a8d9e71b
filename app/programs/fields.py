"""Between what a dialog asks for and a table ``[[program]]``."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.files.names import typed
from app.options import Option
from app.programs import ports
from app.programs.config import PROGRAM

_KNOWN = {option.name: option for option in PROGRAM}


def _words_problem(text: str) -> str | None:
    try:
        shlex.split(text)
    except ValueError:
        return "has a quotation mark that is not closed"
    return None


def _program_problem(text: str) -> str | None:
    return "must name a program" if not text.strip() else _words_problem(text)


def _ports_problem(lines: list[str]) -> str | None:
    try:
        pairs = [ports.parsed(line) for line in lines]
    except ValueError as e:
        return f"cannot be used: {e}"
    return ports.problem({str(wanted): str(instead) for wanted, instead in pairs})


FIELDS = (
    Option(
        "program", str, "",
        "A Python file or a .tac; -m and a module; or a command that is a Python script, such as twist or trial",
        required=True, path="file", check=_program_problem,
    ),
    Option("arguments", str, "", "Arguments of the program, as in a shell", check=_words_problem),
    Option(
        "folder", str, "",
        "Folder in which the program runs; empty: the folder of the file, or of the workspace", path="folder"
    ),
    replace(
        _KNOWN["python"],
        help="Python that runs the program: a file, or the folder of a virtual environment; empty: that of the command,"
        " else the active one",
    ),
    replace(_KNOWN["name"], help="Name of the program in the list of services"),
    _KNOWN["restart"],
    Option(
        "ports", list, [], "Port to listen on where a port that the program wants is taken, such as 8000=18000",
        check=_ports_problem,
    ),
    _KNOWN["autostart"],
)  # fmt: skip
"""What the dialog asks for."""


def fields_of(table: Mapping[str, Any]) -> dict[str, Any]:
    """What the dialog shows of a table."""
    run = list(table.get("run", ()))
    first = 2 if run[:1] == ["-m"] else 1
    program = run[0] if first == 1 and run else shlex.join(run[:first])
    made = {"program": program, "arguments": shlex.join(run[first:])}
    made |= {key: table[key] for key in ("name", "folder", "python", "restart", "autostart") if key in table}
    return made | {"ports": [f"{wanted}={instead}" for wanted, instead in table.get("ports", {}).items()]}


def table_of(fields: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The table of what was typed, which has no mistakes. ``folder`` is the workspace's. Looks for files."""
    program, place = str(fields["program"]).strip(), str(fields.get("folder", "")).strip()
    file = typed(program)
    if file.is_absolute() and file.is_file():
        inside = file.is_relative_to(folder)
        if not place:
            place = "" if inside else str(file.parent)
        start = folder if not place else folder / typed(place)
        words = [str(file.relative_to(start)) if file.is_relative_to(start) else str(file)]
    elif (folder / place / file).is_file():
        words = [program]
    else:
        words = shlex.split(program)
    kept = {key: fields.get(key, _KNOWN[key].default) for key in ("restart", "autostart")}
    table = {
        "name": fields["name"], "run": [*words, *shlex.split(fields.get("arguments", ""))], "folder": place,
        "python": str(fields.get("python", "")).strip(), **kept,
        "ports": {str(a): str(b) for a, b in map(ports.parsed, fields.get("ports", ()))},
    }  # fmt: skip
    return {key: value for key, value in table.items() if key in ("name", "run") or value != _KNOWN[key].default}


def suggested_name(program: str) -> str:
    """What a program is called first."""
    words = program.split()
    last = words[1] if words[:1] == ["-m"] and len(words) > 1 else program
    last = words[0] if words and words[0].endswith((".py", ".tac")) else last  # arguments stand behind it
    name = Path(last).stem if last.endswith((".py", ".tac")) else last.rpartition("/")[2].rpartition(".")[2]
    shown = "".join(c for c in name if c.isprintable() and c != "/").strip()[:30]
    return shown or "program"
