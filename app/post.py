"""The Post: the running services, their capture and plugins. The window and the commands use the same one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from twisted.internet.defer import Deferred, DeferredList

from app import events
from app.alerts.live import Alerts
from app.alerts.means import Caller
from app.capture.capturing import Capturing
from app.capture.keeping.retention import Keeping
from app.capture.link import DEFAULT_LIMIT
from app.capture.recorder import Recorder
from app.errors import PostError
from app.files.folders import data_folder
from app.logbook import Logbook
from app.plugin_loader.live import Plugins
from app.plugin_loader.table import TABLE
from app.program.blocked import LoopWatch
from app.program.figures import Figures
from app.programs.programs import Programs
from app.programs.shown import HostedPort
from app.responders.relay.loops import Loops
from app.responders.relay.outposts import Locate, Located, nowhere
from app.sending.sender import Sender
from app.services.answering import DatagramPorts
from app.services.budget import Budget
from app.services.changes import check
from app.services.config import ServiceConfig
from app.services.errors import NotTrustedError
from app.services.own_checks import OwnChecks
from app.services.plan import Plan, plan
from app.services.service import GRACE, Service
from app.services.surroundings import Surroundings, draw_seed
from app.signal import Signal
from app.status import Stopping, Waiting
from app.watch.config import WatchConfig
from app.watch.connections import Checking
from app.watch.watches import Watches
from app.workspace.gate import Gate, How, Question
from app.workspace.message import Message
from app.workspace.outposts import OutpostConfig
from app.workspace.reading import Workspace

HURRY = 1.2
"""Seconds that connections have to close when the program ends, which must take no more than three."""


class Post:
    """The services of a workspace, and their capture.

    Attributes:
        recorder: takes the events of services and of the sender.
        figures: of the program itself.
        loop: watches the reactor, once it is opened, and records what blocked it.
        logbook: records what Twisted and Python log.
        services: by name, in the order of the workspace.
        programs: its hosted programs.
        watches: its watches by name, with what they have found; they run from ``open`` on.
        plugins: the plugins of the user and of the workspace.
        capturing: the file that is captured into.
        sender: the owner of the connections that the program opens.
        gate: what the workspace may do.
        alerts: look at what is stored, and tell.
        capture_changed: emits the Post when ``capture`` is another file, which is open.
        locate: where the service of an outpost listens; whoever reads the outposts sets it.
        outposts_changed: emits the Post when other outposts are to be read.
        question_changed: emits the Post when ``question`` may have changed.
        services_changed: emits the Post when a service was added, removed, moved, replaced or changed.
        status_changed: emits the service whose status changed.
    """

    def __init__(self, reactor: Any, workspace: Workspace = Workspace(), *, seed: int = 0) -> None:  # noqa: B008 - frozen
        """``seed`` is that of all faults that have none of their own; 0: one is drawn with each start of a service."""
        self._reactor = reactor
        self._seed = seed
        self.recorder = Recorder(reactor)
        self.logbook = Logbook(reactor, self.recorder)
        self.figures = Figures(reactor, self._connections)
        self.loop = LoopWatch(reactor, self.recorder, self.figures.read)
        self._budget = Budget()
        self.sender = Sender(reactor, self.recorder, data_folder(), self._budget)
        self.services: dict[str, Service] = {}
        self.services_changed: Signal[Post] = Signal()
        self.status_changed: Signal[Service] = Signal()
        self._content = content(workspace)
        self._folder = workspace.folder
        self._loops = Loops()
        self.gate = Gate()
        self.question_changed: Signal[Post] = Signal()
        self.outposts_changed: Signal[Post] = Signal()
        self.locate: Locate = nowhere
        self._postponed = False
        self._datagram_ports = DatagramPorts()
        self.capture_changed: Signal[Post] = Signal()
        self.capturing = Capturing(
            reactor,
            self.recorder,
            lambda *call: self.sender.in_thread(*call),
            lambda: self.loop.last_word,  # it is made when this is opened
            self._go_on,
        )
        self.capturing.changed.connect(lambda _: self.capture_changed.emit(self))
        self.plugins = Plugins(reactor, self.recorder, lambda: self.services.values())
        self.programs = Programs(
            reactor, self.recorder, lambda *call: self.sender.in_thread(*call), self.gate.admit_program, self._seed_of
        )
        self._checks = OwnChecks()
        self._checking = Checking(reactor, self.recorder, data_folder(), self._budget, self._checks)
        self.watches = Watches(reactor, self.recorder, self._checking.check, lambda: self.services, self._locate)
        self.status_changed.connect(self.watches.on_service)
        caller = Caller(reactor, self.recorder, data_folder(), self._budget)
        self.alerts = Alerts(
            reactor, self.recorder, caller, lambda: self.capture, self._stop_for_alert, self.gate.withheld
        )
        self.programs.changed.connect(lambda _: self.services_changed.emit(self))
        self._enter(workspace)
        self.plugins.changed.connect(lambda _: self.question_changed.emit(self))

    def _enter(self, workspace: Workspace, *, own: bool = True) -> None:
        self.plugins.enter(workspace.path.parent if workspace.path else None)
        self.gate.enter(workspace, own=own)
        self._postponed = False
        for config in workspace.services:
            self._add(config)
        self.programs.enter(workspace.programs, workspace.folder)
        self._hold()
        self.watches.become(workspace.watches, self._held_watch)
        self.alerts.configure(workspace.alerts, workspace.mail)
        self.outposts_changed.emit(self)

    # -- the capture

    @property
    def capture(self) -> Path | None:
        """The file that events are written to; None until ``open`` is called."""
        return self.capturing.path

    def open(
        self,
        capture: Path | None = None,
        limit: int = DEFAULT_LIMIT,
        keeping: Keeping = Keeping(),  # noqa: B008 - frozen
        folder: Path | None = None,
    ) -> Deferred[None]:
        """Begin to capture into ``capture``, or into a new file in ``folder``, by default ``capturing.folder``.

        ``limit`` is the largest size of the file in bytes; ``keeping`` says which older captures stay.

        Fires when the file is open, or could not be opened: ``recorder.trouble`` then says why, and the
        services may start all the same.
        """
        self.logbook.open()
        if TABLE.trust.trouble:
            self.recorder.record(events.LOG, summary=TABLE.trust.trouble)
        self.plugins.open()
        self.watches.start()
        opened = self.capturing.open(capture, limit, keeping, folder)
        return opened.addCallback(lambda _: self._remember())

    def _remember(self) -> None:
        """Have watches and alerts know what the capture says of them, which may be from an earlier run."""
        if self.capture is not None and self.capturing.is_open:
            self.watches.remember(self.capture, self.recorder.range.last)
            self.alerts.remember(self.capture, self.recorder.range.last)

    async def new_capture(self, limit: int | None = None, folder: Path | None = None) -> Path | None:
        """Go on in a new file, which stands beside the others; the old one is complete then and can be opened.

        ``limit`` and ``folder`` are as for ``open``; by default those of the capture before.

        Connections that are open go on, and the new file says so. Returns the path of the old file. None where
        nothing was changed: no capture is open yet, another call is under way, or the new file cannot be made;
        ``recorder.trouble`` says why in that case.
        """
        return await self.capturing.renew(limit, folder)

    def _go_on(self, before: Path) -> None:
        """Record in the new capture what it follows, and the connections that were opened before it."""
        self.recorder.record(events.LOG, summary=f"the capture follows {before}")
        for service in self.owners():
            was = "sent datagrams" if service.config.protocol == "udp" else "was connected"
            for connection in service.connections.values():
                detail = {"peer": connection.peer, "host": connection.host, "earlier": True}
                self.recorder.record(
                    events.CONNECTION_OPENED, service.number, connection.number,
                    summary=f"{connection.peer} {was} before this capture", detail=json.dumps(detail),
                )  # fmt: skip

    # -- alerts

    def _stop_for_alert(self, name: str) -> bool:
        if name not in self.services and name not in self.programs.all:
            return False
        self.stop_all(names=[name])
        return True

    def _connections(self) -> int:
        # In any thread.
        of_services = sum(len(one.connections) for one in self.owners())
        return of_services + len(self.sender.connections)

    # -- the services

    def configs(self) -> tuple[ServiceConfig, ...]:
        return tuple(service.config for service in self.services.values())

    def owners(self) -> list[Service | HostedPort]:
        """All that has connections of others: the services, and the ports of programs."""
        return [*list(self.services.values()), *self.programs.ports()]

    def owner(self, name: str) -> Service | HostedPort | None:
        """The service or the port of a program that is called so."""
        return self.services.get(name) or self.programs.port(name)

    @property
    def folder(self) -> Path:
        """Where relative paths of the workspace start."""
        return self._folder

    @property
    def outposts(self) -> tuple[OutpostConfig, ...]:
        """The outposts that the workspace reads and steers."""
        return self._content.outposts

    @property
    def messages(self) -> tuple[Message, ...]:
        """The saved messages of the workspace."""
        return self._content.messages

    def state(self) -> Workspace:
        """All that the workspace holds now, without its file."""
        return replace(
            self._content,
            services=self.configs(),
            watches=self.watches.configs(),
            programs=self.programs.configs(),
        )

    def start_all(self, names: Collection[str] | None = None) -> Deferred[Any]:
        """Start every service that is not running, or only those called ``names``; one that waits is tried now, and
        one that is on its way down starts once it is down.

        So are programs started. Fires when each listens, has failed or is held.
        """
        down = [one for one in self._called(names) if not one.running or isinstance(one.status, Waiting | Stopping)]
        return DeferredList([self._start(down), self.programs.start(names)])

    def _called(self, names: Collection[str] | None) -> list[Service]:
        return [service for name, service in self.services.items() if names is None or name in names]

    def autostart(self) -> Deferred[Any]:
        """Start services and programs whose configuration has ``autostart``. Fires when each runs or has failed."""
        services = self._start([service for service in self.services.values() if service.config.autostart])
        return DeferredList([services, self.programs.autostart()])

    def _start(self, services: list[Service]) -> Deferred[Any]:
        return DeferredList([Deferred.fromCoroutine(service.start_when_down()) for service in services])

    def stop_all(self, grace: float = GRACE, names: Collection[str] | None = None) -> Deferred[Any]:
        """Stop every service and program, or only those called ``names``.

        Fires when no connection is left; after ``grace`` seconds they are aborted, and programs are killed.
        """
        services = [service.stop(grace) for service in self._called(names)]
        return DeferredList([*services, self.programs.stop(grace, names)])

    def add(self, config: ServiceConfig) -> Service:
        """Add a service at the end, and return it; it is stopped. Its name must not be taken."""
        service = self._add(config)
        self._changed([config.name])
        return service

    def _changed(self, by_user: Collection[str] = ()) -> None:
        """The services are others now. The user gave those called ``by_user`` their settings."""
        self.gate.changed(self.configs(), by_user)
        self._hold()
        self.services_changed.emit(self)

    def _locate(self, outpost: str, service: str) -> Located:
        """As ``locate`` is at the time of the call."""
        return self.locate(outpost, service)

    def _add(self, config: ServiceConfig) -> Service:
        surroundings = Surroundings(
            self._folder,
            data_folder(),
            {"post": self},
            self._loops,
            self._datagram_ports,
            self.gate.admit,
            self._budget,
            seed=self._seed_of,
            is_down=self.watches.is_down,
            locate=self._locate,
            checks=self._checks,
            variables=lambda: self._content.variables,
        )
        service = Service(config, self._reactor, self.recorder, surroundings)
        service.status_changed.connect(self.status_changed.emit)
        self.services[config.name] = service
        return service

    def _seed_of(self) -> int:
        return self._seed or draw_seed()

    async def change(self, name: str, config: ServiceConfig, *, by_user: bool = True) -> Service | None:
        """Give the service called ``name`` another configuration, if possible without a restart.

        A service that listens takes what it can (``Option.live``) at the next request, message or connection;
        anything else is done by ``replace``. So is a change that asks for more than the user has allowed: the service
        is held then. While it runs, what is wrong is refused, and nothing has changed: raises OptionWrongError or
        ResponderBrokenError.

        Returns the service, or None where it was removed or replaced meanwhile. ``by_user`` is as for ``replace``.
        """
        service = self.services.get(name)
        if service is None:
            return None
        if service.running:
            check(config)
        services = [config if one is service.config else one for one in self.configs()]
        self.gate.changed(services, [config.name] if by_user else ())
        try:
            applied = self._admits(config) and service.apply(config)
        except BaseException:
            self.gate.changed(self.configs())
            raise
        if not applied:
            return await self.replace(name, config, by_user=by_user)
        self._hold()
        self.services_changed.emit(self)
        return service

    def _admits(self, config: ServiceConfig) -> bool:
        try:
            self.gate.admit(config)
        except NotTrustedError:
            return False
        return True

    async def replace(self, name: str, config: ServiceConfig, *, by_user: bool = True) -> Service | None:
        """Give the service called ``name`` another configuration. If it was running, it starts again.

        ``by_user``: whether the user gave it, who thereby allows what it asks for.

        Returns the new service, or None where the old one was removed or replaced while it was stopping.
        """
        old = await self._stopped(name)
        if old is None:
            return None
        service, was_running = old
        service.dispose()
        order = list(self.services)
        new = self._add(config)
        new.faults.take_switches(service.faults)
        if config.name != name:
            del self.services[name]
        order[order.index(name)] = config.name
        self.services = {key: self.services[key] for key in order}
        self._changed([config.name] if by_user else ())
        if was_running:
            await new.start()
        return new

    async def remove(self, name: str) -> None:
        """Stop a service and remove it. Its events stay in the capture."""
        old = await self._stopped(name)
        if old is not None:
            old[0].dispose()
            del self.services[name]
            self._changed()

    async def become(
        self,
        state: Workspace,
        renamed: Mapping[str, str] = MappingProxyType({}),
        start: Collection[str] = (),
        *,
        by_user: bool = True,
    ) -> set[str]:
        """Change the workspace into ``state``. Services that are the same there stay up, with their connections.

        So do those that take their change without a restart; see ``change``.

        Args:
            renamed: new names by the old ones, of services that go on under another name.
            start: names of services that start if they are added; those that are changed start if they were running.
            by_user: as for ``replace``; without it, what is added or changed may do no more than was allowed before.

        Returns the names of services and programs that were removed while they were running.
        """
        before, self._content = self._content, content(state)
        self._tell_content(before, by_user=by_user)
        planned = plan(self.configs(), state.services, renamed)
        for name in planned.regrouped:
            self.services[name].config = planned.kept[name]
        was_up = await self._stop_leaving(planned)
        refused = await self._change_kept(planned, by_user=by_user)
        order = [refused.get(config.name, config.name) for config in state.services]
        added = [config for name, config in zip(order, state.services, strict=True) if name not in self.services]
        for config in added:
            self._add(config)
        if planned.gone or added or planned.regrouped or order != list(self.services):
            self.services = {name: self.services[name] for name in order}
            self._changed([config.name for config in added] if by_user else ())
        self.gate.watches_changed(state.watches, by_user=by_user)
        self.gate.programs_changed(state.programs, by_user=by_user)
        ran = {program.config.name for program in self.programs if program.running}
        await self.programs.become(state.programs)
        self._hold()
        self.watches.become(state.watches, self._held_watch)
        again = {planned.kept[name].name for name in planned.moved if name in was_up}
        again |= {config.name for config in added if config.name in start}
        await self._start([self.services[name] for name in order if name in again])
        self.programs.start(start)
        return was_up.intersection(planned.gone) | ran.difference(self.programs.all)

    def _tell_content(self, before: Workspace, *, by_user: bool) -> None:
        """Have alerts and outposts be those of the content, where ``before`` had others."""
        now = self._content
        if (before.alerts, before.mail) != (now.alerts, now.mail):
            self.gate.alerts_changed(now.alerts, now.mail, by_user=by_user)
            self.alerts.configure(now.alerts, now.mail)
            self.question_changed.emit(self)
        if before.outposts != now.outposts:
            self.gate.outposts_changed(now.outposts, by_user=by_user)
            self.question_changed.emit(self)
            self.outposts_changed.emit(self)

    async def _stop_leaving(self, planned: Plan) -> set[str]:
        """Stop services that are gone, or get an address that another may leave. Returns which of them were up."""
        leaving = [self.services[name] for name in (*planned.gone, *planned.moved)]
        was_up = {service.config.name for service in leaving if service.running or service.wanted}
        while any(service.running for service in leaving):  # the user may start one while others are stopping
            await DeferredList([service.stop() for service in leaving])
        for name in planned.gone:
            self.services.pop(name).dispose()
        return was_up

    async def _change_kept(self, planned: Plan, *, by_user: bool) -> dict[str, str]:
        """Change services that stay. Returns the names of those that refuse it, by the names that they were to get."""
        refused: dict[str, str] = {}
        for name in planned.changed:
            config = planned.kept[name]
            try:
                await self.change(name, config, by_user=by_user)
            except PostError as e:
                refused[config.name] = name
                number = self.services[name].number
                self.recorder.record(
                    events.LOG, number, summary=f"The change was refused; the service goes on as before. {e}"
                )
        return refused

    async def _stopped(self, name: str) -> tuple[Service, bool] | None:
        """Stop a service. Returns it, and whether it was running; None where it was removed meanwhile."""
        service = self.services.get(name)
        if service is None:
            return None
        was_running = service.running or service.wanted
        await service.stop()
        return (service, was_running) if self.services.get(name) is service else None

    async def load(self, workspace: Workspace, *, own: bool = True) -> None:
        """Replace all services by those of another workspace.

        ``own``: whether one without a file is the user's own, which may do everything.
        """
        # The user may start one while the others are still stopping.
        while any(one.running for one in (*self.services.values(), *self.programs)):
            await self.stop_all()
        for service in self.services.values():
            service.dispose()
        self.services = {}
        self._content = content(workspace)
        self._folder = workspace.folder
        self._enter(workspace, own=own)
        self._remember()
        self.services_changed.emit(self)
        self.question_changed.emit(self)

    # -- trust

    @property
    def question(self) -> Question | None:
        """What the user has to allow before all of the workspace runs; None if there is nothing, or not now."""
        return None if self._postponed else self.gate.question(self.plugins.waiting)

    def postpone(self) -> None:
        """Do not ask until ``ask_again``, another workspace, or the next start of the program."""
        self._postponed = True
        self.question_changed.emit(self)

    def ask_again(self) -> None:
        """Ask what was not answered yet."""
        self._postponed = False
        self.question_changed.emit(self)

    async def trust(self, how: How) -> None:
        """Allow what ``question`` asks, remember that, and start what was to start."""
        self.gate.allow(how, self.plugins.waiting)
        self._postponed = False
        await self._save_answers()
        await self.plugins.answered()
        self._hold()
        self.question_changed.emit(self)
        await self._start([service for service in self.services.values() if service.wanted])
        await self.programs.start_wanted()

    async def saved(self, workspace: Workspace) -> None:
        """The workspace was saved to a file, which is trusted then if the open one is."""
        if self.gate.saved(workspace):
            await self._save_answers()

    async def _save_answers(self) -> None:
        try:
            await self.sender.in_thread(TABLE.trust.save)
        except OSError as e:
            words = f"{TABLE.trust.file} cannot be written: {e.strerror or e}. You will be asked again next time."
            self.recorder.record(events.LOG, summary=words)

    def _hold(self) -> None:
        for service in self.services.values():
            service.hold(self.gate.held(service.config))
        self.watches.hold(self._held_watch)
        self.programs.hold(self.gate.held_program)

    def _held_watch(self, watch: WatchConfig) -> str:
        error = self.gate.held_watch(watch)
        return "" if error is None else str(error)

    # -- the end

    async def shut_down(self) -> None:
        """Stop the services, store every event, close the file."""
        self.loop.stop()
        self.plugins.close()
        self.watches.stop()
        self.alerts.close()
        senders = (self.sender, self._checking.sender, self.alerts.means.sender)
        await DeferredList([self.stop_all(HURRY), *(sender.close(HURRY) for sender in senders)])
        self.programs.close()
        await self.capturing.close()
        self.loop.close()
        self.logbook.close()


def content(workspace: Workspace) -> Workspace:
    """What a workspace holds, without the file that it was read from."""
    return replace(workspace, path=None, template=None, digest="")
