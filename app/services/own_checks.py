"""From where checks of watches connect, so that a service of this program knows them among its peers."""

from __future__ import annotations

from typing import Literal

Transport = Literal["tcp", "udp"]


class OwnChecks:
    """The addresses from which checks that are under way connect."""

    def __init__(self) -> None:
        self._watches: dict[tuple[Transport, str], str] = {}

    def begin(self, transport: Transport, host: str, watch: str) -> None:
        """A check of ``watch`` connects from ``host``, as ``127.0.0.1:40123``."""
        self._watches[transport, host] = watch

    def end(self, transport: Transport, host: str) -> None:
        """No check does any more."""
        self._watches.pop((transport, host), None)

    def of(self, transport: Transport, peer: str) -> str:
        """The name of the watch whose check ``peer`` is; "" where it is somebody else."""
        return self._watches.get((transport, peer), "") if self._watches else ""
