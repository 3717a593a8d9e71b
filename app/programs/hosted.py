"""A hosted program of a workspace: its life cycle."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from app import events
from app.capture.recorder import Recorder
from app.errors import PostError, system_words
from app.files.names import typed
from app.programs import port_faults
from app.programs.config import ON_CHANGE, ON_FAILURE, ProgramConfig, python_of
from app.programs.ending import in_words
from app.programs.following import Files, InThread
from app.programs.open_ports import OpenPorts
from app.programs.process import Process
from app.programs.shown import HostedPort
from app.programs.starting import Program, of_run
from app.services import settings
from app.services.errors import NotTrustedError
from app.services.restart import FAILED, Restart
from app.signal import Signal
from app.status import Failed, Held, Running, Starting, Status, Stopped, Stopping, Waiting

GRACE = 5.0
"""Seconds that a program has to end before it is killed."""

SETTLED = 30.0
"""Seconds after which a program that runs counts as well: its next failure is the first one again."""

UNSEEN = "the program goes on, but the pipe through which its events come is closed: nothing more is seen of it"


def _program_of(config: ProgramConfig, folder: Path) -> Program:
    return of_run(config.run, folder / typed(config.folder), python_of(config, folder))


_TERMS = settings.filled("restart", "tcp", {"when": FAILED})
"""As for a service, with each default."""


class HostedProgram:
    """One ``[[program]]``.

    Attributes:
        config: its declaration.
        number: in the recorder; its log is recorded under that.
        status: what it is doing; ``status_changed`` emits it after each change.
        open: its ports.
        wanted: whether it was to start while it was held.
        said: how it has ended last, in words; empty before that.
    """

    def __init__(
        self,
        config: ProgramConfig,
        reactor: Any,
        recorder: Recorder,
        folder: Path,
        in_thread: InThread,
        admit: Callable[[ProgramConfig], object],
        seed: Callable[[], int],
    ) -> None:
        """``admit`` raises NotTrustedError where it may not start; ``seed`` is that of the faults of a port."""
        self.config, self.reactor, self.recorder, self.folder = config, reactor, recorder, folder
        self._in_thread, self._admit, self._seed = in_thread, admit, seed
        self.number = recorder.add_service(config.name, "program")
        self.status: Status = Stopped()
        self.status_changed: Signal[HostedProgram] = Signal()
        self.open = OpenPorts(config.name, self.number, recorder, reactor, self._order, self._faults_of)
        self.wanted = False
        self.said = ""
        self._restart = Restart(reactor, self._try_again)
        self._files = Files(reactor, in_thread, self._on_changed)
        self._process: Process | None = None
        self._last = ""
        self._blocked = ""
        self._began = 0.0
        self._again = self._killed = False
        self._stopped: list[Deferred[None]] = []
        self._next: Deferred[None] | None = None
        self._overdue: Any = None

    @property
    def running(self) -> bool:
        """Whether it runs, or is on its way up or down, or waits for its next try."""
        return isinstance(self.status, Starting | Running | Stopping | Waiting)

    @property
    def seconds_left(self) -> float:
        """Until it is tried again, while its status is ``Waiting``."""
        return self._restart.seconds_left

    def bytes_so_far(self) -> tuple[int, int]:
        """Bytes received and sent by the ports that are there."""
        totals = [port.bytes_so_far() for port in self.ports.values()]
        return sum(received for received, _ in totals), sum(sent for _, sent in totals)

    @property
    def ports(self) -> dict[int, HostedPort]:
        """By their numbers in the program."""
        return self.open.all

    @property
    def pid(self) -> int:
        """Its process; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    def _set(self, status: Status) -> None:
        self.status = status
        self.status_changed.emit(self)

    # -- starting

    async def start(self) -> Status:
        """Start it. An error becomes its status."""
        if isinstance(self.status, Waiting):
            self._restart.cut_short()
        elif self.running:
            return self.status
        self._set(Starting())
        place = self.folder / typed(self.config.folder)
        try:
            self._admit(self.config)
            program = await self._in_thread(_program_of, self.config, self.folder)
            if isinstance(self.status, Stopping):
                self._end(Stopped())
                return self.status
            self._watch([os.path.join(place, self.config.run[0])])
            process = Process(
                self.reactor, self.recorder, self.number, self.open, self, self._in_thread, self._on_ended
            )
            self._process, self._killed = process, False
            self.said = self._last = self._blocked = ""
            # What a port draws before it is known here, it draws by the seed that is shown for it.
            self.open.seed = self._seed()
            process.start(program, place, dict(self.config.ports), self.config.faults, self.open.seed)
        except NotTrustedError as e:
            self.wanted = True
            self._set(Held(str(e), str(e.fields["asks"])))
        except (PostError, OSError, RuntimeError) as e:
            self._process = None
            words = str(e) if isinstance(e, PostError) else f"It cannot be started: {system_words(e)}."
            self._fail(words)
        else:
            self._began = self.reactor.seconds()
            self._set(Running(process.pid))
        return self.status

    def hold(self, why: NotTrustedError | None) -> None:
        """It may not start, and says why; with None it may. One that runs is left alone."""
        if why is not None and (isinstance(self.status, Waiting) or not self.running):
            self.wanted = self.wanted or isinstance(self.status, Waiting)
            self._restart.forget()
            self._set(Held(str(why), str(why.fields["asks"])))
        elif why is None and isinstance(self.status, Held):
            self._set(Stopped())

    def _watch(self, files: list[str]) -> None:
        if self.config.restart == ON_CHANGE:
            self._files.add(files)

    def _try_again(self) -> None:
        status = self.status
        if isinstance(status, Waiting):
            detail = {"attempt": status.attempt, "seconds": status.seconds, "reason": status.reason}
            self._record(events.SERVICE_RESTARTING, f"tried again, number {status.attempt:,}", detail)
        Deferred.fromCoroutine(self.start())

    def _on_changed(self, file: str) -> None:
        if isinstance(self.status, Held | Starting):
            return
        if not self.running and not self.said:
            return  # the user has stopped it
        self._say(f"{file} has changed: the program is started again")
        self._again = True
        if isinstance(self.status, Running | Stopping):
            self._end_process(GRACE)
        else:
            self._restart.forget()
            Deferred.fromCoroutine(self.start())

    # -- stopping

    def stop(self, grace: float = GRACE) -> Deferred[None]:
        """End it, with all that it has started. Fires when it has; after ``grace`` seconds it is killed."""
        done: Deferred[None] = Deferred()
        self._next = None
        self.wanted = self._again = False
        self._files.close()
        self._restart.forget()
        if self._process is None:
            if isinstance(self.status, Starting):
                self._set(Stopping())
                self._stopped.append(done)
                return done
            self.said = ""
            if not isinstance(self.status, Held | Stopped):
                self._set(Stopped())
            done.callback(None)
            return done
        self._stopped.append(done)
        self._end_process(grace)
        return done

    async def start_when_down(self) -> Status:
        """As ``start``; one that is on its way down starts once it has ended, unless it is stopped again before."""
        if not isinstance(self.status, Stopping):
            return await self.start()
        self._next = down = Deferred[None]()
        self._stopped.append(down)
        await down
        return await self.start() if self._next is down else self.status

    async def restart(self) -> None:
        """End it, if it runs, and start it."""
        await self.stop()
        await self.start()

    def kill(self) -> None:
        """End it now."""
        if self._process is not None:
            self._killed = True
            self._process.kill()

    def _end_process(self, grace: float) -> None:
        if self._process is None:
            return
        if not isinstance(self.status, Stopping):
            self._set(Stopping())
            self._process.send_signal(signal.SIGTERM)
        if self._overdue is not None:
            self._overdue.cancel()
        self._overdue = self.reactor.callLater(grace, self._on_overdue)

    def _on_overdue(self) -> None:
        self._overdue = None
        if self._process is not None:
            where = f" It was kept by {self._blocked}." if self._blocked else ""
            self._say(f"the program did not end when it was asked to, and is killed.{where}")
            self._process.kill()

    def dispose(self) -> None:
        """For one that is stopped and removed."""
        self._files.close()
        self._restart.forget()

    # -- its end

    def _on_ended(self, code: int, left: bool) -> None:
        process, self._process = self._process, None
        assert process is not None
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        if left:
            self._say("processes that the program had started and left were ended with it")
        advice = self._advice()
        self.open.let_go()
        asked, self._again = isinstance(self.status, Stopping) or self._killed, self._again
        self.said = in_words(code, self._blocked, self._last, process.tail) + advice
        if self._again:
            self._again = False
            self._end(Stopped())
            Deferred.fromCoroutine(self.start())
        elif asked or code == 0:
            self._say(self.said)
            self.said = "" if asked else self.said
            self._end(Stopped())
        else:
            if self.reactor.seconds() - self._began >= SETTLED:
                self._restart.forget()
            self._fail(self.said)
            self._end(self.status)

    def _advice(self) -> str:
        """What a port says to do that could not be opened, if that has ended the program: its row goes with it."""
        for port in self.open.all.values():
            if isinstance(port.status, Failed):
                error, found, advice = port.status.reason.partition(" Port ")
                if found and error in self._last:
                    return f"{found}{advice}"
        return ""

    def _fail(self, reason: str) -> None:
        self.said = reason
        self._record(events.SERVICE_FAILED, reason, {"reason": reason})
        waits = self._restart.wait(_TERMS if self.config.restart == ON_FAILURE else None)
        self._set(Waiting(reason, self._restart.attempt, self._restart.seconds) if waits else Failed(reason))

    def _end(self, status: Status) -> None:
        if status is not self.status:
            self._set(status)
        stopped, self._stopped = self._stopped, []
        for done in stopped:
            done.callback(None)

    def _say(self, words: str) -> None:
        self._record(events.LOG, words, {"program": self.config.name})

    def _record(self, kind: int, summary: str, detail: Mapping[str, Any]) -> None:
        self.recorder.record(kind, self.number, summary=summary, detail=json.dumps(detail))

    # -- its ports

    def _faults_of(self, name: str, protocol: str) -> port_faults.Tables:
        return port_faults.of_port(self.config.faults, name, protocol)

    def become(self, config: ProgramConfig) -> None:
        """Go on as ``config``, which has other faults at most."""
        self.config = config
        self.open.fail()

    def _order(self, **words: Any) -> None:
        if self._process is not None:
            self._process.order(**words)

    # -- what its events tell

    def on_words(self, kind: int, summary: str) -> None:
        if kind != events.LOG or summary.startswith(("the program called sys.exit", "the program ends by os.")):
            self._last = summary

    def on_note(self, note: dict[str, Any]) -> None:
        files, blocked = note.get("files"), note.get("blocked")
        if isinstance(files, list):
            self._watch([path for path in files if isinstance(path, str)])
        if isinstance(blocked, str):
            self._blocked = blocked
            if isinstance(self.status, Running):
                self._set(Running(self.status.pid, blocked))

    def on_unseen(self) -> None:
        self._say(UNSEEN)
        if isinstance(self.status, Running):
            self._set(Running(self.status.pid, unseen=True))
