"""What a run of ``listening-post serve`` is to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.capture.keeping.retention import Keeping
from app.capture.link import DEFAULT_LIMIT

if TYPE_CHECKING:
    from app.outposts.protocol import Allow
    from app.outposts.ways.keys import PublicKey
    from app.outposts.ways.login import Login


@dataclass(frozen=True, slots=True)
class Order:
    """What a run is to do with its workspace.

    Attributes:
        seed: of the faults of services that have none of their own.
        capture: the file to capture into; None: a new one.
        seconds: after which the run ends; None: only a signal ends it.
        as_json: print events as JSON.
        quiet: print no events, only which services listen, or why not.
        limit: the largest size of the capture in bytes.
        keeping: which older captures stay.
        metrics: the address at which metrics are served; "": nowhere.
        control: the socket through which another process reads and steers it.
        join: the router through which consoles do.
        seal: the consoles that alone may ask, by their names; empty: any may.
        allow: what they all may do.
        until_ended: end with the last of its programs, too.
    """

    seed: int
    capture: Path | None = None
    seconds: float | None = None
    as_json: bool = False
    quiet: bool = False
    limit: int = DEFAULT_LIMIT
    keeping: Keeping = field(default_factory=Keeping)
    metrics: str = ""
    control: Path | None = None
    join: Login | None = None
    seal: Mapping[str, PublicKey] = field(default_factory=dict)
    allow: Allow = "read"
    until_ended: bool = False

    @property
    def is_steered(self) -> bool:
        """Whether others can start services that do not run."""
        return self.control is not None or self.join is not None
