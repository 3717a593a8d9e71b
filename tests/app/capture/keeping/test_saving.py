"""app.capture.keeping.saving."""

import sqlite3
import stat
from contextlib import closing

import pytest

from app import events
from app.capture.filters.language import parse
from app.capture.keeping import errors, rewriting
from app.capture.keeping.saving import CancelledError, Saving, save
from app.capture.reading.store import Store
from app.capture.writing.file import CaptureFile
from app.files.errors import UnwritableError
from tests.app.capture.captures import LIMIT, batch, closed, event, is_sound, make, opened, payloads, read

SECRET = b"GET / HTTP/1.1\r\nAuthorization: Bearer s3cret-value\r\n\r\n"
CLEAN = b"GET / HTTP/1.1\r\nAuthorization: ****** ************\r\n\r\n"


@pytest.fixture
def source(tmp_path):
    return tmp_path / "source.lpost"


@pytest.fixture
def target(tmp_path):
    return tmp_path / "copy.lpost"


def note(event_, text="look", colour="red"):
    return event(None, events.NOTE, summary="note", detail={"event": event_, "text": text, "colour": colour})


def request(conn=1, value="Bearer s3cret-value", **more):
    detail = {"method": "GET", "target": "/", "fields": [["Authorization", value]], **more}
    return event(None, events.HTTP_REQUEST, conn, summary="GET /", detail=detail)


def all_of(path):
    store = Store(path)
    with closing(store):
        return list(store.events(parse(""), *store.range()))


def raw(path):
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_a_whole_copy_is_equal(source, target):
    make(source, opened(1), event(b"\0hi", conn=1), note(2), closed(1))
    assert save(source, target).events == 4
    assert all_of(target) == all_of(source)
    assert is_sound(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert list(target.parent.glob("*copy*")) == [target], "nothing else is left"


def test_a_copy_of_a_growing_capture_holds_what_there_was_and_is_closed(source, target):
    file = CaptureFile(source, "run", LIMIT)
    file.store(batch(1, *(event(b"x" * 5000) for _ in range(2000))))

    def grow(done, of):
        file.store(batch(file.sequence + 1, event(b"more")))

    assert save(source, target, progress=grow).events == 2000
    file.close()
    assert len(payloads(target)) == 2000
    assert read(target, "SELECT value > 0 FROM meta WHERE key = 'closed'") == [(1,)]


def test_a_copy_without_payloads_keeps_sizes_and_tells_nothing_of_them(source, target):
    traceback = {"type": "E", "frames": [{"file": "x.py", "locals": [["data", "b'hunter2'"]]}]}
    make(
        source, opened(1), event(b"hunter2", conn=1),
        event(b"hunter2", events.WS_MESSAGE, 1, summary="← text  hunter2", detail={"opcode": "text"}),
        event(b"hunter2", events.FAILURE, 1, summary="E", detail=traceback),
    )  # fmt: skip
    save(source, target, Saving(payloads=False))
    assert [(e.size, e.payload) for e in all_of(target)[1:]] == [(7, None)] * 3
    assert b"hunter2" not in raw(target)
    assert read(target, "SELECT value FROM meta WHERE key = 'changed'") == [("without payloads",)]


def test_a_redacted_copy_has_no_credentials_in_bytes_details_nor_answers(source, target):
    answer = b'{"authorization": "Bearer s3cret-value"}'
    make(
        source, opened(1), event(SECRET[:40], conn=1), event(SECRET[40:], conn=1), request(),
        event(answer, events.DATA_SENT, 1), event(SECRET, events.FAILURE, 1, summary="E", detail={"type": "E"}),
    )  # fmt: skip
    save(source, target, Saving(redacted=True))
    assert payloads(target)[1] + payloads(target)[2] == payloads(target)[5] == CLEAN
    assert b"s3cret" not in raw(target)
    assert [e.size for e in all_of(target)] == [e.size for e in all_of(source)]


def test_patterns_are_found_over_two_reads_though_the_first_is_long_written(source, target):
    between = [event(b"x", conn=2) for _ in range(rewriting.BATCH * 2)]
    make(source, opened(1), event(b"my hun", conn=1), *between, event(b"ter2!", conn=1))
    save(source, target, Saving(redacted=True, patterns=("hunter2",)))
    found = payloads(target)
    assert (found[1], found[-1]) == (b"my ***", b"****!")
    assert b"my hun" not in raw(target)


def test_what_is_passed_on_is_still_stored_once_and_redacted_everywhere(source, target):
    data = b"." * 5000 + b"hunter2" + b"." * 5000
    make(source, opened(1), event(data, conn=1), event(..., events.DATA_SENT, 1, size=len(data)))
    save(source, target, Saving(redacted=True, patterns=("hunter2",)))
    assert [e.payload for e in all_of(target)[1:]] == [data.replace(b"hunter2", b"*" * 7)] * 2
    assert read(target, "SELECT same FROM stored WHERE id = 3") == [(2,)]


def test_bytes_that_cannot_be_looked_into_are_taken_out(source, target):
    make(
        source, opened(1), event(b"PRI HPACK", conn=1), request(1, stream=1), event(b"frames", events.DATA_SENT, 1),
        opened(2), event(b"GET / upgrade", conn=2), event(None, events.WS_OPENED, 2, detail={}),
        event(b"frame", conn=2),
    )  # fmt: skip
    save(source, target, Saving(redacted=True, patterns=("zzz",)))
    assert [p for p in payloads(target) if p] == [b"*" * 9, b"*" * 6, b"GET / upgrade", b"*" * 5]


def test_a_filtered_copy_is_dense_and_takes_notes_along(source, target):
    make(source, opened(1), event(b"a", conn=1), opened(2), event(b"b", conn=2), note(2), note(4, "mine"), closed(2))
    save(source, target, Saving(parse("payload contains b")))
    first, second = all_of(target)
    assert (first.id, first.payload, first.conn, first.peer) == (1, b"b", 2, "127.0.0.1:5")
    assert (first.note.text, second.detail["event"]) == ("mine", 1)
    assert is_sound(target)
    assert read(target, "SELECT id, closed IS NOT NULL FROM connection") == [(2, 1)]


def test_a_filter_hides_nothing_from_the_redaction(source, target):
    make(source, opened(1), event(SECRET[:40], conn=1), event(b"y", conn=1), event(SECRET[40:], conn=1))
    save(source, target, Saving(parse("payload contains value"), redacted=True))
    assert payloads(target) == [CLEAN[40:]]


def test_a_capture_whose_oldest_are_gone_keeps_its_numbers(source, target):
    make(source, *(event(b"x" * 1000, time=n) for n in range(1, 10)))
    with closing(sqlite3.connect(source, isolation_level=None)) as db:
        db.execute("DELETE FROM stored WHERE id < 4")
    save(source, target, Saving(redacted=True))
    assert [e.id for e in all_of(target)] == list(range(4, 10))


@pytest.mark.parametrize("how", [Saving(), Saving(redacted=True)])
def test_what_is_cancelled_leaves_nothing_and_what_was_there_stays(source, target, how):
    make(source, *(event(b"x" * 1000) for _ in range(9000)))
    target.write_bytes(b"mine")
    steps = []
    with pytest.raises(CancelledError):
        save(source, target, how, lambda done, of: steps.append(done), lambda: len(steps) > 1)
    assert target.read_bytes() == b"mine"
    assert sorted(p.name for p in target.parent.iterdir()) == ["copy.lpost", "source.lpost"]


def test_progress_comes_to_its_end(source, target):
    make(source, *(event() for _ in range(5000)))
    steps = []
    save(source, target, Saving(payloads=False), lambda done, of: steps.append((done, of)))
    assert steps[-1][1] == 5000
    assert steps == sorted(steps)


def test_it_is_not_saved_over_itself_nor_over_one_that_is_open(source, target):
    make(source, event())
    with pytest.raises(errors.SavedOverItselfError):
        save(source, source)
    file = CaptureFile(target, "run", LIMIT)
    with pytest.raises(errors.CaptureInUseError):
        save(source, target)
    file.close()
    store = Store(make(target, event()))
    store.range()
    with pytest.raises(errors.CaptureInUseError):
        save(source, target)
    store.close()
    save(source, target)


def test_what_a_crash_left_beside_the_target_is_not_applied_to_the_copy(source, target):
    make(source, event(b"new"))
    make(target, event(b"old"))
    target.with_name(target.name + "-wal").write_bytes(b"left over" * 100)
    save(source, target)
    assert payloads(target) == [b"new"]


def test_a_place_that_cannot_be_written_is_said(source, tmp_path):
    make(source, event())
    with pytest.raises(UnwritableError):
        save(source, tmp_path / "nowhere" / "x.lpost")


def test_a_copy_of_a_copy_says_all_that_it_is_without(source, target, tmp_path):
    make(source, event())
    save(source, target, Saving(payloads=False))
    save(target, tmp_path / "second.lpost", Saving(redacted=True))
    found = read(tmp_path / "second.lpost", "SELECT value FROM meta WHERE key = 'changed'")
    assert found == [("without payloads; redacted",)]
