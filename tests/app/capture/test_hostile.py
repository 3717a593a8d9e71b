"""Hostile captures (A11), and captures with what a terminal would obey (B6): every command, and all that panes read."""

import json
import sqlite3
import sys
from array import array
from contextlib import closing

import pytest

from app.capture import untrusted
from app.capture.errors import CaptureError
from app.capture.filters import language
from app.capture.filters.sql import EVERYTHING
from app.capture.keeping.about import about
from app.capture.reading import conversations, exchange_rows, groups, streams
from app.capture.reading.exchange_at import exchange_at
from app.capture.reading.store import Store
from app.capture.writing.file import CaptureFile
from app.commands.main import main
from tests.app.capture.captures import LIMIT, batch, event, is_sound
from tests.app.capture.hostile import BAD_TEXT, CHANGES, LOOPED, hostile, sound
from tests.helpers import run

REFUSED = {
    "stored is an endless view", "meta never ends", "service never ends", "connection never ends",
    "a payload is computed", "a virtual table", "a column with a name that is SQL",
}  # fmt: skip
"""Those that are no captures; the others are read as far as it goes."""

COMMANDS = [
    ["query", "{}"], ["query", "{}", "--json"], ["query", "{}", "--count"], ["query", "{}", "http.status == 200"],
    ["query", "{}", "peer contains a or note contains a or http.fields contains x"],
    ["export", "{}", "{}.pcapng"], ["export", "{}", "{}.har"], ["export", "{}", "{}.jsonl"], ["export", "{}", "{}.csv"],
    ["save", "{}", "{}.whole.lpost"], ["save", "{}", "{}.redacted.lpost", "--redact", "--pattern", "x"],
    ["save", "{}", "{}.filtered.lpost", "--filter", "size > 0"], ["save", "{}", "{}.bare.lpost", "--without-payloads"],
]  # fmt: skip


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(untrusted, "STEPS", 4_000_000)
    monkeypatch.setattr(untrusted, "STEPS_PER_BYTE", 1)


def no_window(*args):
    raise AssertionError


@pytest.mark.parametrize("name", CHANGES)
def test_a11_b6_every_command_answers_a_hostile_capture_in_words(tmp_path, capsys, name):
    path = hostile(tmp_path, name)
    for command in COMMANDS:
        code = main([part.format(path) for part in command], no_window)
        out, err = capsys.readouterr()
        warned = [line for line in err.splitlines() if "missing here" not in line and not line.startswith("Not found:")]
        assert code == len(warned), (command, err)
        assert ("is not a capture" in err) == (name in REFUSED), command
        lines = [*out.split("\n"), *err.split("\n")]
        assert all(line.isprintable() for line in lines), command


@pytest.mark.parametrize("name", CHANGES)
def test_a11_what_the_panes_read_of_a_hostile_capture_is_an_answer_or_an_error_in_words(tmp_path, name):
    path = hostile(tmp_path, name)
    try:
        store = Store(path)
    except CaptureError:
        assert name in REFUSED | {"ids far apart", "an id at the end", "SQL of the schema that is none"}
        with pytest.raises(CaptureError):
            about(path)
        return
    found = []

    def read(call):
        try:
            found.append(call())
        except CaptureError:
            return

    with closing(store):
        first, last = store.range()
        ids = array("q", range(first, min(last, first + 20) + 1))
        some = language.parse("size >= 0")
        read(lambda: about(path))
        read(lambda: store.rows(ids))
        read(lambda: list(store.matches(some, first, last)))
        read(lambda: [store.event(id) for id in ids])
        read(lambda: exchange_rows.rows(store, exchange_rows.matches(store, EVERYTHING, first, last)[0]))
        read(lambda: exchange_rows.matches(store, language.parse("http.status == 200"), first, last))
        read(lambda: conversations.rows(store, conversations.ids(store, EVERYTHING)))
        read(lambda: groups.groups(store))
        read(lambda: [exchange_at(store, id) for id in ids])
        for conn in (1, 2**62):
            read(lambda: streams.about(store, conn))  # noqa: B023
            for form in (streams.BYTES, streams.EXCHANGES, streams.MESSAGES):
                read(lambda: streams.Stream(conn, first, form).read(store))  # noqa: B023
    assert found


def test_a11_a_trigger_does_not_run_when_a_copy_is_saved_or_the_capture_is_added_to(tmp_path, capsys):
    path = sound(tmp_path / "x.lpost")
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TRIGGER t AFTER INSERT ON Meta BEGIN DELETE FROM stored; END")
    assert main(["save", str(path), str(tmp_path / "copy.lpost")], no_window) == 1
    assert "is not a capture" in capsys.readouterr().err
    assert not (tmp_path / "copy.lpost").exists()
    with pytest.raises(CaptureError):
        CaptureFile(path, "run", LIMIT)
    with closing(Store(path)) as store:
        assert store.range() == (1, 9)


def test_a11_an_index_of_an_expression_is_not_computed_when_events_are_added(tmp_path):
    path = sound(tmp_path / "x.lpost")
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE INDEX i ON stored (length(hex(zeroblob(size * 10))))")
    with pytest.raises(CaptureError):
        CaptureFile(path, "run", LIMIT)


def test_a11_somebodys_own_tables_and_views_are_no_reason_to_refuse_a_capture(tmp_path):
    path = sound(tmp_path / "x.lpost")
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE VIEW mine AS SELECT summary FROM event WHERE kind = 10")
        db.execute("CREATE TABLE notes (x CHECK (x > 1))")
        db.execute("CREATE INDEX by_time ON stored (time)")
    file = CaptureFile(path, "run", LIMIT)
    file.store(batch(file.sequence + 1, event()))
    file.close()
    assert is_sound(path)


def test_a11_an_endless_table_ends_within_the_steps_that_the_size_of_the_file_explains(tmp_path):
    """With the limits as they are, in a process that may take 10 seconds."""
    done = run("query", hostile(tmp_path, LOOPED), "--count")
    assert done.returncode == 1
    assert "reading it takes longer than its size explains" in done.stderr


def test_b6_json_gives_the_text_as_it_is_in_the_capture_with_json_escapes(tmp_path, capsys):
    path = hostile(tmp_path, "what a terminal would obey")
    assert main(["query", str(path), "--json", "--limit", "1"], no_window) == 0
    out = capsys.readouterr().out
    assert r"\u001b]52;c;aGk=\u0007\u009b31m\u202egnp.exe\u2028line\r\nnext" in out
    assert json.loads(out)["summary"] == BAD_TEXT


def test_b6_a_row_shows_escapes_for_what_would_not_show(tmp_path):
    with closing(Store(hostile(tmp_path, "what a terminal would obey"))) as store:
        [row] = store.rows(array("q", [1]))
        assert row.summary == r"\e]52;c;aGk=\x07\xc2\x9b31m\xe2\x80\xaegnp.exe\xe2\x80\xa8line\r\nnext\0"
        event = store.event(1)
        assert (event.service, event.peer, event.summary) == (row.service, row.peer, row.summary)


def test_the_changes_are_what_they_are_called(tmp_path):
    """So that a hostile capture does not pass because it is a sound one."""
    whole = sound(tmp_path / "sound.lpost").read_bytes()
    for number, name in enumerate(CHANGES):
        (tmp_path / str(number)).mkdir()
        assert hostile(tmp_path / str(number), name).read_bytes() != whole, name
    assert sys.getrecursionlimit() < 100_000
