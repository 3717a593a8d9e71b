"""Networks by their figures, as faults to begin with.

A workspace has only the figures: what one source calls 3G is half as fast as another's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.faults import RECEIVED, SENT, find
from app.options import Options

STALL_MS = 200.0
"""How long TCP waits for what was lost, at the least (RFC 6298 says 1 s; Linux takes 200 ms)."""


@dataclass(frozen=True, slots=True)
class Preset:
    """One network.

    Attributes:
        name: what people call it.
        down, up: bit/s to the client and from it.
        delay_ms: one way, to the client and from it.
        help: for what it stands, in one line.
        jitter_ms: how much the delay varies.
        loss: share of the messages that are lost, from 0 to 1.
    """

    name: str
    down: int
    up: int
    delay_ms: tuple[float, float]
    help: str
    jitter_ms: float = 0.0
    loss: float = 0.0

    @property
    def title(self) -> str:
        """The name as the beginning of a line."""
        return self.name[:1].upper() + self.name[1:]

    @property
    def figures(self) -> str:
        """All figures in a line, as ``50/10 Mbit/s, 50/65 ms, 1 % lost``."""
        parts = [_rates(self.down, self.up)] if self.down else []
        first, second = self.delay_ms
        varies = f" ± {self.jitter_ms:g}" if self.jitter_ms else ""
        parts.append(f"{first:g}{varies} ms" if first == second else f"{first:g}/{second:g}{varies} ms")
        if self.loss:
            parts.append(f"{self.loss * 100:g} % lost")
        return ", ".join(parts)

    def tables(self, protocol: str) -> tuple[dict[str, Any], ...]:
        """The faults that make a service of ``protocol`` behave so; those that it can have.

        What is lost on UDP and WebSocket comes late on TCP, which sends it again.
        """
        wanted: list[dict[str, Any]] = []
        for on, rate, milliseconds, way in (
            (SENT, self.down, self.delay_ms[0], "down"),
            (RECEIVED, self.up, self.delay_ms[1], "up"),
        ):
            if rate:
                wanted.append({"kind": "rate", "on": on, "bytes_per_second": rate / 8, "way": way})
            delay: dict[str, Any] = {"kind": "delay", "on": on, "ms": milliseconds, "way": way}
            if self.jitter_ms:
                delay |= {"jitter_ms": self.jitter_ms, "distribution": "normal"}
            wanted.append(delay)
            if self.loss:
                lost: dict[str, Any] = {"kind": "lose"} if _fits("lose", protocol) else _stalled(self)
                wanted.append(lost | {"on": on, "probability": self.loss, "way": way})
        return tuple(
            {"name": f"{self.name} {table['kind']} {table.pop('way')}"} | table
            for table in wanted
            if _fits(str(table["kind"]), protocol)
        )


def _stalled(preset: Preset) -> dict[str, Any]:
    return {"kind": "stall", "ms": max(STALL_MS, 2 * sum(preset.delay_ms))}


def _fits(kind: str, protocol: str) -> bool:
    found = find(kind)
    return found is not None and protocol in found.protocols


def _rates(down: int, up: int) -> str:
    """Both rates, down first; with one unit where both are round in it."""
    if down % 100_000 == up % 100_000 == 0:
        return f"{down / 1e6:g}/{up / 1e6:g} Mbit/s"
    if down < 1_000_000:
        return f"{down / 1000:g}/{up / 1000:g} kbit/s"
    return f"{down / 1e6:g} Mbit/s / {up / 1000:g} kbit/s"


PRESETS = (
    Preset("DSL", 2_000_000, 256_000, (5.0, 5.0), "Old telephone line"),
    Preset("LTE", 50_000_000, 10_000_000, (50.0, 65.0), "Phone with good reception"),
    Preset("4G slow", 1_600_000, 750_000, (75.0, 75.0), "Phone in a crowded cell"),
    Preset("3G", 780_000, 330_000, (100.0, 100.0), "Phone in the countryside"),
    Preset("EDGE", 240_000, 200_000, (400.0, 400.0), "Weak signal, as in a valley or on a train"),
    Preset("satellite", 15_000_000, 3_000_000, (300.0, 300.0), "Fast, with a long delay"),
    Preset("lossy Wi-Fi", 0, 0, (40.0, 40.0), "Room too far from the access point", 20.0, 0.01),
    Preset("very bad", 1_000_000, 1_000_000, (500.0, 500.0), "The worst that a client should cope with", loss=0.1),
)
"""From the best to the worst, the last two by what is lost: mostly the figures of Apple's Network Link Conditioner."""


def fitting(protocol: str) -> list[Preset]:
    """Those that mean anything on ``protocol``."""
    return [preset for preset in PRESETS if preset.tables(protocol)]


def current(tables: Sequence[Options], protocol: str) -> Preset | None:
    """The network whose faults are all among ``tables``, by their names; None: of none."""
    names = {table.get("name") for table in tables}
    return next((one for one in fitting(protocol) if {t["name"] for t in one.tables(protocol)} <= names), None)


def replaced(tables: Sequence[Options], preset: Preset | None, protocol: str) -> tuple[Options, ...]:
    """``tables`` with the faults of ``preset`` in the place of those that another preset gave; None: without them.

    They are known by their names, so that what was renamed stays.
    """
    ours = {table["name"] for one in PRESETS for table in one.tables(protocol)}
    rest = tuple(table for table in tables if table.get("name") not in ours)
    return (*rest, *(preset.tables(protocol) if preset is not None else ()))
