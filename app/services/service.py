"""A service: one configured server, its life cycle and its live connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from twisted.internet import threads
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from app import events, faults, options
from app.capture.recorder import Recorder
from app.errors import PostError
from app.faults.live import Faults
from app.responders import build, find
from app.responders.relay.balance import Balance, Member
from app.responders.trial import Message, Request, Trial
from app.services import address, errors, failing, settings
from app.services.budget import Budget
from app.services.changes import FAULTS, check_faults, check_options, live_changes
from app.services.config import ServiceConfig
from app.services.context import ServiceContext
from app.services.hosts import Hosts, is_name
from app.services.interfaces import Connection
from app.services.own_checks import Transport
from app.services.protocols import PROTOCOLS, options_of
from app.services.restart import Restart
from app.services.shutter import Shuttable, Shutter
from app.services.surroundings import Surroundings
from app.services.trying import Rules, tried
from app.signal import Signal
from app.status import Failed, Held, Listening, Starting, Status, Stopped, Stopping, Waiting
from app.text import framing

if TYPE_CHECKING:
    from app.services.tls.server import ServerTLS

GRACE = 2.0
"""Seconds that live connections have to close in good order before they are aborted."""


class Service:
    """One server of the workspace.

    Attributes:
        config: its configuration in the workspace.
        number: its number in the recorder.
        status: what it is doing; ``status_changed`` emits the service after each change.
        connections: the live ones by their number.
        tls: certificate and terms of TLS, from the start on; None without TLS.
        refused_host: the name that was refused last because the option ``hosts`` does not have it; empty: none was.
        wanted: whether it was to start while it was held.
        opened, received, sent: connections that others made, and bytes, since the program started; live
            connections are not in the bytes yet, see ``bytes_so_far``.
        faults: how it fails on purpose.
        fail: has the faults act on open connections, too.
        renew: builds the responder anew for new connections, while the port stays open. Raises
            ResponderBrokenError, and then changes nothing.
        adapt: has the open port use what answers now, with the configuration as it is now; see ``apply``.
    """

    def __init__(
        self,
        config: ServiceConfig,
        reactor: Any,
        recorder: Recorder,
        surroundings: Surroundings,
    ) -> None:
        self.config = config
        self.surroundings = surroundings
        self.reactor = reactor
        self.recorder = recorder
        self.number = recorder.add_service(config.name, config.protocol)
        self.status: Status = Stopped()
        self.status_changed: Signal[Service] = Signal()
        self.connections: dict[int, Connection] = {}
        self.opened = self._made = 0
        self.received = 0
        self.sent = 0
        self.tls: ServerTLS | None = None
        self.refused_host = ""
        self.wanted = False
        self.faults = failing.faults_of(self, reactor)
        self.faults.counted = recorder.counters(self.number).faults
        self.renew: Callable[[], None] = lambda: None
        self.adapt: Callable[[Any], None] = lambda built: None
        self.fail: Callable[[], None] = lambda: None
        self._built: Any = None
        self._context: ServiceContext | None = None
        self._port: IListeningPort | None = None
        self._shutter: Shutter | None = None
        self._emptied: Deferred[None] | None = None
        self._stopped: Deferred[None] | None = None
        self._restart = Restart(reactor, self._try_again)
        self._comes_back = self._again = False
        self._take_faults()
        self._unhook = recorder.pressure.connect(self._on_pressure)

    @property
    def budget(self) -> Budget:
        return self.surroundings.budget

    @property
    def running(self) -> bool:
        """Whether it is up, or on its way up or down, or waits for its next try."""
        return isinstance(self.status, Starting | Listening | Stopping | Waiting)

    @property
    def seconds_left(self) -> float:
        """Seconds until it is tried again by itself, while its status is ``Waiting``."""
        return self._restart.seconds_left

    def upstreams(self) -> tuple[Member, ...]:
        """The upstreams of a relay that listens; () for anything else."""
        balance = getattr(self._built, "balance", None) if isinstance(self.status, Listening) else None
        if not isinstance(balance, Balance):
            return ()
        balance.look()
        return tuple(balance.members)

    outgoing = False
    """It listens; what a hosted program connects to does not."""

    @property
    def accepted(self) -> int:
        """How many of ``connections`` others have made; a relay makes some to its upstreams."""
        return len(self.connections) - self._made

    def clients(self) -> list[Connection]:
        """The live connections of others: not those of our own checks, which are over in a moment, nor those that
        a relay has made to its upstreams.
        """
        checks = self.surroundings.checks
        return [one for one in self.connections.values() if not (one.ours or checks.of("tcp", one.peer))]

    def bytes_so_far(self) -> tuple[int, int]:
        """Bytes received and sent since the program started, live connections included."""
        live = self.connections.values()
        return self.received + sum(c.received for c in live), self.sent + sum(c.sent for c in live)

    def dispose(self) -> None:
        """Disconnect from the recorder; for a stopped service that is removed."""
        self._restart.forget()
        self._unhook()

    async def start(self) -> Status:
        """Bind the address. An error becomes the status ``Failed``, never an exception."""
        if isinstance(self.status, Waiting):
            self._tell_restart(self.status)
        elif self.running:
            return self.status
        self._set(Starting())
        self._take_faults()
        self.faults.begin(self.config.seed or self.surroundings.seed())
        try:
            self._port = await self._bound()
        except errors.NotTrustedError as e:
            return self._refuse(e)
        except PostError as e:
            return self._fail(e)
        except Exception as e:
            return self._fail(self._broken(e))
        if isinstance(self.status, Stopping):  # asked to stop while the name was looked up
            await self._close_port()
            self._end()
            return self.status
        bound = address.written(self._port.getHost())
        drawn = self._context is not None and self._context.drawn
        more = {"seed": self.faults.seed} if self.faults or drawn else {}
        self._record(events.SERVICE_STARTED, f"listening on {bound}", {"host": bound} | more)
        self._restart.forget()
        self._set(Listening(bound))
        self._watch_port(self._port)
        return self.status

    async def start_when_down(self) -> Status:
        """As ``start``; one that is on its way down starts once it is down, unless it is stopped again before."""
        if self._stopped is None:
            return await self.start()
        self._again = True
        down: Deferred[None] = Deferred()
        self._stopped.addCallback(lambda _: down.callback(None))
        await down
        if not self._again:
            return self.status
        self._again = False
        return await self.start()

    async def _bound(self) -> IListeningPort:
        """The open port, if all that it needs is right and allowed. Raises PostError."""
        config = self.config
        protocol = PROTOCOLS[config.protocol]
        if self.surroundings.admit is not None:
            self.surroundings.admit(config)
        check_faults(config, loaded=True)
        host = config.host
        if not address.is_number(host):
            host = await self._in_thread(address.look_up, host)
        opener = protocol.load()
        if config.tls is not None:
            from app.services.tls import server as tls

            self.tls = await self._in_thread(tls.prepare, config, self.surroundings)
        try:
            opened = opener(self, host, config.port)
            return await opened if isinstance(opened, Deferred) else opened
        except (CannotListenError, OSError) as e:
            raise await self._in_thread(address.why_not, e, host, config.port, protocol.transport) from e

    def hold(self, why: errors.NotTrustedError | None) -> None:
        """It may not start, and says why; with None it may. A service that runs is left alone."""
        waiting = isinstance(self.status, Waiting)
        if why is not None and (waiting or not self.running):
            self._restart.forget()
            self.wanted = self.wanted or waiting
            self._set(_held(why))
        elif why is None and isinstance(self.status, Held):
            self._set(Stopped())

    def _refuse(self, error: errors.NotTrustedError) -> Status:
        self._restart.forget()
        if not isinstance(self.status, Stopping):
            self.wanted = True
            self._record(events.SERVICE_FAILED, str(error), {"reason": str(error)})
            self._set(_held(error))
            return self.status
        self._end()
        return self.status

    def build(self) -> Any:
        """Build the responder's factory, resource or protocol class anew.

        Raises ResponderBrokenError, UnknownResponderError or OptionWrongError: a plugin may have changed since
        the workspace was checked.
        """
        config = self.config
        self._context = self._context or ServiceContext(
            self, config.name, self.reactor, self.surroundings, lambda: self.faults.seed
        )
        responder = find(config.responder)
        if responder is None:
            raise errors.UnknownResponderError(responder=config.responder)
        if responder.missing:
            raise responder.missing
        check_options(config)
        with self.setting_up():
            self._built = build(config.responder, config.protocol, config.options, self._context)
            return self._built

    # -- changes while it runs

    def apply(self, config: ServiceConfig) -> bool:
        """Take another configuration, without a restart if it is listening. False where that is not possible.

        Raises what ``build`` raises, and then the service goes on as it was.
        """
        before = self.config
        if not self.running:
            if self.wanted or (config.name, config.protocol) != (before.name, before.protocol):
                return False
            self.config, self.tls, self._built = config, None, None
            self._take_faults()
            if isinstance(self.status, Failed):
                self._set(Stopped())
            return True
        changed = live_changes(before, config) if isinstance(self.status, Listening) else None
        if changed is None:
            return False
        if not changed:  # what does not matter while it runs
            self.config = config
            return True
        check_options(config)
        if FAULTS in changed:
            check_faults(config, loaded=True)
        if changed == (FAULTS,):
            self.config = config
            self._take_faults()
            return True
        built, self.config = self._built, config
        try:
            self.adapt(self._changed(changed))
        except BaseException:
            self.config, self._built = before, built
            raise
        self._take_faults()
        self._record(events.LOG, f"changed while it runs: {', '.join(changed)}", {"changed": list(changed)})
        return True

    def _changed(self, names: Collection[str]) -> Any:
        """What answers after options of these ``names`` have changed.

        What a responder has built stays, with all that it holds, unless one of its own options has changed that it
        does not take itself: by a method ``take_options``, as for a builder.
        """
        responder = find(self.config.responder)
        own = [option.name for option in responder.options_for(self.config.protocol)] if responder else []
        if responder is None or not {*own} & {*names}:
            return self._built
        take = getattr(self._built, "take_options", None)
        if take is None:
            return self.build()
        with self.setting_up():
            take(responder.with_defaults(self.config.options))
        return self._built

    def check_of(self, transport: Transport, peer: str) -> str:
        """The name of the watch whose check ``peer`` is; "" for any other."""
        return self.surroundings.checks.of(transport, peer)

    # -- faults

    def faults_of(self, *, outgoing: bool) -> Faults | None:
        """Faults stand between the service and those who connect to it, not between a relay and its upstream."""
        return None if outgoing else self.faults

    def renew_faults(self) -> None:
        """Take the kinds of its faults as they are now. A fault whose kind is gone acts no longer.

        Raises OptionWrongError where one does not fit any more, and changes nothing then.
        """
        there = tuple(table for table in self.config.faults if faults.find(table["kind"]))
        check_faults(replace(self.config, faults=there))
        self._take_faults()

    def _take_faults(self) -> None:
        config, own = self.config, self.faults
        declared = options_of(find(config.responder), config.protocol)
        own.protocol = config.protocol
        own.framer = None
        if any(option.name == "framing" for option in declared):
            values = options.with_defaults(declared, config.options)
            own.framer = framing.maker(values) if values["framing"] not in ("none", "gap") else None
        own.configure(config.faults)
        if self.tls is not None and isinstance(self.status, Listening):
            self.tls.take_faults(config.faults)
        if own:
            self.fail()

    def _watch_port(self, port: IListeningPort) -> None:
        """Have faults shut the port, and see it closed, where that can be: not those in memory, nor those of IOCP."""
        if hasattr(port, "shut"):
            cast(Any, port).on_lost = self._on_port_lost
            self._shutter = Shutter(cast(Shuttable, port), self.faults, self._on_shut, self._log)

    def _on_shut(self, how: str) -> None:
        if isinstance(self.status, Listening):
            self._set(Listening(self.status.host, how))

    def _on_port_lost(self) -> None:
        """The port was closed by somebody who had its object, or by the reactor, which could not use it any more."""
        ending = not getattr(self.reactor, "running", True)  # it closes all ports then
        if self._port is not None and isinstance(self.status, Listening) and not ending:
            self._log("its port was closed")
            self.stop(by_user=False)

    def _log(self, words: str) -> None:
        self._record(events.LOG, words, {})

    # -- rules

    def hits(self) -> tuple[int, ...]:
        """How often each rule in ``config.options["rules"]`` has applied since the start; () without such rules."""
        return tuple(count.hits for count in Rules(self.config, self._built).counts())

    def reset_hits(self, at: Collection[int] | None = None) -> None:
        """Count anew how often rules have applied: those with these indexes, or all. It holds at the next message."""
        Rules(self.config, self._built).reset(at)

    def trial(self, asked: Request | Message, given: options.Options | None = None) -> Deferred[Trial]:
        """What would happen to a request or message. The counts are those of now, and stay as they are.

        ``given`` are options to try in the place of the service's own; they must be valid. Fails with NoRulesError
        or TrialTooLongError.
        """
        rules = Rules(self.config, self._built)
        config = self.config if given is None else replace(self.config, options=given)
        counts, connections = rules.counts_for(config.options), rules.connections()
        folder, variables = self.surroundings.folder, self.surroundings.variables()
        return self._in_thread(tried, config, _hosts(config), asked, folder, counts, connections, variables)

    # -- names

    def hosts(self) -> Hosts | None:
        """The names by which the service answers; None: by any."""
        return _hosts(self.config, self._on_refused_host)

    def _on_refused_host(self, host: str) -> None:
        if host != self.refused_host and is_name(host):
            self.refused_host = host
            self.status_changed.emit(self)

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """A context for the responder's code: what it raises is recorded and raised as ResponderBrokenError.

        Without it, the error would look like one of the address.
        """
        try:
            yield
        except PostError:
            raise  # these say in words what is wrong
        except (Exception, SystemExit) as e:
            raise self._broken(e) from e

    def _broken(self, e: BaseException) -> errors.ResponderBrokenError:
        self.recorder.record_failure(e, self.number)
        reason = f"{type(e).__name__}: {e}"
        return errors.ResponderBrokenError(responder=self.config.responder, reason=reason)

    def stop(self, grace: float = GRACE, *, by_user: bool = True) -> Deferred[None]:
        """Close the address and all connections. Fires when none is left, in ``grace`` seconds at the most.

        ``by_user``: whether somebody asked for it, the user, a command or an alert. Then it stays stopped; else it
        comes back if its ``restart`` says ``always``.
        """
        done: Deferred[None] = Deferred()
        self.wanted = self._again = False
        self._comes_back = not by_user and isinstance(self.status, Listening)
        self._restart.forget()
        if isinstance(self.status, Failed | Waiting):
            self._set(Stopped())
        if not self.running:
            done.callback(None)
            return done
        if self._stopped is not None:
            self._stopped.addCallback(lambda _: done.callback(None))
            return done
        starting = isinstance(self.status, Starting)
        self._stopped = done
        self._set(Stopping())
        if not starting:
            Deferred.fromCoroutine(self._shut(grace))
        return done

    async def _shut(self, grace: float) -> None:
        await self._close_port()
        if self.connections:
            self._emptied = Deferred()
            overdue = self.reactor.callLater(grace, self._abort_all)
            for connection in list(self.connections.values()):
                self._guarded(connection.finish)
            if self.connections:
                await self._emptied
            self._emptied = None
            if overdue.active():
                overdue.cancel()
        self._end()

    def _close_context(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            context.close()

    async def _close_port(self) -> None:
        self._close_context()
        shutter, self._shutter = self._shutter, None
        if shutter is not None:
            shutter.stop()
        port, self._port = self._port, None
        if port is not None:
            closing = port.stopListening()
            if closing is not None:
                await closing

    def _abort_all(self) -> None:
        for connection in list(self.connections.values()):
            self._guarded(connection.abort)

    def _guarded(self, call: Callable[[], None]) -> None:
        """Call ``call``, and record what it raises: one connection that cannot be closed must not keep others open."""
        try:
            call()
        except Exception as e:
            self.recorder.record_failure(e, self.number)

    def _end(self) -> None:
        self.faults.end()
        self._record(events.SERVICE_STOPPED, "stopped", {})
        stopped, self._stopped = self._stopped, None
        back, self._comes_back = self._comes_back, False
        self._set(self._waiting("It was stopped.", stopped=True) if back else Stopped())
        if stopped is not None:
            stopped.callback(None)

    def _fail(self, error: PostError) -> Status:
        self._close_context()
        if isinstance(self.status, Stopping):
            self._end()
            return self.status
        self._record(events.SERVICE_FAILED, str(error), {"reason": str(error)})
        self._set(self._waiting(str(error)))
        return self.status

    def _waiting(self, reason: str, *, stopped: bool = False) -> Status:
        """Wait for the next try, if there is to be one. Returns the status."""
        terms = self.config.settings("restart") if self.config.restart is not None else None
        if self._restart.wait(terms, stopped=stopped):
            return Waiting(reason, self._restart.attempt, self._restart.seconds)
        return Stopped() if stopped else Failed(reason)

    def _tell_restart(self, status: Waiting) -> None:
        waited = round(max(0.0, status.seconds - self.seconds_left), 3)
        self._restart.cut_short()
        detail = {"attempt": status.attempt, "seconds": waited, "reason": status.reason}
        self._record(events.SERVICE_RESTARTING, f"tried again, number {status.attempt:,}", detail)

    def _try_again(self) -> None:
        Deferred.fromCoroutine(self.start())  # an error becomes its status

    def _in_thread(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        return threads.deferToThreadPool(self.reactor, self.reactor.getThreadPool(), call, *args)

    def _record(self, kind: int, summary: str, detail: dict[str, Any]) -> None:
        self.recorder.record(kind, self.number, summary=summary, detail=json.dumps(detail))

    def _set(self, status: Status) -> None:
        self.status = status
        self.status_changed.emit(self)

    def _on_pressure(self, pressed: bool) -> None:
        for connection in list(self.connections.values()):
            connection.on_pressure(pressed)

    # -- called by the Taps

    def add_connection(self, connection: Connection) -> None:
        if connection.ours:
            self._made += 1
        else:
            self.opened += 1
        self.connections[connection.number] = connection
        if isinstance(self.status, Stopping):
            connection.abort()

    def remove_connection(self, connection: Connection) -> None:
        if self.connections.pop(connection.number, None) is None:
            return
        self._made -= connection.ours
        self.received += connection.received
        self.sent += connection.sent
        if not self.connections and self._emptied is not None and not self._emptied.called:
            self._emptied.callback(None)


def _hosts(config: ServiceConfig, refused: Callable[[str], object] = lambda host: None) -> Hosts | None:
    """The names by which a service answers, None: by any. ``refused`` is called with each other one."""
    responder = find(config.responder)
    offered = options_of(responder, config.protocol)  # a responder's own may have that name
    known = [option for option in settings.OF_HOSTS if option in offered]
    names = options.with_defaults(known, config.options)["hosts"] if known else []
    if names or (responder is not None and responder.guarded and not config.exposed):
        return Hosts(names, refused)
    return None


def _held(error: errors.NotTrustedError) -> Held:
    return Held(str(error), str(error.fields["asks"]))
