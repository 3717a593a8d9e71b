"""A capture that lacks events says so, and so does everything that is made of it."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from haralyzer import HarParser

from app.capture.keeping.about import about
from app.capture.reading.losses import FILTER, lost
from app.capture.reading.store import Store
from tests.app.exports import impatient
from tests.helpers import Serve, run, serving, wait_for

WORKSPACE = """
version = 1
[[service]]
name = "sink"
protocol = "udp"
listen = "127.0.0.1:0"
responder = "discard"
[[service]]
name = "web"
protocol = "http"
listen = "127.0.0.1:0"
responder = "inspector"
"""

DATAGRAM, FLOOD = 60_000, 200
"""Bytes of a datagram, and how many are sent while the writer stands still: more than may wait for it."""

assert DATAGRAM * FLOOD > 4 * impatient.LOSE_ABOVE


def writer_of(program: Serve) -> int:
    """The process id of its capture writer."""
    children = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
    return next(int(pid) for pid in children if b"writ" in Path(f"/proc/{pid}/cmdline").read_bytes())


def ask(address: tuple[str, int], target: bytes) -> None:
    with socket.create_connection(address, 10) as client:
        client.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        while client.recv(65536):
            pass


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was captured while the writer stood still and datagrams came."""
    folder = tmp_path_factory.mktemp("losses")
    (folder / "w.toml").write_text(WORKSPACE)
    path = folder / "c.lpost"
    with serving(folder / "w.toml", path, module=impatient.__name__) as program:
        at = wait_for(lambda: len(found := program.wait_up()) == 2 and found)
        ask(at["web"], b"/before")
        writer = writer_of(program)
        os.kill(writer, signal.SIGSTOP)
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.connect(at["sink"])
                for _ in range(FLOOD):
                    client.send(bytes(DATAGRAM))
        finally:
            os.kill(writer, signal.SIGCONT)
        wait_for(lambda: int(run("query", path, FILTER, "--count").stdout or 0), 60)
        ask(at["web"], b"/after")
        program.kill(signal.SIGTERM)
        program.wait()
    return path


def count(capture: Path) -> int:
    store = Store(capture)
    try:
        return lost(store).count
    finally:
        store.close()


def test_a3_query_says_on_one_line_what_is_missing(capture: Path) -> None:
    done = run("query", capture, "service == sink", "--count")
    assert done.returncode == 0
    (line,) = done.stderr.splitlines()
    assert f"{count(capture):,} events that happened are missing here, " in line
    assert "as fast as datagrams came" in line or "receive buffer was full" in line
    assert line.endswith(f"See {FILTER}")
    told = [json.loads(line)["detail"] for line in run("query", capture, FILTER, "--json").stdout.splitlines()]
    assert sum(detail["count"] for detail in told) == count(capture)


def test_a3_a_range_that_lacks_nothing_says_nothing(capture: Path) -> None:
    assert run("query", capture, "time < 2001-01-01T00:00:00", "--count").stderr == ""
    assert run("query", capture, "time > -1000d and service != web", "--count").stderr
    before = next(
        json.loads(line) for line in run("query", capture, "http.target == /before", "--json").stdout.splitlines()
    )
    assert run("query", capture, f"id <= {before['id']} and time < 2020-01-01T00:00:00", "--count").stderr == ""


@pytest.mark.parametrize(
    ("filter", "urls"), [("", ["/before", "/after"]), ("http.target == /before", ["/before"]), ("service == sink", [])]
)
def test_a3_every_export_says_what_is_missing(capture: Path, tmp_path: Path, filter: str, urls: list[str]) -> None:
    missing = count(capture)
    for format in ("jsonl", "csv", "har", "pcapng"):
        done = run("export", capture, tmp_path / f"x.{format}", "--filter", filter)
        assert done.returncode == 0
        assert f"{missing:,} events" in done.stderr
    lines = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text().splitlines()]
    assert sum(line["detail"]["count"] for line in lines if line["kind"] == "events.lost") == missing
    with open(tmp_path / "x.csv", newline="") as table:
        assert any(row["kind"] == "events.lost" and "lost: " in row["summary"] for row in csv.DictReader(table))
    har = json.loads((tmp_path / "x.har").read_text())
    assert "events were lost" in har["log"]["comment"] or "event was lost" in har["log"]["comment"]
    assert [e["request"]["url"] for e in HarParser(har).har_data["entries"]] == [f"http://test{u}" for u in urls]
    packets = str(tmp_path / "x.pcapng")
    dropped = subprocess.run(["capinfos", "-I", packets], capture_output=True, text=True, check=True).stdout
    assert "events that were lost" in dropped
    assert "Number of stat entries = 1" in dropped
    statistics = (tmp_path / "x.pcapng").read_bytes()
    assert b"\x05\x00\x08\x00" + missing.to_bytes(8, "little") in statistics


def test_a3_the_packet_behind_a_loss_tells_of_it(capture: Path, tmp_path: Path) -> None:
    packets = tmp_path / "x.pcapng"
    assert run("export", capture, packets, "--filter", "service == web").returncode == 0
    found = subprocess.run(
        ["tshark", "-n", "-r", packets, "-T", "fields", "-e", "frame.comment", "-e", "tcp.flags.syn"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    (told,) = [line for line in found.splitlines() if line.startswith("events.lost: ")]
    assert told.split("\t")[1] in ("1", "True")  # the first packet of the connection that came after it


@pytest.mark.parametrize(
    "how", [[], ["--redact"], ["--without-payloads"], ["--filter", "service == web"], ["--filter", "time > -1000d"]]
)
def test_a3_a_copy_keeps_what_is_missing_and_says_it(capture: Path, tmp_path: Path, how: list[str]) -> None:
    done = run("save", capture, tmp_path / "copy.lpost", *how)
    assert done.returncode == 0
    assert f"{count(capture):,} events that happened are missing" in done.stderr
    assert count(tmp_path / "copy.lpost") == about(tmp_path / "copy.lpost").lost.count == count(capture)


def test_a3_a_copy_of_a_range_without_losses_has_none(capture: Path, tmp_path: Path) -> None:
    done = run("save", capture, tmp_path / "copy.lpost", "--filter", "time < 2001-01-01T00:00:00")
    assert (done.returncode, done.stderr) == (0, "")
    assert count(tmp_path / "copy.lpost") == 0
