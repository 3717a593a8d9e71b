"""One JSON object a line: each event as ``--json`` prints it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import BinaryIO

from app.events import Event
from app.exports.formats import ALL, Chosen, Exporter


def write(events: Iterable[Event], out: BinaryIO, chosen: Chosen = ALL) -> None:
    for event in events:
        out.write(json.dumps(event.as_json(), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")


EXPORTER = Exporter("jsonl", "JSON lines", ".jsonl", "One JSON object a line for each event, payload in base64", write)
