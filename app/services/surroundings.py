"""Where services live: folders, names and relays that all services of one program share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from app.files.folders import data_folder
from app.responders.relay.loops import Loops
from app.responders.relay.outposts import Locate, nowhere
from app.services.answering import DatagramPorts
from app.services.budget import Budget
from app.services.config import ServiceConfig
from app.services.own_checks import OwnChecks
from app.text.variables import NONE, Variables


def draw_seed() -> int:
    """A seed for faults, from 1: short enough to be typed."""
    return secrets.randbelow(1 << 32) + 1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where services live.

    Attributes:
        folder: relative paths in a workspace start here.
        data: where the program keeps what outlives it; only its owner can read it.
        namespace: names that a manhole's prompt knows.
        loops: the connections that relays have opened, by which a relay to itself is found.
        datagram_ports: where the UDP services listen, so that two of them do not answer each other for ever.
        seed: gives the seed of the faults of a service that has none of its own.
        budget: what unfinished messages of peers may take.
        variables: gives the variables of the workspace, as they are now.
        checks: from where checks of watches connect.
        is_down: whether a watch has found that the server at a host and port is down.
        locate: where the service of an outpost listens; raises UpstreamAwayError.
        admit: raises NotTrustedError for a service that may not start; None: all may.
    """

    folder: Path = Path()
    data: Path = field(default_factory=data_folder)
    namespace: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    loops: Loops = field(default_factory=Loops)
    datagram_ports: DatagramPorts = field(default_factory=DatagramPorts)
    admit: Callable[[ServiceConfig], None] | None = None
    budget: Budget = field(default_factory=Budget)
    seed: Callable[[], int] = draw_seed
    checks: OwnChecks = field(default_factory=OwnChecks)
    is_down: Callable[[str, int], bool] = lambda host, port: False
    locate: Locate = nowhere
    variables: Callable[[], Variables] = lambda: NONE
