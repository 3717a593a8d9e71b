"""The hosted programs of a Post."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList

from app.capture.recorder import Recorder
from app.programs.config import ProgramConfig
from app.programs.following import InThread
from app.programs.hosted import GRACE, HostedProgram
from app.programs.open_ports import OpenPorts
from app.programs.shown import HostedPort
from app.services.errors import NotTrustedError
from app.signal import Signal

SOON = 0.05
"""Seconds in which ports that come and go are told of once: a program may open any number."""


class Programs:
    """The programs of a workspace, by their names.

    Attributes:
        all: in the order of the workspace.
        changed: emits this object when there are other programs or ports.
        status_changed: emits the program whose status changed.

    Args:
        admit: raises NotTrustedError where a program may not start.
        seed: that of the faults of a port.
    """

    def __init__(
        self,
        reactor: Any,
        recorder: Recorder,
        in_thread: InThread,
        admit: Callable[[ProgramConfig], object],
        seed: Callable[[], int],
    ) -> None:
        self._reactor, self._recorder, self._in_thread = reactor, recorder, in_thread
        self._admit, self._seed = admit, seed
        self._folder = Path()
        self._soon: Any = None
        self.all: dict[str, HostedProgram] = {}
        self.changed: Signal[Programs] = Signal()
        self.status_changed: Signal[HostedProgram] = Signal()

    def __iter__(self) -> Iterator[HostedProgram]:
        return iter(self.all.values())

    def configs(self) -> tuple[ProgramConfig, ...]:
        return tuple(program.config for program in self)

    def ports(self) -> Iterator[HostedPort]:
        """Every port that is open, and what programs have connected to."""
        for program in list(self.all.values()):  # in any thread
            yield from list(program.ports.values())

    def port(self, name: str) -> HostedPort | None:
        """The port of this name, as ``program/port``."""
        return next((port for port in self.ports() if port.config.name == name), None)

    # -- which there are

    def enter(self, configs: Sequence[ProgramConfig], folder: Path) -> None:
        """Another workspace was opened; those of the one before have ended."""
        self._folder = folder
        self.all = {config.name: self._made(config) for config in configs}
        self.changed.emit(self)

    async def become(self, configs: Sequence[ProgramConfig]) -> None:
        """Have these: those that run as before go on, with the faults that they have now; others start again."""
        before = self.all
        wanted = {config.name: config for config in configs}
        leaving = [program for name, program in before.items() if not _runs_as(program.config, wanted.get(name))]
        again = {program.config.name for program in leaving if program.running}
        await DeferredList([program.stop() for program in leaving])
        for program in leaving:
            program.dispose()
        there = {name: program for name, program in before.items() if program not in leaving}
        self.all = {name: there.get(name) or self._made(config) for name, config in wanted.items()}
        for name, program in there.items():
            if program.config != wanted[name]:
                program.become(wanted[name])
        if leaving or list(before) != list(self.all):
            self.changed.emit(self)
        self._start(program for program in self if program.config.name in again)

    def _made(self, config: ProgramConfig) -> HostedProgram:
        program = HostedProgram(
            config, self._reactor, self._recorder, self._folder, self._in_thread, self._admit, self._seed
        )
        program.status_changed.connect(self.status_changed.emit)
        program.open.changed.connect(self._on_ports)
        return program

    def _on_ports(self, _: OpenPorts) -> None:
        if self._soon is None:
            self._soon = self._reactor.callLater(SOON, self._tell)

    def _tell(self) -> None:
        self._soon = None
        self.changed.emit(self)

    def hold(self, held: Callable[[ProgramConfig], NotTrustedError | None]) -> None:
        """``held`` says why a program may not start."""
        for program in self:
            program.hold(held(program.config))

    # -- all at once

    def _start(self, programs: Any) -> Deferred[Any]:
        return DeferredList([Deferred.fromCoroutine(program.start_when_down()) for program in programs])

    def start(self, names: Collection[str] | None = None) -> Deferred[Any]:
        """Start those called ``names``, or all, that do not run, also those that are about to end.

        Fires when each is started or has failed.
        """
        return self._start([one for one in self if names is None or one.config.name in names])

    def autostart(self) -> Deferred[Any]:
        """Start those that the workspace starts when it is opened."""
        return self._start([one for one in self if one.config.autostart])

    def start_wanted(self) -> Deferred[Any]:
        """Start those that were to start while they were held."""
        return self._start([one for one in self if one.wanted])

    def stop(self, grace: float = GRACE, names: Collection[str] | None = None) -> Deferred[Any]:
        """End those called ``names``, or all. Fires when each has."""
        return DeferredList([one.stop(grace) for one in self if names is None or one.config.name in names])

    def close(self) -> None:
        """Tell no more; all have ended."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        for program in self:
            program.dispose()


def _runs_as(now: ProgramConfig, then: ProgramConfig | None) -> bool:
    return then is not None and now.runs_as(then)
