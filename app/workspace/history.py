"""What was sent from the window last: a file in the data folder, for the user alone, within a bound."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.files.folders import data_folder
from app.files.replacing import replacing
from app.workspace.message import Message, mistakes

MOST = 100
"""Messages that are kept."""

MOST_DATA = 16_000
"""Characters of data with which a message is kept; of a longer one, nothing is."""

MAX_FILE = 8 << 20
"""Bytes of a file that is read."""


@dataclass(frozen=True, slots=True)
class Past:
    """One message that was sent. ``time`` is in seconds since 1970, ``outcome`` what came of it, as ``200 OK``."""

    time: float
    message: Message
    outcome: str = ""


def history_file() -> Path:
    return data_folder() / "sent.json"


def load(path: Path) -> tuple[Past, ...]:
    """The messages in the file, the newest first; what is not right in it is left out. Blocks. Raises nothing."""
    try:
        with open(path, "rb") as file:
            entries = json.loads(file.read(MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return ()
    found = (_past(entry) for entry in entries) if isinstance(entries, list) else ()
    return tuple(past for past in found if past is not None)[:MOST]


def _past(entry: Any) -> Past | None:
    table = entry.get("message") if isinstance(entry, dict) else None
    if not isinstance(table, dict) or next(mistakes(table), None) is not None:
        return None
    time, outcome = entry.get("time"), entry.get("outcome")
    if not isinstance(time, int | float) or not isinstance(outcome, str):
        return None
    return Past(float(time), Message.of(table), outcome)


def added(past: tuple[Past, ...], new: Past) -> tuple[Past, ...]:
    """``past`` with ``new`` before it; an older one with the same message goes."""
    if len(new.message.data) + sum(map(len, new.message.fields)) > MOST_DATA:
        return past
    return (new, *(one for one in past if one.message != new.message))[:MOST]


def save(path: Path, past: Iterable[Past]) -> None:
    """Write the file, which only the user can read. Blocks. Raises OSError."""
    entries = [{"time": one.time, "outcome": one.outcome, "message": one.message.as_table()} for one in past]
    if not entries:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as out:
        out.write(json.dumps(entries, ensure_ascii=False).encode("utf-8", "replace"))
