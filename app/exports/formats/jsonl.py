"""One JSON object a line: each event as ``--json`` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

from app.events import Event
from app.exports.formats import ALL, Chosen, Exporter
from app.text.escapes import json_line


def write(events: Iterable[Event], out: BinaryIO, chosen: Chosen = ALL) -> int:
    count = 0
    for event in events:
        count += 1
        out.write(json_line(event.as_json()).encode() + b"\n")
    return count


EXPORTER = Exporter(
    "jsonl",
    "JSON lines",
    ".jsonl",
    "One line with a JSON object for each event, payload in base64",
    write,
    "line",
    "lines",
)
