"""Plain functions as responders: called with each message, answering in order."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from app.plugin.pool import in_thread
from app.responders import Builder, Context, Options

MANY, MUCH = 64, 1 << 20
"""Messages and bytes that wait for their turn; above either, the peer is not read from."""

FRAMINGS = ("none", "line", "int32")


class Connection:
    """Whom a message came from.

    Attributes:
        peer: as ``address:port``.
        state: anything the handler likes to remember of this connection; of a datagram's sender
            nothing is remembered.
    """

    def __init__(self, peer: str, send: Callable[[Any], None], close: Callable[[], None]) -> None:
        self.peer, self.send, self.close = peer, send, close
        self.state: dict[str, Any] = {}


@dataclass(frozen=True)
class Handler:
    """A function and how it is to be called; the fields are those of ``app.plugin.responder``."""

    call: Callable[..., Any]
    options: tuple[str, ...] = ()
    framing: str = "none"
    thread: bool = False
    errors: Mapping[type[BaseException], Any] = field(default_factory=dict)
    close_on_error: bool = False
    _wants: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.framing not in FRAMINGS:
            raise ValueError(f"framing must be one of {', '.join(FRAMINGS)}, not {self.framing!r}")
        if self.thread and inspect.iscoroutinefunction(self.call):
            raise TypeError(f"{self.call.__name__}() is async, and cannot run in a thread")
        known = ("connection", "context", *self.options)
        named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        further = [p for p in list(inspect.signature(self.call).parameters.values())[1:] if p.kind in named]
        for parameter in further:
            if parameter.name not in known and parameter.default is parameter.empty:
                raise TypeError(f"{parameter.name!r} of {self.call.__name__}() is none of {', '.join(known)}")
        object.__setattr__(self, "_wants", tuple(p.name for p in further if p.name in known))

    def builders(self, protocols: Iterable[str]) -> dict[str, Builder]:
        from app.plugin import stream, web, websocket

        known: dict[str, Any] = {
            "tcp": stream.factory, "udp": stream.datagrams, "http": web.resource, "websocket": websocket.protocol,
        }  # fmt: skip
        for name in protocols:
            if name not in known:
                raise ValueError(f"protocols must be of {', '.join(known)}, not {name!r}")
        return {name: self._builder(known[name]) for name in protocols}

    def _builder(self, make: Callable[[Handler, Options, Context], Any]) -> Builder:
        return lambda options, context: make(self, options, context)

    async def answer(self, message: Any, connection: Connection, options: Options, context: Context) -> Any:
        """What the function makes of ``message``, or the answer that was declared for what it raises."""
        known = {"connection": connection, "context": context}
        more = {name: known[name] if name in known else options[name] for name in self._wants}
        try:
            if self.thread:
                # A Failure on its way between threads may lose its frames, and with them the locals.
                value, raised = await _in_thread(context, _caught, self.call, message, more)
                if raised is not None:
                    raise raised
                return value
            value = self.call(message, **more)
            return await value if isinstance(value, Awaitable) else value
        except BaseException as e:
            for kind, answer in self.errors.items():
                if isinstance(e, kind):
                    return answer(e) if callable(answer) else answer
            raise


def _in_thread(context: Context, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
    if hasattr(context.reactor, "callFromThread"):
        return in_thread(context.reactor, call, *args)
    return context.in_thread(call, *args)  # a test's, on a clock


def _caught(call: Callable[..., Any], message: Any, more: dict[str, Any]) -> tuple[Any, BaseException | None]:
    try:
        value = call(message, **more)
        return list(value) if isinstance(value, Iterator) else value, None
    except BaseException as e:
        return None, e


def given(kind: Callable[..., Any], names: Iterable[str], options: Options, context: Context) -> dict[str, Any]:
    """The arguments for those parameters of a class whose names mean something here."""
    known = {name: options[name] for name in names} | {"options": options, "context": context}
    try:
        wanted = inspect.signature(kind).parameters
    except ValueError:  # of a class written in C
        return {}
    return {name: known[name] for name in wanted if name in known}


def written(address: Any) -> str:
    """``address:port`` of an address of Twisted's."""
    host, port = getattr(address, "host", ""), getattr(address, "port", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Turns:
    """Messages of one connection, worked off one after the other.

    Attributes:
        work: what is done with each; it raises nothing.
    """

    def __init__(
        self, work: Callable[[Any], Awaitable[None]], hold: Callable[[], None], release: Callable[[], None]
    ) -> None:
        self.work, self._hold, self._release = work, hold, release
        self._waiting: deque[Any] = deque()
        self._bytes = 0
        self._held = self._busy = False
        self._running: Deferred[None] | None = None
        self._at_end: Callable[[], None] | None = None

    def put(self, message: Any) -> None:
        """Work on ``message`` when those before it are done."""
        self._waiting.append(message)
        self._bytes += len(message)
        if not self._busy:
            running = Deferred.fromCoroutine(self._run())
            self._running = None if running.called else running
        if not self._held and self.full:
            self._held = True
            self._hold()

    async def _run(self) -> None:
        self._busy = True
        while self._waiting:
            message = self._waiting.popleft()
            self._bytes -= len(message)
            if self._held and len(self._waiting) <= MANY // 2 and self._bytes <= MUCH // 2:
                self._held = False
                self._release()
            await self.work(message)
        self._busy, self._running = False, None
        end, self._at_end = self._at_end, None
        if end is not None:
            end()

    @property
    def full(self) -> bool:
        """Whether so much waits that no more is to come."""
        return len(self._waiting) > MANY or self._bytes > MUCH

    def finish(self, then: Callable[[], None]) -> None:
        """Call ``then`` when all is done that is here."""
        if not self._busy:
            then()
        else:
            self._at_end = then

    def stop(self) -> None:
        """Nobody waits for answers any more."""
        self._waiting.clear()
        self._at_end = None
        running, self._running = self._running, None
        if running is not None:
            running.cancel()


def parts(value: Any) -> Iterable[Any]:
    """The answers in what a handler returned. Raises TypeError for what cannot be sent."""
    if value is None:
        return
    for part in [value] if isinstance(value, bytes | str) else _each(value):
        if not isinstance(part, bytes | str):
            raise TypeError(f"an answer must be bytes or str, not {type(part).__name__}")
        yield part


def _each(value: Any) -> Iterable[Any]:
    if isinstance(value, bytearray | memoryview):
        return [bytes(value)]
    if isinstance(value, Mapping) or not isinstance(value, Iterable):
        raise TypeError(f"an answer must be bytes or str, or several of them, not {type(value).__name__}")
    return value
