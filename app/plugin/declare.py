"""How a plugin says what it offers: a decorator, an interface, or nothing but the thing itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Factory
from zope.interface import Attribute, Interface

from app.options import Option
from app.plugin.handling import Handler, given
from app.responders import Builder, Context, Options, Responder

MARK = "__responder__"
"""The attribute by which a decorated function or class holds its responder."""

T = TypeVar("T")


class IResponder(Interface):
    """A responder, for those who know ``zope.interface``: a module offers each object that provides it."""

    name = Attribute('As in a workspace: ``responder = "name"``.')
    help = Attribute("One line about it.")
    protocols = Attribute("Those that it serves: ``tcp``, ``udp``, ``http``, ``websocket``.")
    options = Attribute("A tuple of ``Option``.")

    def build(protocol: str, options: Options, context: Context) -> Any:  # noqa: N805
        """What ``app.responders`` asks of a builder for ``protocol``."""


def responder(
    name: str,
    protocols: tuple[str, ...] = (),
    *,
    help: str = "",
    options: tuple[Option, ...] = (),
    framing: str = "none",
    thread: bool = False,
    errors: Mapping[type[BaseException], Any] | None = None,
    close_on_error: bool = False,
) -> Callable[[T], T]:
    """Make a responder of a function, or of a Twisted class; it stays what it is otherwise.

    A function is called with each message, and what it returns is the answer. Its further parameters
    are filled by name: ``connection``, ``context``, or an option's. A class is called with those of
    ``options``, ``context`` and the options' names that its constructor takes.

    Args:
        protocols: of a function, ``("tcp",)`` if left out; a class shows for which it is.
        framing: on TCP, what is one message: ``none`` (what arrives at once), ``line`` or ``int32``.
        thread: whether the function blocks, and is to run in a thread.
        errors: the answer to give for an exception, by its class: as a value, or as a function of
            the exception. Others are recorded as failures.
        close_on_error: whether a failure ends the connection.
    """

    def decorate(target: T) -> T:
        words = help or (getattr(target, "__doc__", None) or name).strip().partition("\n")[0]
        if isinstance(target, type) or not callable(target) or IProtocolFactory.providedBy(target):
            builders = builders_of(target, tuple(option.name for option in options))
            if not builders:
                raise TypeError(f"{name}: {target!r} is no factory, protocol or resource of Twisted or autobahn")
        else:
            names = tuple(option.name for option in options)
            handler = Handler(target, names, framing, thread, dict(errors or {}), close_on_error)
            builders = handler.builders(protocols or ("tcp",))
        setattr(target, MARK, Responder(name, words, builders, options))
        return target

    return decorate


def builders_of(thing: Any, names: tuple[str, ...] = ()) -> dict[str, Builder]:
    """The builder for the one protocol that a class or object of Twisted or autobahn is for; none for others."""
    kind = thing if isinstance(thing, type) else type(thing)
    websocket = sys.modules.get("autobahn.twisted.websocket")
    if websocket and issubclass(kind, websocket.WebSocketServerProtocol) and kind is thing:
        return {"websocket": lambda options, context: type(kind.__name__, (kind,), _attributes(options, context))}
    if websocket and issubclass(kind, websocket.WebSocketServerFactory):
        return {"websocket": _maker(thing, names)}
    if issubclass(kind, DatagramProtocol):
        return {"udp": _maker(thing, names)}
    web = sys.modules.get("twisted.web.resource")
    if web and web.IResource.implementedBy(kind):
        return {"http": _maker(thing, names)}
    if IProtocolFactory.implementedBy(kind):
        return {"tcp": _maker(thing, names)}
    if IProtocol.implementedBy(kind) and kind is thing:
        return {"tcp": _protocol_maker(thing, names)}
    return {}


def _attributes(options: Options, context: Context) -> dict[str, Any]:
    # autobahn makes its protocols without arguments.
    return {"options": options, "context": context}


def _maker(thing: Any, names: tuple[str, ...]) -> Builder:
    def make(options: Options, context: Context) -> Any:
        return thing(**given(thing, names, options, context)) if isinstance(thing, type) else thing

    return make


def _protocol_maker(thing: Any, names: tuple[str, ...]) -> Builder:
    def make(options: Options, context: Context) -> Any:
        factory = Factory()
        factory.noisy = False
        factory.protocol = lambda: thing(**given(thing, names, options, context))
        return factory

    return make
