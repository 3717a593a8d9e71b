"""Prints the events of a running capture."""

from __future__ import annotations

import sys
import threading
from array import array
from pathlib import Path

from app.capture.errors import CaptureError
from app.capture.filters.language import EVERYTHING
from app.capture.reading.store import Store
from app.capture.recorder import Stored
from app.commands import errors
from app.commands.printing import output
from app.text.escapes import json_line

PAGE = 512
"""Rows printed at once."""

CHUNK = 64 << 10
"""Characters of events as JSON that are printed at once, and those of one event more."""

LAST = 0.2
"""Seconds for the page that is printed when the printer gives up; a reader that does not read is not waited for."""


class Printer:
    """Prints the events that were stored, in a thread, as fast as standard output takes them.

    It reads the events from the capture's file, so that a slow terminal neither delays the services
    nor lets events pile up in memory.

    Args:
        path: of the capture.
        first: number of the first event to print.
        as_json: print each event as one JSON object, otherwise as one line of text.
    """

    def __init__(self, path: Path, first: int, *, as_json: bool) -> None:
        self._path, self._next, self._as_json = path, first, as_json
        self._last = first - 1
        self._ending = self._given_up = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="printer", daemon=True)
        self._thread.start()

    def on_stored(self, stored: Stored) -> None:
        with self._changed:
            self._last = stored.last
            self._changed.notify()

    def finish(self, seconds: float) -> None:
        """Print what is stored and not printed yet. Blocks, for at most ``seconds``."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(seconds)
        self._given_up = True
        self._thread.join(LAST)

    def _work(self) -> None:
        store: Store | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._last >= self._next or self._ending)
                last = self._last
            if last < self._next or self._given_up:
                return
            try:
                if store is not None and store.moved:  # the writer has replaced the file by a copy
                    store.close()
                    store = None
                store = store or Store(self._path)
                self._print(store, last)
            except (BrokenPipeError, errors.OutputError) as e:
                report_lost_output(e)
                return
            except CaptureError as e:
                output.warn(str(e))
                with self._changed:  # the capture may be readable again when more was stored
                    self._changed.wait_for(lambda: self._last > last or self._ending)  # noqa: B023
                    if self._ending:
                        return
                continue
            self._next = last + 1

    def _print(self, store: Store, last: int) -> None:
        if self._as_json:
            lines: list[str] = []
            size = 0
            for event in store.events(EVERYTHING, self._next, last):
                lines.append(f"{json_line(event.as_json())}\n")
                size += len(lines[-1])
                if size >= CHUNK:
                    output.write_text("".join(lines))
                    lines, size = [], 0
                if self._given_up:
                    break
            output.write_text("".join(lines))
        else:
            # One query and one write for a page of events: the reactor's thread is busy, too.
            for first in range(self._next, last + 1, PAGE):
                rows = store.rows(array("q", range(first, min(first + PAGE, last + 1))))
                output.write_text("".join(f"{output.line(row)}\n" for row in rows))
                if self._given_up:
                    return


def report_lost_output(e: Exception) -> None:
    """Stop printing, and report ``e`` unless it is a BrokenPipeError, as of ``head`` that has read enough."""
    output.discard_rest()
    if isinstance(e, errors.OutputError):
        print(f"listening-post: {e} The services go on, and the capture.", file=sys.stderr)
