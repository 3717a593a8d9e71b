"""app.capture.schema."""

import os
import sqlite3
from contextlib import closing

import pytest

from app import events
from app.capture import errors, schema
from tests.app.capture.captures import event, make, read


@pytest.fixture
def path(tmp_path):
    return make(tmp_path / "x.lpost", *(event(b"x" * 500) for _ in range(100)))


def opening(path):
    schema.open_for_reading(path).close()


def test_a_capture_says_what_it_is(path):
    assert path.read_bytes()[68:72] == b"LPst"
    assert read(path, "PRAGMA user_version") == [(1,)]
    assert dict(read(path, "SELECT code, name FROM kind")) == events.NAMES
    meta = dict(read(path, "SELECT key, value FROM meta"))
    assert meta["program"].startswith("Listening Post ")
    assert meta["created"].endswith("+00:00")
    assert meta["dropped"] == 0


def test_the_tables_are_those_of_the_documentation(path):
    tables = {name for (name,) in read(path, "SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    documented = {line.split("``")[1] for line in schema.__doc__.splitlines() if line.startswith("``")}
    assert tables == documented


def test_a_reader_cannot_write(path):
    with closing(schema.open_for_reading(path)) as db, pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("DELETE FROM stored")


def test_reading_leaves_no_file_behind(path):
    with closing(schema.open_for_reading(path)) as db:
        db.execute("SELECT * FROM event").fetchall()
    assert os.listdir(path.parent) == [path.name]


def test_a_missing_capture(tmp_path):
    with pytest.raises(errors.CaptureMissingError, match="There is no capture at"):
        opening(tmp_path / "none.lpost")


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 5000, b"SQLite format 3\0", b"SQLite format 3\0" + b"x" * 5000])
def test_what_is_no_capture(tmp_path, content):
    (tmp_path / "x.lpost").write_bytes(content)
    with pytest.raises(errors.NotACaptureError):
        opening(tmp_path / "x.lpost")


def test_another_programs_database(tmp_path):
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute("CREATE TABLE event (id)")
    with pytest.raises(errors.NotACaptureError):
        opening(tmp_path / "x.db")


def test_a_folder_is_no_capture(tmp_path):
    with pytest.raises(errors.NotACaptureError):
        opening(tmp_path)


def test_a_path_that_the_system_refuses_is_an_error_in_words(tmp_path):
    with pytest.raises(errors.UnreadableCaptureError, match="File name too long"):
        opening(tmp_path / ("x" * 300))
    (tmp_path / "file").touch()
    with pytest.raises(errors.UnreadableCaptureError, match="Not a directory"):
        opening(tmp_path / "file" / "x.lpost")


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.99])
def test_a_truncated_capture_is_damaged(path, part):
    os.truncate(path, int(path.stat().st_size * part))
    with pytest.raises(errors.DamagedCaptureError, match="damaged or cut short"):
        opening(path)


def test_a_capture_cut_within_its_first_page(path):
    os.truncate(path, 50)
    with pytest.raises((errors.DamagedCaptureError, errors.NotACaptureError)):
        opening(path)


def test_a_capture_without_its_tables_is_an_error_in_words(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE stored")
    with pytest.raises(errors.DamagedCaptureError, match="no such table"):
        opening(path)


def test_a_newer_capture_can_be_read_and_not_written(path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 7")
    with closing(schema.open_for_reading(path)) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (100,)
        with pytest.raises(errors.NewerCaptureError, match=r"format 7; this one writes 1"):
            schema.check(db, path, writing=True)


def test_a_file_that_may_only_be_read_is_readable(path):
    path.chmod(0o400)
    with closing(schema.open_for_reading(path)) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (100,)


def test_names_that_look_like_uris_are_only_names(tmp_path):
    name = "a?mode=rwc&b#c%20d.lpost"
    make(tmp_path / name, event())
    with closing(schema.open_for_reading(tmp_path / name)) as db:
        assert db.execute("SELECT count(*) FROM event").fetchone() == (1,)


def test_blank_is_only_what_has_nothing_in_it(path, tmp_path):
    with closing(sqlite3.connect(tmp_path / "new.db")) as db:
        assert schema.is_blank(db)
        db.execute("CREATE TABLE x (y)")
        assert not schema.is_blank(db)
    with closing(sqlite3.connect(path)) as db:
        assert not schema.is_blank(db)
