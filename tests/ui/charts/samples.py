"""A capture of ten minutes of three services, in which something went wrong for a while."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

from app import events
from app.capture.writing.file import CaptureFile

BEGIN = 1_784_000_000
SECONDS = 600
EVERY = 5
"""Seconds of a batch."""

SERVICES = [("sensor-hub", "tcp"), ("beacon", "udp"), ("shop", "http")]
NAMES = [name for name, _ in SERVICES]

_REQUEST = json.dumps({"method": "GET", "target": "/", "version": "HTTP/1.1", "fields": [], "body": None})


def make(
    path: Path,
    seconds: int = SECONDS,
    *,
    begin: int = BEGIN,
    limit: int = 1 << 40,
    services: list[tuple[str, str]] = SERVICES,
) -> Path:
    """Write it. The ``services`` are one over TCP, one over UDP, and one over HTTP."""
    chance = random.Random(7)
    file = CaptureFile(path, "sample", limit)
    flat: list[Any] = []
    for second in range(seconds):
        flat += [value for row in _second(chance, begin, second, seconds) for value in row]
        if second % EVERY == EVERY - 1 or second == seconds - 1:
            sample = ((begin + second) * 10**9, [0.0004 + chance.random() * 0.002], 171_000_000 + second * 9000)
            file.store((second // EVERY + 1, services if second < EVERY else None, flat, sample))
            flat = []
    file.close()
    return path


def _second(chance: random.Random, begin: int, second: int, seconds: int) -> list[tuple[Any, ...]]:
    wave = 1 + 0.6 * math.sin(second / seconds * 11) + 0.15 * math.sin(second / 9)
    broken = 0.62 < second / seconds < 0.72
    at = (begin + second) * 10**9
    rows: list[tuple[Any, ...]] = []
    if second % 20 == 0:
        rows.append((at, events.CONNECTION_OPENED, 3, 10 + second, 0, None, "accepted", "{}"))
    if second % 20 == 0 and second > 100:
        rows.append((at, events.CONNECTION_CLOSED, 3, 10 + second - 100, 0, None, "closed", "{}"))
    for number in range(int(8 * wave + chance.random() * 3)):
        when = at + number * 10**7
        size = int(300 * wave + chance.random() * 200)
        rows.append((when, events.DATA_RECEIVED, 1, 1, size, None, "READ", None))
        rows.append((when, events.DATA_SENT, 1, 1, size // 3, None, "OK", None))
        seconds_ = 0.004 * math.exp(chance.gauss(0, 0.5)) * (22 if broken and chance.random() < 0.6 else 1)
        status = 503 if broken and chance.random() < 0.5 else 404 if chance.random() < 0.04 else 200
        rows.append((when, events.HTTP_REQUEST, 3, 2, 0, None, "GET /", _REQUEST))
        detail = f'{{"status": {status}, "reason": "", "fields": [], "body": 5, "seconds": {seconds_}}}'
        rows.append((when, events.HTTP_RESPONSE, 3, 2, 5, None, str(status), detail))
    return rows
