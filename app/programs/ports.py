"""Ports that a hosted program listens on instead of those that are taken."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.error import CannotListenError

from app.services.address import owner_of

MAX_PORTS = 100
"""Ports that are exchanged for others."""


def parsed(words: str) -> tuple[int, int]:
    """``"8000=18000"`` as two numbers. Raises ValueError, which says in words what is wrong."""
    wanted, _, instead = words.partition("=")
    if not instead:
        raise ValueError(f'"{words}" must be two ports, as in 8000=18000')
    return port_of(wanted), port_of(instead)


def port_of(text: str) -> int:
    """A port as a number. Raises ValueError, which says what is wrong."""
    if not (text.strip().isascii() and text.strip().isdigit() and 1 <= int(text) <= 65_535):
        raise ValueError(f'"{text}" is not a port: write a number from 1 to 65535')
    return int(text)


def problem(ports: Mapping[str, str]) -> str | None:
    """What is wrong with a table of ports; None: nothing."""
    if len(ports) > MAX_PORTS:
        return f"has {len(ports)} ports; {MAX_PORTS} are the most"
    for wanted, instead in ports.items():
        try:
            port_of(wanted), port_of(instead)
        except ValueError as e:
            return f"cannot be used: {e}"
    return None


class Ports:
    """Listens elsewhere where a port is taken.

    Args:
        instead: by the port that the program wants, the one that it gets where the first is taken.
        tell: takes words about what was done.
    """

    def __init__(self, instead: Mapping[int, int], tell: Callable[[str], object]) -> None:
        self._instead, self._tell = instead, tell

    def listen(self, port: Any, call: Callable[[Any], Any], transport: str = "tcp") -> Any:
        """What ``call(port)`` returns, which listens. Raises CannotListenError, as ``call`` does."""
        try:
            return call(port)
        except CannotListenError as e:
            if not _is_taken(e):
                raise
            instead = self._instead.get(port)
            if instead is None:
                raise
            found = call(instead)
            whom = owner_of(port, transport) or "another program"
            self._tell(f"port {port} is in use by {whom}: the program listens on {instead} instead")
            return found


def suggested(error: BaseException, transport: str = "tcp") -> str:
    """What to do about a port that is taken, as a sentence; "" for any other error."""
    port = getattr(error, "port", None)
    if not isinstance(error, CannotListenError) or not isinstance(port, int) or not _is_taken(error):
        return ""
    whom = owner_of(port, transport) or "another program"
    other = port + 10_000 if port + 10_000 <= 65_535 else port - 10_000
    return (
        f" Port {port} is in use by {whom}. Stop that, or have this program listen on another one:"
        f' ports = {{ "{port}" = "{other}" }}, or run --port {port}={other}.'
    )


def _is_taken(error: CannotListenError) -> bool:
    return getattr(error.socketError, "errno", None) == errno.EADDRINUSE
