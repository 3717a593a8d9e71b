"""Reads the capture in a thread of its own, for panes that must not wait for a disk.

Pages and single events come first. A scan, which may take a second, is cut into chunks: pages
are read between two chunks, and a new filter cancels the rest.
"""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.capture.errors import CaptureError
from app.capture.filters.language import Filter
from app.capture.reading.store import Store
from app.events import Event, Row

if TYPE_CHECKING:
    from app.capture.reading.exchange_at import Exchanged

T = TypeVar("T")

Deliver = Callable[..., object]
"""Calls its first argument with the others, in the thread of the panes."""

Matches = Callable[[Store, Filter, int, int], "tuple[array[int], int]"]
"""Finds ids as :meth:`Store.matches` does."""

Found = Callable[["array[int]", int, bool], object]
"""Takes a chunk of ids, the last event looked at, and whether the scan is complete."""


def _ignore(error: CaptureError) -> None:
    """The capture that is being written is read again when it has grown."""


class Scan:
    """A running scan. Once cancelled it delivers nothing more."""

    def __init__(self, where: Filter, first: int, last: int, found: Found, matches: Matches = Store.matches) -> None:
        self.where, self.first, self.last, self.matches = where, first, last, matches
        self._found = found
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True

    def deliver(self, ids: array[int], upto: int, complete: bool) -> None:
        if not self.cancelled:
            self._found(ids, upto, complete)


class Reader:
    """One reading thread on one capture.

    Where the file cannot be read (it is gone, or not there yet), the answer is empty: whoever asked
    asks again when the capture has grown.

    Attributes:
        failed: called with each error, in the thread of the panes.
    """

    def __init__(self, path: Path, deliver: Deliver) -> None:
        self.path, self._deliver = path, deliver
        self._urgent: deque[Callable[[], None]] = deque()
        self._scans: deque[Scan] = deque()
        self._wanted = threading.Condition()
        self._closed = False
        self.failed: Callable[[CaptureError], object] = _ignore
        self._store: Store | None = None
        self._thread = threading.Thread(target=self._work, name="capture-reader", daemon=True)
        self._thread.start()

    def switch(self, path: Path) -> None:
        """Read another capture from now on. Answers that were asked for before may be of either."""
        self.path = path
        with self._wanted:
            self._scans.clear()
            self._urgent.append(self._let_go)
            self._wanted.notify()

    def beside(self, path: Path) -> Reader:
        """One for another capture, which delivers to the same thread."""
        return Reader(path, self._deliver)

    def rows(self, ids: array[int], done: Callable[[list[Row]], object]) -> None:
        """Deliver the rows of these events, in order of id."""
        nothing: list[Row] = []
        self._ask(lambda: self._opened().rows(ids), nothing, done)

    def event(self, id: int, done: Callable[[Event | None], object]) -> None:
        """Deliver one whole event, or None where it is gone."""
        self._ask(lambda: self._opened().event(id), None, done)

    def exchange(self, id: int, done: Callable[[Exchanged | None], object]) -> None:
        """Deliver the HTTP exchange that an event is part of; None for an event of no exchange."""

        def read() -> Exchanged | None:
            from app.capture.reading.exchange_at import exchange_at  # h11 is imported only when an exchange is read

            return exchange_at(self._opened(), id)

        self._ask(read, None, done)

    def read(self, read: Callable[[Store], T], nothing: T, done: Callable[[T], object]) -> None:
        """Deliver what ``read`` gives for the capture; ``nothing`` where the capture cannot be read."""
        self._ask(lambda: read(self._opened()), nothing, done)

    def scan(self, where: Filter, first: int, last: int, found: Found, matches: Matches = Store.matches) -> Scan:
        """Deliver the ids that match, chunk by chunk, oldest first; or what else ``matches`` finds."""
        scan = Scan(where, first, last, found, matches)
        with self._wanted:
            self._scans.append(scan)
            self._wanted.notify()
        return scan

    def close(self) -> None:
        """End the thread, after the job at hand."""
        with self._wanted:
            self._closed = True
            self._urgent.clear()
            self._scans.clear()
            self._wanted.notify()
        self._thread.join(2)

    def _ask(self, read: Callable[[], T], nothing: T, done: Callable[[T], object]) -> None:
        def job() -> None:
            self._deliver(done, self._try(read, nothing))

        with self._wanted:
            self._urgent.append(job)
            self._wanted.notify()

    def _work(self) -> None:
        while True:
            with self._wanted:
                self._wanted.wait_for(lambda: self._urgent or self._scans or self._closed)
                if self._closed:
                    break
                job = self._urgent.popleft() if self._urgent else None
                scan = None if job else self._scans.popleft()
            if job is not None:
                job()
            elif scan is not None and not scan.cancelled:
                self._step(scan)
        self._let_go()

    def _try(self, read: Callable[[], T], nothing: T) -> T:
        try:
            return read()
        except CaptureError as e:
            self._let_go()
            self._deliver(self.failed, e)
            return nothing
        except Exception:
            # Also for a sound database with content that we never wrote: it must not end the thread.
            self._let_go()
            return nothing

    def _opened(self) -> Store:
        if self._store is None or self._store.moved:
            # The writer puts a copy in place of a file that was taken away.
            self._let_go()
            self._store = Store(self.path)
        return self._store

    def _let_go(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _step(self, scan: Scan) -> None:
        # If the file cannot be read now, the scan ends before the first event that it has not looked at.
        nothing: array[int] = array("q")
        ids, upto = self._try(
            lambda: scan.matches(self._opened(), scan.where, scan.first, scan.last), (nothing, scan.first - 1)
        )
        complete = upto >= scan.last or upto < scan.first
        scan.first = upto + 1
        self._deliver(scan.deliver, ids, upto, complete)
        if not complete:
            with self._wanted:
                # At the front of the queue: scans end in the order in which they began.
                self._scans.appendleft(scan)
