"""Which row is selected after the selected one was removed, or has another name."""

from __future__ import annotations

from collections.abc import Sequence


def renamed(before: Sequence[str], now: Sequence[str]) -> dict[str, str]:
    """The new name of each that has another one now, at the same place."""
    if len(before) != len(now):
        return {}
    return {
        old: new for old, new in zip(before, now, strict=True) if old != new and old not in now and new not in before
    }


def still_there(selected: str, before: Sequence[str], now: Sequence[str]) -> str:
    """``selected`` if it is there now, or what it is called now; else the next of ``before`` that is there, else the
    previous one, else the first.
    """
    if selected in now or selected not in before:
        return selected if selected in now else next(iter(now), "")
    if new := renamed(before, now).get(selected):
        return new
    at = before.index(selected)
    return next((name for name in (*before[at + 1 :], *reversed(before[:at])) if name in now), next(iter(now), ""))
