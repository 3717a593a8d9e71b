"""The connections of checks: made by the clients that send, recorded under a name of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from app.capture.recorder import Recorder
from app.sending.sender import Sender
from app.sending.url import URL
from app.services.budget import Budget
from app.services.own_checks import OwnChecks
from app.watch.check import OneCheck
from app.watch.config import WatchConfig
from app.watch.lookups import Lookups
from app.watch.owner import CheckOwner
from app.watch.result import Result

NAME = "watch"
"""The name, and the protocol, that captured events of checks have in place of a service's."""


class Checking:
    """Checks targets, each over a connection of its own.

    Attributes:
        sender: the owner of these connections.
    """

    def __init__(
        self,
        reactor: Any,
        recorder: Recorder,
        data: Path,
        budget: Budget | None = None,
        checks: OwnChecks | None = None,
    ) -> None:
        """``checks`` is told from where checks connect."""
        self.sender = Sender(reactor, recorder, data, budget, NAME)
        self._checks = checks or OwnChecks()
        self._lookups = Lookups(self.sender.in_thread)

    def check(self, config: WatchConfig, url: URL) -> Deferred[Result]:
        """Check once. See ``app.watch.watches.Check``."""
        owner = CheckOwner(self.sender, self._checks, config, url)
        done = OneCheck(config, url, owner, self._lookups).run()
        return done.addBoth(self._ended, owner)

    def _ended(self, result: Any, owner: CheckOwner) -> Any:
        owner.end()
        return result
