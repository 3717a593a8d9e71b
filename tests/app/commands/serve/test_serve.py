"""app.commands.serve, as ``listening-post serve`` runs it."""

import fcntl
import json
import os
import select
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from app import events
from app.commands.printing.output import line
from app.events import Event
from tests.app.capture.captures import event, is_sound, make, read
from tests.helpers import PROGRAM, ROOT, Load, Piped, open_files, run, run_bytes, serving, wait_for
from tests.preloaded import Run

SERVICE = '[[service]]\nname = "{name}"\nprotocol = "{protocol}"\nlisten = "{listen}"\nresponder = "{responder}"\n'


def a_workspace(folder, *services):
    """A workspace of services, each as (name, protocol, listen, responder)."""
    keys = ("name", "protocol", "listen", "responder")
    tables = [SERVICE.format(**dict(zip(keys, service, strict=True))) for service in services]
    (folder / "w.toml").write_text("version = 1\n" + "".join(tables))
    return folder / "w.toml"


ECHO = ("echo", "tcp", "127.0.0.1:0", "echo")


@pytest.fixture
def echo(tmp_path):
    return a_workspace(tmp_path, ECHO)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lpost"


@pytest.fixture
def taken():
    """A port in use, by this process."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def sent_to(path):
    """What the capture has as sent, by peer."""
    sql = "SELECT peer, payload FROM event JOIN connection c ON c.id = conn WHERE kind = ? ORDER BY event.id"
    found = {}
    for peer, payload in read(path, sql, events.DATA_SENT):
        found[peer] = found.get(peer, b"") + payload
    return found


def holds(path, echoed):
    """Whether the capture has all that these clients got back."""
    sent = sent_to(path)
    return all(data and sent.get(peer, b"").startswith(data) for peer, data in echoed.items())


# -- beginning


def test_each_service_listens_when_the_first_line_is_there(tmp_path, path):
    workspace = a_workspace(
        tmp_path, ("t", "tcp", "127.0.0.1:0", "echo"), ("u", "udp", "[::1]:0", "echo"),
        ("h", "http", "localhost:0", "inspector"), ("w", "websocket", "127.0.0.1:0", "echo"),
    )  # fmt: skip
    with serving(workspace, path) as program:
        wait_for(lambda: program.lines)
        sockets = [name[8:-1] for name in open_files(program.process.pid) if name.startswith("socket:[")]
        bound = "".join(Path(f"/proc/net/{table}").read_text() for table in ("tcp", "tcp6", "udp", "udp6"))
        assert sum(f" {inode} " in bound for inode in sockets) >= 4
        wait_for(lambda: len(program.lines) >= 4)
        found = program.wait_up()
        assert set(found) == {"t", "u", "h", "w"}
        for name in "thw":
            socket.create_connection(found[name], 5).close()


def test_it_imports_no_qt(echo, path):
    script = (
        "import sys; from app.commands import main as cli\n"
        "code = cli.main(sys.argv[1:], None)\n"
        "print(code, [m for m in sys.modules if m.split('.')[0] in ('PyQt5', 'qt5reactor', 'sip', 'ui')])"
    )
    command = [PROGRAM[0], "-c", script, "serve", str(echo), "--capture", str(path), "--for", "0.2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_it_stops_by_itself_after_the_time_given_and_prints_every_event(echo, path):
    done = run("serve", echo, "--capture", path, "--for", "0.2", "--json")
    assert done.returncode == 0
    assert done.stderr == f"capturing into {path}\n"
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["service.started", "service.stopped"]
    assert done.stdout == run("query", path, "--json").stdout
    assert sorted(os.listdir(path.parent)) == ["w.toml", "x.lpost"]


def test_a_second_run_into_one_file_prints_only_its_own_events(echo, path):
    run("serve", echo, "--capture", path, "--for", "0.1")
    done = run("serve", echo, "--capture", path, "--for", "0.1", "--json")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == [3, 4]


def test_an_event_is_printed_as_one_line():
    shown = line(Event(7, 10**18 + 5_000_000, events.DATA_SENT, "echo", 1, "127.0.0.1:5", 2, "hi"))
    assert shown == "      7 01:46:40.005000 echo             127.0.0.1:5           data.sent               2 hi"


# -- what cannot start


def test_a_port_in_use_names_the_program_and_the_others_go_on(tmp_path, path, taken):
    with serving(a_workspace(tmp_path, ("busy", "tcp", taken, "echo"), ECHO), path) as program:
        assert "echo" in program.wait_up()
        wait_for(lambda: len(program.lines) >= 2)
        program.kill(signal.SIGTERM)
        assert program.wait() == 0
    [failed] = [e for e in map(json.loads, program.lines) if e["kind"] == "service.failed"]
    name = Path("/proc/self/comm").read_text().strip()
    port = taken.rpartition(":")[2]
    assert failed["summary"].startswith(f"Port {port} is in use by {name} (pid {os.getpid()})")


def test_it_leaves_with_1_when_none_could_start(tmp_path, path, taken):
    done = run("serve", a_workspace(tmp_path, ("busy", "tcp", taken, "echo")), "--capture", path, "--json")
    assert done.returncode == 1
    assert "listening-post: none of the services could start\n" in done.stderr
    assert [json.loads(line)["kind"] for line in done.stdout.splitlines()] == ["service.failed"]


def test_it_stays_for_one_that_is_tried_again_and_leaves_when_the_tries_are_over(tmp_path, path, taken):
    workspace = a_workspace(tmp_path, ("busy", "tcp", taken, "echo"))
    with open(workspace, "a") as file:
        file.write("\n[service.restart]\ndelay_seconds = 0.1\nattempts = 2\n")
    done = run("serve", workspace, "--capture", path, "--json")
    assert done.returncode == 1
    kinds = [json.loads(line)["kind"] for line in done.stdout.splitlines()]
    assert kinds == ["service.failed", *["service.restarting", "service.failed"] * 2]
    assert "listening-post: busy could not start, and nothing else runs\n" in done.stderr


def test_it_leaves_with_1_when_there_is_no_service(tmp_path, path):
    done = run("serve", a_workspace(tmp_path), "--capture", path)
    assert done.returncode == 1
    assert "the workspace has no services" in done.stderr


def test_a_broken_workspace_starts_nothing(tmp_path, path):
    workspace = a_workspace(tmp_path, ECHO, ("other", "tcp", "nonsense", "echo"))
    done = run("serve", workspace, "--capture", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{workspace}:10: listen: nonsense is not an address")
    assert not path.exists()


@pytest.mark.parametrize("kind", ["no capture", "newer"])
def test_a_capture_that_will_never_do_is_refused_in_one_line(echo, path, kind):
    make(path, event())
    content = path.read_bytes()
    content = b"notes" if kind == "no capture" else content[:60] + b"\0\0\0\x09" + content[64:]
    path.write_bytes(content)
    done = run("serve", echo, "--capture", path)
    assert (done.returncode, done.stdout) == (1, "")
    said = [line for line in done.stderr.splitlines() if "lost" not in line]
    assert len(said) == 1
    assert ("is not a capture" if kind == "no capture" else "written by a newer Listening Post") in said[0]
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("make_it", "words"),
    [(os.mkfifo, "named pipe"), (os.mkdir, "folder"), (lambda path: os.symlink("/dev/null", path), "device")],
)
def test_a15_what_is_no_file_is_refused_in_one_line(echo, path, make_it, words):
    make_it(path)
    done = run("serve", echo, "--capture", path)
    assert (done.returncode, done.stdout) == (1, "")
    said = [line for line in done.stderr.splitlines() if "lost" not in line]
    assert said == [f"listening-post: {path.resolve()} is a {words}. Capture into a file."]


# -- going on


def test_trouble_with_the_file_is_said_and_the_services_go_on(echo, tmp_path):
    (tmp_path / "link").symlink_to("/proc/none")  # nobody can make a folder there
    with serving(echo, tmp_path / "link" / "x.lpost") as program:
        wait_for(lambda: any("/proc/none" in line for line in program.said))
        (tmp_path / "link").unlink()
        assert "echo" in program.wait_up()
        program.kill(signal.SIGTERM)
        assert program.wait() == 0
    assert program.said[-1].endswith("the capture goes on")


def test_printing_goes_on_after_the_file_was_deleted(echo, path):
    with serving(echo, path) as program:
        [address] = program.wait_up().values()
        with socket.create_connection(address, 5) as client:
            for text in (b"one", b"two", b"three"):
                client.sendall(text)
                wait_for(lambda: sum(text.decode() in line for line in program.lines) == 2)  # noqa: B023
                path.unlink()
        program.kill(signal.SIGTERM)
        assert program.wait() == 0
    assert [json.loads(line)["id"] for line in program.lines] == list(range(1, len(program.lines) + 1))


def test_a_reader_that_has_had_enough_does_not_stop_it(echo, path):
    with Piped("serve", echo, "--capture", path) as process:
        port = int(process.stdout.readline().rpartition(b":")[2])
        process.stdout.close()
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            for _ in range(20):
                client.sendall(b"x" * 1000)
                assert client.recv(1000)
        process.send_signal(signal.SIGTERM)
        assert process.stderr.read() == f"capturing into {path}\n".encode()
        assert process.wait(100) == 0


@pytest.mark.parametrize("args", [(), ("--json",), ("--quiet",)], ids=["lines", "json", "quiet"])
@pytest.mark.parametrize(
    ("where", "reason"), [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")]
)
def test_it_says_once_that_it_cannot_print_and_goes_on(echo, path, where, reason, args):
    command = ["serve", str(echo), "--capture", str(path), *args, "--for", "0.5"]
    if args:
        with open(os.devnull if ">&-" in where else "/dev/full", "wb") as out:
            done = run_bytes(*command, out=out.fileno(), closed=[1] if ">&-" in where else [])
    else:  # with the interpreter's own end
        shell = ["bash", "-c", f'"$@" {where}', "sh", *PROGRAM, *command]
        done = subprocess.run(shell, cwd=ROOT, capture_output=True, timeout=100, check=False)
    lost = f"listening-post: Cannot write standard output: {reason}. The services go on, and the capture."
    assert (done.returncode, done.stderr.decode().splitlines()) == (0, [f"capturing into {path}", lost])
    assert read(path, "SELECT count(*) FROM event") == [(2,)]


# -- ending


@pytest.mark.parametrize(
    ("number", "whole_group"), [(signal.SIGTERM, False), (signal.SIGINT, False), (signal.SIGINT, True)]
)
def test_a_signal_ends_it_with_all_stored(echo, path, number, whole_group):
    with serving(echo, path) as program:
        [address] = program.wait_up().values()
        idle = socket.create_connection(address, 5)
        load = Load(address)
        wait_for(lambda: load.total() > 20_000)
        (program.kill if whole_group else program.process.send_signal)(number)
        assert program.wait() == 0
        load.stop()
        idle.close()
    assert program.said == [f"capturing into {path}"]
    assert holds(path, load.echoed())
    assert is_sound(path)
    assert read(path, "SELECT kind FROM event ORDER BY id DESC LIMIT 1") == [(events.SERVICE_STOPPED,)]


def test_after_a_signal_the_last_events_are_printed_too(echo, path):
    with serving(echo, path) as program:
        program.wait_up()
        program.kill(signal.SIGTERM)
        assert program.wait() == 0
    assert [json.loads(line)["kind"] for line in program.lines] == ["service.started", "service.stopped"]


def test_a_client_that_never_reads_does_not_keep_it(echo, path):
    with serving(echo, path) as program:
        [address] = program.wait_up().values()
        with socket.create_connection(address, 5) as client:
            client.setblocking(False)

            def is_full():
                try:
                    client.send(b"x" * 65536)
                except BlockingIOError:
                    return True

            wait_for(is_full)
            program.kill(signal.SIGTERM)
            assert program.wait() == 0
    [(reason,)] = read(path, "SELECT reason FROM connection")
    assert "by us" in reason


def test_ctrl_c_at_the_very_start_leaves_no_traceback(echo, path):
    with serving(echo, path) as program:
        wait_for(lambda: path.exists() or program.process.poll() is not None)
        program.kill(signal.SIGINT)
        assert program.wait() == 0
    assert not any("Traceback" in line for line in program.said)


# -- kill -9


@pytest.mark.parametrize("whole_group", [True, False], ids=["with its writer", "alone"])
def test_kill_9_leaves_all_that_the_file_had(echo, path, whole_group):
    with serving(echo, path) as program:
        [address] = program.wait_up().values()
        load = Load(address)
        wait_for(lambda: load.total() > 20_000)
        echoed = load.echoed()
        wait_for(lambda: holds(path, echoed))
        (program.kill if whole_group else program.process.kill)()
        program.wait()
        load.stop()
    with path.open("rb") as file:
        # A writer that was left alone stores what its pipe held, and then lets go.
        wait_for(lambda: _is_free(file))
    assert is_sound(path)
    assert holds(path, echoed)
    assert run("query", path, "--count").stdout.strip().isdigit()


def _is_free(file):
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_quiet_prints_which_services_listen_and_no_events(tmp_path, path, taken):
    workspace = a_workspace(tmp_path, ECHO, ("other", "tcp", taken, "echo"))
    with serving(workspace, path, "--quiet", json=False) as serve:
        wait_for(lambda: len(serve.lines) == 2)
        assert serve.lines[0].startswith("echo: listening on 127.0.0.1:")
        assert serve.lines[1].startswith(f"other: Port {taken.split(':')[1]} is in use by ")
        host, port = serve.lines[0].split()[-1].split(":")
        with socket.create_connection((host, int(port)), 5) as client:
            client.sendall(b"hello")
            assert client.recv(5) == b"hello"
        serve.process.send_signal(signal.SIGTERM)
        assert serve.wait() == 0
    assert len(serve.lines) == 2
    assert sent_to(path)


def test_quiet_says_why_a_plugin_was_not_loaded(echo, path):
    (echo.parent / "plugins").mkdir()
    (echo.parent / "plugins" / "orders.py").write_text("import no_such_module\n")
    done = run("serve", echo, "--capture", path, "--for", "0.1", "--quiet", "--trust-plugins")
    said = [line for line in done.stderr.splitlines() if "orders.py" in line]
    assert len(said) == 1, done.stderr
    assert said[0].startswith("listening-post: ")
    assert "no_such_module" in said[0]


@pytest.mark.parametrize("reads", [0, 2_000], ids=["nobody", "slowly"])
def test_output_that_is_not_read_in_time_does_not_end_it_by_a_crash(echo, path, reads):
    reading, writing = os.pipe()
    with open(os.devnull, "rb+") as nothing, open(reading, "rb", buffering=0) as printed:
        command = ["serve", str(echo), "--capture", str(path), "--json"]
        program = Run(command, nothing.fileno(), writing, nothing.fileno())
        os.close(writing)
        port = int(printed.readline().decode().rpartition("127.0.0.1:")[2].split('"')[0])
        with socket.create_connection(("127.0.0.1", port), 5) as client:
            for _ in range(1_000):  # the lines of as many events fill the pipe
                client.sendall(b"x" * 4_000)
                assert client.recv(4_000)
            program.terminate()
            while program.poll() is None:
                if reads:
                    printed.read(reads)
                select.select([], [], [], 0.001)
            assert program.returncode == 0


def test_watches_that_are_not_trusted_do_not_run_and_serve_says_so(tmp_path, path):
    (tmp_path / "w.toml").write_text('version = 1\n[[watch]]\nname = "theirs"\ntarget = "tcp://127.0.0.1:1"\n')
    done = run("serve", tmp_path / "w.toml", "--capture", path)
    assert done.returncode == 1
    assert 'the watch theirs does not run: This is not trusted yet: the watch "theirs" connects to' in (done.stderr)
    assert read(path, "SELECT count(*) FROM event WHERE kind = ?", events.WATCH_CHECKED) == [(0,)]
