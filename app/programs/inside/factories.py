"""What a hosted program gives to its reactor as a factory: whether it is one, what lies round it, its name."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IProtocolFactory


def is_factory(factory: Any) -> bool:
    """Whether Twisted would take it for one."""
    return IProtocolFactory.providedBy(factory) or callable(getattr(factory, "buildProtocol", None))


def innermost(factory: Any) -> tuple[tuple[Any, str] | None, Any]:
    """The factory inside of wrappers that endpoints and TLS put round it, and which attribute of what holds it."""
    holder = None
    while type(factory).__name__ in ("_WrappingFactory", "TLSMemoryBIOFactory"):
        name = "_wrappedFactory" if type(factory).__name__ == "_WrappingFactory" else "wrappedFactory"
        holder, factory = (factory, name), getattr(factory, name)
    return holder, factory


def is_secured(factory: Any) -> bool:
    """Whether TLS lies round it."""
    while factory is not None:
        if type(factory).__name__ == "TLSMemoryBIOFactory":
            return True
        factory = getattr(factory, "_wrappedFactory", None)
    return False


def put(factory: Any, holder: tuple[Any, str] | None, tapped: Any) -> Any:
    """The factory that Twisted is given, with ``tapped`` in the place of the innermost one."""
    if holder is None:
        return tapped
    setattr(holder[0], holder[1], tapped)
    return factory


def name_of(factory: Any) -> str:
    """What a program's author calls it: the protocol of a plain Factory, else the class of the factory."""
    made = getattr(factory, "protocol", None)
    if type(factory).__name__ in ("Factory", "ServerFactory", "_WrappingFactory") and isinstance(made, type):
        return made.__name__
    return type(factory).__name__
