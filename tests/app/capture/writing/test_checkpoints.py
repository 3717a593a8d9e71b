"""app.capture.writing.checkpoints: when the log is copied into the capture, and that writing goes on meanwhile."""

import shutil
import sqlite3
import threading
from contextlib import closing

import pytest

from app.capture.writing import checkpoints
from app.capture.writing.checkpoints import Checkpoints
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, batch, event, is_sound, payloads

UNIT = 1 << 14


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Bounds a sixty-fourth of the real ones: copied from 1 MB of log on, of which the tables take half."""
    for name in ("FROM", "AT_LATEST", "MOST", "AT_ONCE"):
        monkeypatch.setattr(checkpoints, name, getattr(checkpoints, name) >> 6)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lpost"


class Capture:
    """A capture file into which one batch after the other is put."""

    def __init__(self, path):
        self.path = path
        self.file = CaptureFile(path, "run", LIMIT)
        self.stored = []

    def store(self, size, *, more):
        self.stored.append(b"%09d" % len(self.stored) + bytes(size - 9))
        self.file.store(batch(self.file.sequence + 1, event(self.stored[-1])), more=more)

    @property
    def log(self):
        return self.path.with_name(self.path.name + "-wal").stat().st_size

    def copied(self):
        """Wait until a copy that is under way is done. Bytes of the file itself."""
        running = self.file._checkpoints._running
        if running is not None:
            running.result(10)
        return self.path.stat().st_size


def hold_copies(monkeypatch):
    """Have copies wait, after they are begun, for the event that is returned."""
    go_on, copy = threading.Event(), Checkpoints._copy

    def held(self):
        assert go_on.wait(10)
        return copy(self)

    monkeypatch.setattr(Checkpoints, "_copy", held)
    return go_on


@pytest.fixture
def capture(path):
    made = Capture(path)
    yield made
    made.file.close()
    assert payloads(path) == made.stored
    assert is_sound(path)


def test_a_short_log_is_left_alone(capture):
    capture.store(10 * UNIT, more=False)
    assert capture.copied() < 10 * UNIT


def test_a_longer_one_is_copied_when_nothing_waits(capture):
    capture.store(100 * UNIT, more=False)
    assert capture.copied() > 100 * UNIT


def test_while_more_waits_it_is_not_copied(capture):
    for _ in range(5):
        capture.store(100 * UNIT, more=True)
    assert capture.copied() < 100 * UNIT
    assert capture.log > 500 * UNIT


def test_the_end_of_a_rush_has_it_copied(capture):
    for more in (True, True, True, False):
        capture.store(100 * UNIT, more=more)
    assert capture.copied() > 400 * UNIT


def test_at_the_latest_it_is_copied_whatever_waits(capture):
    for _ in range(8):
        capture.store(100 * UNIT, more=True)
    assert capture.copied() > 700 * UNIT


def test_on_a_disk_that_gets_full_it_is_copied_early(capture, monkeypatch):
    usage = shutil.disk_usage(capture.path.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=400 * UNIT))
    capture.store(101 * UNIT, more=True)
    assert capture.copied() > 100 * UNIT


def test_after_a_copy_the_log_is_empty(capture):
    capture.store(500 * UNIT, more=False)
    capture.copied()
    assert capture.log == 0


def test_what_comes_during_copies_is_copied_in_the_end(capture):
    for _ in range(40):
        capture.store(100 * UNIT, more=True)
    for _ in range(3):
        capture.store(70 * UNIT, more=False)
        capture.copied()
    assert capture.log < 70 * UNIT


def test_writing_goes_on_while_it_is_copied(capture, monkeypatch):
    go_on = hold_copies(monkeypatch)
    capture.store(100 * UNIT, more=False)
    capture.store(100 * UNIT, more=False)
    with closing(sqlite3.connect(capture.path)) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (2,)
    go_on.set()


def test_above_the_most_the_writer_waits_for_the_copy(capture, monkeypatch):
    go_on = hold_copies(monkeypatch)
    for _ in range(14):
        capture.store(100 * UNIT, more=True)
    assert capture.path.stat().st_size < 1000 * UNIT
    threading.Timer(0.05, go_on.set).start()
    capture.store(200 * UNIT, more=True)
    assert capture.path.stat().st_size > 1000 * UNIT


def test_what_somebody_still_reads_stays_in_the_log(capture):
    capture.store(UNIT, more=False)
    with closing(sqlite3.connect(capture.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM event").fetchone() == (1,)
        for _ in range(20):
            capture.store(100 * UNIT, more=True)
        capture.copied()
        assert reader.execute("SELECT count(*) FROM event").fetchone() == (1,)
        assert capture.log > 2000 * UNIT
    for _ in range(3):
        capture.store(100 * UNIT, more=False)
        capture.copied()
    assert capture.log < 500 * UNIT


def test_a_copy_that_fails_loses_nothing(capture, monkeypatch):
    capture.file._checkpoints._db.close()  # whatever it is asked, it raises sqlite3.Error
    for _ in range(3):
        capture.store(100 * UNIT, more=False)
        capture.copied()
    assert capture.log > 300 * UNIT


def test_a_capture_whose_log_was_long_is_one_file_when_it_is_closed(path):
    capture = Capture(path)
    for _ in range(6):
        capture.store(100 * UNIT, more=True)
    capture.file.close()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert payloads(path) == capture.stored
