"""All targets, by name."""

from __future__ import annotations

from tests.fuzz import bodies, captures, exports, framings, http1, http2, texts, websocket
from tests.fuzz.engine import Target

_MODULES = (http1, http2, websocket, framings, texts, bodies, captures, exports)

TARGETS: dict[str, Target] = {target.name: target for module in _MODULES for target in module.TARGETS}
