"""Events by hand, as a capture would give them back."""

from __future__ import annotations

import json
from typing import Any

from app import events
from app.events import Event
from app.failures.record import FailureRecord, Frame

TIME = 1795172591482007118

PACKAGES = "/home/mara/.venv/lib/python3.11/site-packages/"
PLUGIN = "/home/mara/plugins/sensor.py"


def event(kind: int = events.DATA_RECEIVED, payload: bytes | None = b"READ temp\n", **more: Any) -> Event:
    size = None if payload is None else len(payload)
    values: dict[str, Any] = {"summary": "READ temp", "host": "127.0.0.1:9007", "size": size} | more
    return Event(10417, TIME, kind, "sensor-hub", 7, "127.0.0.1:51234", payload=payload, **values)


def failure(record: FailureRecord, payload: bytes | None = b"READ temp\n") -> Event:
    stored = json.loads(json.dumps(record.as_json()))
    return event(events.FAILURE, payload, summary=record.summary, detail=stored)


TWISTED = (
    Frame(f"{PACKAGES}twisted/internet/tcp.py", 250, "doRead", ((250, "        return self._dataReceived(data)"),)),
    Frame(f"{PACKAGES}app/services/tap/tap.py", 105, "dataReceived", (), (("secret", "'of a library'"),)),
)
OWN = Frame(
    PLUGIN,
    38,
    "dataReceived",
    ((37, "        for name, text in fields:"), (38, "            parse(name, text)"), (39, "")),
    (("name", "'temp'"), ("text", "'NaN'")),
)
JSON = Frame("/usr/lib/python3.11/json/decoder.py", 355, "raw_decode", ((355, "    raise JSONDecodeError()"),))

PLAIN = FailureRecord("ValueError", "temp is not a number", (*TWISTED, OWN))
CHAINED = FailureRecord(
    "RuntimeError",
    "no reading\nsecond line",
    (OWN,),
    ("a note",),
    "context",
    FailureRecord(
        "plugins.BadReading", "", (OWN,), (), "cause", FailureRecord("KeyError", "'temp'", (*TWISTED, OWN, JSON))
    ),
)
