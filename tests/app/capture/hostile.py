"""Captures as somebody makes them who wants to harm whoever opens them."""

# ruff: noqa: S608 - all SQL is ours

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from app import events
from tests.app.capture.captures import closed, event, make, opened

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"

BAD_TEXT = "\x1b]52;c;aGk=\a\x9b31m\u202egnp.exe\u2028line\r\nnext\x00"
"""A terminal's escape sequence for the clipboard, a C1 control, a bidi override, line ends and a zero."""


def sound(path: Path) -> Path:
    request = {"method": "GET", "target": "/a", "version": "HTTP/1.1", "fields": [["Host", "x"]], "body": 0}
    response = {"status": 200, "reason": "OK", "fields": [["Content-Type", "text/plain"]], "body": 2, "seconds": 0.1}
    failure = {"group": "g", "type": "ValueError", "message": "m", "frames": [], "notes": [], "relation": "",
               "cause": None, "members": []}  # fmt: skip
    return make(
        path,
        opened(1),
        event(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n", conn=1),
        event(None, events.HTTP_REQUEST, 1, summary="GET /a", detail=request),
        event(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi", events.DATA_SENT, 1),
        event(None, events.HTTP_RESPONSE, 1, summary="200", detail=response),
        event(b"x", events.FAILURE, 1, summary="ValueError: m", detail=failure),
        event(None, events.LOST, summary="lost", detail={"count": 2, "from": "x", "until": "y", "why": "w"}),
        event(None, events.NOTE, detail={"event": 2, "text": "look", "colour": "red"}),
        closed(1),
    )


def _changed(*statements: str) -> Callable[[sqlite3.Connection], None]:
    return lambda db: [db.execute(statement) for statement in statements] and None


def _rewrite_schema(name: str, sql: str) -> Callable[[sqlite3.Connection], None]:
    def change(db: sqlite3.Connection) -> None:
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (sql, name))

    return change


def _deep(db: sqlite3.Connection) -> None:
    for opening, closing_ in ("[", "]"), ('{"a":', "}"):
        deep = '{"method": "GET", "fields": ' + opening * 100_000 + "1" + closing_ * 100_000 + "}"
        db.execute("UPDATE stored SET detail = ? WHERE kind IN (10, 18) AND id % 2 = ?", (deep, opening == "["))


def _obeyed(db: sqlite3.Connection) -> None:
    for table, names in (
        ("stored", "summary"), ("service", "name protocol"), ("connection", "peer host reason"), ("note", "text colour")
    ):  # fmt: skip
        for name in names.split():
            db.execute(f"UPDATE {table} SET {name} = ? WHERE {name} IS NOT NULL", (BAD_TEXT,))
    for key in "created", "program", "changed":
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, BAD_TEXT))


def _looped(db: sqlite3.Connection) -> None:
    """Fill ``stored``, so that its root is an inner page; ``LOOPED`` then links its children to itself."""
    db.execute(
        "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"
        " INSERT INTO stored (id, time, kind, payload) SELECT i, 1, 5, zeroblob(3000) FROM n"
    )
    db.execute("UPDATE meta SET value = 0 WHERE key = 'lost'")  # which would be looked for


CHANGES: dict[str, Callable[[sqlite3.Connection], None]] = {
    "event is an endless view": _changed(
        "DROP VIEW event",
        f"CREATE VIEW event AS {ENDLESS} SELECT i AS id, i AS time, 5 AS kind, 1 AS service, 1 AS conn, 1 AS size,"
        " x'00' AS payload, 1 AS zero, NULL AS summary, NULL AS detail FROM n",
    ),
    "stored is an endless view": _changed(
        "DROP TABLE stored",
        f"CREATE VIEW stored AS {ENDLESS} SELECT i AS id, i AS time, 5 AS kind, 1 AS service, 1 AS conn, 1 AS size,"
        " NULL AS same, NULL AS zero, NULL AS summary, NULL AS detail, x'00' AS payload FROM n",
    ),
    "meta never ends": _changed(
        "DROP TABLE meta", f"CREATE VIEW meta AS {ENDLESS} SELECT 'key' || i AS key, i AS value FROM n"
    ),
    "service never ends": _changed(
        "DROP TABLE service", f"CREATE VIEW service AS {ENDLESS} SELECT i AS id, 'a' AS name, 'tcp' AS protocol FROM n"
    ),
    "connection never ends": _changed(
        "DROP TABLE connection",
        f"CREATE VIEW connection AS {ENDLESS} SELECT i AS id, 1 AS service, 'p' AS peer, 'h' AS host, 1 AS opened,"
        " 2 AS closed, 'r' AS reason, 1 AS received, 1 AS sent FROM n",
    ),
    "a payload is computed": _changed(
        "DROP VIEW event",
        "ALTER TABLE stored DROP COLUMN payload",
        "ALTER TABLE stored ADD COLUMN payload BLOB AS (zeroblob(900000000))",
    ),
    "a virtual table": _changed("DROP TABLE note", "CREATE VIRTUAL TABLE note USING fts5(event, text, colour)"),
    "ids far apart": _changed(
        f"INSERT INTO stored (id, time, kind) VALUES ({-(2**62)}, 1, 5)",
        f"INSERT INTO stored (id, time, kind) VALUES ({2**62}, 1, 5)",
    ),
    "an id at the end": _changed(f"UPDATE stored SET id = {2**63 - 1} WHERE id = 9"),
    "connections at the end": _changed(
        f"UPDATE connection SET id = {2**62}", f"UPDATE stored SET conn = {2**62} WHERE conn = 1"
    ),
    "JSON 100,000 deep": _deep,
    "JSON that is none": _changed("UPDATE stored SET detail = '{' WHERE detail IS NOT NULL"),
    "JSON of other types": _changed(
        """UPDATE stored SET detail = '{"method": [], "target": {}, "fields": [1, ["a"], null], "status": "x",
        "seconds": 1e999, "body": "b", "frames": 3, "cause": [], "peer": 5, "group": {}, "reason": 7, "event": "e",
        "text": 1, "received": [], "sent": NaN}' WHERE detail IS NOT NULL"""
    ),
    "JSON with nothing in it": _changed("UPDATE stored SET detail = '{}' WHERE detail IS NOT NULL"),
    "JSON that is a list": _changed("UPDATE stored SET detail = '[1]' WHERE detail IS NOT NULL"),
    "text where numbers belong": _changed(
        "UPDATE stored SET time = 'now', size = 'big', service = 'x', conn = conn || 'x' WHERE id IN (2, 3)",
        "UPDATE stored SET kind = 'kind' WHERE id = 4",
        "UPDATE connection SET opened = 'then', closed = 'x', received = 'much'",
        "UPDATE meta SET value = 'many' WHERE key IN ('dropped', 'closed', 'sequence', 'lost', 'run')",
        "INSERT OR REPLACE INTO meta VALUES ('offset', 'x')",
    ),
    "bytes where text belongs": _changed(
        "UPDATE stored SET summary = x'ff00', detail = x'ff' WHERE id > 2",
        "UPDATE service SET name = x'ff'",
        "UPDATE connection SET peer = x'ff', host = x'00', reason = x'80'",
        "UPDATE meta SET value = x'ff'",
        "UPDATE note SET text = x'ff', colour = x'ff'",
    ),
    "numbers where text belongs": _changed(
        "UPDATE stored SET summary = 5, payload = 7",
        "UPDATE service SET name = 1e308, protocol = 3",
        "UPDATE connection SET peer = 1, host = 2.5, reason = 3",
        "UPDATE note SET text = 1, colour = 2",
    ),
    "text that is no UTF-8": _changed(
        "UPDATE stored SET summary = CAST(x'ff41' AS TEXT), detail = CAST(x'7bff' AS TEXT) WHERE id > 2",
        "UPDATE service SET name = CAST(x'ff' AS TEXT)",
        "UPDATE connection SET peer = CAST(x'ff' AS TEXT)",
    ),
    "numbers that are none": _changed("UPDATE stored SET size = 9e999, time = -9e999", "UPDATE service SET id = 7"),
    "a payload that refers to itself": _changed("UPDATE stored SET same = id, payload = NULL"),
    "a name of 1 MB": _changed(
        "UPDATE service SET name = replace(hex(zeroblob(500000)), '00', 'ab')",
        "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 500)"
        " INSERT INTO stored (id, time, kind, service) SELECT i, 1, 5, 1 FROM n",
    ),
    "one payload of 300 kB for all": _changed(
        "UPDATE stored SET payload = zeroblob(300000) WHERE id = 2",
        "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
        " INSERT INTO stored (id, time, kind, service, same) SELECT i, 1, 5, 1, 2 FROM n",
    ),
    "a column with a name that is SQL": _changed('ALTER TABLE connection ADD COLUMN "id) SELECT 1 --" TEXT'),
    "what a terminal would obey": _obeyed,
    "a table whose pages are linked in circles": _looped,
    "SQL of the schema that is none": _rewrite_schema("stored", "CREATE TABLE stored (\x1b]52;c;aGk=\a"),
}
"""What is done to a sound capture."""

LOOPED = "a table whose pages are linked in circles"


def hostile(folder: Path, name: str) -> Path:
    """The capture of this name, one of ``CHANGES``, in ``folder``."""
    path = sound(folder / "hostile.lpost")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        [root] = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'stored'").fetchone()
        [page] = db.execute("PRAGMA page_size").fetchone()
        CHANGES[name](db)
    if name == LOOPED:
        _link_in_circles(path, root, page)
    return path


def _link_in_circles(path: Path, root: int, size: int) -> None:
    """Have every inner page below the root of a table point to one leaf, and the root, many times, to one of them."""
    data = bytearray(path.read_bytes())

    def at(page: int) -> int:
        return (page - 1) * size

    def cells(page: int) -> list[int]:
        base = at(page)
        assert data[base] == 5, "an inner page of a table"
        count = int.from_bytes(data[base + 3 : base + 5], "big")
        return [base + int.from_bytes(data[base + 12 + 2 * n : base + 14 + 2 * n], "big") for n in range(count)]

    # Five levels of the root's own content: each points to the next as often as the root had children.
    children = cells(root)
    levels = [int.from_bytes(data[cell : cell + 4], "big") for cell in children[:5]]
    content = bytes(data[at(root) : at(root) + size])
    below = [*levels[1:], int.from_bytes(data[children[6] : children[6] + 4], "big")]
    for page, target in zip([root, *levels], [levels[0], *below], strict=False):
        data[at(page) : at(page) + size] = content
        for cell in cells(page):
            data[cell : cell + 4] = target.to_bytes(4, "big")
        data[at(page) + 8 : at(page) + 12] = target.to_bytes(4, "big")
    path.write_bytes(data)
