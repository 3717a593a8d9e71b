"""JSON lines, read back by jq; CSV, by Python's reader."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path

from hypothesis import given, settings

from app import events
from app.exports.formats import csv as csv_exporter
from app.exports.formats import jsonl
from tests.app.exports.formats.conversations import Clock, Conversation, as_events, conversations, tool

ONE = Conversation("127.0.0.1:40001", "127.0.0.1:9007", [(True, b"ping\n"), (False, b"\0\xff")], "closed by us", 1)


def test_jq_reads_each_line(tmp_path: Path) -> None:
    found = as_events([ONE])
    with open(tmp_path / "x.jsonl", "wb") as out:
        jsonl.write(found, out)
    wanted = 'select(.kind == "data.sent") | [.conn, .peer, .size, .payload]'
    line = json.loads(tool("jq", "-c", wanted, tmp_path / "x.jsonl"))
    assert line == [1, ONE.peer, 2, base64.b64encode(b"\0\xff").decode()]
    assert tool("jq", "-s", "length", tmp_path / "x.jsonl").strip() == str(len(found))


@given(conversations())
@settings(max_examples=30)
def test_each_line_is_the_event(made: list[Conversation]) -> None:
    found, out = as_events(made), io.BytesIO()
    jsonl.write(found, out)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [event.as_json() for event in found]


@given(conversations())
@settings(max_examples=30)
def test_a_csv_reader_finds_a_row_for_each_event(made: list[Conversation]) -> None:
    found, out = as_events(made), io.BytesIO()
    csv_exporter.write(found, out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue().decode(), newline="")))
    assert [(row["id"], row["kind"], row["peer"]) for row in rows] == [
        (str(event.id), events.NAMES[event.kind], event.peer) for event in found
    ]
    assert all(row[None] == [] for row in rows if None in row)  # type: ignore[index]


def test_what_a_peer_sent_is_no_formula_of_a_spreadsheet() -> None:
    clock, out = Clock(), io.BytesIO()
    clock.add(events.DATA_RECEIVED, ONE, b'=HYPERLINK("http://x")', summary="=1+1")
    csv_exporter.write(clock.made, out)
    (row,) = csv.DictReader(io.StringIO(out.getvalue().decode(), newline=""))
    assert row["payload"] == '\'=HYPERLINK("http://x")'
    assert row["summary"] == "'=1+1"
