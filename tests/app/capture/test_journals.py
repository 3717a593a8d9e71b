"""Captures with a journal beside them: SQLite deletes the file that a journal of several databases names."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from app.capture import errors
from app.capture.reading.appearing import is_open
from app.capture.schema import open_for_reading
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, event, make
from tests.helpers import run


def journal(naming: Path) -> bytes:
    """A rollback journal that ends in the record of a super-journal (https://sqlite.org/fileformat2.html)."""
    magic = bytes.fromhex("d9d505f920a163d7")
    head = magic + struct.pack(">iIIII", 0, 0, 1, 512, 4096)
    name = str(naming).encode()
    tail = struct.pack(">I", 1 + 0x40000000 // 4096) + name + struct.pack(">II", len(name), sum(name)) + magic
    return head.ljust(512, b"\0") + tail


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    victim = tmp_path / "victim.txt"
    victim.write_text("mine\n")
    return victim


@pytest.fixture
def capture(tmp_path: Path, victim: Path) -> Path:
    path = make(tmp_path / "c.lpost", event(b"x"))
    path.with_name("c.lpost-journal").write_bytes(journal(victim))
    return path


def test_a11_a_journal_that_names_a_file_has_the_capture_not_opened(capture: Path, victim: Path) -> None:
    with pytest.raises(errors.UnreadableCaptureError, match=r"c\.lpost-journal beside it names another file"):
        open_for_reading(capture)
    with pytest.raises(errors.UnreadableCaptureError, match=r"c\.lpost-journal beside it names another file"):
        CaptureFile(capture, "run", LIMIT)
    assert not is_open(capture)
    assert victim.read_text() == "mine\n"


@pytest.mark.parametrize("command", [["query"], ["export", "-"], ["save"]])
def test_a11_commands_say_so(command: list[str], capture: Path, victim: Path, tmp_path: Path) -> None:
    more = {"query": [], "export": ["-", "--format", "jsonl"], "save": [tmp_path / "copy.lpost"]}[command[0]]
    done = run(command[0], capture, *more)
    assert done.returncode == 1
    assert "names another file, which SQLite would delete" in done.stderr
    assert victim.exists()
