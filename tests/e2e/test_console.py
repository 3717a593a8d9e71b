"""A console without a screen: serve with a workspace that names outposts, killed and started again."""

import socket
import sqlite3
from contextlib import ExitStack, closing

from tests.app.capture.captures import read
from tests.helpers import run, serving, short_folder, wait_for

BENCH = """version = 1
[outpost]
allow = "control"
[[service]]
name = "noise"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "echo"
"""

DESK = """version = 1
[[outpost]]
name = "bench"
target = "{}"
"""

COMPARED = "SELECT e.time, e.kind, e.size, e.payload, e.detail FROM event e {} ORDER BY e.id"
OURS = COMPARED.format("JOIN service s ON s.id = e.service AND s.outpost = 'bench' AND e.kind NOT IN (40, 41)")


def test_each_event_is_there_once_whoever_is_killed(tmp_path):
    with short_folder() as folder:
        (tmp_path / "bench.toml").write_text(BENCH)
        (tmp_path / "desk.toml").write_text(DESK.format(folder / "s"))
        ours, theirs = tmp_path / "desk.lpost", tmp_path / "bench.lpost"
        with serving(tmp_path / "bench.toml", theirs, "--control", str(folder / "s")) as bench:
            with closing(socket.create_connection(bench.wait_up()["noise"], 30)) as client:
                for run in range(1, 4):
                    with serving(tmp_path / "desk.toml", ours, "--trust") as desk:  # killed at the end, with its writer
                        wait_for(lambda desk=desk: desk.said)
                        while not stored(ours, 200 * run):
                            client.sendall(b"once")
                            client.recv(1 << 16)
            with serving(tmp_path / "desk.toml", ours, "--trust"):
                wait_for(lambda: read(theirs, "SELECT count(*) FROM event WHERE kind = 7") == [(1,)])
                [(head,)] = read(theirs, "SELECT max(id) FROM event")
                wait_for(lambda: stored(ours, 1) and read(ours, "SELECT max(last) FROM outpost")[0][0] >= head)
        found, there = read(ours, OURS), read(theirs, COMPARED.format(""))
        assert len(found) > 500
        assert found == there[: len(found)]


RACK = """version = 1
[outpost]
allow = "control"
[[service]]
name = "hello"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "banner"
[service.options]
text = "{}"
close = true
"""

OVER_BOTH = """version = 1
[[outpost]]
name = "rack-1"
target = "{folder}/1"
[[outpost]]
name = "rack-2"
target = "{folder}/2"
[[service]]
name = "in front"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "relay"
[service.options]
upstreams = ["rack-1/hello", "rack-2/hello"]
retry_seconds = 3600
"""


def test_a_relay_spreads_its_clients_over_outposts_and_follows_them(tmp_path):
    """One service is stopped there and started again; then its outpost is killed."""
    with short_folder() as folder, ExitStack() as stack:
        racks = []
        for number in ("1", "2"):
            workspace = tmp_path / f"rack-{number}.toml"
            workspace.write_text(RACK.format(number))
            more = "--control", str(folder / number)
            racks.append(stack.enter_context(serving(workspace, tmp_path / f"{number}.lpost", *more)))
        (tmp_path / "desk.toml").write_text(OVER_BOTH.format(folder=folder))
        desk = stack.enter_context(serving(tmp_path / "desk.toml", tmp_path / "desk.lpost", "--trust"))
        relay = desk.wait_up()["in front"]

        def one():
            try:
                with closing(socket.create_connection(relay, 30)) as client:
                    return client.recv(10).decode() or "-"
            except ConnectionResetError:  # the outpost was killed in the middle of it
                return "-"

        def two():
            """What two clients get, one after the other."""
            return one() + one()

        wait_for(lambda: two() in ("12", "21"))
        assert run("control", folder / "2", "stop", "hello").returncode == 0
        wait_for(lambda: two() == "11")
        assert run("control", folder / "2", "start", "hello").returncode == 0
        wait_for(lambda: two() in ("12", "21"))
        racks[1].kill()
        wait_for(lambda: two() == "11")
        racks[0].kill()
        wait_for(lambda: two() == "--")


def stored(capture, least):
    """Whether the capture is there, with so many events of data."""
    try:
        return read(capture, "SELECT count(*) FROM event WHERE kind = 6")[0][0] >= least
    except sqlite3.OperationalError:
        return False
