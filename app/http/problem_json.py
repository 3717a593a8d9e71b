"""Problem details for HTTP (RFC 9457): what went wrong with a request, for programs and people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.http.reason_phrases import PHRASES

MEDIA_TYPE = b"application/problem+json"


class Problem(Exception):  # noqa: N818 - the word of the RFC
    """A request that cannot be answered as asked.

    Attributes:
        status: of the answer.
        detail: what went wrong here, and what to do about it.
        fields: further headers of the answer.
        more: extension members (section 3.2).
    """

    def __init__(self, status: int, detail: str, fields: Mapping[bytes, bytes] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.fields, self.more = status, detail, dict(fields or {}), more

    def body(self) -> bytes:
        """The problem as JSON, on lines for people."""
        title = PHRASES.get(self.status, "Problem")
        members = {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail, **self.more}
        return json.dumps(members, indent=2).encode() + b"\n"
