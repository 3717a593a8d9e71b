"""The format of times in the window: local time or UTC, and the number of digits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

DIGITS = (3, 6, 9)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """``digits``: decimal places of a second: 3, 6 or 9."""

    utc: bool = False
    digits: int = 6


_format = TimeFormat()


def current() -> TimeFormat:
    """The format in use."""
    return _format


def use(format_: TimeFormat) -> None:
    """Set the format. The caller then emits ``theme.notifier.changed``, so that all times are painted again."""
    global _format
    _format = format_


def zone() -> tzinfo | None:
    """The time zone in use, as an argument of ``astimezone``."""
    return UTC if _format.utc else None


def moment(time: int) -> datetime:
    """``time`` in ns since 1970 as a datetime in the zone in use, without fractions of a second."""
    return datetime.fromtimestamp(time // 10**9, UTC).astimezone(zone())


def clock(time: int, digits: int = 0) -> str:
    """``time`` in ns since 1970 as ``12:03:11.482 007``, with ``digits`` decimal places; 0: as the format says."""
    seconds, ns = divmod(time, 10**9)
    fraction = f"{ns:09}"
    shown = " ".join(fraction[at : at + 3] for at in range(0, digits or _format.digits, 3))
    return f"{_second(seconds, _format.utc)}.{shown}"


def chars() -> int:
    """The length of a time that ``clock`` returns."""
    return len(clock(0))


@lru_cache(4096)
def _second(seconds: int, utc: bool) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone(UTC if utc else None).strftime("%H:%M:%S")
