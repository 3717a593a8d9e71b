"""What a hosted program prints and logs, as events of the kind ``log``."""

from __future__ import annotations

import json
import sys
from io import TextIOBase
from typing import Any, TextIO

from twisted.logger import LogLevel, globalLogBeginner, globalLogPublisher
from twisted.python.failure import Failure

from app import events
from app.logbook import Logbook
from app.programs.inside.link import HostRecorder, Sending

MOST = 8_000
"""Characters of a line that are recorded at once; a longer one is several."""

_LOGGING = ("twisted.logger._file", "twisted.python.log", "twisted.logger._io", "logging")
"""Modules that write the log: their lines are recorded as what was logged, not once more as what was printed."""


class Printed(TextIOBase):
    """Takes the place of ``sys.stdout`` or ``sys.stderr``: writes as before, and records each line."""

    def __init__(self, stream: TextIO, name: str, recorder: HostRecorder, link: Sending) -> None:
        self._stream, self._recorder, self._link = stream, recorder, link
        self._detail = json.dumps({"stream": name})
        self._line = ""

    def write(self, text: str) -> int:
        written = self._stream.write(text)
        if sys._getframe(1).f_globals.get("__name__") not in _LOGGING:
            self._take(text)
        return written

    def _take(self, text: str) -> None:
        *lines, self._line = (self._line + text).split("\n")
        while len(self._line) > MOST:
            lines.append(self._line[:MOST])
            self._line = self._line[MOST:]
        for line in lines:
            while self._recorder.behind and self._recorder.connected:
                self._link.wait(1.0)  # who prints faster than the disk writes waits, as for a terminal
            for start in range(0, len(line) or 1, MOST):
                self._recorder.record(events.LOG, summary=line[start : start + MOST], detail=self._detail)

    def close(self) -> None:
        """Record what was printed without a line's end."""
        rest, self._line = self._line, ""
        if rest:
            self._recorder.record(events.LOG, summary=rest, detail=self._detail)

    def flush(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class ProgramLog(Logbook):
    """The logbook of a hosted program: it records all that is logged, and leaves the program's log as it is."""

    def __init__(self, recorder: HostRecorder) -> None:
        super().__init__(_Anywhere(), recorder)
        self._early: dict[int, dict[str, Any]] = {}

    def open(self) -> None:
        globalLogPublisher.addObserver(self)
        self._restore.append(lambda: globalLogPublisher.removeObserver(self))

    def __call__(self, event: dict[str, Any]) -> None:
        if self._seen(event):
            return
        failure = event.get("log_failure") or event.get("failure")
        if isinstance(failure, Failure) or event.get("log_level", LogLevel.info) >= LogLevel.warn:
            super().__call__(event)
        elif event.get("log_level") is not LogLevel.debug and not event.get("printed"):
            self.record_info(event)

    def _seen(self, event: dict[str, Any]) -> bool:
        """Whether it was recorded before: when the program begins to log, Twisted repeats what came before that."""
        if self._early.get(id(event)) is event:
            return True
        if globalLogBeginner._temporaryObserver is not None:
            self._early[id(event)] = event
        else:
            self._early.clear()
        return False


class _Anywhere:
    """In the place of a reactor: the recorder may be called from any thread."""

    def callFromThread(self, call: Any, *args: Any) -> None:
        call(*args)

    def stop(self) -> None:
        """Ctrl+C is the program's affair."""
