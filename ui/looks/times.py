"""How the window writes times: in local time or UTC, and how exactly."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

DIGITS = (3, 6, 9)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """``digits`` of a second: 3, 6 or 9."""

    utc: bool = False
    digits: int = 6


_chosen = TimeFormat()


def current() -> TimeFormat:
    return _chosen


def use(chosen: TimeFormat) -> None:
    """Write times so from now on. What shows some is painted again by ``theme.notifier``, which the caller tells."""
    global _chosen
    _chosen = chosen


def zone() -> tzinfo | None:
    """For ``astimezone``."""
    return UTC if _chosen.utc else None


def moment(time: int) -> datetime:
    """``time`` in ns since 1970, to the second, where the window's clock stands."""
    return datetime.fromtimestamp(time // 10**9, UTC).astimezone(zone())


def clock(time: int, digits: int = 0) -> str:
    """``time`` in ns as ``12:03:11.482 007``; with so many ``digits`` of the second, 0 for what was chosen."""
    seconds, ns = divmod(time, 10**9)
    fraction = f"{ns:09}"
    shown = " ".join(fraction[at : at + 3] for at in range(0, digits or _chosen.digits, 3))
    return f"{_second(seconds, _chosen.utc)}.{shown}"


def chars() -> int:
    """The length of what ``clock`` writes."""
    return len(clock(0))


@lru_cache(4096)
def _second(seconds: int, utc: bool) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(UTC if utc else None).strftime("%H:%M:%S")
