"""A capture of a run with faults, exported by the command and read by the tools of others."""

from __future__ import annotations

import csv
import http.client
import json
import subprocess
from pathlib import Path

import pytest
from haralyzer import HarParser

from tests.helpers import run, serving, wait_for

WORKSPACE = """\
version = 1

[[service]]
name = "web"
protocol = "http"
listen = "127.0.0.1:0"
responder = "inspector"

[[service.fault]]
name = "slow"
kind = "stall"
ms = 30
on = "sent"
first = 1

[[service.fault]]
name = "away"
kind = "status"
path = "/two"
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "w.toml").write_text(WORKSPACE)
    with serving(folder / "w.toml", folder / "x.lpost", "--seed", "7") as program:
        host, port = program.wait_up()["web"]
        for path in ("/one", "/two"):
            client = http.client.HTTPConnection(host, port, timeout=10)
            client.request("GET", path)
            assert client.getresponse().read()
            client.close()
        wait_for(lambda: sum('"connection.closed"' in line for line in program.lines) == 2)
    return folder / "x.lpost"


@pytest.fixture
def exported(capture: Path, tmp_path: Path) -> Path:
    for form in ("har", "pcapng", "jsonl", "csv"):
        assert run("export", capture, tmp_path / f"x.{form}").returncode == 0
    return tmp_path


def test_a_har_is_read_and_says_what_was_done_to_an_exchange(exported: Path) -> None:
    log = json.loads((exported / "x.har").read_text())
    assert len(HarParser(log).har_data["entries"]) == 2
    comments = [entry["comment"] for entry in log["log"]["entries"]]
    assert [comment.partition("; ")[2] for comment in comments] == [
        "fault slow: nothing passes for 30 ms", "fault away: answered 503",
    ]  # fmt: skip


def test_tshark_finds_the_comment_on_the_answer(exported: Path) -> None:
    command = ["tshark", "-n", "-r", exported / "x.pcapng", "-T", "fields"]
    command += ["-e", "frame.comment", "-e", "http.response.code", "-Y", "frame.comment"]
    # The port is any free one.
    command += ["-d", "tcp.port==1-65535,http"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert found == [
        "fault.applied: slow: nothing passes for 30 ms\t200",
        "fault.applied: away: answered 503\t503",
    ]


def test_lines_have_the_event_as_it_is(exported: Path) -> None:
    lines = [json.loads(line) for line in (exported / "x.jsonl").read_text().splitlines()]
    hit, other = [line["detail"] for line in lines if line["kind"] == "fault.applied"]
    assert (hit["fault"], hit["kind"], hit["on"], hit["seed"]) == ("slow", "stall", "sent", 7)
    assert other["fault"] == "away"
    with (exported / "x.csv").open(newline="") as file:
        assert sum(row["kind"] == "fault.applied" for row in csv.DictReader(file)) == 2
