"""The frozen program, as one folder and as one file. `make package` runs it; pytest alone does not collect it."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import __version__
from app.events import FAILURE
from tests.benchmarks import package, procs
from tests.e2e.clients import curl, socat, url
from tests.e2e.display import Display, display
from tests.e2e.program import address, chosen, payload, running
from tests.e2e.workspaces import DESK, ECHO, workspace
from tests.helpers import ROOT, wait_for

MOST = 75_000_000
"""Bytes of the one file."""

PROGRAMS = {"folder": package.PROGRAM, "one file": package.one_file() or package.PROGRAM}

PLUGIN = """
import statistics
import app.plugin
from listening_post import responder
from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.internet import utils
from twisted.words.protocols import irc

@responder("shout", ("tcp",), framing="line")
async def shout(data: bytes, context) -> bytes:
    \"\"\"Says it louder, with a program's help.\"\"\"
    return await utils.getProcessOutput("/usr/bin/env", ["LC_ALL=C", "ldd", "/bin/true"], reactor=context.reactor)
"""


@pytest.fixture(params=PROGRAMS.values(), ids=PROGRAMS.keys())
def program(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home of its own, nothing of this checkout, and one place for what one-file programs unpack."""
    (tmp_path / "tmp").mkdir()
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "LD_"))}
    return {**kept, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "data"), "TMPDIR": str(tmp_path / "tmp")}


def _run(program: Path, environment: dict[str, str], *args: object) -> subprocess.CompletedProcess[str]:
    command = [str(program), *map(str, args)]
    return subprocess.run(
        command, cwd=environment["HOME"], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


class _Served:
    """``serve --json`` by the frozen program, in a process group of its own."""

    def __init__(self, program: Path, environment: dict[str, str], *args: object) -> None:
        self.process = subprocess.Popen(
            [str(program), "serve", *map(str, args), "--json"], cwd=environment["HOME"], env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def wait_up(self, count: int) -> dict[str, tuple[str, int]]:
        assert self.process.stdout is not None
        found: dict[str, tuple[str, int]] = {}
        while len(found) < count:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read() if self.process.stderr else ""
            event = json.loads(line)
            if event["kind"] in ("service.started", "service.failed"):
                found[event["service"]] = address(event["host"] or "0.0.0.0:0")
        return found

    def writer(self) -> int:
        """The process that writes the capture."""
        line = b"capture-writer"
        family = procs.children(self.process.pid)
        family += [pid for child in family for pid in procs.children(child)]
        [pid] = [pid for pid in family if line in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return pid

    def leave(self, how: int = signal.SIGTERM, *, group: bool = False) -> tuple[int, str]:
        (os.killpg if group else os.kill)(self.process.pid, how)
        _, said = self.process.communicate(timeout=10)
        return self.process.returncode, said


@pytest.fixture
def serve(program: Path, environment: dict[str, str]) -> Iterator[Any]:
    started: list[_Served] = []

    def begin(*args: object) -> _Served:
        started.append(_Served(program, environment, *args))
        return started[-1]

    yield begin
    for one in started:
        if one.process.poll() is None:
            os.killpg(one.process.pid, signal.SIGKILL)
            one.process.communicate()


def test_every_server_answers(program: Path, environment: dict[str, str]) -> None:
    began = time.monotonic()
    done = _run(program, environment, "selftest")
    print(f"\n{program.name}: {program.stat().st_size / 1e6:.1f} MB, self-test in {time.monotonic() - began:.1f} s")
    print(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("ok ") == len(done.stdout.splitlines()) > 20
    assert list(Path(environment["TMPDIR"]).iterdir()) == []
    assert not Path(environment["XDG_DATA_HOME"]).exists()


def test_it_is_no_larger_than_it_may_be(program: Path) -> None:
    assert program.stat().st_size <= MOST


def test_d5_names_and_docs_say_which_c_library_it_needs() -> None:
    """An older system prints only the loader's words."""
    asked = {path: _glibc(path) for path in package.FOLDER.rglob("*") if path.is_file() and not path.is_symlink()}
    needed = max(asked.values())
    assert len([found for found in asked.values() if found]) > 50
    words = f"glibc{'.'.join(map(str, needed))}"
    assert PROGRAMS["one file"].name == f"listening-post-{__version__}-linux-{platform.machine().lower()}-{words}"
    for page in ("README.md", "docs/index.md", "docs/packaging.md"):
        said = re.findall(r"\bglibc (\d+)\.(\d+)", (ROOT / page).read_text())
        assert {tuple(map(int, version)) for version in said} == {needed}, page


def _glibc(path: Path) -> tuple[int, ...]:
    """The newest version of the C library from which a file takes a function, by its dynamic symbols."""
    if not path.read_bytes().startswith(b"\x7fELF"):
        return ()
    said = subprocess.run(["objdump", "-T", str(path)], capture_output=True, text=True, check=False).stdout
    undefined = [line for line in said.splitlines() if "*UND*" in line and "  w " not in line]
    found = re.findall(r"\(GLIBC_(\d+)\.(\d+)[\d.]*\)", "\n".join(undefined))
    return max(((int(major), int(minor)) for major, minor in found), default=())


def test_it_says_its_version(program: Path, environment: dict[str, str]) -> None:
    assert _run(program, environment, "--version").stdout == f"Listening Post {__version__}\n"


def test_plugins_import_what_is_there_and_start_programs_of_the_host(
    serve: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    """They do not load the libraries that came with us."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "shout.py").write_text(PLUGIN)
    (tmp_path / "w.toml").write_text(workspace("shout tcp shout"))
    served = serve(tmp_path / "w.toml", "--trust-plugins", "--capture", tmp_path / "x.lpost")
    answer = socat("TCP", served.wait_up(1)["shout"], b"hey\n")
    assert b"libc.so.6" in answer
    assert b"_MEI" not in answer
    assert b"_internal" not in answer
    assert served.leave()[0] == 0


def test_the_writer_is_a_process_with_our_own_sqlite_and_without_qt(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "w.toml").write_text(ECHO)
    served = serve(tmp_path / "w.toml", "--capture", tmp_path / "x.lpost")
    served.wait_up(1)
    loaded = Path(f"/proc/{served.writer()}/maps").read_text()
    [sqlite] = set(re.findall(r"\S*/libsqlite3\S*", loaded))
    assert "_MEI" in sqlite or "_internal" in sqlite
    assert "libQt5" not in loaded
    assert served.leave()[0] == 0


@pytest.mark.parametrize(("how", "group"), [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGTERM, True)])
def test_it_leaves_in_good_order_and_nothing_behind(
    serve: Any, environment: dict[str, str], tmp_path: Path, how: int, group: bool
) -> None:
    """Ctrl+C reaches all its processes, SIGTERM the first."""
    (tmp_path / "w.toml").write_text(ECHO)
    served = serve(tmp_path / "w.toml", "--capture", tmp_path / "x.lpost")
    assert socat("TCP", served.wait_up(1)["tcp-echo"], b"hey") == b"hey"
    code, said = served.leave(how, group=group)
    assert (code, said.count("\n")) == (0, 1), said  # where it captures
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_commands_do_what_they_do_in_the_checkout(
    program: Path, serve: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    """check, send over TLS that the local authority signed, query, export, save, ca."""
    (tmp_path / "w.toml").write_text(workspace("web http inspector", "sensor tcp fragile") + "\n")
    with (tmp_path / "w.toml").open("a") as file:
        file.write(workspace("safe tcp echo").partition("\n")[2] + "[service.tls]\n")
    assert _run(program, environment, "check", "w.toml").stdout == "w.toml: 3 services, nothing wrong\n"
    served = serve("w.toml", "--capture", "x.lpost")
    where = served.wait_up(3)
    sent = _run(program, environment, "send", f"tls://localhost:{where['safe'][1]}", "over TLS", "--wait", 0.3)
    assert (sent.returncode, sent.stdout, sent.stderr) == (0, "over TLS", "")
    assert curl(url(where["web"], "/hello")) == b"Hello, World!"
    socat("TCP", where["sensor"], b"fine\nfail\n")
    assert served.leave()[0] == 0

    assert _run(program, environment, "query", "x.lpost", "kind == service.started", "--count").stdout == "3\n"
    [failure] = map(
        json.loads, _run(program, environment, "query", "x.lpost", "kind == failure", "--json").stdout.splitlines()
    )
    assert "self.process(message)" in json.dumps(failure["detail"])  # lines of our own source
    for name in ("out.pcapng", "out.har", "out.jsonl", "out.csv"):
        done = _run(program, environment, "export", "x.lpost", name)
        assert (done.returncode, done.stderr) == (0, "")
        assert (tmp_path / name).stat().st_size > 100
    assert _run(program, environment, "save", "x.lpost", "y.lpost", "--redact").returncode == 0
    assert (
        "BEGIN CERTIFICATE"
        in _run(program, environment, "ca", "--export", "ca.crt").stdout + (tmp_path / "ca.crt").read_text()
    )


HOSTED = """
from twisted.internet import endpoints, protocol, reactor

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data.upper())

class Client(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"hosted")
    def dataReceived(self, data):
        amount = 7
        reactor.callLater(0, reactor.stop)
        raise ValueError(data)

port = reactor.listenTCP(0, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
point = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
endpoints.connectProtocol(point, Client())
"""


@pytest.mark.parametrize("name", ["echo.py", "echo.tac", "named.py"])
def test_a_twisted_program_runs_in_its_python_or_in_one_that_is_named(
    program: Path, environment: dict[str, str], tmp_path: Path, name: str
) -> None:
    """The end of what it prints, its bytes, and a failure with the line and local values of the program."""
    ends = "from twisted.application.service import Application\napplication = Application('x')\n"
    (tmp_path / name).write_text(HOSTED + (ends if name.endswith(".tac") else "reactor.run()\n"))
    python = ["--python", ROOT / ".venv"] if name == "named.py" else []
    done = _run(program, environment, "run", *python, "--json", "--capture", "x.lpost", name)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [e["summary"] for e in found if e["kind"] == "data.received"] == ["hosted", "HOSTED"]
    [failure] = [e for e in found if e["kind"] == "failure"]
    frame = failure["detail"]["frames"][-1]
    assert (Path(frame["file"]).name, frame["line"]) == (name, 14)
    assert ["amount", "7"] in frame["locals"]
    assert list(Path(environment["TMPDIR"]).iterdir()) == []


def test_a_program_that_wants_more_than_there_is_is_told_what_to_do(
    program: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "wants.py").write_text("import treq\n")
    done = _run(program, environment, "run", "--quiet", "--capture", "x.lpost", "wants.py")
    assert done.returncode == 1
    assert "No module named 'treq': the Python that comes with Listening Post has Twisted" in done.stderr
    assert "--python" in done.stderr


def test_it_has_the_licences_of_what_it_comes_with() -> None:
    words = (package.FOLDER / "_internal" / "resources" / "LICENSES.txt").read_text()
    for name in ("Twisted", "autobahn", "PyQt5-Qt5", "cryptography", "libssl", "libsqlite3", "Python 3"):
        assert f"\n  {name}" in words or f"{name}." in words
    assert not list(package.FOLDER.rglob("*Qt5Quick*"))
    assert not list(package.FOLDER.rglob("libstdc++*"))


@pytest.fixture(scope="module")
def screen() -> Iterator[Display]:
    with display() as opened:
        yield opened


def test_the_window_starts_all_shows_a_failure_and_closes(screen: Display, tmp_path: Path) -> None:
    """Four servers and real clients, a Failure; exit code 0, and all of it in the capture."""
    (tmp_path / "desk.toml").write_text(DESK)
    with running(screen, tmp_path / "desk.toml", tmp_path, command=[str(package.PROGRAM)]) as desk:
        assert desk.title().startswith("desk.toml")
        desk.click("start all")
        desk.wait_up(5)
        where = desk.addresses()
        assert socat("TCP", where["tcp-echo"], b"over TCP") == b"over TCP"
        assert socat("UDP", where["udp-echo"], b"over UDP", 0.5) == b"over UDP"
        assert curl(url(where["http-inspector"], "/hello")) == b"Hello, World!"
        sent = subprocess.run(
            [package.PROGRAM, "send", url(where["ws-echo"], scheme="ws"), "over WebSocket", "--wait", "0.5"],
            env=screen.environment(), cwd=ROOT, capture_output=True, timeout=20, check=True,
        )  # fmt: skip
        assert sent.stdout.strip() == b"over WebSocket"
        socat("TCP", where["sensor"], b"fine\nfail\n")
        desk.wait_event(lambda e: e.kind == FAILURE)
        desk.screenshot("packaged")
        desk.close()
        assert desk.wait(6) == 0, desk.said()
        assert "Traceback" not in desk.said()
        events = desk.events()
    assert [e["id"] for e in events] == list(range(1, len(events) + 1))
    assert payload(events, "data.sent", service="tcp-echo") == b"over TCP"
    assert len(chosen(events, "failure")) == 1
    assert len(chosen(events, "service.started")) == len(chosen(events, "service.stopped")) == 5


def test_the_charts_open(screen: Display, tmp_path: Path) -> None:
    """Their library is imported only then."""
    (tmp_path / "desk.toml").write_text(DESK)
    with running(screen, tmp_path / "desk.toml", tmp_path, "--start", command=[str(package.PROGRAM)]) as desk:
        desk.wait_up(5)
        desk.press("ctrl+alt+d")
        maps = Path(f"/proc/{desk.process.pid}/maps")
        wait_for(lambda: "numpy" in maps.read_text(), 30)
        desk.press("ctrl+q")
        assert desk.wait(6) == 0, desk.said()
        assert chosen(desk.events(), "failure") == []


def test_a_second_start_of_the_window_needs_nothing_else(screen: Display, tmp_path: Path) -> None:
    """The one file shows its window too. Its process is a child of the one we start."""
    (tmp_path / "desk.toml").write_text(ECHO)
    environment = {**screen.environment(), "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    command = [str(PROGRAMS["one file"]), str(tmp_path / "desk.toml"), "--capture", str(tmp_path / "x.lpost")]
    process = subprocess.Popen(command, env=environment, cwd=tmp_path)
    try:
        wait_for(lambda: screen.xdotool("search", "--onlyvisible", "--name", "desk.toml"), 20)
    finally:
        process.terminate()
    assert process.wait(10) == 0
