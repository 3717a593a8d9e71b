"""Cookies of the headers Cookie and Set-Cookie, read as browsers do (RFC 6265 section 5.2)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

_DASHED = re.compile(r"(?<=\d)-(?=[A-Za-z]{3}-)|(?<=[A-Za-z]{3})-(?=\d)")
"""As in ``21-Oct-2026``, which RFC 850 had."""


def asked_with(value: str) -> list[dict[str, Any]]:
    """The cookies of one header Cookie."""
    pairs = (part.strip().partition("=") for part in value.split(";") if part.strip())
    return [{"name": name.strip(), "value": content.strip()} for name, _, content in pairs]


def set_by(value: str, time: int) -> list[dict[str, Any]]:
    """The cookie of one header Set-Cookie that came at ``time`` (ns since 1970), or none."""
    pair, *attributes = value.split(";")
    name, equals, content = pair.partition("=")
    if not equals:
        return []
    cookie: dict[str, Any] = {"name": name.strip(), "value": content.strip(), "httpOnly": False, "secure": False}
    expires = lasts = None
    for attribute in attributes:
        key, _, given = (part.strip() for part in attribute.partition("="))
        match key.lower():
            case "httponly":
                cookie["httpOnly"] = True
            case "secure":
                cookie["secure"] = True
            case "path" | "domain":
                cookie[key.lower()] = given
            case "samesite":
                cookie["sameSite"] = given
            case "expires":
                expires = _date(given)
            case "max-age":
                lasts = _after(time, given) or lasts
    if moment := lasts or expires:  # Max-Age has precedence
        cookie["expires"] = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    return [cookie]


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(_DASHED.sub(" ", text))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _after(time: int, seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(time // 10**9, UTC) + timedelta(seconds=int(seconds))
    except (ValueError, OverflowError, OSError):
        return None
