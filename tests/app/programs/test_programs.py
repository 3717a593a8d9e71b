"""app.programs: programs of a workspace, each in a process of its own, and how hard they may end."""

import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_twisted
from prometheus_client import generate_latest
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from app import events
from app.capture.filters.language import EVERYTHING
from app.capture.reading.store import Store
from app.metrics.collector import PostCollector
from app.outposts import protocol as asking
from app.outposts.errors import RefusedError
from app.outposts.outpost import Outpost
from app.post import Post
from app.programs import process, strays
from app.programs.config import ProgramConfig
from app.programs.errors import OnlyTheProgramError
from app.programs.shown import HostedFaults
from app.status import Failed, Held, Listening, Running, Stopped, Waiting
from app.workspace.reading import Workspace
from tests import writers
from tests.helpers import kept_port, open_files, until

ECHO = """
from twisted.internet import protocol, reactor

class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)
        print("got", data)
        if data == b"break":
            local = 7
            1 / 0

reactor.listenTCP({port}, protocol.Factory.forProtocol(Echo), interface="127.0.0.1")
reactor.run()
"""


def done(work):
    """What a coroutine returns, once it has."""
    return pytest_twisted.blockon(Deferred.fromCoroutine(work))


class Desk:
    """A Post with one program."""

    def __init__(self, folder, text, **more):
        self.folder, self.capture = folder, folder / "x.lpost"
        self.save(text)
        config = ProgramConfig("tutorial", ("tutorial.py",), **more)
        self.post = Post(reactor, Workspace(programs=(config,), template=folder))

    def save(self, text):
        other = self.folder / "tutorial.py~"
        other.write_text(text)
        other.rename(self.folder / "tutorial.py")

    @property
    def program(self):
        return self.post.programs.all["tutorial"]

    async def start(self):
        await self.post.start_all()
        return self.program.pid

    async def ended(self):
        await until(lambda: not self.program.pid, 30)

    async def port(self):
        """The port that it listens on."""
        await until(lambda: any(one.running for one in self.post.programs.ports()) or self.program.said, 30)
        assert not self.program.said
        return next(one for one in self.post.programs.ports() if one.running)

    async def fail(self, *faults):
        """Have the workspace give the program these faults, while it runs."""
        state = self.post.state()
        await self.post.become(replace(state, programs=(replace(state.programs[0], faults=faults),)))

    async def seen(self):
        """Kind, service and summary of each event, once all are stored."""
        self.post.recorder.flush()
        await until(lambda: self.post.recorder.idle)
        store = Store(self.capture)
        try:
            return [(events.NAMES[e.kind], e.service, e.summary) for e in store.events(EVERYTHING, *store.range())]
        finally:
            store.close()

    def close(self):
        done(self.post.shut_down())


@pytest.fixture
def desk(tmp_path):
    made, before = [], set()

    async def make(text, **more):
        made.append(Desk(tmp_path, text, **more))
        await made[-1].post.open(made[-1].capture)
        before.update(pipes())
        return made[-1]

    yield make
    pids = []
    for one in made:
        pids.append(one.program.pid)
        one.close()
    assert not [pid for pid in pids if pid and is_there(pid)]
    assert not pipes() - before


def pipes():
    """The pipes that this process has open."""
    return {name for name in open_files() if name.startswith("pipe:")}


def is_there(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def exchanged(host, data):
    """What comes back for ``data``, from the connection that is returned with it."""
    name, _, port = host.rpartition(":")
    client = socket.create_connection((name, int(port)), 10)
    client.setblocking(False)
    client.sendall(data)
    found = b""

    def read():
        nonlocal found
        try:
            found += client.recv(1 << 16)
        except BlockingIOError:
            return False
        return len(found) >= len(data)

    await until(read)
    return found, client


@pytest_twisted.ensureDeferred
async def test_a_program_is_a_group_of_ports_whose_traffic_is_captured(desk):
    at = await desk(ECHO.format(port=0))

    await at.start()
    port = await at.port()
    assert port.config.name == f"tutorial/Echo:{port.config.port}"
    assert port.config.group == "tutorial"
    found, client = await exchanged(port.status.host, b"hello")
    assert found == b"hello"
    await until(lambda: [one.received for one in port.connections.values()] == [5])
    assert [one.peer for one in port.connections.values()] == [f"127.0.0.1:{client.getsockname()[1]}"]
    next(iter(port.connections.values())).send(b"typed")
    await until(lambda: sum(one.sent for one in port.connections.values()) == 10)
    port.stop()
    await until(lambda: isinstance(port.status, Stopped))
    next(iter(port.connections.values())).finish()
    await until(lambda: not list(at.post.programs.ports()))
    client.close()
    assert isinstance(at.program.status, Running)
    await at.program.stop()
    assert isinstance(at.program.status, Stopped)
    seen = await at.seen()
    kinds = [kind for kind, service, _ in seen if service.startswith("tutorial/")]
    assert kinds == [
        "service.started", "connection.opened", "data.received", "data.sent", "data.sent", "service.stopped",
        "connection.closed",
    ]  # fmt: skip
    assert ("log", "tutorial", "got b'hello'") in seen


@pytest_twisted.ensureDeferred
async def test_an_exception_is_a_failure_with_local_values(desk):
    at = await desk(ECHO.format(port=0))

    await at.start()
    host, _, number = (await at.port()).status.host.rpartition(":")
    with socket.create_connection((host, int(number)), 10) as client:
        client.sendall(b"break")
        await until(lambda: at.post.recorder.failures)
    assert at.post.recorder.failures == 1
    assert any(
        kind == "failure" and "ZeroDivisionError" in words and "tutorial.py:10" in words
        for kind, _, words in (await at.seen())
    )


@pytest_twisted.ensureDeferred
async def test_faults_act_on_what_a_program_sends(desk):
    at = await desk(ECHO.format(port=0))

    await at.start()
    port = await at.port()
    _, client = await exchanged(port.status.host, b"hello")
    await until(lambda: port.connections)
    await at.fail({"port": "Echo", "kind": "corrupt", "on": "sent", "count": 8})
    await until(lambda: client.send(b"x") and port.faults.all[0].hits)  # once the program has been told
    number = next(iter(port.connections))
    assert port.faults.strike_connection(number, {"kind": "reset"}) is not None
    await until(lambda: not port.connections)
    client.close()
    hits = [words for kind, _, words in (await at.seen()) if kind == "fault.applied"]
    assert hits[0].startswith("corrupt: ")
    assert hits[-1].startswith("reset by hand: ")


@pytest_twisted.ensureDeferred
async def test_a_port_has_the_faults_of_the_workspace_in_each_run(desk):
    fault = {"port": "Echo", "kind": "corrupt", "on": "sent", "count": 8, "name": "noise"}
    at = await desk(ECHO.format(port=0), faults=(fault, fault | {"port": "8000", "name": "other"}))

    first = await at.start()
    for _ in range(2):
        port = await at.port()
        assert [one.name for one in port.faults.all] == ["noise"]
        found, client = await exchanged(port.status.host, b"\0" * 20)
        client.close()
        assert found != b"\0" * 20
        await at.program.restart()
    assert at.program.pid != first
    await at.fail()
    assert not (await at.port()).faults.all


@pytest_twisted.ensureDeferred
async def test_faults_of_the_workspace_act_before_anything_is_ordered_of_a_port(desk, monkeypatch):
    """The first connection may be there before the Post knows of the port."""
    monkeypatch.setattr(HostedFaults, "configure", lambda self, tables: None)
    begun, order = [], process.Process.order
    monkeypatch.setattr(process.Process, "order", lambda self, **words: (begun.append(words), order(self, **words)))
    at = await desk(ECHO.format(port=0), faults=({"port": "Echo", "kind": "corrupt", "on": "sent", "count": 8},))
    await at.start()
    port = await at.port()
    found, client = await exchanged(port.status.host, b"\0" * 20)
    client.close()
    assert found != b"\0" * 20
    assert [one["seed"] for one in begun if one["do"] == "begin"] == [port.faults.seed]  # by which it can be had again


@pytest_twisted.ensureDeferred
async def test_monitoring_and_consoles_have_the_program_and_its_ports(desk):
    at = await desk(ECHO.format(port=0), faults=({"port": "Echo", "kind": "delay", "ms": 1.0, "enabled": False},))
    outpost = Outpost(reactor, at.post, "bench", "control")

    async def ask(request):
        return await outpost.answer(request, "test")

    [started] = (await ask(asking.Start(("tutorial",)))).services
    assert (started.name, started.protocol, started.status) == ("tutorial", "program", "running")
    port = await at.port()
    name, host = port.config.name, port.status.host
    _, client = await exchanged(host, b"hello")
    await until(lambda: [one.sent for one in port.connections.values()] == [5])
    program, listed = (await ask(asking.Status())).services
    assert (program.connections, program.received, program.sent) == (1, 5, 5)
    assert (listed.name, listed.status, listed.words, listed.connections, listed.opened) == (
        name,
        "listening",
        host,
        1,
        1,
    )
    assert [(fault.kind, fault.enabled) for fault in listed.faults] == [("delay", False)]
    page = generate_latest(PostCollector(at.post)).decode()
    assert f'listening_post_connections_open{{protocol="tcp",service="{name}"}} 1.0' in page
    assert f'listening_post_sent_bytes_total{{protocol="tcp",service="{name}"}} 5.0' in page

    [connection] = (await ask(asking.Connections(name))).connections
    await ask(asking.Send(connection.number, b"typed"))
    await ask(asking.SwitchFault(f"{name}/delay", "on"))
    assert port.faults.all[0].enabled
    [stopped] = (await ask(asking.Stop((name,)))).services
    assert stopped.status == "stopped"
    with pytest.raises(ConnectionRefusedError):
        await exchanged(host, b"x")
    with pytest.raises(OnlyTheProgramError, match="Restart the program"):
        await ask(asking.Start((name,)))
    await until(lambda: [one.sent for one in port.connections.values()] == [10])
    await ask(asking.Disconnect(connection.number))
    await until(lambda: not list(at.post.programs.ports()))
    client.close()
    with pytest.raises(RefusedError, match="There is no service"):
        await ask(asking.Stop((name,)))
    [ended] = (await ask(asking.Stop(("tutorial",)))).services
    assert ended.status == "stopped"
    outpost.close()
    asked = [words for kind, _, words in (await at.seen()) if kind == "control.asked"]
    assert [words.partition(" ")[2].split()[0] for words in asked] == [
        "start",
        "send",
        "fault",
        "stop",
        "close",
        "stop",
    ]


@pytest_twisted.ensureDeferred
async def test_saving_its_file_starts_it_again_while_connections_are_open(desk):
    at = await desk(ECHO.format(port=0), restart="on-change")

    first = await at.start()
    port = await at.port()
    _, client = await exchanged(port.status.host, b"one")
    at.save(ECHO.format(port=0).replace("self.transport.write(data)", "self.transport.write(data.upper())"))
    await until(lambda: at.program.pid not in (0, first), 30)
    found, again = await exchanged((await at.port()).status.host, b"two")
    assert found == b"TWO"
    await until(lambda: any(one.connections for one in at.post.programs.ports()))
    client.close()
    again.close()
    assert not is_there(first)
    seen = await at.seen()
    assert ("log", "tutorial", "tutorial.py has changed: the program is started again") in seen
    assert len([1 for kind, _, _ in seen if kind == "connection.opened"]) == 2
    assert len([1 for kind, _, words in seen if kind == "connection.closed" and words == "the program ended"]) <= 1


@pytest_twisted.ensureDeferred
async def test_what_it_imports_is_watched_and_a_crash_at_import_is_told(desk):
    at = await desk("import part\nprint(part.NAME)\n", restart="on-change")
    part, told = at.folder / "part.py", []
    record = at.post.recorder.record
    at.post.recorder.record = lambda *a, **k: (told.append(a[4] if len(a) > 4 else k.get("summary")), record(*a, **k))
    await at.start()
    await until(lambda: isinstance(at.program.status, Failed), 30)
    assert "ModuleNotFoundError: No module named 'part'" in at.program.status.reason
    assert "tutorial.py:1" in at.program.status.reason
    part.write_text("NAME = 'first'\n")
    at.save("import part\nprint(part.NAME)\nimport time; time.sleep(600)\n")
    await until(lambda: at.program._files._known.get(str(part), (0, 0)) != (0, 0), 30)
    part.write_text("NAME = 'the second'\n")
    await until(lambda: "the second" in told, 30)


@pytest_twisted.ensureDeferred
async def test_an_exit_code_is_told_with_its_place(desk):
    at = await desk("import sys\n\nsys.exit(3)\n")

    await at.start()
    await at.ended()
    assert at.program.status == Failed("It ended with exit code 3: the program called sys.exit(3) at tutorial.py:3.")
    assert ("service.failed", "tutorial", at.program.status.reason) in (await at.seen())


@pytest_twisted.ensureDeferred
async def test_one_that_fails_is_tried_again_later_and_later(desk):
    at = await desk("raise SystemExit(1)\n", restart="on-failure")

    await at.start()
    await at.ended()
    assert isinstance(at.program.status, Waiting)
    assert (at.program.status.attempt, at.program.status.seconds) == (1, 1.0)
    await at.program.start()
    await at.ended()
    assert (at.program.status.attempt, at.program.status.seconds) == (2, 2.0)
    await at.program.stop()
    assert isinstance(at.program.status, Stopped)


LOOP = """
from twisted.internet import reactor

def spin():
    while True:
        pass

reactor.callLater(0, spin)
reactor.run()
"""


@pytest_twisted.ensureDeferred
async def test_an_endless_loop_is_told_by_file_and_line_and_killed(desk):
    at = await desk(LOOP)

    pid = await at.start()
    await until(lambda: isinstance(at.program.status, Running) and at.program.status.blocked, 30)
    assert at.program.status.blocked.startswith("tutorial.py:")
    assert "in spin" in at.program.status.blocked
    await at.program.stop(0.1)
    assert not is_there(pid)
    assert isinstance(at.program.status, Stopped)
    seen = await at.seen()
    assert any(kind == "loop.blocked" and "tutorial.py:" in words for kind, _, words in seen)
    assert any("did not end when it was asked to, and is killed. It was kept by tutorial.py:" in w for _, _, w in seen)


FORK = """
import os, subprocess, sys, time
from pathlib import Path

pid = os.fork()
if not pid:
    time.sleep(600)
child = subprocess.Popen(["sleep", "600"])
Path("pids").write_text(f"{pid} {child.pid}")
"""


@pytest_twisted.ensureDeferred
async def test_what_it_has_forked_and_started_ends_with_it(desk):
    at = await desk(FORK)

    await at.start()
    await at.ended()
    pids = [int(pid) for pid in (at.folder / "pids").read_text().split()]
    assert len(pids) == 2
    await until(lambda: not any(map(is_there, pids)))
    assert at.program.said == "It ended with exit code 0."
    said = [words for _, _, words in (await at.seen())]
    assert any("had started and left were ended with it" in words for words in said)
    assert sum("exit code 0" in words for words in said) == 1


DAEMONS = """
import os, signal, subprocess, sys, time
from pathlib import Path

def detached():
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

children = [subprocess.Popen(["sleep", "600"], preexec_fn=detached), subprocess.Popen(["sleep", "600"], env={})]
if not (pid := os.fork()):
    os.setsid()
    if pid := os.fork():
        Path("daemon").write_text(str(pid))
        os._exit(0)
    time.sleep(600)
os.waitpid(pid, 0)
Path("pids").write_text(" ".join(str(child.pid) for child in children) + " " + Path("daemon").read_text())
END
"""


@pytest_twisted.ensureDeferred
async def test_what_has_left_its_group_ends_with_it_and_nothing_else(desk):
    at = await desk(DAEMONS.replace("END", ""))
    mine = subprocess.Popen(["sleep", "600"], env={**os.environ, strays.MARK: strays.word()}, start_new_session=True)
    try:
        with writers.started_for_real():  # the system says of a forked host that it has its mother's environment
            await at.start()
        await at.ended()
        pids = [int(pid) for pid in (at.folder / "pids").read_text().split()]
        assert len(pids) == 3
        await until(lambda: not any(map(is_there, pids)))
        assert is_there(mine.pid)
        assert any("had started and left were ended with it" in words for _, _, words in (await at.seen()))
    finally:
        mine.kill()
        mine.wait()


EXECS = """
import os

try:
    os.execv("/nowhere/sh", ["sh"])
except OSError:
    print("it goes on")
os.environ["PATH"] = "/nowhere:/usr/bin:/bin"
os.execvp("sh", ["sh", "-c", "exit 5"])
"""


@pytest_twisted.ensureDeferred
async def test_only_what_can_be_executed_ends_what_is_seen_of_it(desk):
    at = await desk(EXECS)

    await at.start()
    await at.ended()
    said = [words for kind, _, words in (await at.seen()) if kind == "log"]
    assert [words for words in said if words in ("it goes on", "the program ends by os.execv")] == [
        "it goes on", "the program ends by os.execv",
    ]  # fmt: skip
    assert "exit code 5" in at.program.status.reason


def test_a_word_that_is_none_ends_nobody(monkeypatch):
    monkeypatch.setenv(strays.MARK, "x")
    assert strays.own_word() == ""
    assert strays.end("") == strays.end("x") == strays.end(strays.word()) == 0


@pytest_twisted.ensureDeferred
async def test_much_that_is_printed_arrives_whole(desk):
    at = await desk('for n in range(2000):\n    print(f"{n:04}", "x" * 4000)\n')

    await at.start()
    await at.ended()
    lines = [words[:4] for kind, _, words in (await at.seen()) if kind == "log" and words.endswith("xxxx")]
    assert lines == [f"{n:04}" for n in range(2000)]


@pytest_twisted.ensureDeferred
async def test_a_port_in_use_is_told_with_what_to_do(desk):
    with kept_port() as port, socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        at = await desk(ECHO.format(port=port))

        await at.start()
        await at.ended()
        assert isinstance(at.program.status, Failed)
        assert any(
            kind == "service.failed" and f'ports = {{ "{port}" = "' in words for kind, _, words in (await at.seen())
        )


@pytest.mark.parametrize(
    "listens",
    [
        'reactor.listenTCP({port}, F(), interface="127.0.0.1")',
        'reactor.listenUDP({port}, protocol.DatagramProtocol(), interface="127.0.0.1")',
        'endpoints.serverFromString(reactor, "tcp:{port}:interface=127.0.0.1").listen(F())',
        'reactor.listenSSL({port}, F(), ssl.CertificateOptions(), interface="127.0.0.1")',
    ],
)
@pytest_twisted.ensureDeferred
async def test_it_listens_elsewhere_where_a_port_is_taken(desk, listens):
    text = f"""
from twisted.internet import endpoints, protocol, reactor, ssl
F = lambda: protocol.Factory.forProtocol(protocol.Protocol)
{listens}
reactor.run()
"""
    kind = socket.SOCK_DGRAM if "UDP" in listens else socket.SOCK_STREAM
    with socket.socket(type=kind) as taken, socket.socket(type=kind) as other:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        other.bind(("127.0.0.1", 0))
        port, free = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        at = await desk(text.replace("{port}", str(port)), ports={str(port): str(free)})

        await at.start()
        assert (await at.port()).status == Listening(f"127.0.0.1:{free}")
        assert any(f"the program listens on {free} instead" in words for _, _, words in (await at.seen()))


@pytest_twisted.ensureDeferred
async def test_a_program_that_is_killed_is_told_so(desk):
    at = await desk(ECHO.format(port=0))

    pid = await at.start()
    _, client = await exchanged((await at.port()).status.host, b"x")
    os.kill(pid, signal.SIGKILL)
    await at.ended()
    client.close()
    assert at.program.status == Failed("It was ended by SIGKILL.")
    assert not list(at.post.programs.ports())
    assert (await at.seen())[-3:-1] != []


@pytest_twisted.ensureDeferred
async def test_what_is_not_trusted_does_not_start(tmp_path):
    (tmp_path / "tutorial.py").write_text("open('ran', 'w')\n")
    workspace = tmp_path / "w.toml"
    workspace.write_text('version = 1\n[[program]]\nname = "tutorial"\nrun = ["tutorial.py"]\nautostart = true\n')
    from app.workspace import reading

    post = Post(reactor, reading.load(workspace))
    assert "starts the program tutorial.py" in str(post.question.asks[0])

    await post.open(tmp_path / "x.lpost")
    await post.autostart()
    await post.start_all()
    program = post.programs.all["tutorial"]
    assert isinstance(program.status, Held)
    assert not (tmp_path / "ran").exists()
    await post.trust("content")
    await until(lambda: program.said, 30)
    assert (tmp_path / "ran").exists()
    await post.shut_down()


@pytest_twisted.ensureDeferred
async def test_one_that_cannot_be_found_says_so(desk):
    at = await desk("")
    at.post.programs.all["tutorial"].config = ProgramConfig("tutorial", ("nowhere.py",))
    await at.post.start_all()
    assert isinstance(at.program.status, Failed)
    assert "there is no such file" in at.program.status.reason


WINDOW = """
import os, sys
from twisted.internet import reactor
from app.post import Post
from app.programs import process, strays
from app.programs.config import ProgramConfig
from app.workspace.reading import Workspace
from pathlib import Path

folder = Path(sys.argv[1])
post = Post(reactor, Workspace(programs=(ProgramConfig("tutorial", ("tutorial.py",)),), template=folder))
post.open(folder / "x.lpost").addCallback(lambda _: post.start_all())
post.programs.changed.connect(lambda programs: any(p.running for p in programs.ports()) and os.kill(os.getpid(), 9))
reactor.run()
"""


@pytest_twisted.ensureDeferred
async def test_a_program_ends_when_the_window_is_killed(tmp_path):
    own = "from pathlib import Path\nPath('pid').write_text(str(os.getpid()))\n"
    (tmp_path / "tutorial.py").write_text(DAEMONS.replace("END", own) + ECHO.format(port=0))
    (tmp_path / "window.py").write_text(WINDOW)
    root = str(Path(__file__).parents[3])
    found = subprocess.run(
        [sys.executable, "window.py", str(tmp_path)], cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, timeout=60
    )
    assert found.returncode == -signal.SIGKILL
    pids = [int(pid) for name in ("pid", "pids") for pid in (tmp_path / name).read_text().split()]
    await until(lambda: not any(map(is_there, pids)), 30)


@pytest_twisted.ensureDeferred
async def test_started_while_it_ends_it_runs_again_unless_it_is_stopped_again(desk):
    it = await desk(ECHO.format(port=0))
    first = await it.start()
    it.post.stop_all()
    await it.post.start_all()
    assert isinstance(it.program.status, Running)
    assert it.program.pid != first
    it.post.stop_all()
    started = it.post.start_all()
    it.post.stop_all()
    await started
    assert it.program.status == Stopped()


DEAF = """
import os, signal
os.closerange(3, 64)
signal.pause()
"""


@pytest_twisted.ensureDeferred
async def test_one_that_closes_the_pipe_of_its_events_and_goes_on_is_told(desk, monkeypatch):
    monkeypatch.setattr(process, "UNSEEN", 0.0)
    at = await desk(DEAF)
    pid = await at.start()
    await until(lambda: isinstance(at.program.status, Running) and at.program.status.unseen, 30)
    assert is_there(pid)
    await at.program.stop()
    assert [words for _, _, words in (await at.seen()) if "nothing more is seen of it" in words] == [
        "the program goes on, but the pipe through which its events come is closed: nothing more is seen of it"
    ]
