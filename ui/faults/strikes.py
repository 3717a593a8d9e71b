"""What is done to one open connection by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PyQt5.QtCore import QT_TRANSLATE_NOOP

from app import faults
from app.faults import RECEIVED, SENT
from app.programs.shown import HostedPort
from app.services.service import Service

STALL_MS, SLOW = 5_000.0, 1_000.0
"""How long nothing passes; bytes a second of a slow connection."""

STRIKES: Mapping[str, tuple[dict[str, Any], ...]] = {
    "fault_reset": ({"kind": "reset"},),
    "fault_stall": tuple({"kind": "stall", "on": on, "ms": STALL_MS} for on in (SENT, RECEIVED)),
    "fault_cut": ({"kind": "cut", "part": 0.5, "first": 1},),
    "fault_slow": tuple({"kind": "rate", "on": on, "bytes_per_second": SLOW} for on in (SENT, RECEIVED)),
    "fault_hang": tuple({"kind": "hang", "on": on} for on in (SENT, RECEIVED)),
    "fault_freeze": ({"kind": "freeze"},),
}
"""The faults that an action sets on a connection, by its name."""

DONE = {
    "fault_reset": QT_TRANSLATE_NOOP("Faults", "Connection #{number} was reset"),
    "fault_stall": QT_TRANSLATE_NOOP("Faults", "Nothing passes on connection #{number} for 5 s"),
    "fault_cut": QT_TRANSLATE_NOOP("Faults", "The next answer on connection #{number} will be cut"),
    "fault_slow": QT_TRANSLATE_NOOP("Faults", "Connection #{number} is limited to 1 kB/s until the fault is removed"),
    "fault_hang": QT_TRANSLATE_NOOP(
        "Faults", "What passes on connection #{number} is discarded until the fault is removed"
    ),
    "fault_freeze": QT_TRANSLATE_NOOP("Faults", "Nothing is read from connection #{number} until the fault is removed"),
    "fault_lift": QT_TRANSLATE_NOOP("Faults", "Connection #{number} goes on as before"),
}
"""What is said then."""


def strike(service: Service | HostedPort, number: int, name: str) -> bool:
    """Do what the action ``name`` says to the connection ``number``. Whether the protocol allows it."""
    protocol = service.config.protocol
    fitting = [t for t in STRIKES[name] if (kind := faults.find(t["kind"])) is not None and protocol in kind.protocols]
    service.fail()  # connections of a service that had no fault yet
    struck = [service.faults.strike_connection(number, table) for table in fitting]
    return any(fault is not None for fault in struck)
