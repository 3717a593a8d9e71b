"""Rules of a service: how often each has applied, and what would happen to a request or message."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

from app.options import Options, kept
from app.responders.rulebook import Ruled
from app.responders.trial import Count, Message, Request, Trial, can_try, try_rules
from app.services.config import ServiceConfig
from app.services.hosts import Hosts
from app.services.protocols import PROTOCOLS
from app.text.variables import Variables


class Rules:
    """The rules of a service, and what answers by them.

    Args:
        built: what the responder has built for ``config``; None where it has not been since it was changed.
    """

    def __init__(self, config: ServiceConfig, built: Any) -> None:
        self._config = config
        self._able = can_try(config.responder, config.protocol)
        self._ruled = cast(Ruled | None, built) if self._able else None

    def counts(self) -> list[Count]:
        """How often each rule has been met since the start; none where there are no rules that are counted."""
        if self._ruled is not None:
            return self._ruled.counts()
        return [Count() for _ in self._of(self._config.options)]

    def reset(self, at: Collection[int] | None) -> None:
        """Count anew: the rules with these indexes; with None all, and the connections."""
        if self._ruled is not None:
            self._ruled.reset(at)

    def connections(self) -> int:
        return self._ruled.connection_count() if self._ruled is not None else 0

    def counts_for(self, options: Options) -> list[Count]:
        """The counts that the rules in other options would have after a change to them."""
        counts = self.counts()
        places = kept(self._of(self._config.options), self._of(options))
        return [Count() if place is None else counts[place] for place in places]

    def _of(self, options: Options) -> Sequence[Options]:
        rules: Sequence[Options] = options.get("rules", ()) if self._able else ()
        return rules


def tried(
    config: ServiceConfig,
    hosts: Hosts | None,
    asked: Request | Message,
    folder: Path,
    counts: Sequence[Count],
    connections: int,
    variables: Variables,
) -> Trial:
    """As ``try_rules``, with what the options of the protocol do. ``hosts``: those that are answered to. Blocks."""
    attempt = partial(
        try_rules, config.responder, config.protocol, config.options, asked, folder, counts, connections,
        variables,
    )  # fmt: skip
    around = PROTOCOLS[config.protocol].around()
    if around is None or not can_try(config.responder, config.protocol):
        return attempt()
    trial: Trial = around(config, hosts, asked, attempt)
    return trial
