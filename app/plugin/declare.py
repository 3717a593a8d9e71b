"""How a plugin declares a responder: by a decorator, by an interface, or by a Twisted class or object alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import DatagramProtocol, Factory
from zope.interface import Attribute, Interface

from app.options import Option
from app.plugin.dispatch import builders_for
from app.plugin.handling import Handler, arguments_for
from app.responders import Builder, Context, Options, Responder

MARK = "__responder__"
"""The attribute of a decorated function or class that holds its ``Responder``."""

T = TypeVar("T")


class IResponder(Interface):
    """A responder as an interface: each object of a plugin's module that provides it is a responder."""

    name = Attribute('Its name in a workspace: ``responder = "name"``.')
    help = Attribute("One line about it.")
    protocols = Attribute("The protocols on which it answers: ``tcp``, ``udp``, ``http``, ``websocket``.")
    options = Attribute("A tuple of ``Option``.")

    def build(protocol: str, options: Options, context: Context) -> Any:  # noqa: N805
        """Build what answers on ``protocol``; ``app.responders`` says what that is for each protocol."""


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
    """Make a responder of a function, or of a Twisted class. The function or class itself is not changed.

    A function is called with each message, and what it returns is the answer. Its further parameters
    are passed by name: ``connection``, ``context``, or the name of an option. A class is called with
    ``options``, ``context`` and options by name, as far as its constructor has such parameters.

    Args:
        name: of the responder, as in a workspace.
        protocols: on which a function answers; ``("tcp",)`` if left out. For a class they follow from
            its base classes.
        help: one line about it; the first line of the docstring if left out.
        options: what a workspace may set.
        framing: what one message is on TCP: ``none`` (a chunk of data), ``line`` or ``int32``.
        thread: whether the function blocks, and so runs in a thread.
        errors: the answer for an exception, by its class: a value, or a function of the exception.
            Other exceptions are recorded as failures.
        close_on_error: whether a failure closes the connection.
    """

    def decorate(target: T) -> T:
        words = help or (getattr(target, "__doc__", None) or name).strip().partition("\n")[0]
        if isinstance(target, type) or not callable(target) or IProtocolFactory.providedBy(target):
            builders = builders_of(target, tuple(option.name for option in options))
            if not builders:
                raise TypeError(f"{name}: {target!r} is not a factory, protocol or resource of Twisted or autobahn")
        else:
            names = tuple(option.name for option in options)
            handler = Handler(target, names, framing, thread, dict(errors or {}), close_on_error)
            builders = builders_for(handler, protocols or ("tcp",))
        setattr(target, MARK, Responder(name, words, builders, options))
        return target

    return decorate


def builders_of(thing: Any, names: tuple[str, ...] = ()) -> dict[str, Builder]:
    """The builder for a class or object of Twisted or autobahn, by the protocol on which it answers; else {}."""
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
    # autobahn makes its protocols without arguments, so these are attributes of the class.
    return {"options": options, "context": context}


def _maker(thing: Any, names: tuple[str, ...]) -> Builder:
    def make(options: Options, context: Context) -> Any:
        return thing(**arguments_for(thing, names, options, context)) if isinstance(thing, type) else thing

    return make


def _protocol_maker(thing: Any, names: tuple[str, ...]) -> Builder:
    def make(options: Options, context: Context) -> Any:
        factory = Factory()
        factory.noisy = False
        factory.protocol = lambda: thing(**arguments_for(thing, names, options, context))
        return factory

    return make
