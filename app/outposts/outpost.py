"""What answers requests: a Post that is read and steered from another process."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from time import time_ns
from typing import Any

import msgspec
from twisted.internet.defer import CancelledError, DeferredList

from app import __version__, events
from app.errors import PostError
from app.outposts import changing, frames
from app.outposts import protocol as p
from app.outposts.captured import Captured
from app.outposts.errors import RefusedError
from app.post import Post
from app.programs.hosted import HostedProgram
from app.programs.shown import HostedPort
from app.services.interfaces import Connection
from app.services.service import Service
from app.signal import Signal
from app.status import Failed, Held, Listening, Running, Status, Waiting

_Listed = Service | HostedProgram | HostedPort


class Outpost:
    """Answers the requests of consoles about one Post.

    Attributes:
        allow: what it allows.
        services_changed: emits when a service was added, removed or changed, or its status.
    """

    def __init__(self, reactor: Any, post: Post, name: str, allow: p.Allow = "read") -> None:
        self._reactor, self._post, self._name, self.allow = reactor, post, name, allow
        self.services_changed: Signal[None] = Signal()
        self._captured = Captured(reactor, post)
        self._unhook = (
            post.services_changed.connect(lambda _: self.services_changed.emit(None)),
            post.status_changed.connect(lambda _: self.services_changed.emit(None)),
            post.programs.status_changed.connect(lambda _: self.services_changed.emit(None)),
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
            p.Configuration: self._configuration,
            p.Put: self._put,
            p.Remove: self._remove,
        }

    def close(self) -> None:
        for disconnect in self._unhook:
            disconnect()
        self._captured.close()

    def failed(self, error: BaseException) -> None:
        """Record what a request has raised."""
        self._post.recorder.record_failure(error)

    async def answered(self, asked: frames.Asked, who: str) -> frames.Answered:
        """The answer to what ``who`` asks, or why there is none: each way to an outpost sends it as it is."""
        try:
            answer = await self.answer(asked.ask, who)
        except PostError as e:
            return frames.refusal(str(e), asked.id)
        except CancelledError:
            raise  # who asked is gone
        except Exception as e:
            self.failed(e)
            words = f"{type(e).__name__}: {e}"[: frames.MOST_WORDS // 2]
            return frames.refusal(f"{words}. This is a mistake in Listening Post", asked.id)
        return frames.Answered(asked.id, msgspec.Raw(frames.encode(answer)))

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
        identity = await self._captured.identity()
        return p.Outpost(p.VERSION, self._name, program, self.allow, identity, stored.first, stored.last, now, p.MINOR)

    async def _read(self, request: p.Read, who: str) -> p.Events:
        return await self._captured.events(request)

    async def _payload(self, request: p.Payload, who: str) -> p.Part:
        return await self._captured.part(request)

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
        return _told(self._all())

    async def _start(self, request: p.Start, who: str) -> p.Services:
        asked = self._asked(request.services)
        for one in asked:
            if isinstance(one, HostedPort) and not one.running:
                await one.start()  # refused: only the program opens it
        for one in asked:
            if not one.running or isinstance(one.status, Waiting):
                self._record(who, f"start {one.config.name}", request, one)
        await self._post.start_all(None if not request.services else request.services)
        return _told(asked)

    async def _stop(self, request: p.Stop, who: str) -> p.Services:
        asked = self._asked(request.services)
        for one in asked:
            if one.running:
                self._record(who, f"stop {one.config.name}", request, one)
        ports = [one.stop() for one in asked if isinstance(one, HostedPort)]
        await self._post.stop_all(names=None if not request.services else request.services)
        await DeferredList(ports)
        return _told(asked)

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
            for service, c in found[:p.MOST_CONNECTIONS]
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

    async def _configuration(self, request: p.Configuration, who: str) -> p.Table:
        toml, secret = changing.table_of(self._service(request.service).config)
        if len(toml) > p.MAX_REQUEST:
            raise RefusedError(reason=f"The configuration of {request.service} is too long: {len(toml):,} characters")
        return p.Table(toml, secret)

    async def _put(self, request: p.Put, who: str) -> p.Services:
        given = changing.services_in(request.toml)
        for name in given:
            self._record(who, f"put {name}", request, self._post.services.get(name))
        await changing.put(self._post, given, start=request.start, keep=request.keep)
        return _told(self._post.services[name] for name in given if name in self._post.services)

    async def _remove(self, request: p.Remove, who: str) -> p.Done:
        service = self._service(request.service)
        self._record(who, f"remove {request.service}", request, service)
        await self._post.remove(request.service)
        return p.Done(f"removed {request.service}")


def _names(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _told(services: Iterable[_Listed]) -> p.Services:
    every = tuple(services)
    listed = every[: p.MOST_SERVICES]
    return p.Services(tuple(map(_described, listed)), len(every) - len(listed))


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
        config.tls is not None,
    )  # fmt: skip


def _words(status: Status) -> str:
    if isinstance(status, Listening):
        return status.host
    if isinstance(status, Running):
        return "nothing more is seen of it" if status.unseen else status.blocked
    return status.reason if isinstance(status, Failed | Waiting | Held) else ""
