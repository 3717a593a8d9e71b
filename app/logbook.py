"""The logbook: records Twisted's log, Python's warnings and uncaught exceptions as events, each failure once."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import Any

from twisted.logger import ILogObserver, LogLevel, formatEvent, globalLogBeginner, globalLogPublisher
from twisted.python.failure import Failure
from zope.interface import implementer

from app import events
from app.capture.recorder import Recorder
from app.errors import PostError

MAX_LINE = 2000
"""Most characters of a line that is recorded."""

_HEADING = "Unhandled error in Deferred:"
"""Twisted logs this line just before the failure itself, which is recorded."""


@implementer(ILogObserver)
class Logbook:
    """Twisted's log observer, and Python's hooks for uncaught exceptions and for warnings.

    It may be called from any thread. It calls the recorder in the reactor's thread.
    """

    def __init__(self, reactor: Any, recorder: Recorder) -> None:
        self._reactor, self._recorder = reactor, recorder
        self._thread = threading.get_ident()
        self._restore: list[Callable[[], object]] = []

    def open(self) -> None:
        """Add the log observer and install the hooks."""
        # Until logging begins, Twisted buffers events and prints critical ones.
        if globalLogBeginner._temporaryObserver is not None:
            globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
        globalLogPublisher.addObserver(self)
        self._restore.append(lambda: globalLogPublisher.removeObserver(self))
        self._hook(sys, "excepthook", self.on_uncaught)
        self._hook(sys, "unraisablehook", self._on_args)
        self._hook(threading, "excepthook", self._on_thread)
        self._hook(warnings, "showwarning", self.on_warning)

    def _hook(self, module: ModuleType, name: str, hook: Callable[..., None]) -> None:
        old = getattr(module, name)
        self._restore.append(lambda: setattr(module, name, old))
        setattr(module, name, hook)

    def close(self) -> None:
        """Remove the log observer, and restore the hooks that were installed before."""
        while self._restore:
            self._restore.pop()()

    def __call__(self, event: dict[str, Any]) -> None:
        """Twisted's log observer, for events of the legacy ``log.err`` and of ``Logger.failure``."""
        failure = event.get("log_failure") or event.get("failure")
        if isinstance(failure, Failure) and isinstance(failure.value, PostError) and failure.value.said_elsewhere:
            return
        if isinstance(failure, Failure) and failure.value is not None:
            traceback = failure.getTracebackObject()
            self._in_reactor(self._recorder.record_failure, failure.value, 0, 0, None, _real(traceback))
        elif event.get("log_format") == _HEADING:
            return
        elif event.get("log_level", LogLevel.info) >= LogLevel.warn or event.get("isError"):
            self._log(_line(event))

    def record_info(self, event: dict[str, Any]) -> None:
        """Record an event of Twisted's log that is no warning."""
        self._log(_line(event))

    def on_uncaught(
        self, kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Python's hook for an uncaught exception: in a Qt slot, a thread, a finaliser."""
        if issubclass(kind, KeyboardInterrupt):
            self._in_reactor(self._reactor.stop)
            return
        self._in_reactor(self._recorder.record_failure, error or kind(), 0, 0, None, traceback)

    def _on_thread(self, args: Any) -> None:
        if not issubclass(args.exc_type, SystemExit):  # raised to end the thread
            self._on_args(args)

    def _on_args(self, args: Any) -> None:
        self.on_uncaught(args.exc_type, args.exc_value, args.exc_traceback)

    def on_warning(
        self, message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: object
    ) -> None:
        """Python's hook for a warning that no filter has turned into an exception."""
        self._log(f"{category.__name__}: {message}  ({filename}:{lineno})")

    def _log(self, line: str) -> None:
        self._in_reactor(self._record_line, line[:MAX_LINE].replace("\n", " "))

    def _record_line(self, line: str) -> None:
        self._recorder.record(events.LOG, summary=line)

    def _in_reactor(self, call: Callable[..., object], *args: Any) -> None:
        if threading.get_ident() == self._thread:
            call(*args)
        else:
            self._reactor.callFromThread(call, *args)


def _line(event: dict[str, Any]) -> str:
    text = formatEvent(event) or " ".join(map(str, event.get("message", ())))
    return text or str(event.get("log_namespace", "an event without a text"))


def _real(traceback: Any) -> TracebackType | None:
    # After Failure.cleanFailure, the traceback is an imitation without frames.
    return traceback if isinstance(traceback, TracebackType) else None
