"""The process of one run of a hosted program: its pipes, its end, and what it leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from app.capture.recorder import Recorder
from app.options import Options
from app.programs import strays, wire
from app.programs.following import InThread
from app.programs.intake import Heard, Intake, Shown
from app.programs.starting import Program, host_arguments, host_command, host_environment

UP, ORDERS = 3, 4
"""The program's descriptors of both pipes."""

TAIL = 4_000
"""Bytes of what it has written to standard error last, which says why it could not even begin."""

LAST = 1.0
"""Seconds after its end in which what it has left behind may end, and what it has sent is read."""

UNSEEN = 2.0
"""Seconds that a program has to end once its events have: until then that is how it ends."""


class Process(ProcessProtocol):
    """One run.

    Attributes:
        pid: its process.
        tail: what it has written to standard error last.

    Args:
        ended: called with the exit code, negative for a signal, once all that it had sent is taken; and with whether
            processes were left behind by it, which were ended.
    """

    def __init__(
        self,
        reactor: Any,
        recorder: Recorder,
        number: int,
        shown: Shown,
        heard: Heard,
        in_thread: InThread,
        ended: Callable[[int, bool], object],
    ) -> None:
        self._reactor, self._recorder, self._number = reactor, recorder, number
        self._shown, self._heard, self._ended = shown, heard, ended
        self._in_thread, self._mark = in_thread, strays.word()
        self.transport: Any = None
        self._intake: Intake | None = None
        self._code: int | None = None
        self._open = {UP, 2}
        self._overdue: Any = None
        self._unseen: Any = None
        self._left = self._looking = self._is_last = self._told = self._fed = False
        self.tail = b""
        self.pid = 0

    def start(
        self, program: Program, folder: Path, ports: dict[str, str], faults: Sequence[Options], seed: int
    ) -> None:
        """Start it. ``faults`` are those of its ports, ``[[program.fault]]``. Raises OSError."""
        words = [
            *host_command(program.python), f"--up={UP}", f"--orders={ORDERS}", *host_arguments(program, ports),
        ]  # fmt: skip
        null = os.open(os.devnull, os.O_RDWR)
        try:
            process = self._reactor.spawnProcess(
                self, words[0], words, host_environment(program.python) | {strays.MARK: self._mark}, path=str(folder),
                childFDs={0: null, 1: null, 2: "r", UP: "r", ORDERS: "w"},
            )  # fmt: skip
        finally:
            os.close(null)
        self.pid = process.pid
        self.order(do="begin", faults=[dict(table) for table in faults], seed=seed)

    def connectionMade(self) -> None:
        self._intake = Intake(
            self._reactor, self._recorder, self._number, self._shown, self._heard,
            self._answer, self._hold, self._on_drained,
        )  # fmt: skip

    def order(self, **words: Any) -> None:
        """Order something of the program."""
        self._answer(json.dumps(words).encode())

    def _answer(self, line: bytes) -> None:
        if self._code is None and self.transport is not None:
            self.transport.writeToChild(ORDERS, line + b"\n")

    def _hold(self, held: bool) -> None:
        pipe = self.transport.pipes.get(UP) if self.transport is not None else None
        if pipe is not None:
            (pipe.pauseProducing if held else pipe.resumeProducing)()

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        if childFD == 2:
            self.tail = (self.tail + data)[-TAIL:]
        elif self._intake is not None:
            self._fed = True
            try:
                self._intake.feed(data)
            except wire.BrokenFrameError:
                self.transport.closeChildFD(UP)  # the program has written into it, and its link is of no use any more

    def childConnectionLost(self, childFD: int) -> None:
        self._open.discard(childFD)
        if childFD == UP and self._code is None:
            self._unseen = self._reactor.callLater(UNSEEN, self._on_unseen)
        self._on_drained()

    def _on_unseen(self) -> None:
        self._unseen = None
        self._heard.on_unseen()

    # -- its end

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """End it now, with all that it has started."""
        if self._code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self.send_signal(signal.SIGKILL)  # it may not have its group yet

    def processExited(self, reason: Failure) -> None:
        value: Any = reason.value
        self._code = -value.signal if value.signal is not None else int(value.exitCode or 0)
        if self._unseen is not None:
            self._unseen.cancel()
            self._unseen = None
        self._left, self._looking = self._signal_group(signal.SIGTERM), True
        self._in_thread(strays.end, self._mark).addBoth(self._on_strays)
        self._overdue = self._reactor.callLater(LAST, self._on_overdue)
        self._on_drained()

    def _on_strays(self, found: Any) -> None:
        """So many have left its group, or why nobody knows."""
        self._looking = False
        self._left = self._left or (isinstance(found, int) and found > 0)
        self._on_drained()

    def _signal_group(self, number: int) -> bool:
        """Whether anybody of its group was there."""
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        return True

    def _on_overdue(self) -> None:
        self._overdue = None
        if self._looking:
            self._overdue = self._reactor.callLater(LAST, self._on_overdue)
            return
        if self._left and not self._is_last:
            self._is_last = True
            self._signal_group(signal.SIGKILL)
            self._in_thread(strays.end, self._mark, signal.SIGKILL).addBoth(lambda _: self._on_overdue())
            return
        fed, self._fed = self._fed, False
        if fed or (self._intake is not None and not self._intake.idle):
            self._overdue = self._reactor.callLater(LAST, self._on_overdue)  # the capture takes what it can
            return
        if self.transport is not None:
            self.transport.loseConnection()
        self._finish()

    def _on_drained(self) -> None:
        done = self._code is not None and not self._open and self._intake is not None and self._intake.idle
        if done and not self._left and not self._looking:
            self._finish()

    def _finish(self) -> None:
        if self._told or self._code is None:
            return
        self._told = True
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None
        if self._intake is not None:
            self._intake.close()
        self._ended(self._code, self._left)
