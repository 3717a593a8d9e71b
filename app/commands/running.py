"""A run of the reactor without a screen, from its start to the exit code."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred


class Run:
    """Base of what commands run. Subclasses make ``start`` and ``shut_down``.

    Attributes:
        exit_code: of the program.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._stopping = False
        self.exit_code = 0

    async def start(self) -> None:
        """What is to be done; whoever wants to end then calls ``stop``."""
        raise NotImplementedError

    async def shut_down(self) -> None:
        """What is to be done before the reactor stops, whoever has asked for that."""
        raise NotImplementedError

    def stop(self) -> None:
        """Shut down, unless that has begun: by us, or by a signal."""
        if not self._stopping:
            self._stopping = True
            self._reactor.stop()

    @property
    def signal(self) -> int | None:
        """The number of the signal that ended it, if one did."""
        return getattr(self._reactor, "_exitSignal", None)

    def to_the_end(self) -> int:
        """Run the reactor until it stops. Returns the exit code."""
        reactor = self._reactor
        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(self.start()))
        reactor.addSystemEventTrigger("before", "shutdown", self._on_shutdown)
        reactor.run()
        return self.exit_code

    def _on_shutdown(self) -> Deferred[None]:
        self._stopping = True
        return Deferred.fromCoroutine(self.shut_down())
