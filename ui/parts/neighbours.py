"""Which row is selected after the selected one was removed."""

from __future__ import annotations

from collections.abc import Sequence


def still_there(selected: str, before: Sequence[str], now: Sequence[str]) -> str:
    """``selected`` if it is there now; else the next of ``before`` that is, else the previous one, else the first."""
    if selected in now or selected not in before:
        return selected if selected in now else next(iter(now), "")
    at = before.index(selected)
    return next((name for name in (*before[at + 1 :], *reversed(before[:at])) if name in now), next(iter(now), ""))
