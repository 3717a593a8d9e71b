"""The shutter: closes a service's port while a fault says so, and opens it again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from app.errors import system_words
from app.faults import CLOSED, UNACCEPTED
from app.faults.hits import LiveFault
from app.faults.live import Faults

SOON = 1.0
"""Seconds after which a port is tried again that could not be opened, because another program has its number."""

_LEAST = 0.001

_WORDS = {
    CLOSED: ("the port is closed", "the port is open again"),
    UNACCEPTED: ("connections are not accepted", "connections are accepted again"),
}


class Shuttable(Protocol):
    """A port that can be shut."""

    def shut(self, how: str) -> None:
        """Close it, or accept no more connections (``UNACCEPTED``), until ``reopen``."""

    def reopen(self) -> None:
        """Raises OSError where another program has taken its number."""


class Shutter:
    """Looks which faults shut a port, when they are switched and when their time comes.

    Attributes:
        how: what has become of the port: ``CLOSED``, ``UNACCEPTED`` or "".
    """

    def __init__(
        self, port: Shuttable, faults: Faults, on_change: Callable[[str], None], log: Callable[[str], None]
    ) -> None:
        """``on_change`` is given ``how`` when that has changed; ``log`` what went wrong, in words."""
        self._port, self._faults, self._on_change, self._log = port, faults, on_change, log
        self.how = ""
        self._by: LiveFault | None = None
        self._failed = False
        self._timer: Any = None
        self._unhook = faults.changed.connect(lambda _: self._look())
        self._look()

    def stop(self) -> None:
        """The service stops."""
        self._unhook()
        self._cancel()

    def _look(self) -> None:
        fault, how, wait = self._faults.shutting()
        self._look_in(wait)
        if how != self.how and not self._change(fault, how):
            self._look_in(SOON)

    def _look_in(self, seconds: float | None) -> None:
        self._cancel()
        if seconds is not None:
            self._timer = self._faults.clock.callLater(max(seconds, _LEAST), self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        self._look()

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _change(self, fault: LiveFault | None, how: str) -> bool:
        """Shut or reopen the port. Whether that could be done."""
        before, by = self.how, self._by
        try:
            if before:
                self._port.reopen()
        except OSError as e:
            if not self._failed:
                self._log(f"the port cannot be opened again: {system_words(e)}. It is tried again and again.")
            self._failed = True
            return False
        self._failed = False
        if how:
            self._port.shut(how)
        self.how, self._by = how, fault
        # Told last: that emits what has this look again.
        if by is not None:
            self._faults.tell_port(by, _WORDS[before][1])
        if fault is not None:
            fault.hits += 1
            self._faults.counted[fault.kind.name] += 1
            self._faults.tell_port(fault, _WORDS[how][0])
        self._on_change(how)
        return True
