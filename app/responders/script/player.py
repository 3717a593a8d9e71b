"""Plays a script for one connection: message by message, step by step."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import thread_time
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from app.errors import PostError
from app.failures.record import CONTEXT_LINES, MAX_VALUE, Frame, place
from app.files.confined import read
from app.limits import FRAMING, Reached
from app.options import Options
from app.responders.script import errors
from app.responders.script.rules import Rule, Step
from app.responders.script.silence import Silence
from app.responders.script.wires import END_BY, Wire
from app.text.escapes import PREVIEW, preview
from app.text.variables import prefixed

if TYPE_CHECKING:
    from app.responders import Context

MAX_WAITING, MAX_WAITING_BYTES = 1000, 256 << 10
"""Messages, and bytes of messages, that may wait for a script. Above either, the peer is paused."""

AT_ONCE = 500
"""Rules tried and steps done before the reactor gets a turn."""

SLOW_SEARCH = 0.005
"""Seconds of CPU time for one regex search, after which the reactor gets a turn at once."""

CONGESTION_POLL = 0.05
"""Seconds between two looks at whether a congested peer reads again."""


class Script:
    """The rules of a service, which can change while it runs, and its connections.

    Attributes:
        rules: all of them, also those that are off.
        connections: number of connections so far.
        connected, idle: the rules for these two values of ``when``.
        message: the rules for messages.
    """

    def __init__(self, rules: Sequence[Rule], context: Context) -> None:
        self.context = context
        self.connections = 0
        self._players: set[Player] = set()
        self._use(rules)

    def change(self, rules: Sequence[Rule]) -> None:
        """Go by other rules from the next message on; steps that are being done are finished."""
        before = self.idle
        self._use(rules)
        if _silences(before) != _silences(self.idle):
            for player in self._players:
                player.watch_silence()

    def opened(self, player: Player) -> int:
        """A connection was made. Returns its number."""
        self._players.add(player)
        self.connections += 1
        return self.connections

    def closed(self, player: Player) -> None:
        self._players.discard(player)

    def _use(self, rules: Sequence[Rule]) -> None:
        on = [rule for rule in rules if rule.on]
        self.rules = tuple(rules)
        self.connected = tuple(rule for rule in on if rule.when == "connected")
        self.idle = tuple(rule for rule in on if rule.when == "idle")
        self.message = tuple(rule for rule in on if rule.when not in ("connected", "idle"))


def _silences(rules: Sequence[Rule]) -> list[Options]:
    return [rule.table for rule in rules]


@dataclass(slots=True)
class _Job:
    """One thing that happened on the connection, and the rules that may apply to it.

    Attributes:
        rules: None: those for messages, as they are when its turn comes.
        nth: the number of this message, silence or connection, compared with a rule's ``nth``.
        count: messages up to it.
        message: what came; None where it is not about a message.
        end: why it is the last; empty: it is not.
        reached: the limit for which it is the last.
    """

    rules: tuple[Rule, ...] | None
    count: int
    message: bytes | None = None
    nth: int = 0
    end: str = ""
    reached: Reached | None = None


class Player:
    """One connection's place in a script."""

    def __init__(self, script: Script, wire: Wire) -> None:
        self._script, self._wire, self._reactor = script, wire, script.context.reactor
        self._connection = script.opened(self)
        self._jobs: deque[_Job] = deque()
        self._bytes = self._count = self._turns = 0
        self._paused, self._busy, self._open, self._started = False, False, True, False
        self._awaited: Deferred[Any] | None = None
        self._silence: Silence | None = None
        self.watch_silence()

    def watch_silence(self) -> None:
        """Wait for the silences that the rules are about now."""
        if self._silence is not None:
            self._silence.stop()
            self._silence = None
        if self._script.idle and self._open:
            self._silence = Silence(self._script.idle, self._reactor, self._wire.lasting, self._on_silence)
            self._silence.rest(self._started and not self._busy)

    # -- what happens on the connection

    def start(self) -> None:
        """The connection was made."""
        self._started = True
        self._add(_Job(self._script.connected, 0, nth=self._connection))

    def received(self, messages: Iterable[bytes]) -> None:
        """Data was received; ``messages`` are those that it completed, perhaps none."""
        if self._silence is not None:
            self._silence.restart()
        for message in messages:
            self._count += 1
            self._add(_Job(None, self._count, message, self._count))

    def finish(self, why: str, reached: Reached | None = None) -> None:
        """No more messages can be received: close once the waiting ones are answered."""
        self._add(_Job((), self._count, end=why, reached=reached))

    def end_by(self, reached: Reached) -> None:
        """A limit was reached. Close once the waiting messages are answered, or at once if they take the room."""
        if reached.limit is FRAMING:
            self.finish(END_BY[FRAMING], reached)
        elif self._open:
            self._stop()
            self._wire.end_by(reached)

    def ended(self) -> None:
        """The connection was lost."""
        self._script.closed(self)
        self._paused = False
        self._stop()
        if self._awaited is not None:
            self._awaited.cancel()

    @property
    def full(self) -> bool:
        """Whether more messages wait than may."""
        return len(self._jobs) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES

    def _on_silence(self, rule: Rule, nth: int) -> None:
        self._add(_Job((rule,), self._count, nth=nth))

    # -- what the script does

    def _add(self, job: _Job) -> None:
        if not self._open:
            return
        self._jobs.append(job)
        self._bytes += len(job.message or b"")
        if not self._busy:
            self._busy = True
            if self._silence is not None:
                self._silence.rest(False)
            Deferred.fromCoroutine(self._work())
        if self._bytes and (reached := self._wire.waiting(self._bytes)):
            self.end_by(reached)
        if self._open and self.full and not self._paused:
            self._paused = True
            self._wire.pause_reading()

    async def _work(self) -> None:
        while self._jobs:
            job = self._jobs.popleft()
            try:
                await self._play(job)
            except CancelledError:
                break
            except Exception as e:
                self._wire.failed(e, job.message)
                if self._wire.lasting:
                    self._stop()
            self._bytes -= len(job.message or b"")
            self._wire.waiting(self._bytes)
            if self._paused and not self.full:
                self._paused = False
                self._wire.resume_reading()
        self._busy = False
        if self._open and self._silence is not None:
            self._silence.rest(True)

    async def _play(self, job: _Job) -> None:
        if job.end:
            if job.reached is not None:
                self._wire.record_limit(job.reached)
            self._close(job.end)
        for rule in self._script.message if job.rules is None else job.rules:
            captures = await self._match(rule, job)
            if captures is None:
                continue
            rule.tally.hits += 1
            values = {**prefixed(self._script.context.variables), **captures}
            values |= {"message": job.message or b"", "count": job.count, "conn": self._connection}
            self._wire.rule = rule.number
            for index, step in enumerate(rule.steps):
                await self._take_turns()
                if not self._open:
                    return
                try:
                    await self._do(step, {**values, **self._wire.facts()})
                except PostError as e:
                    place(e, _frame(rule, index))
                    raise
            if not rule.continues:
                return

    async def _match(self, rule: Rule, job: _Job) -> Mapping[str, object] | None:
        await self._take_turns()
        if rule.nth not in (0, job.nth):
            return None
        message = job.message or b""
        if rule.pattern is None:
            return rule.match(message)
        began = thread_time()
        captures = rule.match(message)
        if thread_time() - began > SLOW_SEARCH:
            await self._sleep(0)
        return captures

    async def _take_turns(self) -> None:
        """Give the reactor a turn, once in ``AT_ONCE`` calls."""
        self._turns += 1
        if self._turns % AT_ONCE == 0:
            await self._sleep(0)

    async def _do(self, step: Step, values: Mapping[str, object]) -> None:
        match step.verb:
            case "send":
                await self._send(step.argument.render(values))
            case "send-hex":
                await self._send(step.argument, binary=True)
            case "send-file":
                context = self._script.context
                content = await self._wait(context.in_thread(read, context.folder, step.argument))
                await self._send(content)
            case "raw":
                await self._uncongested()
                self._wire.send_raw(step.argument.render(values))
            case "wait":
                await self._sleep(step.argument)
            case "log":
                text = step.argument.render(values)
                self._wire.log(preview(text[: 8 * PREVIEW], len(text)))
            case "fail":
                text = step.argument.render(values).decode("utf-8", "backslashreplace")
                raise errors.ScriptFailedError(text=text)
            case "half-close":
                self._wire.half_close()
            case "close":
                self._close("closed by us")
            case "reset":
                self._stop()
                self._wire.reset()

    async def _send(self, message: bytes, binary: bool = False) -> None:
        await self._uncongested()
        self._wire.send(message, binary)

    async def _uncongested(self) -> None:
        """Wait until the peer reads what it was sent."""
        while self._wire.congested:
            await self._sleep(CONGESTION_POLL)

    async def _sleep(self, seconds: float) -> None:
        await self._wait(deferLater(self._reactor, seconds, lambda: None))

    async def _wait(self, deferred: Deferred[Any]) -> Any:
        self._awaited = deferred
        try:
            return await deferred
        finally:
            self._awaited = None

    def _close(self, why: str) -> None:
        self._stop()
        self._wire.close(why)

    def _stop(self) -> None:
        self._open = False
        self._jobs.clear()
        if self._silence is not None:
            self._silence.stop()
        if self._paused:
            # The peer's answer to the close must be read.
            self._paused = False
            self._wire.resume_reading()


def _frame(rule: Rule, index: int) -> Frame:
    """A step as a traceback shows it, with those around it."""
    lines: Sequence[str] = rule.table.get("then", ())
    first = max(0, index - CONTEXT_LINES)
    around = enumerate(lines[first : index + 1 + CONTEXT_LINES], first + 1)
    when = f"{rule.when} {rule.table.get('match', '')}".strip()
    source = tuple((number, line[:MAX_VALUE]) for number, line in around)
    return Frame(f"<rule {rule.number}>", index + 1, when[:MAX_VALUE], source)
