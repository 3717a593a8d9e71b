"""The watches of a workspace: checks them in their turns, and records what they find."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import time_ns
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredLock, DeferredSemaphore
from twisted.internet.interfaces import IDelayedCall

from app import events
from app.capture.reading.told import Backwards
from app.capture.recorder import Recorder
from app.errors import PostError
from app.responders.relay.outposts import Locate, nowhere
from app.sending.url import URL
from app.services.service import Service
from app.signal import Signal
from app.status import Failed, Listening, Starting, Stopping, Waiting
from app.text.escapes import one_line
from app.watch import past, targets, turns
from app.watch.config import WatchConfig, on_outpost
from app.watch.result import Result, Watch

AT_ONCE = 8
"""Checks that run at the same time; others wait."""

Check = Callable[[WatchConfig, URL], Deferred[Result]]
"""Checks a target once. Fires with what came of it, and takes no longer than its ``timeout_seconds``; it can be
cancelled."""


class Watches(Mapping[str, Watch]):
    """The watches of a workspace by their names, in its order.

    Attributes:
        changed: emits a watch when something about it has changed: a result, its state, whether it runs.
        list_changed: emits this when there are others, or in another order.
    """

    def __init__(
        self,
        clock: Any,
        recorder: Recorder,
        check: Check,
        services: Callable[[], Mapping[str, Service]],
        locate: Locate = nowhere,
    ) -> None:
        """``services`` gives those whose names can be targets, ``locate`` says where those of outposts are."""
        self._clock, self._recorder, self._check = clock, recorder, check
        self._services, self._locate = services, locate
        self.changed: Signal[Watch] = Signal()
        self.list_changed: Signal[Watches] = Signal()
        self._watches: dict[str, Watch] = {}
        self._calls: dict[str, IDelayedCall] = {}
        self._checks: dict[Watch, Deferred[None] | None] = {}
        self._locks: dict[str, DeferredLock] = {}
        self._room = DeferredSemaphore(AT_ONCE)
        self._began: float | None = None
        self._down: frozenset[tuple[str, int] | None] = frozenset()
        self._past: Backwards | None = None

    def __getitem__(self, name: str) -> Watch:
        return self._watches[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._watches)

    def __len__(self) -> int:
        return len(self._watches)

    def configs(self) -> tuple[WatchConfig, ...]:
        return tuple(watch.config for watch in self._watches.values())

    def is_down(self, host: str, port: int) -> bool:
        """Whether a watch has found that the server there is down."""
        return bool(self._down) and targets.normal((host, port)) in self._down

    def _on_state(self) -> None:
        """A watch is in another state, or is gone: relays ask for each connection which of their upstreams are down."""
        down = (watch.config for watch in self._watches.values() if watch.state == "down")
        self._down = frozenset(targets.place_of(config, self._services(), self._locate) for config in down) - {None}

    # -- which there are, and which of them run

    def become(self, configs: Sequence[WatchConfig], held: Callable[[WatchConfig], str] = lambda _: "") -> None:
        """These are the watches now. Those whose settings are the same go on; ``held`` says why one may not run."""
        old = self._watches
        kept = {c.name: old[c.name] for c in configs if c.name in old and old[c.name].config == c}
        for name, watch in old.items():
            if name not in kept:
                self._stop(watch)
        self._watches = {config.name: kept.get(config.name) or Watch(config) for config in configs}
        self.hold(held)
        self._on_state()
        if list(old.values()) != list(self._watches.values()):
            self.list_changed.emit(self)

    def hold(self, held: Callable[[WatchConfig], str]) -> None:
        """``held`` says why a watch may not run; "" where it may."""
        for watch in self._watches.values():
            before, watch.held = watch.held, held(watch.config)
            if watch.held:
                self._stop(watch)
                self._set_aside(watch, watch.held)
            else:
                if before:
                    watch.words = ""
                    self.changed.emit(watch)
                self._begin(watch)

    def start(self) -> None:
        """Check from now on."""
        if self._began is None:
            self._began = self._clock.seconds()
            for watch in self._watches.values():
                self._begin(watch)

    def stop(self) -> None:
        """Check no more. What is under way is given up."""
        self._began = None
        self.forget()
        for watch in self._watches.values():
            self._stop(watch)

    def pause(self, name: str, paused: bool = True) -> None:
        """Check this watch no more until it goes on, for which ``paused`` is false."""
        watch = self._watches.get(name)
        if watch is None or watch.paused == paused:
            return
        watch.paused = paused
        if paused:
            self._stop(watch)
        else:
            self._begin(watch)
        self.changed.emit(watch)

    def check_now(self, name: str) -> None:
        """Check it now, also where it is paused; nothing where it may not run, or a check is under way."""
        watch = self._watches.get(name)
        if watch is not None and not watch.held and watch not in self._checks:
            self._turn(watch)

    def _begin(self, watch: Watch) -> None:
        name, config = watch.config.name, watch.config
        if self._began is None or watch.held or watch.paused or name in self._calls or watch in self._checks:
            return
        now = self._clock.seconds()
        self._calls[name] = self._clock.callLater(turns.first(name, config.every_seconds, now) - now, self._turn, watch)

    def _stop(self, watch: Watch) -> None:
        call = self._calls.pop(watch.config.name, None)
        if call is not None and call.active():
            call.cancel()
        check = self._checks.pop(watch, None)
        watch.running = False
        if check is not None:
            check.cancel()

    def on_service(self, service: Service) -> None:
        """The status of a service has changed: what watches it is checked anew, or set aside."""
        if isinstance(service.status, Starting | Stopping):
            return  # one that is tried again and again is down all the while
        self._on_state()  # it may be at another address now
        for watch in self._watches.values():
            if watch.config.target == service.config.name and self._began is not None and not watch.held:
                self._stop(watch)
                if isinstance(service.status, Listening | Failed | Waiting):
                    self._begin(watch)
                elif not watch.paused:
                    self._turn(watch)

    def remember(self, path: Path, last: int) -> None:
        """Add what the capture has of earlier checks, up to the event ``last``."""
        self.forget()
        if self._watches and last:
            watches = {(watch.config.name, watch.config.target): watch for watch in self._watches.values()}
            take = partial(self._on_past, watches)
            self._past = Backwards(path, self._clock.callFromThread, last, past.found, take)

    def forget(self) -> None:
        """Look no more for earlier checks."""
        if self._past is not None:
            self._past.close()
            self._past = None

    def _on_past(self, watches: dict[past.Name, Watch], found: past.Found) -> bool:
        for name, (checks, well) in found.counts.items():
            watch = watches.get(name)
            if watch is not None and self._watches.get(name[0]) is watch:
                watch.remember(found.results[name], checks, well)
                self.changed.emit(watch)
        return True

    # -- one turn

    def _turn(self, watch: Watch) -> None:
        call = self._calls.pop(watch.config.name, None)
        if call is not None and call.active():
            call.cancel()
        self._checks[watch] = None
        done = Deferred.fromCoroutine(self._look(watch)).addBoth(self._after, watch)
        if watch in self._checks:
            self._checks[watch] = done
            watch.running = True
            self.changed.emit(watch)

    def _after(self, _: object, watch: Watch) -> None:
        if watch not in self._checks:
            return  # it was stopped
        ended, watch.running = self._checks.pop(watch), False
        if self._began is not None and not (watch.held or watch.paused):
            config, now = watch.config, self._clock.seconds()
            due = turns.following(config.name, config.every_seconds, self._began, now)
            self._calls[config.name] = self._clock.callLater(due - now, self._turn, watch)
        if ended is not None:
            self.changed.emit(watch)

    async def _look(self, watch: Watch) -> None:
        """Check once, and record what is found. Raises nothing."""
        try:
            services = self._services()
            found = targets.find(watch.config, services, self._locate)
            if found is None:
                return
            if isinstance(found, targets.Idle):
                self._set_aside(watch, found.words)
                return
            if isinstance(found, targets.Dead):
                result = Result(False, 0.0, found.words, time=time_ns())
            else:
                away = on_outpost(watch.config.target, services)  # an address like any other, then
                config = replace(watch.config, target=found.text) if away else watch.config
                result = await self._alone(config, found)
        except CancelledError:
            return
        except PostError as e:
            result = Result(False, 0.0, str(e), time=time_ns())
        except Exception as e:
            self._recorder.record_failure(e)
            result = Result(False, 0.0, f"the check itself broke: {type(e).__name__}", time=time_ns())
        if watch in self._checks:  # otherwise it was stopped: how that ended says nothing of its target
            self._take(watch, result)

    async def _alone(self, config: WatchConfig, url: URL) -> Result:
        """Check once nobody else does at this address."""
        place = url.address
        lock = self._locks.setdefault(place, DeferredLock())
        await lock.acquire()
        try:
            await self._room.acquire()
            try:
                return await self._check(config, url)
            finally:
                self._room.release()
        finally:
            lock.release()
            if not (lock.locked or lock.waiting):
                self._locks.pop(place, None)

    def _set_aside(self, watch: Watch, words: str) -> None:
        if watch.set_aside(words, self._clock.seconds()):
            self._on_state()
            self.changed.emit(watch)

    def _take(self, watch: Watch, result: Result) -> None:
        config, since, was = watch.config, watch.since, watch.state
        now_in = watch.take(result, self._clock.seconds())
        if now_in is not None or on_outpost(config.target, self._services()):  # that may have moved
            self._on_state()
        about: dict[str, Any] = {"watch": config.name, "target": config.target}
        detail = about | {"ok": result.ok, "milliseconds": round(result.milliseconds, 3), "reason": result.reason}
        detail |= {"status": result.status} if result.status else {}
        detail |= {"expires": result.expires} if result.expires else {}
        words = f"ok  {result.milliseconds:.1f} ms" if result.ok else result.reason
        self._record(events.WATCH_CHECKED, f"{config.name}: {words}", detail, result.conn)
        if now_in == "down":
            summary = f"{config.name} is down, {_times(watch.failed_in_row)}: {result.reason}"
            failed = about | {"reason": result.reason, "checks": watch.failed_in_row}
            self._record(events.WATCH_FAILED, summary, failed, result.conn)
        elif now_in == "up" and was == "down":
            seconds = watch.since - since
            summary = f"{config.name} is up again, after {_lasted(seconds)}"
            self._record(events.WATCH_RECOVERED, summary, about | {"seconds": seconds}, result.conn)
        self.changed.emit(watch)

    def _record(self, kind: int, summary: str, detail: dict[str, Any], conn: int) -> None:
        self._recorder.record(kind, 0, conn, summary=one_line(summary), detail=json.dumps(detail))


def _times(checks: int) -> str:
    return "after one check" if checks == 1 else f"after {checks:,} checks in a row"


def _lasted(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
