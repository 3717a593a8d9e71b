"""The rest responder on real sockets, in files, and with curl."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from app.responders.rest import resource
from app.responders.rest.errors import DocumentsError
from app.responders.rest.memory import MAX_DOCUMENTS
from app.responders.rest.storage import Change, load, store
from tests.app.responders.curl import at, curl
from tests.app.services.helpers import Desk, Peer, Tape
from tests.helpers import serving, until

STATUS = ("-o", "/dev/null", "-w", "%{http_code}")


def _json(path: str, method: str, value: Any) -> tuple[str, ...]:
    return path, "-X", method, "--json", json.dumps(value)


# -- with curl


@pytest.mark.parametrize("tls", [None, {}])
@pytest_twisted.ensureDeferred
async def test_curl_adds_patches_and_deletes_under_conditions(tls: Any, desk: Desk, tape: Tape, tmp_path: Path) -> None:
    at(desk, tmp_path)
    service = await desk.start("http", "rest", tls=tls)
    added = await curl(desk, service, *_json("/things", "POST", {"a": 1, "b": 2}), "-i")
    assert re.search(r"(?im)^location: /things/1\r$", added.out)
    found = re.search(r'(?im)^etag: ("[0-9a-f]+")\r$', added.out)
    assert found
    tag = found[1]
    assert (await curl(desk, service, "/things/1", *STATUS, "-H", f"If-None-Match: {tag}")).out == "304"
    merge = ("-H", "Content-Type: application/merge-patch+json", "-X", "PATCH", "-d", '{"b": null}')
    assert (await curl(desk, service, "/things/1", *STATUS, *merge, "-H", 'If-Match: "old"')).out == "412"
    assert (await curl(desk, service, "/things/1", *merge, "-H", f"If-Match: {tag}")).out == '{"id":1,"a":1}\n'
    assert (await curl(desk, service, *_json("/things/1", "PUT", {}), "-H", "If-None-Match: *", *STATUS)).out == "412"
    assert (await curl(desk, service, "/things/1", *STATUS, "-X", "DELETE", "-H", f"If-Match: {tag}")).out == "412"
    assert (await curl(desk, service, "/things/1", *STATUS, "-X", "DELETE")).out == "204"
    assert (await curl(desk, service, "/things", "-d", "a=b", *STATUS)).out == "415"
    assert not tape.all("failure")


@pytest_twisted.ensureDeferred
async def test_a_large_document_that_waits_for_100_continue_is_kept(desk: Desk, tape: Tape) -> None:
    service = await desk.start("http", "rest")
    body = json.dumps({"x": "y" * 900_000}).encode()
    fields = ("-H", "Content-Type: application/json", "-H", "Expect: 100-continue", "--expect100-timeout", "30")
    said = await curl(desk, service, "/things/1", *STATUS, "-T", "-", *fields, stdin=body)
    assert said.out == "201"
    assert b"100 Continue" in tape.data("data.sent")
    assert json.loads((await curl(desk, service, "/things/1")).out) == {"id": 1, "x": "y" * 900_000}


@pytest_twisted.ensureDeferred
async def test_pipelined_requests_are_done_in_order_though_some_need_a_thread(desk: Desk) -> None:
    service = await desk.start("http", "rest")
    large = json.dumps({"x": "y" * 100_000}).encode()
    peer = Peer(service)
    for body in (large, b'{"x": 1}'):
        await peer.send(b"PUT /a/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await peer.send(b"GET /a/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    answers = await peer.end()
    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"201", b"200", b"200"]
    assert answers.endswith(b'\r\n\r\n{"id":1,"x":1}\n')


@pytest_twisted.ensureDeferred
async def test_a_large_collection_is_looked_into_in_a_thread(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "IN_PLACE", 100)
    service = await desk.start("http", "rest")
    for n in range(20):
        await curl(desk, service, *_json("/a", "POST", {"n": n}))
    said = await curl(desk, service, "/a?n>=17&sort=-n", "-i")
    assert "X-Total-Count: 3\r\n" in said.out
    assert said.out.endswith('[{"id":20,"n":19},{"id":19,"n":18},{"id":18,"n":17}]\n')


# -- kept in SQLite


@pytest_twisted.ensureDeferred
async def test_what_is_kept_survives_the_service(desk: Desk, tmp_path: Path) -> None:
    at(desk, tmp_path)
    (tmp_path / "seed.json").write_text('{"a": [{"n": 1}, {"n": 2}]}')
    options = {"keep": "kept.db", "seed": "seed.json"}
    first = await desk.start("http", "rest", options=options)
    await curl(desk, first, *_json("/a", "POST", {"n": 3}))
    await curl(desk, first, *_json("/a/1", "PUT", {"n": "new"}))
    await curl(desk, first, "/a/2", "-X", "DELETE")
    before = (await curl(desk, first, "/a", "-i")).out
    await first.stop()
    second = await desk.start("http", "rest", options=options)
    after = (await curl(desk, second, "/a", "-i")).out
    assert after.endswith('[{"id":1,"n":"new"},{"id":3,"n":3}]\n')
    assert re.findall("ETag.*", before) == re.findall("ETag.*", after)
    assert (tmp_path / "kept.db").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("kept")] == ["kept.db"]


@pytest_twisted.ensureDeferred
async def test_many_at_once_are_all_kept_before_they_are_answered(desk: Desk, tmp_path: Path) -> None:
    at(desk, tmp_path)
    service = await desk.start("http", "rest", options={"keep": "kept.db"})
    peers = [Peer(service) for _ in range(20)]
    for peer in peers:
        for n in range(10):
            body = b'{"n": %d}' % n
            peer.push(b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await until(lambda: all(peer.pull().got.count(b"HTTP/1.1 201") == 10 for peer in peers))
    kept = load(tmp_path, "", tmp_path / "kept.db").documents
    assert sorted(map(int, kept.all("a"))) == list(range(1, 201))
    # In the file's order, too.
    assert list(kept.all("a")) == [str(n) for n in range(1, 201)]


@pytest_twisted.ensureDeferred
async def test_who_else_writes_into_the_file_is_noticed(desk: Desk, tape: Tape, tmp_path: Path) -> None:
    at(desk, tmp_path)
    one = await desk.start("http", "rest", options={"keep": "kept.db"})
    await curl(desk, one, *_json("/a/1", "PUT", {"by": "one"}))
    two = await desk.start("http", "rest", options={"keep": "kept.db"})
    await curl(desk, two, *_json("/a/2", "PUT", {"by": "two"}))
    refused = await curl(desk, one, *_json("/a/2", "PUT", {"by": "one"}), "-i")
    assert refused.out.startswith("HTTP/1.1 503 ")
    assert "another program or service has changed it" in refused.out
    assert tape.all("log")
    assert (await curl(desk, one, "/a")).out == '[{"id":1,"by":"one"},{"id":2,"by":"two"}]\n'
    assert (await curl(desk, one, *_json("/a/3", "PUT", {}), *STATUS)).out == "201"


@pytest_twisted.ensureDeferred
async def test_a_file_that_goes_away_is_told_and_made_anew(desk: Desk, tmp_path: Path) -> None:
    at(desk, tmp_path)
    service = await desk.start("http", "rest", options={"keep": "kept.db"})
    await curl(desk, service, *_json("/a/1", "PUT", {}))
    (tmp_path / "kept.db").unlink()
    assert (await curl(desk, service, *_json("/a/2", "PUT", {}), *STATUS)).out == "503"
    assert (await curl(desk, service, "/a")).out == "[]\n"
    assert (await curl(desk, service, *_json("/a/2", "PUT", {}), *STATUS)).out == "201"


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"no database at all" * 100)
    with pytest.raises(DocumentsError, match="not a database"):
        load(tmp_path, "", text)
    assert text.read_bytes() == b"no database at all" * 100
    with closing(sqlite3.connect(tmp_path / "other")) as other:
        other.execute("CREATE TABLE t (x)")
    with pytest.raises(DocumentsError, match="a file of something else"):
        load(tmp_path, "", tmp_path / "other")


@pytest.mark.parametrize("body", ["[]", "{", "text", None])
def test_a_file_that_was_tampered_with_is_told(body: str | None, tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    load(tmp_path, "", path)
    store(path, [Change("a", "1", b"{}")], 0)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute("UPDATE document SET body = ?", (body if body is not None else 5,))
        database.commit()
    with pytest.raises(DocumentsError, match=r"kept\.db cannot be used"):
        load(tmp_path, "", path)


def test_changes_are_written_all_or_none(tmp_path: Path) -> None:
    path = tmp_path / "kept.db"
    load(tmp_path, "", path)
    assert store(path, [Change("a", "1", b"{}"), Change("a", "2", b"{}"), Change("a", "1", None)], 0) == 1
    bad: Any = [Change("a", "3", b"{}"), Change("a", "4", object())]  # type: ignore[arg-type]
    with pytest.raises(DocumentsError):
        store(path, bad, 1)
    assert list(load(tmp_path, "", path).documents.all("a")) == ["2"]


def test_what_was_answered_survives_the_programs_sudden_end(tmp_path: Path) -> None:
    workspace = tmp_path / "w.toml"
    workspace.write_text(
        'version = 1\n[[service]]\nname = "api"\nprotocol = "http"\nlisten = "127.0.0.1:0"\nresponder = "rest"\n'
        'options = { keep = "kept.db" }\n'
    )
    with serving(workspace, tmp_path / "c.lpost") as program:
        host, port = program.wait_up()["api"]
        client = HTTPConnection(host, port, timeout=10)
        for n in range(20):
            client.request("POST", "/a", json.dumps({"n": n}))
            response = client.getresponse()
            assert (response.status, response.read()) == (201, b'{"id":%d,"n":%d}\n' % (n + 1, n))
        program.kill()
        client.close()
    assert len(load(tmp_path, "", tmp_path / "kept.db").documents.all("a")) == 20


# -- a file that a stranger made (A10)

_ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT"


def _kept(path: Path, *statements: str) -> Path:
    """A file as ours, and then changed by ``statements``."""
    load(path.parent, "", path)
    store(path, [Change("a", "1", b"{}")], 0)
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return path


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            ("DROP TABLE document", f"CREATE VIEW document AS {_ENDLESS} 'a' AS collection, 'x' AS id FROM c"),
            "it has a view, 'document'",
        ),
        (("DROP TABLE changes", f"CREATE VIEW changes AS {_ENDLESS} x AS count FROM c WHERE x < 0"), "it has a view"),
        (
            (f"CREATE TRIGGER t AFTER INSERT ON document BEGIN {_ENDLESS} count(*) FROM c; END",),
            "it has a trigger, 't'",
        ),
        (
            ("DROP TABLE document", "CREATE TABLE document (number INTEGER, collection, id, body AS (zeroblob(1000)))"),
            "it has a table 'document' of another kind",
        ),
        (("UPDATE document SET body = zeroblob(50000000)",), "too big"),
        (("UPDATE changes SET count = 'x'",), "how often it was changed"),
        (("DELETE FROM changes",), "how often it was changed"),
        (("UPDATE document SET collection = x'ff'",), "is not a text"),
        (("UPDATE document SET body = '{}'",), "1 in a is not a BLOB of JSON, but a TEXT"),
        (("UPDATE document SET body = 7",), "1 in a is not a BLOB of JSON, but an INTEGER"),
        (("UPDATE document SET body = 7.5",), "1 in a is not a BLOB of JSON, but a REAL"),
        (("UPDATE document SET id = CAST(x'ff' AS TEXT)",), "a text in it is not UTF-8"),
        (("UPDATE document SET body = x'5b'",), "in line 1, column"),
    ],
)  # fmt: skip
def test_a10_what_is_not_as_we_made_it_is_refused_in_words(
    statements: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    path = _kept(tmp_path / "kept.db", *statements)
    for use in (lambda: load(tmp_path, "", path), lambda: store(path, [Change("a", "2", b"{}")], 1)):
        with contextlib.suppress(DocumentsError):  # what only reading or only writing meets
            use()
    with pytest.raises(DocumentsError, match=words):
        load(tmp_path, "", path)


def test_a10_no_statement_goes_on_for_ever(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = _kept(tmp_path / "kept.db")
    monkeypatch.setattr("app.responders.rest.storage._STEPS", 1)
    monkeypatch.setattr("app.responders.rest.storage._MOST", 20)
    with pytest.raises(DocumentsError, match="takes far longer than documents need"):
        load(tmp_path, "", path)


def test_a10_all_the_documents_there_can_be_are_within_the_bound(tmp_path: Path) -> None:
    path = _kept(tmp_path / "kept.db")
    with closing(sqlite3.connect(path)) as database:
        rows = ((str(n), b'{"id":"x"}') for n in range(MAX_DOCUMENTS - 1))
        database.executemany("INSERT INTO document (collection, id, body) VALUES ('b', ?, ?)", rows)
        database.commit()
    assert len(load(tmp_path, "", path).documents.all("b")) == MAX_DOCUMENTS - 1
    with closing(sqlite3.connect(path)) as database:
        database.execute("INSERT INTO document (collection, id, body) VALUES ('c', '1', '{}')")
        database.commit()
    with pytest.raises(DocumentsError):
        load(tmp_path, "", path)


def test_a10_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "kept.db")
    with pytest.raises(DocumentsError, match="it is not a file"):
        load(tmp_path, "", tmp_path / "kept.db")
    path = _kept(tmp_path / "other.db")
    os.mkfifo(tmp_path / "other.db-journal")
    with pytest.raises(DocumentsError, match=r"other\.db-journal beside it is not a file"):
        load(tmp_path, "", path)


def test_a10_a_journal_does_not_have_another_file_deleted(tmp_path: Path) -> None:
    """SQLite reads the file that a journal names as its super-journal, and deletes it."""
    path = _kept(tmp_path / "kept.db", "INSERT INTO document VALUES (7, 'b', 'x', zeroblob(1000000))")
    victim = tmp_path / "precious.txt"
    victim.write_text("not a journal\n")
    # What is left of a program that died within a transaction.
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA cache_size = 5")
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE document SET body = randomblob(500000) WHERE number = 7")
        hostile, journal = tmp_path / "hostile.db", tmp_path / "hostile.db-journal"
        shutil.copy(path, hostile)
        shutil.copy(tmp_path / "kept.db-journal", journal)
    name = bytes(victim)
    size, total = len(name).to_bytes(4, "big"), sum(name).to_bytes(4, "big")
    lock_page = ((1 << 30) // 4096 + 1).to_bytes(4, "big")
    with journal.open("ab") as file:
        file.write(lock_page + name + size + total + bytes.fromhex("d9d505f920a163d7"))
    with pytest.raises(DocumentsError, match="names another file, which SQLite would delete"):
        load(tmp_path, "", hostile)
    with pytest.raises(DocumentsError, match="names another file"):
        store(hostile, [Change("a", "1", None)], 1)
    assert victim.read_text() == "not a journal\n"
    # This is what SQLite does.
    with closing(sqlite3.connect(hostile)) as database:
        database.execute("SELECT count(*) FROM document").fetchall()
    assert not victim.exists()


def test_a10_serve_says_why_and_ends_by_a_signal(tmp_path: Path) -> None:
    _kept(
        tmp_path / "kept.db",
        "DROP TABLE document",
        f"CREATE VIEW document AS {_ENDLESS} 'a' AS collection, 'x' AS id, '{{}}' AS body, 1 AS number FROM c",
    )
    workspace = tmp_path / "w.toml"
    workspace.write_text(
        'version = 1\n[[service]]\nname = "api"\nprotocol = "http"\nlisten = "127.0.0.1:0"\nresponder = "rest"\n'
        'options = { keep = "kept.db" }\n'
    )
    with serving(workspace, tmp_path / "c.lpost") as program:
        host, port = program.wait_up()["api"]
        with closing(HTTPConnection(host, port, timeout=20)) as client:
            client.request("GET", "/a")
            response = client.getresponse()
            assert response.status == 503
            assert "it has a view, 'document'" in json.loads(response.read())["detail"]
        program.kill(signal.SIGTERM)
        assert program.wait() == 0
