"""A table for spreadsheets (RFC 4180): one row for each event."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from typing import BinaryIO

from app.events import Event
from app.exports.formats import ALL, Chosen, Exporter
from app.text.escapes import escape

COLUMNS = ("id", "time", "kind", "service", "conn", "peer", "host", "size", "summary", "payload")

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(events: Iterable[Event], out: BinaryIO, chosen: Chosen = ALL) -> int:
    text = io.TextIOWrapper(out, "utf-8", newline="", errors="backslashreplace", write_through=True)
    try:
        rows = csv.writer(text)
        rows.writerow(COLUMNS)
        count = 0
        for event in events:
            count += 1
            given = replace(event, unescaped={}).as_json()
            payload = "" if event.payload is None else escape(event.payload)
            values = [given[name] for name in COLUMNS[:-1]] + [payload]
            rows.writerow(["" if value is None else _harmless(value) for value in values])
    finally:
        text.detach()
    return count


def _harmless(value: object) -> object:
    """What a peer sent must not become a formula where the table is opened."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


EXPORTER = Exporter(
    "csv", "CSV", ".csv", "A table for spreadsheets; payloads as text with escapes", write, "row", "rows"
)
