"""A console without a screen: serve with a workspace that names outposts, killed and started again."""

import socket
import sqlite3
from contextlib import closing

from tests.app.capture.captures import read
from tests.helpers import serving, short_folder, wait_for

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


def stored(capture, least):
    """Whether the capture is there, with so many events of data."""
    try:
        return read(capture, "SELECT count(*) FROM event WHERE kind = 6")[0][0] >= least
    except sqlite3.OperationalError:
        return False
