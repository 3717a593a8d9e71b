"""The traffic of alerts themselves, which no alert looks at.

What leaves is recorded under ``PROTOCOL``. It may also reach a service of this program, which records it as any
other connection: that one is known by the port from which it was called.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PROTOCOL = "alerts"
"""The name, and the protocol, that events of alerts have in the place of a service's."""

CALLS = 100
"""Connections to others, and connections of services that came from us, that are remembered."""

NEAR = 2_000
"""Numbers of connections before and after one of ours among which is the one that accepted it."""


@dataclass(frozen=True, slots=True)
class Call:
    """A connection of ours, from one port to another: what accepted it here has a number from ``low`` to ``high``."""

    port: int
    to: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Traffic:
    """What to leave out: ``calls`` that may have been accepted here, and numbers of connections that were."""

    calls: tuple[Call, ...] = ()
    accepted: tuple[int, ...] = ()


@dataclass(slots=True)
class Own:
    """Remembers the connections that alerts have made."""

    calls: list[Call] = field(default_factory=list)
    accepted: dict[int, None] = field(default_factory=dict)

    def called(self, call: Call) -> None:
        """We have connected."""
        self.calls = [*self.calls, call][-CALLS:]

    def found(self, accepted: list[int]) -> None:
        """These connections of services came from us."""
        self.accepted |= dict.fromkeys(accepted)
        for old in list(self.accepted)[:-CALLS]:
            del self.accepted[old]

    @property
    def traffic(self) -> Traffic:
        return Traffic(tuple(self.calls), tuple(self.accepted))
