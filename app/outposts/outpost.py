"""What answers requests: a Post that is read and steered from another process."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from time import time_ns
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import CancelledError, Deferred, DeferredList

from app import __version__, events
from app.capture.errors import CaptureError
from app.capture.reading import batches
from app.capture.reading.reader import Reader
from app.capture.reading.store import Store
from app.errors import PostError
from app.outposts import protocol as p
from app.outposts.errors import RefusedError
from app.outposts.pace import Gathering
from app.post import Post
from app.programs.hosted import HostedProgram
from app.programs.shown import HostedPort
from app.services.interfaces import Connection
from app.services.service import Service
from app.signal import Signal
from app.status import Failed, Held, Listening, Running, Status, Waiting
from app.workspace import reading

T = TypeVar("T")

_VERSION = re.compile(r"^\s*version\s*=", re.MULTILINE)
"""The first line of a whole workspace."""

_Listed = Service | HostedProgram | HostedPort

MOST_CONNECTIONS = 1_000
"""Connections that one answer lists."""

MOST_LEFT = 20
"""Captures that the program has left, of which a console that is behind still gets the rest."""


class Outpost:
    """Answers the requests of consoles about one Post.

    Attributes:
        allow: what it allows.
        services_changed: emits when a service was added, removed or changed, or its status.
    """

    def __init__(self, reactor: Any, post: Post, name: str, allow: p.Allow = "read") -> None:
        self._reactor, self._post, self._name, self.allow = reactor, post, name, allow
        self.services_changed: Signal[None] = Signal()
        self._reader: Reader | None = None
        self._gathering = Gathering(reactor, post.recorder)
        self._identity = ""  # of the capture of now, once a read has found it
        self._left: tuple[Path, ...] = ()  # replaced, never changed: the thread of the reader has it, too
        self._unhook = (
            post.services_changed.connect(lambda _: self.services_changed.emit(None)),
            post.status_changed.connect(lambda _: self.services_changed.emit(None)),
            post.programs.status_changed.connect(lambda _: self.services_changed.emit(None)),
            post.capture_changed.connect(self._on_capture),
        )
        self._answers: dict[type[p.Request], Callable[[Any, str], Awaitable[msgspec.Struct]]] = {
            p.Hello: self._hello,
            p.Read: self._read,
            p.Payload: self._payload,
            p.Status: self._services,
            p.Start: self._start,
            p.Stop: self._stop,
            p.SwitchFault: self._switch_fault,
            p.Connections: self._connections,
            p.Send: self._send,
            p.Disconnect: self._disconnect,
            p.Put: self._put,
            p.Remove: self._remove,
        }

    def close(self) -> None:
        for disconnect in self._unhook:
            disconnect()
        self._gathering.close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def failed(self, error: BaseException) -> None:
        """Record what a request has raised."""
        self._post.recorder.record_failure(error)

    async def answered(self, asked: p.Asked, who: str) -> p.Answered:
        """The answer to what ``who`` asks, or why there is none: each way to an outpost sends it as it is."""
        try:
            answer = await self.answer(asked.ask, who)
        except PostError as e:
            return p.Answered(asked.id, refused=str(e))
        except CancelledError:
            raise  # who asked is gone
        except Exception as e:
            self.failed(e)
            return p.Answered(asked.id, refused=f"{type(e).__name__}: {e}. This is a mistake in Listening Post")
        return p.Answered(asked.id, msgspec.Raw(p.encode(answer)))

    async def answer(self, request: p.Request, who: str) -> msgspec.Struct:
        """The answer to ``request``, which ``who`` asks. Raises PostError where it is refused."""
        needed = request.level
        if p.LEVELS.index(needed) > p.LEVELS.index(self.allow):
            raise RefusedError(
                reason=f'{p.name_of(type(request))} is refused: this outpost allows "{self.allow}", and it needs'
                f' "{needed}". Its user allows that in the workspace, [outpost] allow = "{needed}", or with'
                f" serve --allow {needed}"
            )
        return await self._answers[type(request)](request, who)

    def _record(self, who: str, words: str, request: p.Request, service: _Listed | None = None) -> None:
        detail = json.dumps({"by": who, "request": p.name_of(type(request))})
        number = service.number if service else 0
        self._post.recorder.record(events.CONTROL_ASKED, number, summary=f"{who}: {words}", detail=detail)

    # -- the capture

    async def _hello(self, request: p.Hello, who: str) -> p.Outpost:
        now, stored = time_ns(), self._post.recorder.range
        program = f"Listening Post {__version__}"
        identity = await self._in_reader(batches.identity, "")
        return p.Outpost(p.VERSION, self._name, program, self.allow, identity, stored.first, stored.last, now)

    async def _read(self, request: p.Read, who: str) -> p.Events:
        recorder, of = self._post.recorder, self._post.capture

        def read(store: Store) -> p.Events:
            if request.capture in ("", batches.identity(store)):
                return _events(store, request)
            return _rest(self._left, request, store)

        if self._identity and request.capture == self._identity and recorder.range.last <= request.after:
            found = p.Events(self._identity, recorder.range.first, recorder.range.last)  # without a look at the file
        else:
            found = await self._in_reader(read, p.Events("", 1, 0))
        if request.capture not in ("", found.capture):
            return found
        if self._post.capture == of:
            self._identity = found.capture
        if not found.events and request.seconds:
            with self._gathering.waiting():
                if recorder.range.last <= request.after:
                    await self._wait_for(request.after, request.seconds)
            found = await self._in_reader(read, found)
        if request.seconds:
            self._gathering.answered()
        return found

    def _wait_for(self, after: int, seconds: float) -> Deferred[None]:
        """Fires when an event after the id ``after`` is stored, or ``seconds`` have passed."""
        done: Deferred[None] = Deferred(lambda _: finish(fire=False))
        recorder = self._post.recorder

        def finish(*, fire: bool = True) -> None:
            for disconnect in hooks:
                disconnect()
            if timer.active():
                timer.cancel()
            if fire:
                done.callback(None)

        timer = self._reactor.callLater(seconds, finish)
        hooks = (
            recorder.stored_changed.connect(lambda stored: finish() if stored.last > after else None),
            self._post.capture_changed.connect(lambda _: finish()),
        )
        return done

    async def _payload(self, request: p.Payload, who: str) -> p.Part:
        def part(store: Store) -> p.Part:
            return p.Part(batches.part(store, request.event, request.offset, request.max_bytes))

        def read(store: Store) -> p.Part:
            if request.capture in ("", batches.identity(store)):
                return part(store)
            return _of(self._left, request.capture, part, p.Part(b""))

        found: p.Part = await self._in_reader(read, p.Part(b""))
        return found

    def _in_reader(self, read: Callable[[Store], Any], nothing: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        if self._post.capture is None:
            done.callback(nothing)
            return done
        if self._reader is None:
            self._reader = Reader(self._post.capture, self._reactor.callFromThread)
        self._reader.read(read, nothing, lambda found: None if done.called else done.callback(found))
        return done

    def _on_capture(self, post: Post) -> None:
        self._identity = ""
        if self._reader is not None and post.capture is not None:
            self._left = (*self._left, self._reader.path)[-MOST_LEFT:]
            self._reader.switch(post.capture)

    # -- services

    def _all(self) -> list[_Listed]:
        """Services, and programs, each with its ports behind it."""
        found: list[_Listed] = [*self._post.services.values()]
        for program in self._post.programs:
            found += [program, *program.ports.values()]
        return found

    def _service(self, name: str) -> Service:
        service = self._post.services.get(name)
        if service is None:
            raise RefusedError(reason=f"There is no service {name}. There are {_names(self._post.services)}")
        return service

    def _owner(self, name: str) -> Service | HostedPort:
        owner = self._post.owner(name)
        if owner is None:
            names = (one.config.name for one in self._post.owners())
            raise RefusedError(reason=f"There is no service {name}. There are {_names(names)}")
        return owner

    def _asked(self, names: Iterable[str]) -> list[_Listed]:
        """Services, programs and ports of these names; none named: all services and programs."""
        there = self._all()
        if not names:
            return [one for one in there if not isinstance(one, HostedPort)]
        found = {one.config.name: one for one in there}
        for name in names:
            if name not in found:
                raise RefusedError(reason=f"There is no service {name}. There are {_names(found)}")
        return [found[name] for name in names]

    async def _services(self, request: p.Request, who: str) -> p.Services:
        return p.Services(tuple(map(_described, self._all())))

    async def _start(self, request: p.Start, who: str) -> p.Services:
        asked = self._asked(request.services)
        for one in asked:
            if isinstance(one, HostedPort) and not one.running:
                await one.start()  # refused: only the program opens it
        for one in asked:
            if not one.running or isinstance(one.status, Waiting):
                self._record(who, f"start {one.config.name}", request, one)
        await self._post.start_all(None if not request.services else request.services)
        return p.Services(tuple(map(_described, asked)))

    async def _stop(self, request: p.Stop, who: str) -> p.Services:
        asked = self._asked(request.services)
        for one in asked:
            if one.running:
                self._record(who, f"stop {one.config.name}", request, one)
        ports = [one.stop() for one in asked if isinstance(one, HostedPort)]
        await self._post.stop_all(names=None if not request.services else request.services)
        await DeferredList(ports)
        return p.Services(tuple(map(_described, asked)))

    async def _switch_fault(self, request: p.SwitchFault, who: str) -> p.Done:
        found = [
            (service, fault)
            for service in self._post.owners()
            for fault in service.faults.all
            if request.name in (fault.name, f"{service.config.name}/{fault.name}")
        ]
        if not found:
            every = [
                f"{service.config.name}/{fault.name}" for service in self._post.owners() for fault in service.faults.all
            ]
            raise RefusedError(reason=f"There is no fault {request.name}. There are {_names(every)}")
        for service, fault in found:
            name = f"{service.config.name}/{fault.name}"
            self._record(who, f"fault {name} {request.to}", request, service)
            if request.to == "once":
                service.faults.once_now(fault)
            else:
                service.faults.switch(fault, on=request.to == "on")
        return p.Done(", ".join(f"{service.config.name}/{fault.name} {request.to}" for service, fault in found))

    # -- connections

    async def _connections(self, request: p.Connections, who: str) -> p.OpenConnections:
        services = [self._owner(request.service)] if request.service else self._post.owners()
        found = [(service, connection) for service in services for connection in service.connections.values()]
        listed = [
            p.Connection(
                c.number, service.config.name, c.peer, c.host, c.opened, c.received, c.sent,
            )
            for service, c in found[:MOST_CONNECTIONS]
        ]  # fmt: skip
        return p.OpenConnections(tuple(listed), len(found) - len(listed))

    def _connection(self, number: int) -> tuple[Service | HostedPort, Connection]:
        for service in self._post.owners():
            if number in service.connections:
                return service, service.connections[number]
        raise RefusedError(reason=f"There is no open connection {number}")

    async def _send(self, request: p.Send, who: str) -> p.Done:
        service, connection = self._connection(request.connection)
        self._record(who, f"send {len(request.data):,} bytes to {connection.peer}", request, service)
        connection.send(request.data)
        return p.Done(f"sent {len(request.data):,} bytes to {connection.peer}")

    async def _disconnect(self, request: p.Disconnect, who: str) -> p.Done:
        service, connection = self._connection(request.connection)
        self._record(who, f"close the connection of {connection.peer}", request, service)
        if request.abort:
            connection.abort()
        else:
            connection.finish()
        return p.Done(f"closed the connection of {connection.peer}")

    # -- the workspace

    async def _put(self, request: p.Put, who: str) -> p.Services:
        whole = _VERSION.search(request.toml) is not None
        asked, problems = reading.parse(request.toml if whole else f"version = {reading.VERSION}\n{request.toml}")
        if problems:
            lines = (replace(problem, line=problem.line - (not whole)) for problem in problems)
            raise RefusedError(reason="; ".join(f"line {problem}" for problem in lines))
        if not asked.services or asked.messages or asked.variables:
            raise RefusedError(reason="Put takes services alone: tables that begin with [[service]]")
        state = self._post.state()
        given = {config.name: config for config in asked.services}
        kept = [given.get(config.name, config) for config in state.services]
        added = [config for name, config in given.items() if name not in self._post.services]
        for name in given:
            self._record(who, f"put {name}", request)
        services = (*kept, *added)
        start = [config.name for config in added] if request.start else ()
        # Not the user's own word: what asks for more than was allowed before is held.
        await self._post.become(replace(state, services=services), start=start, by_user=False)
        return p.Services(tuple(_described(self._post.services[name]) for name in given if name in self._post.services))

    async def _remove(self, request: p.Remove, who: str) -> p.Done:
        service = self._service(request.service)
        self._record(who, f"remove {request.service}", request, service)
        await self._post.remove(request.service)
        return p.Done(f"removed {request.service}")


def _events(store: Store, request: p.Read) -> p.Events:
    found = batches.batch(store, request.after, request.max_bytes, p.MAX_INLINE)
    return p.Events(batches.identity(store), *store.range(), tuple(found))


def _rest(left: Iterable[Path], request: p.Read, now: Store) -> p.Events:
    """The rest of the one of the captures ``left`` that was asked for; once it has no more, the one that followed."""
    is_found, is_complete = False, True
    for path in left:
        try:
            with closing(Store(path)) as store:
                if is_found:
                    return p.Events(batches.identity(store), *store.range(), complete=is_complete)
                if batches.identity(store) == request.capture:
                    is_found = True
                    if (found := _events(store, request)).events:
                        return found
        except CaptureError:  # it was taken away
            is_complete = not is_found
    return p.Events(batches.identity(now), *now.range(), complete=is_found and is_complete)


def _of(left: Iterable[Path], identity: str, read: Callable[[Store], T], nothing: T) -> T:
    """What ``read`` gives for the one of the captures ``left`` that has this identity; else ``nothing``."""
    for path in left:
        try:
            with closing(Store(path)) as store:
                if batches.identity(store) == identity:
                    return read(store)
        except CaptureError:
            continue  # it was taken away
    return nothing


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _described(service: _Listed) -> p.Service:
    if isinstance(service, HostedProgram):
        received, sent = service.bytes_so_far()
        status, ports = service.status, service.ports.values()
        return p.Service(
            service.config.name, "program", "", type(status).__name__.lower(), _words(status) or service.said,
            sum(port.accepted for port in ports), sum(port.opened for port in ports), received, sent,
        )  # fmt: skip
    received, sent = service.bytes_so_far()
    config = service.config
    return p.Service(
        config.name, config.protocol, config.responder, type(service.status).__name__.lower(),
        _words(service.status), service.accepted, service.opened, received, sent,
        tuple(p.Fault(f.name, f.kind.name, f.on, f.enabled, f.hits) for f in service.faults.all),
    )  # fmt: skip


def _words(status: Status) -> str:
    if isinstance(status, Listening):
        return status.host
    if isinstance(status, Running):
        return status.blocked
    return status.reason if isinstance(status, Failed | Waiting | Held) else ""
