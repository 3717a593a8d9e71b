"""The reactor of a command: which one, and a run of it from its start to the exit code."""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from app.commands.exit_codes import FAILED
from app.errors import PostError, system_words
from app.files.limit import raise_file_limit
from app.text.escapes import one_line


def choose_reactor() -> Any:
    """Install and return the reactor of a command. Raises TooFewFilesError."""
    raise_file_limit()
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
        reactor.callWhenRunning(lambda: Deferred.fromCoroutine(self.start()).addErrback(self._on_failure))
        reactor.addSystemEventTrigger("before", "shutdown", self._on_shutdown)
        reactor.run()
        return self.exit_code

    def _on_failure(self, failure: Failure) -> None:
        """It failed in a way that nothing was made for: say so, and end. A reactor must not run on without a word."""
        self.exit_code = FAILED
        print(f"listening-post: {in_words(failure.value or Exception())}", file=sys.stderr)
        self.stop()

    def _on_shutdown(self) -> Deferred[None]:
        self._stopping = True
        return Deferred.fromCoroutine(self.shut_down()).addErrback(self._on_failure)


def in_words(error: BaseException) -> str:
    """One line about an error that ends a command."""
    if isinstance(error, PostError):
        return one_line(str(error))
    if isinstance(error, OSError):
        return one_line(f"The system refuses: {system_words(error)}{f' ({error.filename})' if error.filename else ''}.")
    return one_line(f"{type(error).__name__}: {error}. This is a mistake in Listening Post.")
