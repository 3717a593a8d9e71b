"""A capture of ten million events over some hours, for charts: data of three services, and HTTP with its latencies."""

from __future__ import annotations

import json
from pathlib import Path

from app import events
from app.capture.writing.file import CaptureFile
from tests.benchmarks.captures import BATCH, LIMIT, remove

BEGIN = 1_700_000_000_000_000_000
STEP = 1_000_000
"""Nanoseconds from one event to the next: ten million are 2.8 hours."""

SERVICES = [("tcp-echo", "tcp"), ("udp-echo", "udp"), ("shop", "http")]

_REQUEST = json.dumps({"method": "GET", "target": "/", "version": "HTTP/1.1", "fields": [["Host", "a"]], "body": None})


def make_once(path: Path, count: int) -> None:
    """Write the capture of ``count`` events, unless it is there: a finished one has a mark beside it."""
    done = path.with_suffix(".done")
    if path.exists() and done.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    remove(path)
    file = CaptureFile(path, "benchmark", LIMIT)
    try:
        for sequence, start in enumerate(range(0, count, BATCH), 1):
            flat: list[object] = []
            for number in range(start, min(start + BATCH, count)):
                flat += _event(number)
            file.store((sequence, SERVICES if sequence == 1 else None, flat))
    finally:
        file.close()
    done.touch()


def _event(number: int) -> tuple[object, ...]:
    when, turn = BEGIN + number * STEP, number % 10
    if turn == 8:
        return when, events.HTTP_REQUEST, 3, 3, 0, None, "GET /", _REQUEST
    if turn == 9:
        wave = 1 + (number // 50_000) % 40
        detail = f'{{"status": {500 if number % 400 == 9 else 200}, "reason": "OK", "fields": [["Server", "a"]], ' \
                 f'"body": 13, "seconds": {(number * 7919 % 997) * 1e-6 * wave}}}'  # fmt: skip
        return when, events.HTTP_RESPONSE, 3, 3, 13, None, "200 OK", detail
    kind = events.DATA_RECEIVED if turn % 2 else events.DATA_SENT
    service = 1 + turn % 2
    return when, kind, service, service, None, b"%012d" % number * 4, None, None
