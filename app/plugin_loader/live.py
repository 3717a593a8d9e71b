"""The plugins of a running Post: asks the user about them, loads them, and reloads them when files change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredLock

from app import events, responders
from app.errors import PostError
from app.files.watching import Watch
from app.plugin.pool import in_thread
from app.plugin_loader.source import look
from app.plugin_loader.table import FAULT, RESPONDER, TABLE, Key, Plugin, installed
from app.signal import Signal
from app.status import Failed, Listening, Waiting

if TYPE_CHECKING:
    from app.capture.recorder import Recorder
    from app.services.service import Service

SETTLE = 0.1
"""Seconds between a change of a file and reading it, because editors write in several steps."""


class Plugins:
    """Updates the table of plugins when files change, and services when their plugin changes.

    Plugin files are examined and run in a thread, so a slow plugin does not block the reactor.

    Attributes:
        changed: emits this object when ``waiting`` or ``words`` may have changed.
        renewed: emits the name of a service that goes on with what was loaded anew.
    """

    def __init__(self, reactor: Any, recorder: Recorder, services: Callable[[], Iterable[Service]]) -> None:
        self._reactor, self._recorder, self._services = reactor, recorder, services
        self.changed: Signal[Plugins] = Signal()
        self.renewed: Signal[str] = Signal()
        self._watch = Watch(reactor, self._on_notice)
        self._turn = DeferredLock()
        self._due: Any = None
        self._open = False
        self._told: set[str] = set()

    def enter(self, folder: Path | None) -> None:
        """A workspace was opened. ``folder`` is its folder; None if it was never saved. Blocks."""
        TABLE.enter(folder)
        if self._open:
            self._watch.follow(TABLE.folders)
            self._tell()

    def open(self) -> None:
        """Begin to watch the files, and record the problems found so far."""
        self._open = True
        self._watch.follow(TABLE.folders)
        self._on_notice()  # to find the plugins of installed packages
        self._tell()

    def close(self) -> None:
        self._open = False
        self._watch.close()
        if self._due is not None:
            self._due.cancel()
            self._due = None

    # -- for the user: questions and problems

    @property
    def waiting(self) -> list[Plugin]:
        """Plugins that the user must be asked about before they run."""
        return [plugin for plugin in TABLE.plugins.values() if plugin.waiting]

    @property
    def words(self) -> str:
        """The problems of plugins, one per line."""
        return "\n".join(str(trouble) for trouble in TABLE.trouble.values())

    def answered(self) -> Deferred[None]:
        """The user answered: load the plugins that may run now. Fires when that is done."""
        return self._turn.run(lambda: Deferred.fromCoroutine(self._look()))

    # -- files

    def _on_notice(self) -> None:
        if self._due is None and self._open:
            self._due = self._reactor.callLater(SETTLE, self._on_due)

    def _on_due(self) -> None:
        self._due = None
        self.answered()

    async def _look(self) -> None:
        if not self._open:
            return
        folders = TABLE.folders
        # Watch before looking, so that no change is missed.
        self._watch.follow(folders)
        changed: set[Key] = set()
        if not TABLE.complete:
            changed = TABLE.take_installed(await self._in_thread(installed))
        found = TABLE.bounded(await self._in_thread(look, folders))
        examined = [await self._in_thread(TABLE.examine, path, stamp) for path, stamp in TABLE.news(found)]
        if not self._open or TABLE.folders != folders:
            return  # another workspace was opened meanwhile, and ``enter`` has found its plugins
        changed |= TABLE.update(found, examined)
        self._tell()
        for service in list(self._services()):
            if (RESPONDER, service.config.responder) in changed:
                self._renew(service)
            if kinds := {table["kind"] for table in service.config.faults if (FAULT, table["kind"]) in changed}:
                self._renew_faults(service, kinds)

    def _renew(self, service: Service) -> None:
        name = service.config.responder
        responder = responders.find(name)
        if isinstance(service.status, Failed | Waiting):
            Deferred.fromCoroutine(self._start(service))
        elif responder is None or responder.missing:
            return  # a running service keeps the old version
        elif isinstance(service.status, Listening):
            try:
                service.renew()
                words = f"{name} was loaded again: new connections get the new version"
                self.renewed.emit(service.config.name)
            except PostError as e:
                words = f"The version of {name} before goes on. {e}"
            self._recorder.record(events.LOG, service.number, summary=words)

    async def _start(self, service: Service) -> None:
        """Start a service that could not; if it fails again, its status has the new reason."""
        await service.start()
        if isinstance(service.status, Listening):
            self.renewed.emit(service.config.name)

    def _renew_faults(self, service: Service, kinds: set[str]) -> None:
        """These kinds of its faults have changed."""
        if isinstance(service.status, Failed | Waiting):
            Deferred.fromCoroutine(self._start(service))
            return
        names = ", ".join(sorted(kinds))
        try:
            service.renew_faults()
            words = f"faults have changed: {names}"
            self.renewed.emit(service.config.name)
        except PostError as e:
            words = f"The version of {names} before goes on. {e}"
        if isinstance(service.status, Listening):
            self._recorder.record(events.LOG, service.number, summary=words)

    def _tell(self) -> None:
        """Record each problem once."""
        for plugin in TABLE.all():
            if plugin.error is not None:
                self._recorder.record_failure(plugin.error)
        troubles = {str(trouble) for trouble in TABLE.trouble.values()}
        for words in sorted(troubles - self._told):
            self._recorder.record(events.LOG, summary=words)
        self._told = troubles
        self.changed.emit(self)

    def _in_thread(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return in_thread(self._reactor, call, *args)
