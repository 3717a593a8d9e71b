"""app.commands.run: a program started as people do."""

import json
import signal
import socket

import pytest

from app.commands import run as command
from app.commands import table
from app.programs import starting
from tests.helpers import kept_port, run

PROGRAM = """
from twisted.internet import reactor
from twisted.internet.protocol import Factory, Protocol
port = reactor.listenTCP(0, Factory.forProtocol(Protocol), interface="127.0.0.1")
reactor.callLater(0.1, reactor.stop)
reactor.run()
raise SystemExit(4)
"""


def test_a_program_is_captured_and_its_exit_code_is_ours(tmp_path):
    (tmp_path / "served.py").write_text(PROGRAM)
    done = run("run", "--json", "--capture", tmp_path / "x.lpost", tmp_path / "served.py", "--debug")
    assert done.returncode == 4, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["kind"] for e in events if e["kind"].startswith("service.")] == ["service.started", "service.stopped"]
    assert events[-1]["summary"] == "the program ended with exit code 4"


def test_a_tac_runs_until_its_time_is_over(tmp_path):
    (tmp_path / "web.tac").write_text(
        "from twisted.application import service, strports\n"
        "from twisted.web import server, static\n"
        "application = service.Application('web')\n"
        "strports.service('tcp:0:interface=127.0.0.1', server.Site(static.File('.'))).setServiceParent(application)\n"
    )
    done = run("run", "--for", "4", "--capture", tmp_path / "x.lpost", tmp_path / "web.tac")
    assert done.returncode == 0, done.stderr
    assert "Site starting on" in done.stdout
    assert "Server Shut Down" in done.stdout


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nothing.py"], 1, "There is no program nothing.py: there is no such file"),
        (["--", "ls"], 1, "only Python scripts can be captured"),
        (["--", "no-such-command"], 1, "no folder of PATH has it"),
        ([], 2, "PROGRAM"),
    ],
)
def test_what_cannot_be_run_is_told(words, code, said):
    done = run("run", *words)
    assert done.returncode == code
    assert said in done.stderr


@pytest.mark.parametrize(
    ("words", "module", "rest"),
    [
        ("-m mypackage.server --port 9000", "mypackage.server", "--port 9000"),
        ("-mmypackage.server --port 9000", "mypackage.server", "--port 9000"),
        ("--cap x.lpost --port 1=2 -m a --json -- b", "a", "--json -- b"),
        ("echo.py --p 1 --help", None, "echo.py --p 1 --help"),
        ("--for=2 -- twist web --port=tcp:1", None, "-- twist web --port=tcp:1"),
    ],
)
def test_what_stands_behind_the_program_is_the_programs(words, module, rest):
    args = table.command_parser("run").parse_args(["run", *words.split()])
    assert (args.module, args.words) == (module, rest.split())


AGAIN = """import os, signal, sys
if os.path.exists(__file__ + ".once"):
    os.kill(os.getppid(), signal.SIGTERM)
    signal.pause()
open(__file__ + ".once", "w").close()
"""
"""In its second run, it ends the command that has started it."""


def test_one_that_fails_is_started_again_and_a_taken_port_exchanged(tmp_path):
    text = PROGRAM.replace("listenTCP(0,", "listenTCP(int(sys.argv[1]),").replace("SystemExit(4)", "SystemExit(5)")
    (tmp_path / "served.py").write_text(AGAIN + text)
    with socket.create_server(("127.0.0.1", 0)) as taken, kept_port() as free:
        port = taken.getsockname()[1]
        done = run(
            "run", "--json", "--restart", "on-failure", "--port", f"{port}={free}",
            "--capture", tmp_path / "x.lpost", tmp_path / "served.py", str(port),
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [e["kind"] for e in events if e["service"] == "served" and e["kind"].startswith("service.")]
    assert kinds[:2] == ["service.failed", "service.restarting"]
    assert next(e["summary"] for e in events if e["kind"] == "service.started") == f"listening on 127.0.0.1:{free}"


CLOSES = """import os, signal, sys, time
os.chdir(sys.argv[1])
os.closerange(3, 64)
mine = [os.open(f"own{n}", os.O_RDWR | os.O_CREAT) for n in range(12)]
print("seen", flush=True)
time.sleep(0.3)
if not os.fork():
    for n, descriptor in enumerate(mine):
        os.write(descriptor, b"%d" % n)
    os._exit(0)
os.wait()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_one_that_closes_all_descriptors_has_its_files_to_itself_and_its_early_end_is_told(tmp_path):
    (tmp_path / "closes.py").write_text(CLOSES)
    done = run("run", "--for", "50", "--capture", tmp_path / "x.lpost", tmp_path / "closes.py", tmp_path)
    assert [(tmp_path / f"own{n}").read_text() for n in range(12)] == [str(n) for n in range(12)]
    assert done.returncode == 128 + 9
    assert "the program was ended by SIGKILL" in done.stderr


def test_ports_that_are_none_are_refused():
    done = run("run", "--port", "8000", "x.py")
    assert done.returncode == 2
    assert "as in 8000=18000" in done.stderr


@pytest.fixture
def obstinate(tmp_path):
    """A program that closes the pipe of its events, and ends by SIGKILL alone."""
    (tmp_path / "goes_on.py").write_text(
        "import os, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.closerange(3, 64)\n"
        "while True:\n"
        "    signal.pause()\n"
    )
    running = starting.Running(starting.of_file(str(tmp_path / "goes_on.py"), []), tmp_path / "x.lpost", 1 << 30)
    yield running
    if not running.ended:
        running.send_signal(signal.SIGKILL)
        running.wait()


def test_one_that_is_not_seen_any_more_and_one_that_is_killed_are_told(obstinate, monkeypatch, capfd):
    monkeypatch.setattr(command, "UNSEEN", 0.0)
    monkeypatch.setattr(command, "GRACE", 0.0)
    for _ in obstinate.stored():
        pass
    wait = obstinate.wait

    def wait_for_its_time():
        with command._ended_after(obstinate, 0.0):
            return wait()

    monkeypatch.setattr(obstinate, "wait", wait_for_its_time)
    assert command._end_of(obstinate) == -signal.SIGKILL
    said = capfd.readouterr().err
    assert "the pipe through which its events come is closed: nothing more is seen of it" in said
    assert "the program did not end when it was asked to, and is killed" in said
