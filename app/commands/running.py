"""The reactor of a command: which one, and a run of it from its start to the exit code."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred


def choose_reactor() -> Any:
    """Install and return the reactor of a command."""
    try:
        from app.reactor import PromptEPollReactor
    except ImportError:
        from twisted.internet import reactor

        return reactor
    from twisted.internet.main import installReactor

    chosen = PromptEPollReactor()
    installReactor(chosen)
    return chosen


class Run:
    """Base class of a command that runs the reactor. Subclasses implement ``start`` and ``shut_down``.

    Attributes:
        exit_code: of the program.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._stopping = False
        self.exit_code = 0

    async def start(self) -> None:
        """Called when the reactor runs. To end the run, call ``stop``."""
        raise NotImplementedError

    async def shut_down(self) -> None:
        """Called before the reactor stops, by ``stop`` or by a signal. The reactor waits until it returns."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop the reactor, unless it is stopping already."""
        if not self._stopping:
            self._stopping = True
            self._reactor.stop()

    @property
    def signal(self) -> int | None:
        """The number of the signal that ended the run, or None."""
        return getattr(self._reactor, "_exitSignal", None)

    def run_reactor(self) -> int:
        """Run the reactor until it stops. Returns the exit code."""
        reactor = self._reactor
        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(self.start()))
        reactor.addSystemEventTrigger("before", "shutdown", self._on_shutdown)
        reactor.run()
        return self.exit_code

    def _on_shutdown(self) -> Deferred[None]:
        self._stopping = True
        return Deferred.fromCoroutine(self.shut_down())
