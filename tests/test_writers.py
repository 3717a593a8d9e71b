"""tests.writers: a writer that is forked stands where one that was started would."""

import os
from pathlib import Path

import pytest_twisted

from tests import writers
from tests.app.capture.capturing import capturing

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


def test_its_exit_code_is_seen(tmp_path):
    (tmp_path / "x.lpost").write_bytes(b"notes")
    process = writers.Process([str(tmp_path / "x.lpost"), "run", "1000000"])
    assert b"refused" in process.stdout.read()
    process.stdin.close()
    process.stdout.close()
    assert process.wait() == 1
