"""Which module answers for a handler on which protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from app.plugin.handling import Handler
from app.responders import Builder, Context, Options


def builders_for(handler: Handler, protocols: Iterable[str]) -> dict[str, Builder]:
    """A builder for each of ``protocols``. Raises ValueError for one on which handlers cannot answer."""
    from app.plugin import stream, web, websocket  # only programs with such a plugin need them

    known: dict[str, Any] = {
        "tcp": stream.factory, "udp": stream.datagrams, "http": web.resource, "websocket": websocket.protocol,
    }  # fmt: skip
    for name in protocols:
        if name not in known:
            raise ValueError(f"protocols must be of {', '.join(known)}, not {name!r}")
    return {name: _builder(handler, known[name]) for name in protocols}


def _builder(handler: Handler, make: Callable[[Handler, Options, Context], Any]) -> Builder:
    return lambda options, context: make(handler, options, context)
