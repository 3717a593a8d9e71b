"""The alerts of a workspace while the program runs: looks at what was stored, raises, resolves, and has it told."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall

from app import events
from app.alerts import password, past
from app.alerts.actions import brief as brief_action
from app.alerts.alert import Alert
from app.alerts.counting import Watched
from app.alerts.lanes import Allowed, Lanes, Outcome
from app.alerts.looking import Seen, brief, look
from app.alerts.mail import Mail
from app.alerts.means import Caller, Means
from app.alerts.own import NEAR, Call, Own
from app.alerts.told import Told
from app.capture.filters.language import parse
from app.capture.reading.reader import Reader
from app.capture.reading.told import Backwards
from app.capture.recorder import Recorder, Stored
from app.signal import Signal
from app.text.escapes import one_line

PAUSE = 0.25
"""Seconds between two looks at what was stored."""

BEHIND = 10_000
"""Events that wait, from which on they are looked at without a pause."""


@dataclass(slots=True)
class _Part:
    """What is still to be looked at in one capture: from ``next`` to ``last``."""

    path: Path
    next: int
    last: int


class Alerts:
    """Evaluates alerts on events as they are stored, once each, in a thread of its own that runs while there are any.

    While nothing is stored and nothing is raised, nothing is done.

    Attributes:
        watched: the alerts by name, in the order of the workspace.
        means: what actions use; whoever runs the program fills in how it shows and beeps.
        lanes: what is told, and could not be.
        changed: emits the Alerts when one of them, or what became of it, is another.
    """

    def __init__(
        self,
        reactor: Any,
        recorder: Recorder,
        sender: Caller,
        capture: Callable[[], Path | None],
        stop: Callable[[str], bool],
        allowed: Allowed,
    ) -> None:
        """``capture()`` is the file that is written now; ``stop`` stops a service."""
        self._reactor, self._recorder, self._capture = reactor, recorder, capture
        self._own = Own()
        self.means = Means(sender, stop, self._on_call, partial(password.of, reactor))
        self.changed: Signal[Alerts] = Signal()
        self.lanes = Lanes(self.means, allowed, lambda _: self.changed.emit(self))
        self.watched: dict[str, Watched] = {}
        self._parts: deque[_Part] = deque()
        self._reader: Reader | None = None
        self._unhook: Callable[[], None] | None = None
        self._looking = False
        self._timer: IDelayedCall | None = None
        self._calm: dict[str, IDelayedCall] = {}
        self._past: Backwards | None = None
        sender.connected.connect(self._on_call)

    # -- what is looked for

    def configure(self, alerts: Sequence[Alert], mail: Mail | None) -> None:
        """Have these alerts. One that is the same goes on; another begins with what is stored from now on."""
        self.means.mail = mail
        before, self.watched = self.watched, {}
        for alert in alerts:
            known = before.get(alert.name)
            if known is None or known.alert != alert:
                known = Watched(alert)
                self._cancel_calm(alert.name)
            self.watched[alert.name] = known
        for name in before.keys() - self.watched.keys():
            self._cancel_calm(name)
        self.lanes.keep_only({(alert.name, action) for alert in alerts for action in alert.then})
        if self.watched and self._unhook is None:
            self._parts.clear()
            self._unhook = self._recorder.stored_changed.connect(self._on_stored)
            self._on_stored(self._recorder.range)
        elif not self.watched:
            self._rest()
        self.changed.emit(self)

    def close(self) -> None:
        """Look no more, tell no more; what was not sent is recorded."""
        self._forget()
        self._rest()
        for name in list(self._calm):
            self._cancel_calm(name)
        self.lanes.close()
        self.watched = {}

    def _rest(self) -> None:
        if self._unhook is not None:
            self._unhook()
            self._unhook = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        self._looking = False
        self._parts.clear()

    # -- what became of them before the program was started

    def remember(self, path: Path, last: int) -> None:
        """Have what the capture says of these alerts, up to the event ``last``; what is known already stays."""
        self._forget()
        if self.watched and last:
            self._past = Backwards(path, self._reactor.callFromThread, last, past.found, self._on_past)

    def _forget(self) -> None:
        if self._past is not None:
            self._past.close()
            self._past = None

    def _on_past(self, found: past.Found) -> bool:
        for name, one in self.watched.items():
            one.raised_at = one.raised_at or found.raised.get(name, 0)
            for action in one.alert.then:
                outcome = found.outcomes.get((name, brief_action(action)))
                if outcome is not None:
                    self.lanes.outcomes.setdefault((name, action), outcome)
        self.changed.emit(self)
        return any(
            not one.raised_at or any((name, action) not in self.lanes.outcomes for action in one.alert.then)
            for name, one in self.watched.items()
        )

    # -- looking

    def _on_stored(self, stored: Stored) -> None:
        path = self._capture()
        if path is None:
            return
        part = self._parts[-1] if self._parts else None
        if part is None or part.path != path:
            part = _Part(path, stored.last + 1, stored.last)  # the first word of a file comes before what is new in it
            self._parts.append(part)
        elif stored.last < part.next - 1:
            part.next = stored.first  # another file is in the place of the one that was taken away
        part.next, part.last = max(part.next, stored.first), stored.last
        self._look_soon()

    def _look_soon(self) -> None:
        if self._timer is None and not self._looking and self._pending():
            self._timer = self._reactor.callLater(PAUSE, self._look)

    def _pending(self) -> bool:
        """Whether there is something to look at. Files that are done with are left."""
        while len(self._parts) > 1 and self._parts[0].next > self._parts[0].last:
            self._parts.popleft()
        return bool(self._parts) and self._parts[0].next <= self._parts[0].last

    def _look(self) -> None:
        self._timer = None
        if not self._pending():
            return
        part = self._parts[0]
        if self._reader is None:
            self._reader = Reader(part.path, self._reactor.callFromThread)
        elif self._reader.path != part.path:
            self._reader.switch(part.path)
        self._looking = True
        watched = list(self.watched.values())
        wheres = [parse(one.alert.when) for one in watched]
        first, last, traffic = part.next, part.last, self._own.traffic
        reader = self._reader
        reader.read(
            lambda store: look(store, wheres, first, last, traffic),
            None,
            lambda seen: self._on_seen(reader, part, watched, seen),
        )

    def _on_seen(self, reader: Reader, part: _Part, watched: list[Watched], seen: Seen | None) -> None:
        if reader is not self._reader:
            return  # there are no alerts any more, or others since
        self._looking = False
        if seen is None:  # it cannot be read now
            if len(self._parts) > 1:
                part.next = part.last + 1  # nor will it be: the program captures into another
                self._look_soon()
            return
        part.next = max(part.next, seen.upto + 1)
        self._own.found(seen.accepted)
        now = self._reactor.seconds()
        for one, found in zip(watched, seen.found, strict=True):
            if self.watched.get(one.alert.name) is not one:
                continue
            if found.trouble != one.trouble:
                one.trouble = found.trouble
                if found.trouble:
                    self._record(events.LOG, f"the alert {one.alert.name} cannot be looked for: {found.trouble}", {})
            if count := one.take(found, now):
                self._raise(one, count, now)
        if self._pending() and self._parts[0].last - self._parts[0].next > BEHIND:
            self._look()  # behind: at once
        else:
            self._look_soon()

    # -- raising and resolving

    def _raise(self, one: Watched, count: int, now: float) -> None:
        again = one.began < now
        seconds = round(now - one.told, 3) if again else one.alert.within_seconds
        one.told, one.raised_at = now, time_ns()
        name = one.alert.name
        if name not in self._calm:
            self._calm[name] = self._reactor.callLater(one.alert.quiet_seconds, self._on_calm, name)
        told = Told(name, "raised", one.alert.when, count, seconds, one.raised_at)
        detail: dict[str, Any] = {"alert": name, "count": count, "seconds": seconds, "event": one.last}
        if again:
            detail["again"] = True
        assert self._reader is not None
        self._record(events.ALERT_RAISED, told.title, detail)
        nothing: dict[str, Any] = {}
        self._reader.read(lambda store: brief(store, detail["event"]), nothing, lambda e: self._tell(one, told, e))
        self.changed.emit(self)

    def _tell(self, one: Watched, told: Told, event: dict[str, Any]) -> None:
        if self.watched.get(told.alert) is one:
            self._tell_all(one, replace(told, event=event))

    def _tell_all(self, one: Watched, told: Told) -> None:
        for action in dict.fromkeys(one.alert.then):
            self.lanes.tell(told, action)

    def _on_calm(self, name: str) -> None:
        del self._calm[name]
        one = self.watched[name]
        now = self._reactor.seconds()
        if (left := one.calm_at() - now) > 0:
            self._calm[name] = self._reactor.callLater(left, self._on_calm, name)
            return
        one.resolve()
        seconds = round(now - one.began, 3)
        told = Told(name, "resolved", one.alert.when, one.since, seconds, time_ns())
        self._record(events.ALERT_RESOLVED, told.title, {"alert": name, "count": one.since, "seconds": seconds})
        self._tell_all(one, told)
        self.changed.emit(self)

    def _cancel_calm(self, name: str) -> None:
        call = self._calm.pop(name, None)
        if call is not None:
            call.cancel()

    def _record(self, kind: int, summary: str, detail: dict[str, Any]) -> None:
        number = self.means.sender.number
        self._recorder.record(kind, number, summary=one_line(summary), detail=json.dumps(detail))

    # -- trying

    @property
    def now(self) -> float:
        """The time of the clock by which alerts are quiet."""
        return float(self._reactor.seconds())

    def attempt(self, alert: Alert, action: str, means: Means | None = None) -> Deferred[Outcome]:
        """Do one action of an alert, in the workspace or not, as a test. Fires with what became of it.

        ``means`` are others than those that alerts use.
        """
        told = Told(alert.name, "test", alert.when, 0, alert.within_seconds, time_ns())

        async def attempt() -> Outcome:
            outcome = await self.lanes.attempt(told, action, means)
            outcome.again = None
            self.lanes.record(alert.name, action, outcome, test=True)
            return outcome

        return Deferred.fromCoroutine(attempt())

    # -- our own traffic

    def _on_call(self, ports: tuple[int, int]) -> None:
        """We have connected, from a port to another. What accepts that here has one of the next or the last numbers."""
        newest = self._recorder.connections
        self._own.called(Call(*ports, newest - NEAR, newest + NEAR))
