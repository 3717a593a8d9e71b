"""app.commands.main, as the program that people and scripts run."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing

import pytest

from app import __version__, events
from app.commands import main as cli
from tests import preloaded
from tests.app.capture.captures import event, make, opened, payloads
from tests.helpers import PROGRAM, ROOT, run, run_bytes, serving, wait_for

WORKSPACE = 'version = 1\n[[service]]\nname = "a"\nprotocol = "tcp"\nlisten = "127.0.0.1:0"\n'
BROKEN = WORKSPACE + 'color = "red"\nautostart = 1\n'


@pytest.fixture
def capture(tmp_path):
    return make(tmp_path / "x.lpost", opened(1), event(b"Hello\n", conn=1), event(b"\0\xff", conn=1), event(b"hello"))


def one_line(text):
    """The text, which has to be one line without a traceback."""
    assert text.count("\n") == 1, text
    assert text.endswith("\n")
    assert "Traceback" not in text
    return text


# -- query


def test_query_prints_one_line_for_each_event(capture):
    done = run("query", capture)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert lines[1].split() == ["2", "01:46:40.000000", "echo", "127.0.0.1:5", "data.received", "6", r"Hello\n"]


def test_query_json_prints_the_documented_object_a_line(capture):
    done = run("query", capture, "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["id"] for e in found] == [1, 2, 3, 4]
    assert found[1] == {
        "id": 2, "time": "2001-09-09T01:46:40.000000000Z", "kind": "data.received", "service": "echo", "conn": 1,
        "peer": "127.0.0.1:5", "host": "127.0.0.1:9007", "size": 6, "summary": r"Hello\n", "payload": "SGVsbG8K",
        "detail": {},
    }  # fmt: skip
    assert found[3]["conn"] is found[3]["peer"] is found[3]["host"] is None


@pytest.mark.parametrize(
    ("args", "count"),
    [
        ([], "4"), (["hello"], "2"), ([r"\xff"], "1"), (["nothing"], "0"), (["hello", "--limit", "1"], "1"),
        (["--limit", "0"], "0"), (["--limit", "9"], "4"), (["size > 5 and hello"], "1"), ([b"\xff\xfe"], "0"),
    ],
)  # fmt: skip
def test_query_count_prints_one_number(capture, args, count):
    done = run("query", capture, *map(os.fsdecode, args), "--count")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{count}\n", "")


def test_query_points_at_the_mistake_in_a_filter(capture):
    done = run("query", capture, "size > x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "listening-post: The filter is wrong at character 8: size is a number, as in size > 100.",
        "  size > x",
        "         ^",
    ]


def test_query_filters_and_limits(capture):
    done = run("query", capture, "HELLO", "--json", "--limit", "1")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [2]


def test_query_prints_what_the_terminal_cannot_show(capture, tmp_path):
    make(tmp_path / "x.lpost", event(None, events.LOG, summary="grün 🙂"), run="two")
    done = run("query", capture, "gr", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("gr\\xfcn \\U0001f642\n")


def test_query_reads_a_newer_capture(capture):
    with closing(sqlite3.connect(capture)) as db:
        db.execute("PRAGMA user_version = 9")
    assert run("query", capture, "--count").stdout == "4\n"


@pytest.mark.parametrize("lines", [1, 0])
def test_query_is_quiet_when_its_reader_has_had_enough(tmp_path, lines):
    path = make(tmp_path / "x.lpost", *(event(b"%d" % n) for n in range(20_000)))
    script = '"$@" | head -n $lines; echo ${PIPESTATUS[0]}'
    orders = preloaded.command(tmp_path / "program")
    command = ["bash", "-c", script, "sh", tmp_path / "program", "query", str(path)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"lines": str(lines)}, timeout=100,
        check=True, pass_fds=[orders],
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines()[lines:] == ["0"]


def test_little_output_into_a_closed_pipe_is_quiet_too(capture):
    with subprocess.Popen([*PROGRAM, "query", str(capture)], cwd=ROOT, stdout=-1, stderr=-1, text=True) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no capture at"),
        (b"", "is not a capture of Listening Post"),
        (b"notes", "is not a capture of Listening Post"),
        ("truncated", "is damaged or cut short"),
    ],
)
def test_query_says_in_one_line_what_cannot_be_read(capture, tmp_path, content, words):
    path = tmp_path / "y.lpost"
    if content is not None:
        path.write_bytes(capture.read_bytes()[:9000] if content == "truncated" else content)
    done = run("query", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert words in one_line(done.stderr)
    assert done.stderr.startswith("listening-post: ")


# -- check


def test_check_says_that_nothing_is_wrong(tmp_path):
    (tmp_path / "w.toml").write_text(WORKSPACE)
    done = run("check", tmp_path / "w.toml")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{tmp_path}/w.toml: 1 service, nothing wrong\n", "")
    done = run("check", tmp_path / "w.toml", "--json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_check_says_each_problem_as_a_compiler_does(tmp_path):
    (tmp_path / "w.toml").write_text(BROKEN)
    done = run("check", tmp_path / "w.toml")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"{tmp_path}/w.toml:6: color: is unknown. A service has name, protocol, listen, responder, autostart, group, "
        "seed, options, fault, tls, limits, socket, restart",
        f"{tmp_path}/w.toml:7: autostart: must be true or false",
    ]


def test_check_json_prints_one_object_for_each_problem(tmp_path):
    (tmp_path / "w.toml").write_text(BROKEN)
    done = run("check", tmp_path / "w.toml", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    file = str(tmp_path / "w.toml")
    assert found[1] == {"file": file, "line": 7, "key": "autostart", "text": "must be true or false"}


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_workspace_that_cannot_be_read(tmp_path, command):
    done = run(command, tmp_path / "none.toml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Cannot read the workspace" in one_line(done.stderr)


# -- usage


@pytest.mark.parametrize(
    "args",
    [
        ["query"], ["query", "x", "--limit", "-1"], ["query", "x", "--limit", "many"],
        ["query", "x", "--count", "--json"],
        ["query", "x", "y", "z"], ["serve"], ["serve", "x", "--for", "0"], ["serve", "x", "--for", "nan"],
        ["serve", "x", "--for", "soon"], ["check"], ["check", "x", "--colour"], ["--unknown"], ["a", "b"],
    ],
)  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_code_2(args, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(args, lambda *_: pytest.fail("opened a window"))
    assert left.value.code == 2
    assert one_line(capsys.readouterr().err).startswith("listening-post: ")


def test_the_program_leaves_with_2_for_wrong_usage():
    assert run("query").returncode == 2


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["serve", "--help"]])
def test_help_and_version_are_no_errors(args, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(args, lambda *_: pytest.fail("opened a window"))
    assert left.value.code == 0
    shown = capsys.readouterr().out
    assert f"Listening Post {__version__}" in shown or "usage: listening-post" in shown


def test_debug_shows_the_traceback(tmp_path):
    done = run("query", tmp_path / "none", "--debug")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "CaptureMissingError" in done.stderr


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ([], (None, None, False, False)),
        (["w.toml"], ("w.toml", None, False, False)),
        (["w.toml", "--capture", "c.lpost", "--start"], ("w.toml", "c.lpost", True, False)),
        (["--start"], (None, None, True, False)),
        (["w.toml", "--separate"], ("w.toml", None, False, True)),
    ],
)
def test_anything_else_opens_the_window(args, expected):
    opened_with = []

    def window(workspace, capture, start, separate):
        opened_with.append((workspace and str(workspace), capture and str(capture), start, separate))
        return 7

    assert cli.main(args, window) == 7
    assert opened_with == [expected]


def test_commands_load_no_qt(capture):
    script = (
        "import sys; from app.commands import main as cli\n"
        "code = cli.main(sys.argv[1:], None)\n"
        "print(code, [m for m in sys.modules if m.split('.')[0] in ('PyQt5', 'qt5reactor', 'sip', 'ui')])"
    )
    for args in (["query", str(capture), "--count"], ["check", str(ROOT / "resources" / "demo.toml")]):
        command = [PROGRAM[0], "-c", script, *args]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
        assert done.stdout.splitlines()[-1] == "0 []"


# -- export


@pytest.mark.parametrize("format", ["jsonl", "csv", "pcapng"])
def test_export_writes_the_format_of_the_ending_or_of_the_option(capture, tmp_path, format):
    done = run("export", capture, tmp_path / f"out.{format}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    written = (tmp_path / f"out.{format}").read_bytes()
    assert written
    with open(tmp_path / "piped", "wb") as piped:
        command = ["export", str(capture), "-", "--format", format]
        assert run_bytes(*command, out=piped.fileno()).returncode == 0
    assert (tmp_path / "piped").read_bytes() == written


def test_export_takes_a_filter(capture, tmp_path):
    assert run("export", capture, tmp_path / "x.jsonl", "--filter", "size > 5").returncode == 0
    assert len((tmp_path / "x.jsonl").read_text().splitlines()) == 1


def test_export_without_a_known_format_says_which_there_are(capture, tmp_path):
    done = run("export", capture, tmp_path / "x.doc")
    assert done.returncode == 1
    assert "does not tell the export format. Use --format with one of csv, " in one_line(done.stderr)
    assert list(tmp_path.glob("x.doc")) == []


def test_export_to_a_place_that_is_not_there_is_one_line(capture, tmp_path):
    done = run("export", capture, tmp_path / "none" / "x.csv")
    assert done.returncode == 1
    assert "Cannot write" in one_line(done.stderr)


def test_an_export_that_fails_leaves_the_old_file(capture, tmp_path):
    (tmp_path / "x.csv").write_text("old")
    assert run("export", capture, tmp_path / "x.csv", "--filter", "size >").returncode == 2
    assert run("export", tmp_path / "none.lpost", tmp_path / "x.csv").returncode == 1
    assert (tmp_path / "x.csv").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_save_writes_a_redacted_copy_and_says_what_that_does_not_find(tmp_path):
    source = make(tmp_path / "x.lpost", event(b"Cookie: id=17\r\n", conn=1), event(b"token=abc", conn=1))
    done = run("save", source, tmp_path / "y.lpost", "--redact", "--pattern", "token=(.*)")
    assert done.returncode == 0
    assert f"{tmp_path / 'y.lpost'}: 2 events" in done.stdout
    assert "base64" in done.stderr
    assert payloads(tmp_path / "y.lpost") == [b"Cookie: *****\r\n", b"token=***"]


def test_save_says_what_is_wrong_in_one_line(tmp_path):
    source = make(tmp_path / "x.lpost", event())
    done = run("save", source, source)
    assert (done.returncode, one_line(done.stderr)[-57:]) == (
        1,
        "is the capture that you are saving. Choose another name.\n",
    )
    done = run("save", source, tmp_path / "y.lpost", "--pattern", "(")
    assert done.returncode == 1
    assert "The pattern ( is not a regular expression" in one_line(done.stderr)
    assert run("save", source, tmp_path / "y.lpost", "--filter", "size >").returncode == 2


def test_serve_refuses_a_limit_that_is_none(tmp_path):
    done = run("serve", tmp_path / "w.toml", "--limit", "much")
    assert done.returncode == 2
    assert "must be a size, as in 500MB or 2GB" in one_line(done.stderr)


def test_serve_drops_the_oldest_above_its_limit_and_removes_old_captures(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    folder = tmp_path / "data" / "listening-post" / "captures"
    old = make(folder / "2020-01-01 10.00.00.lpost", event())
    os.utime(old, (1, 1))
    (tmp_path / "w.toml").write_text(WORKSPACE)
    args = ("--limit", "5MB", "--keep-days", "7")
    with serving(tmp_path / "w.toml", tmp_path / "x.lpost", *args, json=False) as program:
        wait_for(lambda: any("removed the capture 2020-01-01 10.00.00.lpost" in line for line in list(program.lines)))
    assert not old.exists()
