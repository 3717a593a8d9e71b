"""Standard output that cannot be written."""

from __future__ import annotations

import subprocess
import sys

import pytest

from app.commands import errors, output
from tests.helpers import PROGRAM, ROOT


def shell(script: str, *args: object) -> tuple[int, str, str]:
    """Exit code and output of a line of shell, in which "$@" is the program with ``args``."""
    command = ["bash", "-c", script, "sh", *PROGRAM, *map(str, args)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout, done.stderr


FULL = "listening-post: Cannot write standard output: No space left on device.\n"
CLOSED = "listening-post: Cannot write standard output: Bad file descriptor.\n"


@pytest.mark.parametrize(("where", "words"), [("> /dev/full", FULL), (">&-", CLOSED)])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_command_that_cannot_print_says_so_and_fails(where: str, words: str, unbuffered: str) -> None:
    script = f'PYTHONUNBUFFERED={unbuffered} "$@" {where}'
    assert shell(script, "check", "resources/demo.toml") == (1, "", words)


def test_print_goes_where_it_did_before_afterwards(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    with output.checked_stdout():
        assert sys.stdout is not before
        print("a\udc80\u20ac")
    assert sys.stdout is before
    print("b")
    assert capsys.readouterr().out == "a\\udc80\u20ac\nb\n"


def test_a_reader_that_has_had_enough_is_told_from_a_mistake() -> None:
    with pytest.raises(BrokenPipeError), output.raising_output_errors():
        raise BrokenPipeError
    with (
        pytest.raises(errors.OutputError, match=r"^Cannot write standard output: No space\.$"),
        output.raising_output_errors(),
    ):
        raise OSError(28, "No space")


@pytest.mark.parametrize(
    "words",
    [
        ["send", "zz\x1b]://x"],
        ["send", "http://a b\x1b]0;x\x07/"],
        ["send", "tcp://127.0.0.1:1", "x", "--repeat", "\x1b[2J"],
        ["query", "no\x1b[2Jne.lpost"],
        ["query", "none.lpost", "a ==\x1b[2J b \x9b2J \u202e"],
        ["export", "none.lpost", "a\x1bb.har", "--filter", "\x1b =="],
        ["check", "no\x1b[2Jne.toml"],
        ["--debug", "check", "no\x1b[2Jne.toml"],
        ["ser\x1bve"],
        ["serve", "no\x1bne.toml"],
    ],
)
def test_b6_no_error_text_reaches_the_terminal_as_it_came(words: list[str]) -> None:
    code, out, said = shell('"$@"', *words)
    assert code
    assert said
    assert not [c for c in out + said if c not in "\n\t" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e")]


def test_b6_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr
    with output.checked_stderr():
        print("a\tb\n\x1b[2J\rc\udc80\u20ac", file=sys.stderr)
    assert sys.stderr is before
    assert capsys.readouterr().err == "a\tb\n\\e[2J\\rc\\x80\u20ac\n"
