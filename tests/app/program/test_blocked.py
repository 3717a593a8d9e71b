"""app.program.blocked: a plugin that blocks the reactor is named by file and line, among the failures."""

from __future__ import annotations

import json
import os
import socket
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from app import events
from app.capture.reading.groups import Group, groups
from app.capture.reading.store import Store
from app.capture.recorder import Recorder
from app.capture.writing.last_word import STUCK
from app.failures.blocked import Block, described, dumped
from app.failures.record import Frame
from app.program.blocked import SAID, LoopWatch
from tests.app.capture.captures import event, make, read
from tests.helpers import Serve, serving, wait_for

PLUGIN = """
import re
import time
from listening_post import responder


def step(n):
    return n + 1


@responder("orders", framing="line")
def orders(data: bytes) -> bytes:
    if data == b"sleep":
        time.sleep(1)
    n = 0
    while data == b"endless":
        n = step(n)
    if data == b"stuck":
        re.match(r"(a+)+$", "a" * 60 + "b")
    return data
"""

WORKSPACE = """version = 1
[[service]]
name = "orders"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "orders"
"""


def found(path: Path) -> list[Group]:
    with closing(Store(path)) as store:
        read = groups(store)
    assert read is not None
    return read[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "orders.py").write_text(PLUGIN)
    (tmp_path / "w.toml").write_text(WORKSPACE)
    return tmp_path


def killed(home: Path, *said: bytes) -> list[Any]:
    """What the capture has of a program that was sent these lines, of which the last one blocks it until it is killed:
    summary and detail of each event."""
    capture = home / "x.lpost"
    with (
        serving(home / "w.toml", capture, "--trust-plugins") as program,
        socket.create_connection(program.wait_up()["orders"], 30) as client,
    ):
        for line in said[:-1]:
            client.sendall(line)
            assert client.recv(100) == line
        named = '"summary": "plugins/orders.py:'
        wait_for(lambda: sum(named in line for line in program.lines) == len(said) - 1)
        client.sendall(said[-1])
        wait_for(lambda: last_word_of(program))
        os.kill(program.process.pid, 9)
        wait_for(lambda: read(capture, "SELECT 1 FROM meta WHERE key = 'closed' AND value > 0"))
    sql = "SELECT summary, detail FROM event WHERE kind = ? ORDER BY id"
    # On a busy machine, something else may have taken long as well.
    found = [(summary, json.loads(detail)) for summary, detail in read(capture, sql, events.LOOP_BLOCKED)]
    return [(summary, detail) for summary, detail in found if summary.startswith("plugins/orders.py:")]


def test_a_plugin_that_sleeps_and_one_that_never_ends_are_named(home: Path) -> None:
    (slept, slept_detail), (endless, endless_detail) = killed(home, b"sleep\n", b"endless\n")
    assert slept.startswith("plugins/orders.py:14 blocked every service for ")
    assert slept_detail["seconds"] >= 1
    assert endless.startswith("plugins/orders.py:")
    assert endless.endswith(" s and had not ended")
    assert endless_detail["unfinished"] is True
    [group] = (group for group in found(home / "x.lpost") if group.where.startswith("plugins/"))
    assert group.count == 2
    assert group.where.startswith("plugins/orders.py:")
    assert group.where.endswith(" orders")
    assert group.message.startswith("every service for ")


def test_so_is_one_that_never_lets_another_thread_run(home: Path) -> None:
    [(summary, detail)] = killed(home, b"stuck\n")
    assert summary.startswith("plugins/orders.py:19 has blocked every service for ")
    assert summary.endswith(" s and had not ended")
    assert detail["seconds"] >= STUCK
    [group] = (group for group in found(home / "x.lpost") if group.where.startswith("plugins/"))
    assert group.where == "plugins/orders.py:19 orders"
    assert "re.match" in str(detail["frames"])


def last_word_of(program: Serve) -> int:
    """Bytes that it has left for its writer."""
    folder = f"/proc/{program.process.pid}/fd"
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):  # closed since the listing
            if "last-word" in os.readlink(f"{folder}/{name}"):
                return os.stat(f"{folder}/{name}").st_size
    raise AssertionError("it keeps nothing for its writer")


def block(line: int = 18, function: str = "orders", **more: Any) -> Block:
    stack = (
        Frame("/srv/lib/python3.11/site-packages/twisted/internet/tcp.py", 250, "doRead"),
        Frame("/srv/plugins/orders.py", line, function, ((line, "    n = step(n)"),)),
        Frame("/srv/lib/python3.11/json/decoder.py", 350, "decode"),
    )
    return Block(**{"seconds": 1.42, "frames": stack} | more)


def test_says_who_blocked_and_for_how_long() -> None:
    summary, detail = described(block())
    assert summary == "plugins/orders.py:18 blocked every service for 1.4 s"
    assert json.loads(detail)["seconds"] == 1.42
    assert described(block(frames=()))[0].startswith("something that ended before it could be seen blocked")


def test_lines_of_one_function_are_one_group() -> None:
    def group(block: Block) -> str:
        return str(json.loads(described(block)[1])["group"])

    in_step = block().frames[:2] + block(7, "step").frames[1:]
    assert group(block(18)) == group(block(19)) == group(block(unfinished=True)) == group(block(frames=in_step))
    assert len({group(block()), group(block(function="other")), group(block(frames=()))}) == 3


def test_stands_among_the_failures_with_the_newest_length(tmp_path: Path) -> None:
    rows = [(described(block(seconds=seconds))) for seconds in (0.3, 1.4)]
    path = make(
        tmp_path / "x.lpost",
        *(event(None, events.LOOP_BLOCKED, summary=s, detail=json.loads(d)) for s, d in rows),
    )
    [group] = found(path)
    assert (group.type, group.message) == ("blocked", "every service for 1.4 s, in plugins/orders.py:18")
    assert group.where == "plugins/orders.py:18 orders"
    assert group.count == 2


def test_is_counted_as_a_failure_and_said_once_when_it_does_not_end() -> None:
    recorder, said = Recorder(Clock()), list[str]()
    watch = LoopWatch(object(), recorder)
    watch.prepare()
    watch.open(said.append)
    for seconds in (0.3, SAID - 1, SAID, SAID + 5):
        watch._on_unfinished(block(seconds=seconds, unfinished=True))
    assert said == ["plugins/orders.py:18 has blocked every service for 5.0 s"]
    assert watch.last_word is not None
    assert os.fstat(watch.last_word.file).st_size
    watch._on_unfinished(None)
    assert not os.fstat(watch.last_word.file).st_size
    watch.turns._report(block())
    assert recorder.failures == 1
    watch.close()
    watch._on_unfinished(block())  # of a thread that has not heard of it


def test_reads_what_faulthandler_writes() -> None:
    text = (
        "Timeout (0:00:02)!\nThread 0x00007f01 (most recent call first):\n"
        '  File "/usr/lib/python3.11/queue.py", line 1 in get\n'
        'Thread 0x00007f02 (most recent call first):\n  File "/usr/lib/python3.11/re/__init__.py", line 166 in match\n'
        '  File "/srv/plugins/\\xfcben.py", line 7 in \\u0444\n'
        '  File "/opt/site-packages/twisted/internet/base.py", line 1085 in runUntilCurrent\n'
        '  File "/opt/bin/listening-post", line 8 in <module>\n'
    )
    frames = dumped(text)
    assert [(f.file, f.line, f.function) for f in frames] == [
        ("/srv/plugins/üben.py", 7, "ф"), ("/usr/lib/python3.11/re/__init__.py", 166, "match"),
    ]  # fmt: skip
    assert dumped("") == dumped("nonsense") == ()
