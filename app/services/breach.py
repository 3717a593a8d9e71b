"""A limit of a service that was reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that was reached.

    Attributes:
        limit: its name in the workspace.
        value: what the workspace allows.
        text: what happens for it, in words.
    """

    limit: str
    value: Any
    text: str

    def detail(self, **more: Any) -> str:
        return json.dumps({"limit": self.limit, "value": self.value, **more})
