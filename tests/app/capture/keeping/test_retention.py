"""app.capture.keeping.retention and app.capture.keeping.about."""

import os
import time

import pytest

from app import events
from app.capture import errors
from app.capture.keeping.about import about
from app.capture.keeping.retention import Keeping, cut_off, tidy
from app.capture.keeping.saving import Saving, save
from app.capture.reading.store import Store
from app.capture.writing.file import CaptureFile
from tests.app.capture.captures import LIMIT, batch, event, make, opened, read

DAY = 86_400


@pytest.fixture
def old(tmp_path):
    """Makes a capture of so many days ago, named as the program does."""

    def making(days, name=None):
        path = make(
            tmp_path / (name or f"2026-01-{28 - days:02} 10.00.00.lpost"), opened(1), event(b"x" * 9000, conn=1)
        )
        os.utime(path, (time.time() - days * DAY - 60,) * 2)
        return path

    return making


def kill(path):
    """Leave the file as a writer does that is killed."""
    file = CaptureFile(path, "run", LIMIT)
    file.store(batch(1, opened(1), event(conn=1)))
    file._checkpoints.close()
    file._db.close()
    os.close(file._held)
    return path


def test_what_is_older_goes_and_the_rest_stays(tmp_path, old):
    keep, go = old(1), old(9)
    [removed] = tidy(tmp_path, None, Keeping(days=3))
    assert (removed.path, keep.exists(), go.exists()) == (go, True, False)
    assert str(removed).startswith(f"removed the capture {go.name} (")
    assert str(removed).endswith("): it is older than 3 days")


def test_the_oldest_go_until_all_together_fit(tmp_path, old):
    first, second, third = old(3), old(2), old(1)
    gone = tidy(tmp_path, None, Keeping(total=third.stat().st_size * 2))
    assert [removed.path for removed in gone] == [first]
    assert second.exists()


def test_without_rules_nothing_goes(tmp_path, old):
    path = old(20)
    assert tidy(tmp_path, None, Keeping()) == []
    assert path.exists()


def test_neither_the_current_one_nor_one_that_is_open_nor_one_of_another_name_goes(tmp_path, old):
    current, reading, mine = old(9), old(8), old(9, "bug 17.lpost")
    store = Store(reading)
    store.range()
    assert tidy(tmp_path, current, Keeping(days=1, total=1)) == []
    assert all(path.exists() for path in (current, reading, mine))
    store.close()
    assert [removed.path for removed in tidy(tmp_path, current, Keeping(days=1))] == [reading]


def test_a_capture_that_was_closed_says_so(tmp_path):
    found = about(
        make(tmp_path / "x.lpost", opened(1), event(b"x", conn=1), event(None, events.FAILURE, summary="E", detail={}))
    )
    assert found.closed > 10**18
    assert (found.cut_off, found.live, found.left_open, found.failures, found.last) == (False, False, 1, 1, 3)
    assert (found.services, found.changed) == (("echo",), "")


def test_a_capture_whose_writer_was_killed_is_found(tmp_path, old):
    old(3)
    killed = kill(tmp_path / "2026-11-20 10.00.00.lpost")
    found = cut_off(tmp_path)
    assert (found.path, found.cut_off, found.left_open) == (killed, True, 1)
    assert cut_off(tmp_path, [killed]) is None


def test_one_that_is_being_written_is_not_offered(tmp_path):
    file = CaptureFile(tmp_path / "2026-11-20 10.00.00.lpost", "run", LIMIT)
    file.store(batch(1, event()))
    assert cut_off(tmp_path) is None
    assert about(file.path).live
    file.close()


def test_only_the_newest_is_offered(tmp_path):
    killed = kill(tmp_path / "2026-11-20 10.00.00.lpost")
    os.utime(killed, (1, 1))
    make(tmp_path / "2026-11-20 11.00.00.lpost", event())
    assert cut_off(tmp_path) is None


def test_an_older_file_that_knows_nothing_of_closing_is_not_offered(tmp_path):
    path = make(tmp_path / "2026-11-20 10.00.00.lpost", event())
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("DELETE FROM meta WHERE key = 'closed'")
    assert cut_off(tmp_path) is None


def test_a_copy_says_what_it_is_without(tmp_path):
    save(make(tmp_path / "x.lpost", event()), tmp_path / "y.lpost", Saving(payloads=False))
    assert about(tmp_path / "y.lpost").changed == "without payloads"


def test_no_capture_is_an_error_in_words(tmp_path):
    (tmp_path / "x.lpost").write_text("hello, this is no capture" * 100)
    with pytest.raises(errors.NotACaptureError):
        about(tmp_path / "x.lpost")


def test_a_capture_that_is_added_to_counts_as_open_again(tmp_path):
    path = make(tmp_path / "x.lpost", event())
    assert read(path, "SELECT value > 0 FROM meta WHERE key = 'closed'") == [(1,)]
    file = CaptureFile(path, "other", LIMIT)
    assert read(path, "SELECT value FROM meta WHERE key = 'closed'") == [(0,)]
    file.close()
