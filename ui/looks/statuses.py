"""What a status of HTTP is shown as, the same in every place."""

from __future__ import annotations

from typing import Literal

Role = Literal["good", "warning", "bad", "dim"]
"""Names of colours of the theme."""


def role_of_status(status: int) -> Role:
    """The server failed, the client did, it went well, or anything else: 1xx and 3xx."""
    if status >= 400:
        return "bad" if status >= 500 else "warning"
    return "good" if 200 <= status < 300 else "dim"
