"""A hosted program of a workspace: its life cycle, its ports, and the words about its end."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from time import time_ns
from typing import Any

from twisted.internet.defer import Deferred

from app import events
from app.capture.recorder import Recorder
from app.errors import PostError, system_words
from app.files.names import typed
from app.options import Options
from app.programs import pythons, starting
from app.programs.config import ON_CHANGE, ON_FAILURE, ProgramConfig
from app.programs.errors import NoProgramError
from app.programs.following import Files, InThread
from app.programs.owners import OUTGOING
from app.programs.process import Process
from app.programs.shown import HostedConnection, HostedPort
from app.programs.starting import Program
from app.services import settings
from app.services.errors import NotTrustedError
from app.services.restart import FAILED, Restart
from app.signal import Signal
from app.status import Failed, Held, Running, Starting, Status, Stopped, Stopping, Waiting

GRACE = 5.0
"""Seconds that a program has to end before it is killed."""

SETTLED = 30.0
"""Seconds after which a program that runs counts as well: its next failure is the first one again."""

MAX_PORTS = 1_000
"""Ports of one program that are shown, and names that these have had. What others do is the program's own."""


def program_of(run: tuple[str, ...], folder: Path) -> Program:
    """What to run in ``folder``. Blocks. Raises NoProgramError, NoPythonError."""
    if not folder.is_dir():
        raise NoProgramError(name=run[0], reason=f"there is no folder {folder}")
    found = _found(run, folder)
    return replace(found, python=pythons.looked_at(found.python).path)


def _found(run: tuple[str, ...], folder: Path) -> Program:
    if run[0] == "-m":
        return replace(starting.of_module(run[1], run[2:]), folder=str(folder))
    file = folder / typed(run[0])
    if file.is_file() or file.suffix in (".py", *starting.TAC):
        found = starting.of_file(str(file), run[1:])
        return replace(found, script=run[0]) if found.script == str(file) else found
    return starting.of_command(run)


class _Terms:
    """When a program is tried again, as ``Restart`` asks a service."""

    restart = {"when": FAILED}  # noqa: RUF012 - never changed

    def settings(self, section: str) -> dict[str, Any]:
        return settings.filled(section, "tcp", self.restart)


class HostedProgram:
    """One ``[[program]]``.

    Attributes:
        config: its declaration.
        number: in the recorder; its log is recorded under that.
        status: what it is doing; ``status_changed`` emits it after each change.
        ports: by their numbers in the program.
        ports_changed: emits it when ports came, went or are others.
        wanted: whether it was to start while it was held.
        faults: the tables of ports that were given some, by their names.
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
        self.ports: dict[int, HostedPort] = {}
        self.ports_changed: Signal[HostedProgram] = Signal()
        self.wanted = False
        self.said = ""
        self.faults: dict[str, tuple[Options, ...]] = {}
        self._names: set[str] = set()
        self._restart = Restart(reactor, self._try_again)
        self._files = Files(reactor, in_thread, self._on_changed)
        self._process: Process | None = None
        self._last = ""
        self._blocked = ""
        self._began = 0.0
        self._again = self._killed = False
        self._stopped: list[Deferred[None]] = []
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
            program = await self._in_thread(program_of, self.config.run, place)
            if isinstance(self.status, Stopping):
                self._end(Stopped())
                return self.status
            self._watch([os.path.join(place, self.config.run[0])])
            process = Process(self.reactor, self.recorder, self.number, self, self._on_ended)
            self._process, self._killed = process, False
            self.said = self._last = self._blocked = ""
            process.start(program, place, dict(self.config.ports))
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
        for port in self.ports.values():
            self._let_go(port)
        self.ports = {}
        self.ports_changed.emit(self)
        asked, self._again = isinstance(self.status, Stopping) or self._killed, self._again
        self.said = self._words(code, process.tail)
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

    def _fail(self, reason: str) -> None:
        self.said = reason
        self._record(events.SERVICE_FAILED, reason, {"reason": reason})
        terms: Any = _Terms()
        waits = self.config.restart == ON_FAILURE and self._restart.wait(terms)
        self._set(Waiting(reason, self._restart.attempt, self._restart.seconds) if waits else Failed(reason))

    def _end(self, status: Status) -> None:
        if status is not self.status:
            self._set(status)
        stopped, self._stopped = self._stopped, []
        for done in stopped:
            done.callback(None)

    def _words(self, code: int, tail: bytes) -> str:
        if code < 0:
            by = signal.Signals(-code).name
            words = f"It was ended by {by}"
            if self._blocked:
                words += f" while {self._blocked}"
        else:
            words = f"It ended with exit code {code}"
        last = self._last
        if not last and code > 0 and tail:
            last = tail.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return f"{words}: {last.rstrip('.')}." if last and code else f"{words}."

    def _let_go(self, port: HostedPort) -> None:
        """The process is gone: so are its port and its connections, which it could not tell."""
        closed = {"reason": "the program ended", "unsent": 0}
        for one in list(port.connections.values()):
            seconds = (time_ns() - one.opened) / 1e9
            detail = closed | {"received": one.received, "sent": one.sent, "seconds": seconds}
            self.recorder.record(
                events.CONNECTION_CLOSED,
                port.number,
                one.number,
                summary="the program ended",
                detail=json.dumps(detail),
            )
            port.remove(one.number)
        if port.running and not port.outgoing:
            self.recorder.record(events.SERVICE_STOPPED, port.number, summary="stopped: the program ended", detail="{}")
        port.closed()

    def _say(self, words: str) -> None:
        self._record(events.LOG, words, {"program": self.config.name})

    def _record(self, kind: int, summary: str, detail: Mapping[str, Any]) -> None:
        self.recorder.record(kind, self.number, summary=summary, detail=json.dumps(detail))

    # -- what its events tell

    def _order(self, **words: Any) -> None:
        if self._process is not None:
            self._process.order(**words)

    def on_port(self, theirs: int, name: str, protocol: str) -> int:
        port = self.ports.get(theirs)
        if port is None:
            if len(self.ports) >= MAX_PORTS or (len(self._names) >= MAX_PORTS and name not in self._names):
                return self.number
            self._names.add(name)
            port = HostedPort(
                self.config.name, name, protocol, theirs, self.recorder, self.reactor, self._order, self._seed()
            )
            self.ports[theirs] = port
            if kept := self.faults.get(port.config.name):
                self.put_faults(port, kept)
            if name == OUTGOING:
                port.goes_out()
            self.ports_changed.emit(self)
        return port.number

    def put_faults(self, port: HostedPort, tables: tuple[Options, ...]) -> None:
        """Have a port fail by these; so it does in the next run."""
        self.faults[port.config.name] = tables
        port.config = replace(port.config, faults=tables)
        port.faults.configure(tables)

    def on_status(self, theirs: int, kind: int, detail: dict[str, Any]) -> None:
        port = self.ports.get(theirs)
        if port is None:
            return
        if kind == events.SERVICE_STARTED:
            port.listens(str(detail.get("host", "")))
        elif kind == events.SERVICE_FAILED:
            port.fails(str(detail.get("reason", "")))
        else:
            port.closed()
            if not port.connections:
                del self.ports[theirs]
        self.ports_changed.emit(self)

    def on_opened(self, theirs: int, number: int, conn: int, detail: dict[str, Any]) -> None:
        port = self.ports.get(theirs)
        if port is not None:
            peer, host, ours = str(detail.get("peer", "")), str(detail.get("host", "")), bool(detail.get("outgoing"))
            port.add(HostedConnection(number, conn, peer, host, time_ns(), self._order, ours=ours))

    def on_closed(self, theirs: int, number: int) -> None:
        port = self.ports.get(theirs)
        if port is not None:
            port.remove(number)
            if isinstance(port.status, Stopped) and not port.connections:
                del self.ports[theirs]
                self.ports_changed.emit(self)

    def on_bytes(self, theirs: int, number: int, kind: int, size: int) -> None:
        port = self.ports.get(theirs)
        connection = port.connections.get(number) if port is not None else None
        if connection is not None:
            if kind in (events.DATA_RECEIVED, events.DATAGRAM_RECEIVED):
                connection.received += size
            else:
                connection.sent += size

    def on_fault(self, theirs: int, detail: dict[str, Any]) -> None:
        port = self.ports.get(theirs)
        if port is not None:
            total = detail.get("total")
            port.faults.on_hit(str(detail.get("fault", "")), total if isinstance(total, int) else None)

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
