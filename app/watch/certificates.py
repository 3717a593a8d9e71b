"""Whether a certificate is about to expire, in words."""

from __future__ import annotations

from datetime import UTC, datetime


def too_old(expires: datetime, days: int, address: str, now: datetime | None = None) -> str:
    """What is wrong with a certificate that ``expires`` then, if it has to hold for ``days`` more; "" for nothing."""
    left = (expires - (now or datetime.now(UTC))).total_seconds()
    when = f"{expires:%Y-%m-%d %H:%M} UTC"
    if left <= 0:
        return f"the certificate of {address} has expired, on {when}"
    if left >= days * 86_400:
        return ""
    rest = f"{left / 86_400:.0f} days" if left >= 2 * 86_400 else f"{max(1, round(left / 3_600))} hours"
    return f"the certificate of {address} expires in {rest}, on {when}"
