"""The faults of one service while it runs."""

from __future__ import annotations

import json
from collections.abc import Callable

from app import faults
from app.faults.hits import LiveFault
from app.faults.switches import Switches
from app.text.framing import Framer


class Faults(Switches):
    """The faults of one service.

    Attributes:
        protocol: of the service.
        framer: what makes a framer for each connection, where the service has a framing.
    """

    protocol = "tcp"
    framer: Callable[[], Framer] | None = None

    # -- the port

    def shutting(self) -> tuple[LiveFault | None, str, float | None]:
        """Which fault shuts the port now and how, and the seconds until that may change; None: never by itself."""
        now = self.clock.seconds() - self.started
        acting: list[tuple[bool, int, LiveFault, str]] = []
        waits: list[float] = []
        for fault in self.all:
            how = fault.kind.shuts(fault.options, self.protocol) if fault.enabled and fault.kind.shuts else ""
            if not how:
                continue
            if fault.when.in_time(now):
                acting.append((how != faults.CLOSED, len(acting), fault, how))
            wait = fault.when.until_change(now)
            if wait is not None:
                waits.append(wait)
        wait = min(waits, default=None)
        if not acting:
            return None, "", wait
        _, _, first, how = min(acting)
        return first, how, wait

    def tell_port(self, fault: LiveFault, words: str) -> None:
        """Record what ``fault`` did to the port."""
        detail = {
            "fault": fault.name, "kind": fault.kind.name, "on": fault.on, "message": fault.hits, "seed": fault.seed,
            "words": words,
        }  # fmt: skip
        self._record(0, f"{fault.name}: {words}", json.dumps(detail), None)
        self._changed()
