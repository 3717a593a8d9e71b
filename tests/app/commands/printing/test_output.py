"""Standard output that cannot be written."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands import errors
from app.commands.printing import output
from tests.helpers import PROGRAM, ROOT, run_bytes


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
    if unbuffered:
        closed = words == CLOSED
        with open(os.devnull if closed else "/dev/full", "wb") as out:
            done = run_bytes(
                "check", "resources/demo.toml", out=out.fileno(), closed=[1] if closed else [],
                environment=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            )  # fmt: skip
        assert (done.returncode, done.stderr.decode()) == (1, words)
    else:  # with the interpreter's own end
        assert shell(f'PYTHONUNBUFFERED= "$@" {where}', "check", "resources/demo.toml") == (1, "", words)


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


BAD = "\x1b]0;owned\a\x9b31m\u202e\u2028\r"
"""What a terminal obeys, what turns text around, and what ends a line."""

SHOWN = r"\e]0;owned\x07\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\r"


def test_whatever_is_printed_has_escapes_for_what_would_not_show(capsys: pytest.CaptureFixture[str]) -> None:
    with output.checked_stdout(), output.checked_stderr():
        print(f"a\t{BAD}\nb")
        print(BAD, file=sys.stderr)
    assert capsys.readouterr() == (f"a\t{SHOWN}\nb\n", f"{SHOWN}\n")


def test_a_warning_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    output.warn(f"plugin\n{BAD}")
    assert capsys.readouterr().err == rf"listening-post: plugin\n{SHOWN}" + "\n"


def test_bytes_for_a_terminal_come_in_any_parts() -> None:
    terminal = output.Terminal()
    given = f"é\t{BAD}\r\n\\".encode() + b"\xff"
    assert "".join(terminal.take(given[n : n + 1]) for n in range(len(given))) == f"é\t{SHOWN}\n\\\\xff"


@pytest.mark.parametrize("on_terminal", [True, False])
def test_what_a_peer_sends_reaches_a_terminal_as_escapes_and_a_pipe_as_it_is(on_terminal: bool) -> None:
    script = f"from app.commands.printing import output\nwith output.checked_stdout(): output.write({BAD.encode()!r})"
    ours, theirs = pty.openpty() if on_terminal else os.pipe()
    with open(theirs, "wb") as out:
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, stdout=out, timeout=100, check=True)
        found = os.read(ours, 10_000)
    os.close(ours)
    assert found.decode() == (SHOWN.removesuffix(r"\r") if on_terminal else BAD)


@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["trust"], ["trust", "--forget"]])
def test_paths_and_names_of_plugins_have_escapes(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plugins").mkdir()
    name = "".join(f"\\u{ord(c):04x}" for c in BAD)
    (tmp_path / "plugins" / "p.py").write_text(
        f'from listening_post import responder\n@responder("{name}")\ndef f(x): return x\n'
    )
    path = tmp_path / f"x{BAD}.toml"
    service = 'name = "a"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\nresponder = "echo"\n'
    path.write_text(f"version = 1\n[[service]]\n{service}")
    monkeypatch.setenv("LISTENING_POST_DATA", str(tmp_path / "data"))
    done = run_bytes(*command, str(path))
    printed = (done.stdout + done.stderr).decode()
    assert printed.strip()
    assert printed.replace("\n", "").isprintable()
    if "--json" in command:
        assert {json.loads(line)["file"] for line in done.stdout.splitlines()} == {str(path)}


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
    done = run_bytes(*words)
    out, said = done.stdout.decode(), done.stderr.decode()
    assert done.returncode
    assert said
    assert not [c for c in out + said if c not in "\n\t" and (ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c == "\u202e")]


def test_b6_lines_stay_lines(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr
    with output.checked_stderr():
        print("a\tb\n\x1b[2J\rc\udc80\u20ac", file=sys.stderr)
    assert sys.stderr is before
    assert capsys.readouterr().err == "a\tb\n\\e[2J\\rc\\x80\u20ac\n"
