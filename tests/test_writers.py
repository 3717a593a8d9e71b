"""tests.writers: a writer or host that is forked stands where one that was started would."""

import os
from contextlib import nullcontext
from pathlib import Path

import pytest_twisted

from app.post import Post
from app.programs.config import ProgramConfig
from app.workspace.reading import Workspace
from tests import writers
from tests.app.capture.capturing import capturing
from tests.helpers import serving, until

WORKSPACE = """
version = 1
[[service]]
name = "echo"
protocol = "tcp"
listen = "127.0.0.1:0"
responder = "echo"
"""

SIGNALS = ("SigBlk", "SigIgn", "SigCgt")
ALL = 0x7FFF_FFFF  # but the C library's own, and those above


def facts(pid):
    """What the system says of a process that its start decides."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    descriptors = sorted(map(int, os.listdir(f"/proc/{pid}/fd")))
    return {name: int(status[name], 16) & ALL for name in SIGNALS} | {
        "parent": int(status["PPid"]), "group": os.getpgid(pid), "folder": os.readlink(f"/proc/{pid}/cwd"),
        "descriptors": descriptors,
    }  # fmt: skip


@pytest_twisted.ensureDeferred
async def test_a_forked_writer_is_as_one_that_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with capturing(tmp_path / "forked.lpost") as forked:
        with writers.started_for_real():
            async with capturing(tmp_path / "started.lpost") as real:
                assert b"-m\0app.capture.writing.writer\0" in Path(f"/proc/{real.pid}/cmdline").read_bytes()
                assert (b"tests.writers" in Path(f"/proc/{forked.pid}/cmdline").read_bytes()) == writers.FORKS
                assert facts(forked.pid) == facts(real.pid)


HOSTED = """
import os, sys
from pathlib import Path
from twisted.internet import reactor

there = sorted((name, value) for name, value in os.environ.items() if name not in ("LISTENING_POST_PROGRAM", "_"))
seen = [sys.path, sys.argv, sys.stdin.encoding, os.getcwd(), __name__, __file__, there]

def tell():  # now that the reactor has its handlers of signals
    Path("seen~").write_text(repr(seen))
    os.rename("seen~", "seen")

reactor.callLater(0, tell)
reactor.run()
"""


@pytest_twisted.ensureDeferred
async def test_a_forked_host_is_as_one_that_was_started(tmp_path):
    from twisted.internet import reactor

    (tmp_path / "hosted.py").write_text(HOSTED)
    post = Post(reactor, Workspace(programs=(ProgramConfig("hosted", ("hosted.py",)),), template=tmp_path))
    await post.open(tmp_path / "x.lpost")
    program, found = post.programs.all["hosted"], []
    for real in (False, True):
        (tmp_path / "seen").unlink(missing_ok=True)
        with writers.started_for_real() if real else nullcontext():
            await program.start()
        await until(lambda: (tmp_path / "seen").exists(), 30)
        about = facts(program.pid)
        forked = b"tests.writers" in Path(f"/proc/{program.pid}/cmdline").read_bytes()
        assert forked == (writers.FORKS and not real)
        assert about.pop("group") == program.pid
        # Pipes and epoll sets have the next numbers that are free.
        about["descriptors"] = about["descriptors"][:5]
        found.append((about, (tmp_path / "seen").read_text()))
        await program.stop()
    await post.shut_down()
    assert found[0] == found[1]


def test_a_program_that_is_forked_has_its_writers_forked_too(tmp_path):
    (tmp_path / "w.toml").write_text(WORKSPACE)
    with serving(tmp_path / "w.toml", tmp_path / "c.lpost") as program:
        assert program.wait_up(), program.said
        family = Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()
        commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family]
        assert any(b"app.capture.writing.writer" in command for command in commands) != writers.FORKS
        assert len(commands) == 1 + writers.FORKS


def test_its_exit_code_is_seen(tmp_path):
    (tmp_path / "x.lpost").write_bytes(b"notes")
    process = writers.Process([str(tmp_path / "x.lpost"), "run", "1000000"])
    assert b"refused" in process.stdout.read()
    process.stdin.close()
    process.stdout.close()
    assert process.wait() == 1
