"""app.capture.writing.writer, as the process that it is."""

import contextlib
import errno
import json
import signal
import sqlite3
from pathlib import Path

import pytest

from app import events
from app.capture import errors
from app.capture.writing import writer as module
from app.capture.writing.batch import HEADER, Frame
from app.capture.writing.writer import in_words
from tests import writers
from tests.app.capture.captures import LIMIT, batch, event, is_sound, make, payloads, read


class Writer:
    """The writer, spoken to as its parent does."""

    def __init__(self, path, run="run"):
        self.process = writers.Process([str(path), run, str(LIMIT)])

    def send(self, *batches):
        for one in batches:
            self.process.stdin.write(b"".join(Frame.of(one, []).parts()))
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline())

    def end(self):
        """Close its input; what it still said, and its exit code."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        said = [json.loads(line) for line in self.process.stdout]
        self.process.stdout.close()
        return said, self.process.wait()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lpost"


@pytest.fixture
def start(path):
    started = []

    def starting(path=path, **more):
        started.append(Writer(path, **more))
        return started[-1]

    yield starting
    for writer in started:
        writer.process.kill()
        if not writer.process.stdout.closed:
            writer.end()


def test_it_says_when_it_is_ready_and_what_is_stored(start, path):
    writer = start()
    opened = writer.answer()
    assert (opened["opened"], opened["run"], opened["sequence"]) == (str(path), "run", 0)
    assert (opened["first"], opened["last"]) == (1, 0)
    writer.send(batch(1, event(b"a"), event(b"b")), batch(2, event(b"c")))
    stored = [writer.answer(), writer.answer()]
    assert [(s["stored"], s["first"], s["last"]) for s in stored] == [(1, 1, 2), (2, 1, 3)]
    assert stored[1]["bytes"] > 0
    assert payloads(path) == [b"a", b"b", b"c"]
    assert writer.end() == ([], 0)


def test_a_batch_that_came_before_is_acknowledged_and_not_stored_twice(start, path):
    writer = start()
    writer.answer()
    writer.send(batch(1, event(b"a")), batch(1, event(b"a")))
    assert [writer.answer()["stored"], writer.answer()["stored"]] == [1, 1]
    assert payloads(path) == [b"a"]
    writer.end()


def test_a_batch_that_never_fits_is_rejected_and_keeps_no_other_out(start, path):
    writer = start()
    writer.answer()
    unknown_service = [10**18, events.DATA_RECEIVED, 99, 0, None, b"x", None, None]
    no_text = event(None, events.CONNECTION_OPENED, 1, detail={"peer": ["no text"]})
    writer.send(batch(1, unknown_service), batch(2, no_text), batch(3, event(b"good")))
    rejected, too, stored = writer.answer(), writer.answer(), writer.answer()
    assert (rejected["stored"], "IndexError" in rejected["rejected"]) == (1, True)
    assert (too["stored"], "not supported" in too["rejected"]) == (2, True)
    assert (stored["stored"], "rejected" in stored) == (3, False)
    assert payloads(path) == [b"good"]
    writer.end()


@pytest.mark.parametrize(
    "bad",
    [
        event(b"bad", size=1 << 63),
        event(b"bad", size=-(1 << 70)),
        event(b"bad", size="12"),
        event(b"bad", summary="half a pair: \ud800"),
        event(b"bad", summary={"no": "text"}),
        event(b"bad", kind=events.CONNECTION_CLOSED, conn=1, detail={"reason": "\udcff", "received": 1 << 80}),
        event(b"bad", kind=events.CONNECTION_OPENED, conn=1, detail={"peer": "\udcff", "host": "\ud800"}),
        [*event(b"bad", kind=events.CONNECTION_OPENED, conn=1)[:-1], "no JSON"],
        [*event(b"bad")[:-1], "\ud800"],
    ],
)
def test_a_value_that_no_capture_can_hold_costs_no_other_event(start, path, bad):
    writer = start()
    writer.answer()
    writer.send(batch(1, event(b"before"), bad, event(b"after")))
    assert "rejected" not in writer.answer()
    assert payloads(path) == [b"before", b"bad", b"after"]
    assert is_sound(path)
    writer.end()


def test_all_that_the_pipe_holds_is_stored_after_the_parents_death(start, path):
    writer = start()
    writer.send(*(batch(n, event(b"%d" % n)) for n in range(1, 51)))
    writer.process.stdout.close()
    writer.process.stdin.close()
    writer.process.wait()
    assert payloads(path) == [b"%d" % n for n in range(1, 51)]
    assert is_sound(path)


def test_half_a_batch_at_the_end_is_left_out(start, path):
    writer = start()
    writer.send(batch(1, event(b"whole")))
    writer.process.stdin.write(HEADER.pack(1000, 0, False) + b"half")
    assert writer.end()[1] == 0
    assert payloads(path) == [b"whole"]


def test_signals_to_the_whole_group_do_not_end_it(start, path):
    writer = start()
    writer.answer()
    for number in (signal.SIGINT, signal.SIGTERM):
        writer.process.send_signal(number)
    writer.send(batch(1, event(b"a")))
    assert writer.answer()["stored"] == 1
    assert writer.end() == ([], 0)


@pytest.mark.parametrize("kind", ["no capture", "truncated", "newer"])
def test_a_file_that_will_never_do_is_refused(start, path, kind):
    make(path, *(event(b"x" * 1000) for _ in range(20)))
    if kind == "newer":
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 2")
        db.close()
    else:
        path.write_bytes(b"notes" if kind == "no capture" else path.read_bytes()[:20000])
    content = path.read_bytes()
    said, code = start().end()
    words = {"no capture": "not a capture", "truncated": "damaged or cut short", "newer": "a newer Listening Post"}
    assert words[kind] in said[0]["refused"]
    assert code == 1
    assert path.read_bytes() == content


def test_a_second_writer_waits_for_the_first(start, path):
    first = start()
    first.answer()
    second = start(run="other")
    assert "in use by another program" in second.answer()["trouble"]
    first.send(batch(1, event(b"first")))
    first.end()
    assert second.answer()["last"] == 1
    second.send(batch(1, event(b"second")))
    assert second.answer()["stored"] == 1
    second.end()
    assert payloads(path) == [b"first", b"second"]


def test_it_ends_in_the_midst_of_trouble_when_asked_to(start, path):
    writer = start(Path("/proc/none/x.lpost"))  # nobody can make a folder there
    assert "/proc/none" in writer.answer()["trouble"]
    assert writer.end() == ([], 1)


def test_a_writer_that_is_killed_leaves_a_sound_file(start, path):
    writer = start()
    writer.answer()
    writer.send(*(batch(n, *(event(b"x" * 100) for _ in range(500))) for n in range(1, 11)))
    answers = [writer.answer() for _ in range(3)]
    writer.process.kill()
    writer.end()
    assert is_sound(path)
    assert read(path, "SELECT count(*) FROM event")[0][0] >= answers[-1]["last"]
    after = start()
    opened = after.answer()
    assert opened["sequence"] * 500 == opened["last"]
    after.end()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.TakenAwayError(path="x"), "was deleted or moved"),
        (sqlite3.OperationalError("database or disk is full"), "No space left"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "No space left"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "cannot be written to"),
        (sqlite3.OperationalError("unable to open database file"), "cannot be written to"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot be written to"),
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written to"),
        (IsADirectoryError(errno.EISDIR, "Is a directory"), "is a folder"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory"), "is not a folder"),
        (FileExistsError(errno.EEXIST, "File exists"), "is not a folder"),
        (sqlite3.OperationalError("database is locked"), "in use by another program"),
        (BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"), "in use by another program"),
        (errors.NotACaptureError(path="x"), "is not a capture"),
        (sqlite3.OperationalError("disk I/O error"), "cannot be written: disk I/O error"),
    ],
)
def test_what_is_wrong_is_said_in_words(tmp_path, error, words):
    assert words in in_words(error, tmp_path / "x")


def test_an_io_error_on_a_full_disk_is_called_what_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr(module.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 0}))
    assert "No space left" in in_words(sqlite3.OperationalError("disk I/O error"), tmp_path / "x")
