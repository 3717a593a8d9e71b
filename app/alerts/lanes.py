"""Tells what alerts have to tell, and tries again what could not be sent. Nothing is kept when the program ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredSemaphore
from twisted.internet.error import ConnectingCancelledError
from twisted.internet.interfaces import IDelayedCall

from app import events
from app.alerts import errors
from app.alerts.actions import Action, brief, parsed
from app.alerts.means import Means
from app.alerts.told import Told
from app.errors import PostError
from app.text.escapes import one_line

AT_ONCE = 4
"""Actions that connect to others at the same time."""

LONGEST = 60.0
"""Seconds that such an action may take."""

FIRST, FACTOR, MOST = 10.0, 2.0, 600.0
"""Seconds until it is tried again, by what they grow each time, and how long they get."""

GIVE_UP = 86_400.0
"""Seconds after which it is not tried again."""

WORDS = 1_000
"""Characters of what is recorded of an outcome."""

Allowed = Callable[[str, str, bool], PostError | None]
"""Why an alert (its name, one of its actions, whether the user tries it) may not do that; None if it may."""


@dataclass(slots=True)
class Outcome:
    """What became of telling: ``words`` say it, ``again`` in how many seconds it is tried again, if it is."""

    done: bool
    words: str
    again: float | None = None


class Lanes:
    """One lane for each action of each alert. In a lane there is one word under way, and one that waits: the newest.

    So what waits is bounded by what the workspace declares, however long a server is down.

    Attributes:
        changed: called when there is an outcome, with the name of its alert.
        outcomes: the last outcome, by alert and action.
    """

    def __init__(self, means: Means, allowed: Allowed, changed: Callable[[str], object]) -> None:
        self._means, self._allowed, self.changed = means, allowed, changed
        self._few = DeferredSemaphore(AT_ONCE)
        self._lanes: dict[tuple[str, str], _Lane] = {}
        self.outcomes: dict[tuple[str, str], Outcome] = {}

    def tell(self, told: Told, action: str) -> None:
        """Do one action of an alert, now or later."""
        if told.state == "resolved" and not parsed(action)[0].resolves:
            return
        key = told.alert, action
        if key not in self._lanes:
            self._lanes[key] = _Lane(self, action)
        self._lanes[key].put(told)

    def keep_only(self, wanted: set[tuple[str, str]]) -> None:
        """Forget what other actions than these (alert, action) have to tell."""
        for key in set(self._lanes) - wanted:
            self._lanes.pop(key).forget()
            self.outcomes.pop(key, None)

    def close(self) -> None:
        """Record what was not sent, since it is not kept."""
        for (alert, action), lane in self._lanes.items():
            if lane.forget():
                self.record(alert, action, Outcome(False, str(errors.EndedError())))
        self._lanes.clear()

    @property
    def waiting(self) -> int:
        """Words that are under way, or wait to be tried again."""
        return sum(lane.busy or lane.waiting is not None for lane in self._lanes.values())

    async def attempt(self, told: Told, text: str, means: Means | None = None) -> Outcome:
        """Do an action once, by other ``means`` than the usual ones if there are any. Raises nothing."""
        means = means or self._means
        try:
            if wrong := self._allowed(told.alert, text, told.state == "test"):
                raise wrong
            action, argument = parsed(text)
            if action.far:
                return Outcome(True, await self._few.run(self._bounded, action, argument, told, means))
            return Outcome(True, await action.act(told, argument, means))
        except PostError as e:
            return Outcome(False, str(e), FIRST if getattr(e, "again", False) else None)
        except (CancelledError, ConnectingCancelledError):
            return Outcome(False, "It took too long.", FIRST)
        except Exception as e:
            self._means.sender.recorder.record_failure(e, self._means.sender.number)
            return Outcome(False, f"{type(e).__name__}: {e}")

    def _bounded(self, action: Action, argument: str, told: Told, means: Means) -> Deferred[str]:
        acting: Deferred[str] = Deferred.fromCoroutine(action.act(told, argument, means))
        overdue = self._means.reactor.callLater(LONGEST, acting.cancel)

        def end(result: Any) -> Any:
            if overdue.active():
                overdue.cancel()
            return result

        return acting.addBoth(end)

    def record(self, alert: str, action: str, outcome: Outcome, *, test: bool = False) -> None:
        """Record an outcome, and remember it."""
        sender, shown, words = self._means.sender, brief(action), outcome.words[:WORDS]
        detail: dict[str, Any] = {"alert": alert, "action": shown}
        if test:
            detail["test"] = True
        if outcome.done:
            kind, detail["words"] = events.ALERT_SENT, words
            summary = f"{alert}: {shown}: {words}"
        else:
            kind, detail["reason"] = events.ALERT_UNSENT, words
            summary = f"{alert}: {shown}: {words}"
            if outcome.again is not None:
                detail["again"] = outcome.again
                summary += f" Tried again in {outcome.again:g} s."
        sender.recorder.record(kind, sender.number, summary=one_line(summary), detail=json.dumps(detail))
        if not test:
            self.outcomes[alert, action] = outcome
        self.changed(alert)


class _Lane:
    """The words of one action of one alert.

    Attributes:
        waiting: the word that is to be told next; None for none.
        busy: whether one is being told.
    """

    def __init__(self, lanes: Lanes, action: str) -> None:
        self._lanes, self._action = lanes, action
        self.waiting: Told | None = None
        self.busy = False
        self._missed = 0
        self._pause = FIRST
        self._since = 0.0
        self._timer: IDelayedCall | None = None
        self._task: Deferred[None] | None = None
        self._forgotten = False

    def put(self, told: Told) -> None:
        """Tell this; it takes the place of what waits."""
        if self.waiting is not None:
            self._missed += 1
        self.waiting, self._since = told, self._now()
        if not self.busy and self._timer is None:
            self._start()

    def forget(self) -> bool:
        """Tell nothing more. Returns whether something was not told."""
        self._forgotten = True
        left = self.busy or self.waiting is not None
        self.waiting = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()
        return left

    def _now(self) -> float:
        return float(self._lanes._means.reactor.seconds())

    def _start(self) -> None:
        self._timer = None
        self._task = Deferred.fromCoroutine(self._tell())
        self._task.addErrback(lambda failure: failure.trap(CancelledError))

    async def _tell(self) -> None:
        while self.waiting is not None:
            told, self.waiting = self.waiting, None
            self.busy = True
            try:
                outcome = await self._lanes.attempt(told.behind(self._missed), self._action)
            finally:
                self.busy = False
            if not self._go_on(told, outcome):
                return

    def _go_on(self, told: Told, outcome: Outcome) -> bool:
        """Take what became of a word. Returns whether the next can be told now."""
        if self._forgotten:
            return False
        if outcome.done:
            self._missed, self._pause = 0, FIRST
        elif outcome.again is not None and self._now() - self._since < GIVE_UP:
            outcome.again, self._pause = self._pause, min(self._pause * FACTOR, MOST)
            if self.waiting is None:
                self.waiting = told
            else:
                self._missed += 1
            self._timer = self._lanes._means.reactor.callLater(outcome.again, self._start)
        else:
            outcome.again, self._missed, self._pause = None, self._missed + 1, FIRST
        self._lanes.record(told.alert, self._action, outcome)
        return outcome.again is None
