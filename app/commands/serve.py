"""The Post without a screen: starts every service, prints events, stops when told to."""

from __future__ import annotations

import json
import sys
import threading
from array import array
from pathlib import Path
from typing import Any

from app import errors
from app.capture.filters.language import EVERYTHING
from app.capture.keeping.retention import Keeping
from app.capture.link import DEFAULT_LIMIT
from app.capture.reading.store import Store
from app.capture.recorder import Stored, Trouble
from app.commands import output
from app.commands.running import Run
from app.events import NAMES, Row, rfc3339
from app.post import Post, raise_file_limit
from app.status import Failed, Listening, Status
from app.workspace.reading import Workspace

PAGE = 512
"""Rows printed at once."""

LAST_WORDS, ALL_WORDS = 1.2, 10.0
"""Seconds that the printer has at the end for what it has not printed yet: when a signal wants
us gone, and when the time of ``--for`` has passed, after which a script expects everything."""


def line(event: Row) -> str:
    """An event as one line of text for people."""
    time = rfc3339(event.time)[11:26]
    size = "" if event.size is None else str(event.size)
    kind = NAMES.get(event.kind, str(event.kind))
    return f"{event.id:>7} {time} {event.service:<16} {event.peer or '-':<21} {kind:<18} {size:>6} {event.summary}"


class Printer:
    """Prints what the capture holds, from a thread of its own, no faster than standard output takes it.

    It reads the file, not the traffic: a slow terminal holds nothing in memory and nobody up.
    """

    def __init__(self, path: Path, first: int, *, as_json: bool) -> None:
        self._path, self._next, self._as_json = path, first, as_json
        self._last = first - 1
        self._ending = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="printer", daemon=True)
        self._thread.start()

    def on_stored(self, stored: Stored) -> None:
        with self._changed:
            self._last = stored.last
            self._changed.notify()

    def finish(self, seconds: float) -> None:
        """Print the rest, for so many seconds at the most."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(seconds)

    def _work(self) -> None:
        store: Store | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._last >= self._next or self._ending)
                last = self._last
            if last < self._next:
                return
            try:
                if store is not None and store.moved:  # the writer has put a copy in its place
                    store.close()
                    store = None
                store = store or Store(self._path)
                self._print(store, last)
            except (BrokenPipeError, errors.OutputError) as e:
                _say_lost(e)
                return
            except errors.CaptureError as e:
                print(f"listening-post: {e}", file=sys.stderr)
                with self._changed:  # what is wrong may have passed when more was stored
                    self._changed.wait_for(lambda: self._last > last or self._ending)  # noqa: B023
                    if self._ending:
                        return
                continue
            self._next = last + 1

    def _print(self, store: Store, last: int) -> None:
        if self._as_json:
            for event in store.events(EVERYTHING, self._next, last):
                print(json.dumps(event.as_json(), ensure_ascii=False))
        else:
            # By pages: one look at the file and one write for each, beside a busy reactor.
            for first in range(self._next, last + 1, PAGE):
                rows = store.rows(array("q", range(first, min(first + PAGE, last + 1))))
                print("".join(f"{line(row)}\n" for row in rows), end="")
        sys.stdout.flush()


class _Run(Run):
    """One headless run.

    Args:
        seconds: after which it ends; None: a signal ends it.
    """

    def __init__(
        self,
        reactor: Any,
        workspace: Workspace,
        capture: Path | None,
        seconds: float | None,
        *,
        as_json: bool,
        quiet: bool,
        limit: int,
        keeping: Keeping,
    ) -> None:
        super().__init__(reactor)
        self._capture, self._seconds, self._limit, self._keeping = capture, seconds, limit, keeping
        self._as_json, self._quiet = as_json, quiet
        self._printer: Printer | None = None
        self._last_words = LAST_WORDS
        self.post = Post(reactor, workspace)
        self.post.recorder.trouble_changed.connect(_say_trouble)

    async def start(self) -> None:
        post = self.post
        await post.open(self._capture, self._limit, self._keeping)
        if post.refused:
            self.exit_code = 1
            self.stop()
            return
        first = post.recorder.range.last + 1
        await post.start_all()
        assert post.capture is not None
        print(f"capturing into {post.capture}", file=sys.stderr)
        for plugin in post.plugins.waiting:
            names = ", ".join(responder.name for responder in plugin.brings)
            print(f"listening-post: {names}: {plugin.problem}", file=sys.stderr)
        if self._quiet:
            _print_statuses(post)
        else:
            self._printer = Printer(post.capture, first, as_json=self._as_json)
            post.recorder.stored_changed.connect(self._printer.on_stored)
            post.recorder.flush()
            self._printer.on_stored(post.recorder.range)
        up = [s for s in post.services.values() if isinstance(s.status, Listening)]
        if not up:
            self.exit_code = 1
            why = "none of the services could start" if post.services else "the workspace has no services"
            print(f"listening-post: {why}", file=sys.stderr)
            self.stop()
        elif self._seconds is not None:
            self._reactor.callLater(self._seconds, self._on_time)

    def _on_time(self) -> None:
        self._last_words = ALL_WORDS
        self.stop()

    async def shut_down(self) -> None:
        await self.post.shut_down()
        if self._printer is not None:
            self._printer.finish(self._last_words)
        recorder = self.post.recorder
        if recorder.lost:
            print(
                f"listening-post: seen {recorder.seen:,}, stored {recorder.stored:,}, lost {recorder.lost:,}",
                file=sys.stderr,
            )


def _print_statuses(post: Post) -> None:
    try:
        for service in post.services.values():
            print(f"{service.config.name}: {_in_words(service.status)}", flush=True)
    except (BrokenPipeError, errors.OutputError) as e:
        _say_lost(e)


def _say_lost(e: Exception) -> None:
    """Nothing more can be printed; a reader that has had enough, as ``head`` has, knows that already."""
    output.let_go()
    if isinstance(e, errors.OutputError):
        print(f"listening-post: {e} The services go on, and the capture.", file=sys.stderr)


def _in_words(status: Status) -> str:
    if isinstance(status, Listening):
        return f"listening on {status.host}"
    return status.reason if isinstance(status, Failed) else type(status).__name__.lower()


def _say_trouble(trouble: Trouble | None) -> None:
    print(f"listening-post: {trouble.text if trouble else 'the capture goes on'}", file=sys.stderr)


def run(
    reactor: Any,
    workspace: Workspace,
    capture: Path | None,
    seconds: float | None,
    *,
    as_json: bool,
    quiet: bool = False,
    limit: int = DEFAULT_LIMIT,
    keeping: Keeping = Keeping(),  # noqa: B008 - frozen
) -> int:
    """Run every service of ``workspace`` until a signal comes or ``seconds`` have passed.

    ``quiet`` prints no events, only which services listen, or why not. ``limit`` is the
    capture's size in bytes; ``keeping`` says which captures of before stay.
    Prints its first line when each service listens or has failed. Returns the exit code:
    1 when none could start.
    """
    raise_file_limit()
    whole = _Run(
        reactor, workspace, capture, seconds, as_json=as_json, quiet=quiet, limit=limit, keeping=keeping
    )  # fmt: skip
    return whole.to_the_end()
