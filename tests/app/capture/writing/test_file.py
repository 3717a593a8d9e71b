"""app.capture.writing.file."""

import json
import os
import sqlite3
from itertools import pairwise

import pytest

from app import events
from app.capture import errors
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, batch, closed, event, is_sound, make, opened, payloads, read


@pytest.fixture
def path(tmp_path):
    return tmp_path / "x.lpost"


@pytest.fixture
def file(path):
    made = CaptureFile(path, "run", LIMIT)
    yield made
    made.close()


# -- making and opening


def test_only_its_owner_may_read_it(file, path):
    assert path.stat().st_mode & 0o777 == 0o600


def test_missing_folders_are_made(tmp_path):
    make(tmp_path / "a" / "b" / "x.lpost", event())
    assert payloads(tmp_path / "a" / "b" / "x.lpost") == [b"x"]


def test_a_closed_capture_is_one_file(path):
    make(path, event())
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("step", ["nothing", "journal", "half a schema"])
def test_a_file_whose_writer_was_killed_while_it_made_it_can_be_used(path, step):
    if step == "nothing":
        path.touch()
    else:
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("PRAGMA journal_mode = WAL")
        if step == "half a schema":
            db.execute("BEGIN")
            db.execute("CREATE TABLE meta (x)")
        db.close()
    make(path, event())
    assert payloads(path) == [b"x"]


@pytest.mark.parametrize("content", [b"no database", b"x" * 5000, b"SQLite format 3\0" + b"x" * 5000])
def test_another_file_is_refused_and_left_as_it_was(path, content):
    path.write_bytes(content)
    with pytest.raises(errors.NotACaptureError, match="is not a capture of Listening Post"):
        CaptureFile(path, "run", LIMIT)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


def test_another_programs_database_is_refused(path):
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE event (id)")
    db.close()
    with pytest.raises(errors.NotACaptureError):
        CaptureFile(path, "run", LIMIT)


def test_a_newer_capture_is_refused_in_words_and_left_as_it_was(path):
    make(path, event())
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 2")
    db.close()
    content = path.read_bytes()
    with pytest.raises(errors.NewerCaptureError, match=r"written by a newer Listening Post .*Choose another file"):
        CaptureFile(path, "run", LIMIT)
    assert path.read_bytes() == content


def test_a_truncated_capture_is_refused(path):
    make(path, *(event(b"x" * 1000) for _ in range(100)))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(errors.DamagedCaptureError):
        CaptureFile(path, "run", LIMIT)


def test_a_second_writer_is_kept_out_until_the_first_is_gone(file, path):
    with pytest.raises(BlockingIOError):
        CaptureFile(path, "other", LIMIT)
    file.store(batch(1, event()))
    file.close()
    file.__init__(path, "other", LIMIT)
    assert file.last == 1


# -- storing


def test_events_are_numbered_without_gaps(file, path):
    file.store(batch(1, event(b"a"), event(b"b")))
    file.store(batch(2, event(b"c"), services=None))
    assert read(path, "SELECT id, payload FROM event") == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert (file.first, file.last, file.sequence) == (1, 3, 2)


def test_size_is_the_payloads_length_unless_given(file, path):
    file.store(batch(1, event(b"abc"), event(b"abc", size=9), event(None), event(b"")))
    assert read(path, "SELECT size FROM event") == [(3,), (9,), (None,), (0,)]


def test_a_batch_is_stored_whole_or_not_at_all(file, path):
    with pytest.raises(OverflowError):
        file.store(batch(1, event(b"good"), event(b"bad", size=1 << 64)))
    assert payloads(path) == []
    file.store(batch(2, event(b"next")))
    assert payloads(path) == [b"next"]
    assert is_sound(path)


def test_connections_get_a_row(file, path):
    file.store(batch(1, opened(1, time=10**18), event(conn=1), closed(1, time=10**18 + 5)))
    assert read(path, "SELECT id, service, peer, host, opened, closed, reason, received, sent FROM connection") == [
        (1, 1, "127.0.0.1:5", "127.0.0.1:9007", 10**18, 10**18 + 5, "closed by the peer", 1, 2)
    ]


def test_a_second_run_keeps_its_connections_apart(path):
    make(path, opened(1, "127.0.0.1:5"), opened(2), event(b"one", conn=1), run="one")
    make(path, opened(1, "127.0.0.1:6"), event(b"two", conn=1), run="two")
    assert read(path, "SELECT conn, payload FROM event WHERE payload NOT NULL") == [(1, b"one"), (3, b"two")]
    assert read(path, "SELECT id, peer FROM connection WHERE id != 2") == [(1, "127.0.0.1:5"), (3, "127.0.0.1:6")]
    assert is_sound(path)


def test_services_keep_their_numbers_over_runs(path):
    for run, services in (("one", [("a", "tcp"), ("b", "tcp")]), ("two", [("b", "tcp"), ("a", "udp")])):
        file = CaptureFile(path, run, LIMIT)
        file.store(batch(1, event(), services=services))
        file.close()
    assert read(path, "SELECT id, name, protocol FROM service") == [(1, "a", "tcp"), (2, "b", "tcp"), (3, "a", "udp")]
    assert read(path, "SELECT service FROM event") == [(1,), (2,)]


def test_the_same_run_goes_on_where_its_dead_writer_stopped(path):
    make(path, opened(1), run="same")
    file = CaptureFile(path, "same", LIMIT)
    assert file.sequence == 1
    file.store(batch(2, event(conn=1)))
    file.close()
    assert read(path, "SELECT conn FROM event") == [(1,), (1,)]


# -- the size limit


def grow(file, batches, first=1, size=2000):
    for n in range(first, first + batches):
        at = 10**18 + n * 1000
        file.store(batch(n, opened(n, time=at), event(b"x" * size, time=at + 1, conn=n), closed(n, time=at + 2)))


def test_the_limit_drops_the_oldest_whole_batches_and_says_so(path):
    file = CaptureFile(path, "run", 300_000)
    grow(file, 200)
    used, first = file.used(), file.first
    file.close()
    assert used <= 300_000
    assert is_sound(path)
    assert read(path, "SELECT kind FROM event ORDER BY id LIMIT 1") == [(events.CONNECTION_OPENED,)]
    assert read(path, "SELECT min(batch.first), min(event.id) FROM batch, event") == [(first, first)]
    [(dropped,)] = read(path, "SELECT value FROM meta WHERE key = 'dropped'")
    assert dropped == first - 1 > 0
    said = read(path, "SELECT summary, detail FROM event WHERE kind = ? ORDER BY id DESC", events.LIMIT_REACHED)
    assert f"to {first - 1:,}" in said[0][0]
    detail = json.loads(said[0][1])
    assert (detail["limit"], detail["value"], detail["last"]) == ("capture_bytes", 300_000, first - 1)


def test_batches_and_events_stay_in_step(path):
    file = CaptureFile(path, "run", 200_000)
    grow(file, 200)
    file.close()
    spans = read(path, "SELECT first, last FROM batch ORDER BY id")
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(spans))
    assert read(path, "SELECT max(id) FROM event") == [(spans[-1][1],)]


def test_connections_whose_events_are_gone_go_with_them(path):
    file = CaptureFile(path, "run", 200_000)
    grow(file, 200)
    file.close()
    [(first,)] = read(path, "SELECT min(conn) FROM event")
    assert read(path, "SELECT min(id), max(id) FROM connection") == [(first, 200)]


def test_a_live_connection_keeps_its_row(path):
    file = CaptureFile(path, "run", 200_000)
    file.store(batch(1, opened(1000)))
    grow(file, 200, first=2)
    file.close()
    assert read(path, "SELECT closed FROM connection WHERE id = 1000") == [(None,)]


def test_one_batch_above_the_limit_is_kept(path):
    file = CaptureFile(path, "run", 100_000)
    file.store(batch(1, event(b"small")))
    file.store(batch(2, event(b"x" * 500_000)))
    file.close()
    assert [len(p or b"") for p in payloads(path)] == [500_000, 0]
    assert is_sound(path)


def test_a_drop_that_does_not_succeed_leaves_no_gap(path, monkeypatch):
    file = CaptureFile(path, "run", 200_000)
    grow(file, 60)
    drop = file._drop_oldest

    def fail():
        drop()
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(file, "_drop_oldest", fail)
    with pytest.raises(sqlite3.OperationalError):
        grow(file, 100, first=61)
    failed = file.sequence
    monkeypatch.undo()
    grow(file, 60, first=failed + 1)
    file.close()
    assert is_sound(path)


# -- taken away


def test_the_rescue_copy_holds_what_the_deleted_file_held(file, path):
    file.store(batch(1, *(event(b"%d" % n) for n in range(1000))))
    path.unlink()
    with pytest.raises(errors.TakenAwayError):
        file.store(batch(2, event()))
    file.rescue()
    assert payloads(path) == [b"%d" % n for n in range(1000)]
    assert path.stat().st_mode & 0o777 == 0o600
    assert is_sound(path)


def test_the_rescue_copy_does_not_meet_the_log_of_the_lost_file(file, path):
    file.store(batch(1, event(b"a")))
    path.unlink()
    file.rescue()
    assert os.listdir(path.parent) == [path.name]
    file.close()
    make(path, event(b"b"))
    assert payloads(path) == [b"a", b"b"]
    file.__init__(path, "run", LIMIT)  # for the fixture to close


def test_a_file_that_was_only_moved_is_whole_where_it_is(file, path):
    file.store(batch(1, *(event(b"%d" % n) for n in range(100))))
    elsewhere = path.with_name("elsewhere.lpost")
    path.rename(elsewhere)
    file.rescue()
    assert payloads(elsewhere) == payloads(path) == [b"%d" % n for n in range(100)]
    assert is_sound(elsewhere)


def test_a15_what_took_its_place_is_set_aside_and_the_copy_is_where_the_capture_was(file, path):
    file.store(batch(1, event(b"held")))
    path.unlink()
    path.write_bytes(b"another file")
    file.rescue()
    assert path.with_name("x (rescued 1).lpost").read_bytes() == b"another file"
    assert sorted(os.listdir(path.parent)) == ["x (rescued 1).lpost", "x.lpost"]
    assert payloads(path) == [b"held"]


def test_a15_what_is_written_into_the_capture_is_set_aside_as_it_is(path):
    """A capture whose pages are all in its log is whole after that; otherwise a new one is begun."""
    file = CaptureFile(path, "run", LIMIT)
    file.store(batch(1, event(b"held")))
    with open(path, "r+b") as other:
        other.truncate(0)
        other.write(b"garbage" * 10_000)
    with pytest.raises(errors.NotACaptureError):
        file.store(batch(2, event()))
    aside = file.salvage()
    file.close()
    assert aside == path.with_name("x (rescued 1).lpost")
    assert aside.read_bytes() == b"garbage" * 10_000
    make(path, event(b"next"))
    assert payloads(path)[-1] == b"next"
    assert is_sound(path)


def test_a_log_that_is_set_aside_is_for_its_owner_alone(path):
    file = CaptureFile(path, "run", LIMIT)
    file.store(batch(1, *(event(b"x" * 1000) for _ in range(100))))
    log = path.with_name(f"{path.name}-wal")
    with log.open("r+b") as opened:
        opened.write(b"\xff" * log.stat().st_size)
    with pytest.raises(errors.LogDamagedError):
        file.store(batch(2, event()))
    aside = file.salvage()
    assert aside is not None
    kept = aside.with_name(f"{aside.name}-wal")
    assert kept.stat().st_mode & 0o777 == 0o600
    file.close()
    assert kept.stat().st_size > 0


@pytest.mark.parametrize("make_it", [os.mkfifo, os.mkdir, lambda path: os.symlink("/dev/null", path)])
def test_a15_a_pipe_a_folder_and_a_device_are_refused_in_words(path, make_it):
    make_it(path)
    with pytest.raises(errors.NotAFileError, match=r"is a (named pipe|folder|device)\. Capture into a file"):
        CaptureFile(path, "run", LIMIT)


def test_a15_a_symbolic_link_is_followed(tmp_path):
    real, link = tmp_path / "elsewhere" / "real.lpost", tmp_path / "link.lpost"
    link.symlink_to(real)
    make(link, event(b"one"))
    make(link, event(b"two"))
    assert link.is_symlink()
    assert payloads(real) == [b"one", b"two"]
    assert os.listdir(real.parent) == ["real.lpost"]
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "link.lpost"]


def test_closing_after_a_move_leaves_one_whole_file(path):
    file = CaptureFile(path, "run", LIMIT)
    file.store(batch(1, event(b"a")))
    path.rename(path.with_name("elsewhere.lpost"))
    file.close()
    assert os.listdir(path.parent) == ["elsewhere.lpost"]
    assert payloads(path.with_name("elsewhere.lpost")) == [b"a"]


def test_a_zero_byte_in_a_payload_is_marked_for_the_filter(tmp_path):
    path = make(tmp_path / "c.lpost", event(b"a\0b"), event(b"ab"), event(None))
    assert read(path, "SELECT zero FROM event ORDER BY id") == [(1,), (None,), (None,)]


def test_a15_a_path_that_leads_nowhere_is_refused_in_words(tmp_path):
    loop, other, file = tmp_path / "a.lpost", tmp_path / "b.lpost", tmp_path / "file"
    loop.symlink_to(other)
    other.symlink_to(loop)
    file.write_bytes(b"")
    for path, words in (
        (loop, "a link that leads back to itself"),
        (loop / "x.lpost", "a link that leads back to itself"),
        (file / "x.lpost", "below something that is not a folder"),
        (tmp_path / ("x" * 300), "a name too long for the system"),
    ):
        with pytest.raises(errors.NotAFileError, match=rf"is {words}\. Capture into a file"):
            CaptureFile(path, "run", LIMIT)
