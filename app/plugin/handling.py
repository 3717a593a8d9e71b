"""Handlers: plain functions of a plugin that are called with each message and return the answer."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from app.plugin.pool import in_thread
from app.responders import Context, Options

FRAMINGS = ("none", "line", "int32")


class Connection:
    """The connection on which a message came; on UDP, the peer that sent it.

    Attributes:
        peer: as ``address:port``.
        send: sends an answer at any time.
        close: closes the connection.
        state: what the handler keeps for this connection. On UDP it is empty for each datagram.
    """

    def __init__(self, peer: str, send: Callable[[Any], None], close: Callable[[], None]) -> None:
        self.peer, self.send, self.close = peer, send, close
        self.state: dict[str, Any] = {}


@dataclass(frozen=True)
class Handler:
    """A function and how it is called; the fields are the arguments of ``app.plugin.responder``."""

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

    async def answer(self, message: Any, connection: Connection, options: Options, context: Context) -> Any:
        """Call the function with ``message``. Returns what it returns, or the answer declared for what it raises."""
        known = {"connection": connection, "context": context}
        more = {name: known[name] if name in known else options[name] for name in self._wants}
        try:
            if self.thread:
                # Between threads a Failure may lose its frames, and with them the local variables.
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
    return context.in_thread(call, *args)  # in a test, on a Clock


def _caught(call: Callable[..., Any], message: Any, more: dict[str, Any]) -> tuple[Any, BaseException | None]:
    try:
        value = call(message, **more)
        return list(value) if isinstance(value, Iterator) else value, None
    except BaseException as e:
        return None, e


def arguments_for(kind: Callable[..., Any], names: Iterable[str], options: Options, context: Context) -> dict[str, Any]:
    """The arguments for the parameters of ``kind`` called ``options``, ``context``, or as an option of ``names``."""
    known = {name: options[name] for name in names} | {"options": options, "context": context}
    try:
        wanted = inspect.signature(kind).parameters
    except ValueError:  # a class written in C has no signature
        return {}
    return {name: known[name] for name in wanted if name in known}


def address_text(address: Any) -> str:
    """``address:port`` of an ``IAddress``; IPv6 in brackets."""
    host, port = getattr(address, "host", ""), getattr(address, "port", 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def answers_in(value: Any) -> Iterable[Any]:
    """The answers in the return value of a handler. Raises TypeError for a value that cannot be sent."""
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
