"""The rules of a script that wait for silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from app.responders.script.rules import Rule


class Silence:
    """Watches one connection, and calls ``on_silence`` with a rule when nothing came for the rule's ``after`` seconds.

    The time counts while the script has nothing to do. ``on_silence`` gets the number of the silence, too, from 1.
    """

    def __init__(
        self, rules: tuple[Rule, ...], reactor: Any, lasting: bool, on_silence: Callable[[Rule, int], None]
    ) -> None:
        """``lasting``: whether each further ``after`` seconds are another silence; otherwise one is told once."""
        self._rules, self._reactor, self._lasting, self._on_silence = rules, reactor, lasting, on_silence
        self._since = reactor.seconds()
        self._passed = [0] * len(rules)
        self._told = [0] * len(rules)
        self._resting = False
        self._timer: Any = None

    def restart(self) -> None:
        """Something came."""
        self._since = self._reactor.seconds()
        self._passed = [0] * len(self._rules)
        self._arm()

    def rest(self, resting: bool) -> None:
        """The script has nothing more to do, or begins to do something."""
        self._resting = resting
        self._arm()

    def stop(self) -> None:
        self._resting = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self, i: int) -> float | None:
        rule = self._rules[i]
        if (self._passed[i] and not self._lasting) or (rule.nth and self._told[i] >= rule.nth):
            return None
        return float(self._since + (self._passed[i] + 1) * rule.after)

    def _arm(self) -> None:
        if self._timer is None and self._resting:
            dues = [due for i in range(len(self._rules)) if (due := self._due(i)) is not None]
            if dues:
                delay = max(0.0, min(dues) - self._reactor.seconds())
                self._timer = self._reactor.callLater(delay, self._look)

    def _look(self) -> None:
        self._timer, now = None, self._reactor.seconds()
        for i, rule in enumerate(self._rules):
            due = self._due(i)
            # A timer may come a little early, and clocks round.
            if self._resting and due is not None and now >= due - 1e-6:
                self._passed[i] = max(self._passed[i] + 1, int((now - self._since) / rule.after))
                self._told[i] += 1
                self._on_silence(rule, self._told[i])
        self._arm()
