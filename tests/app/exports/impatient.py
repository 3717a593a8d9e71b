"""The program, with less that may be on its way to the writer before datagrams are lost: 2 MB, not 64 MB."""

from __future__ import annotations

from app.capture import recorder
from ui import entry

LOSE_ABOVE = 2 << 20


def main() -> None:
    recorder.LOSE_ABOVE = LOSE_ABOVE
    entry.main()
