"""app.commands.table: each command is one module, and a run imports no other's."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from app.commands import table
from tests.helpers import ROOT


@pytest.mark.parametrize("name", table.COMMANDS)
def test_the_module_of_a_command_provides_what_the_table_asks_for(name: str) -> None:
    module = table.module_of(name)
    for function in ("add_arguments", "run"):
        found, wanted = getattr(module, function), getattr(table.Command, function)
        assert list(inspect.signature(found).parameters) == list(inspect.signature(wanted).parameters)[1:]


def test_a_command_that_was_not_asked_for_has_no_arguments() -> None:
    with pytest.raises(SystemExit):
        table.command_parser("query").parse_args(["check", "w.toml"])
    assert table.command_parser("check").parse_args(["check", "w.toml"]).run is table.module_of("check").run


@pytest.mark.parametrize("args", [["serve", "--help"], ["send", "--help"], ["query", "none.lpost"]])
def test_a_run_imports_the_module_of_no_other_command(args: list[str]) -> None:
    script = (
        "import sys; from app.commands import main, table\n"
        "try: main.main(sys.argv[1:], None)\n"
        "except SystemExit: pass\n"
        "print([name for name in table.COMMANDS if f'app.commands.{name}' in sys.modules],"
        " [name for name in sys.modules if name in ('twisted.internet.defer', 'app.post', 'PyQt5')])"
    )
    command = [sys.executable, "-c", script, *args]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.splitlines()[-1] == f"['{args[0]}'] []"
