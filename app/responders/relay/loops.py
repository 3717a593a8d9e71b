"""Tells when what comes to a relay has been through it before, whatever other relays stand between."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

REMEMBERED, SECONDS = 1_000, 10.0
"""Ways that are still known after they were closed, and for how long: what went there may not have
arrived yet. Not longer: the kernel gives their ports to others."""

Way = tuple[str, str]
"""From where to where, each as ``address:port``. Both together: the kernel gives a port that one of our
connections has to connections elsewhere, too."""


def out(tap: Any) -> Way:
    """The way of a connection that we opened."""
    return _plain(tap.host), _plain(tap.peer)


def into(tap: Any) -> Way:
    """The way of a connection that we accepted."""
    return _plain(tap.peer), _plain(tap.host)


def datagrams(host: str, port: int) -> Way:
    """The way of datagrams from there; a port may listen on many addresses, and not learn to which they came."""
    return _plain(f"{host}:{port}"), ""


@dataclass(eq=False, slots=True)
class Step:
    """What a relay passes on, on one way.

    Attributes:
        relay: the service's name.
        before: the step that brought it to the relay; None where it was somebody else.
    """

    relay: str
    before: Step | None = None


def passed(step: Step | None, relay: str) -> bool:
    """Whether ``relay`` is among the steps up to this one."""
    seen: set[str] = set()
    while step is not None and step.relay not in seen:
        if step.relay == relay:
            return True
        seen.add(step.relay)
        step = step.before
    return False


class Loops:
    """The ways that the relays of one program have opened to their upstreams."""

    def __init__(self, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._open: dict[Way, Step] = {}
        self._closed: OrderedDict[Way, tuple[float, Step]] = OrderedDict()

    def opened(self, way: Way, step: Step) -> None:
        self._open[way] = step

    def closed(self, way: Way) -> None:
        """Forget a way, though not at once: else a client that leaves would erase the track of what it began."""
        step = self._open.pop(way, None)
        if step is None:
            return
        self._closed[way] = self._now(), step
        self._closed.move_to_end(way)
        if len(self._closed) > REMEMBERED:
            self._closed.popitem(last=False)

    def by(self, way: Way) -> Step | None:
        """The step by which something came; None where no relay of ours sent it."""
        if step := self._open.get(way):
            return step
        when, step = self._closed.get(way, (0.0, None))
        return step if step is not None and self._now() - when < SECONDS else None


def _plain(address: str) -> str:
    # A port for both families sees IPv4 clients as [::ffff:127.0.0.1].
    host, _, port = address.rpartition(":")
    return f"{host.strip('[]').removeprefix('::ffff:')}:{port}"
