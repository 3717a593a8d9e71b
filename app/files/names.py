"""Names of files: those that somebody else has sent, and those that the user types."""

from __future__ import annotations

import re
from pathlib import Path

LONGEST = 100
"""Characters of a name."""

_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
"""Names that Windows has for devices."""


def harmless(name: str, otherwise: str) -> str:
    """A name for a file in the folder that the user chooses: never a path, hidden, nor one that shows otherwise
    than it is. ``otherwise`` where nothing is left of it."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(c if c.isprintable() and c not in '<>:"|?*' else "_" for c in last).strip(" .")
    if not kept.strip("_"):
        return otherwise
    if _RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    stem, dot, suffix = kept.rpartition(".")
    if len(kept) <= LONGEST:
        return kept
    return f"{stem[: LONGEST - len(suffix) - 1]}.{suffix}" if dot and len(suffix) < 12 else kept[:LONGEST]


def typed(text: str) -> Path:
    """The path that the user has typed, with ``~`` for a home. Who is halfway through ``~name`` has none there: then it
    is the name of a file."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path(text)
