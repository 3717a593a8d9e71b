"""Names of files that somebody else has sent."""

from __future__ import annotations

import re

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
